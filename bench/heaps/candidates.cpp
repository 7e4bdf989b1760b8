// SPDX-License-Identifier: MIT
#include "candidates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "process.hpp"
#include "zig_worker.hpp"

namespace bench::heaps {
namespace {

struct Library {
    const char* peer;
    const char* file;
    const char* package;  // Debian's.
};

constexpr Library libraries[] = {
    {"jemalloc", "libjemalloc.so.2", "libjemalloc2"},
    {"tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"},
    {"mimalloc", "libmimalloc.so.2", "libmimalloc2.0"},
};

bool is_loaded(const std::string& worker, const Library& library) {
    const Outcome outcome = run({worker, "--whose-malloc"}, library.file);
    return outcome.status == 0 && outcome.output.find(library.file) != std::string::npos;
}

}  // namespace

Candidates find_candidates(const std::string& worker, const std::vector<std::string>& only) {
    const auto is_wanted = [&](const char* name) {
        return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
    };
    Candidates found;
    if (is_wanted("glibc")) found.all.push_back({"glibc", "malloc", worker, ""});
    for (const Library& library : libraries) {
        if (!is_wanted(library.peer)) continue;
        if (!is_loaded(worker, library)) {
            found.left_out.push_back(fmt::format("{} is left out: {} of Debian's {} is not here",
                                                 library.peer, library.file, library.package));
            continue;
        }
        found.all.push_back({library.peer, "malloc", worker, library.file});
        found.all.push_back({library.peer, "new", worker, library.file});
    }
    if (is_wanted("zig")) {
        const ZigWorker zig = build_zig_worker(worker + "_zig");
        if (zig.missing.empty()) {
            found.all.push_back({"zig", "zig", zig.program, ""});
        } else {
            found.left_out.push_back("zig is left out: " + zig.missing);
        }
    }
    for (const char* const interface : {"handle", "known"}) {
        if (is_wanted(interface)) found.all.push_back({"carbide", interface, worker, ""});
    }
    if (!only.empty() && is_wanted("hardened")) {
        found.all.push_back({"carbide", "hardened", worker, ""});
    }
    return found;
}

}  // namespace bench::heaps
