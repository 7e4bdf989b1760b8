// SPDX-License-Identifier: MIT
#include <iterator>
#include <utility>

#include "carbide/owned_slice.hpp"
#include "carbide/try.hpp"
#include "demo/report.hpp"
#include "document/utf8.hpp"
#include "document/write_json.hpp"

namespace demo {
namespace {

template <class... Args>
void print(fmt::memory_buffer& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// A file name may hold any bytes, JSON only characters: the rest becomes '?'.
carbide::Result<void> write_string(fmt::memory_buffer& out, carbide::Allocator scratch,
                                   std::string_view text) {
    const auto clean = CARBIDE_TRY(carbide::dupe_owned(scratch, text));
    for (std::size_t i = 0; i < clean.size();) {
        const std::size_t size_bytes = json::decode_utf8(text.substr(i)).size_bytes;
        if (size_bytes == 0) clean[i] = '?';
        i += size_bytes == 0 ? 1 : size_bytes;
    }
    const json::Value value{.kind = json::ValueKind::string,
                            .text = std::string_view(clean.data(), clean.size())};
    const std::string_view written = CARBIDE_TRY(json::write_json(scratch, value));
    out.append(written);
    scratch.free(std::span<const char>(written));
    return {};
}

void write_usage(fmt::memory_buffer& out, const Usage& usage) {
    print(out, R"("malloc_calls":{},"peak_bytes":{},"leaked_count":{},"leaked_bytes":{})",
          usage.malloc_calls, usage.peak_bytes, usage.leaked_count, usage.leaked_bytes);
}

carbide::Result<void> write_input(fmt::memory_buffer& out, carbide::Allocator scratch,
                                  const Findings& findings) {
    print(out, R"("files":[)");
    std::string_view before;
    for (const SourceFile& file : findings.files) {
        out.append(std::exchange(before, ","));
        CARBIDE_TRY(write_string(out, scratch, file.path));
    }
    print(out, R"(],"source_bytes":{},"values":{},"members":{},"depth":{},"by_kind":{{)",
          findings.source_bytes, findings.counts.values(), findings.counts.members,
          findings.counts.depth);
    before = {};
    for (std::size_t i = 0; i < json::value_kind_count; ++i) {
        const auto kind = static_cast<json::ValueKind>(i);
        print(out, R"({}"{}":{})", std::exchange(before, ","), json::name_of(kind),
              findings.counts.of(kind));
    }
    print(out, R"(}},"keys":{{)");
    before = {};
    for (const json::KeyCount& key : findings.keys) {
        out.append(std::exchange(before, ","));
        CARBIDE_TRY(write_string(out, scratch, key.key));
        print(out, ":{}", key.count);
    }
    print(out, "}}");
    return {};
}

}  // namespace

carbide::Result<void> write_json_report(fmt::memory_buffer& out, carbide::Allocator scratch,
                                        const Findings& findings) {
    const LimitedRun& limited = findings.limited;
    print(out, "{{");
    CARBIDE_TRY(write_input(out, scratch, findings));
    print(out, R"(,"rounds":{},"malloc":{{"median_ms":{:.6f},)", findings.times.round_count,
          findings.times.piecewise_ms);
    write_usage(out, findings.piecewise);
    print(out, R"(}},"arena":{{"median_ms":{:.6f},)", findings.times.arena_ms);
    write_usage(out, findings.arena);
    print(out, R"(}},"limited":{{"limit_bytes":{},"documents_done":{},"stopped_in":)",
          limited.limit_bytes, limited.done_count);
    CARBIDE_TRY(write_string(out, scratch, limited.stopped_in));
    print(out, R"(,"error":"{}",)", limited.error.message().view());
    write_usage(out, limited.usage);
    print(out, "}}}}\n");
    return {};
}

}  // namespace demo
