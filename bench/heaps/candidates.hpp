// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace bench::heaps {

/// An allocator, and how a worker that uses it is started.
struct Candidate {
    std::string peer;       // As it is named in tables; the same for each way to call it.
    std::string interface;  // "malloc", "new", "zig", "handle", "known", "hardened".
    std::string worker;     // The program.
    std::string preload;    // A library that replaces malloc, or empty.

    [[nodiscard]] bool is_carbide() const { return peer == "carbide"; }
};

struct Candidates {
    std::vector<Candidate> all;
    std::vector<std::string> left_out;  // A line for each: what, and why.
};

/// Peers with sized deletes are there twice, to be measured by what suits them better.
/// `only`: names of peers and interfaces; empty for all but `hardened`.
[[nodiscard]] Candidates find_candidates(const std::string& worker,
                                         const std::vector<std::string>& only);

}  // namespace bench::heaps
