// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "carbide/finding.hpp"
#include "carbide/testing/run_outcome.hpp"

namespace carbide::testing {

/// Text in place, cut where it is full: what crosses from a child process has no pointers.
template <std::size_t Capacity>
class FixedText {
public:
    void set(std::string_view text) noexcept { size_bytes_ = text.copy(bytes_, Capacity); }
    void clear() noexcept { size_bytes_ = 0; }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_bytes_}; }

private:
    std::size_t size_bytes_ = 0;
    char bytes_[Capacity];
};

/// What is known of one run of a function with a planned failure. Lies in memory that a child
/// process shares with its parent, so that it is there even where the child did not live to report
/// it.
struct RunRecord {
    bool ended = false;    // The run came to its end: all below is valid.
    bool skipped = false;  // The test wants no memory check.
    int signal = 0;        // The one that it crashed with.
    bool hung = false;

    detail::RunOutcome outcome;
    bool object_changed = false;
    std::size_t alloc_count = 0;
    std::size_t resize_count = 0;
    std::size_t induced_failure_count = 0;
    std::size_t reportable_failure_count = 0;

    bool leaked = false;
    bool has_finding = false;
    FindingKind first_finding{};

    FixedText<16384> induced_at;  // Call stacks, a line per frame.
    FixedText<16384> ended_at;    // Where it crashed or hung.
    FixedText<65536> findings;

    /// Found something worse than a leak.
    [[nodiscard]] bool is_corrupted() const noexcept {
        return has_finding && first_finding != FindingKind::leak;
    }

    void clear() noexcept {
        ended = skipped = hung = object_changed = leaked = has_finding = false;
        signal = 0;
        outcome = {};
        alloc_count = resize_count = induced_failure_count = reportable_failure_count = 0;
        induced_at.clear();
        ended_at.clear();
        findings.clear();
    }
};

}  // namespace carbide::testing
