// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

#include "carbide/stack_trace.hpp"
#include "heap/debug/suppressions.hpp"
#include "platform/report_text.hpp"

namespace carbide::detail {

/// Allocations of one call stack that nobody has freed.
struct LeakGroup {
    StackTrace allocated;
    std::size_t count = 0;
    std::size_t size_bytes = 0;
    const void* example = nullptr;  // One of them.
    std::size_t example_size_bytes = 0;
};

/// Collects leaked allocations by call stack, in pages of its own. Where those run out, allocations
/// with further call stacks are counted in one group without a stack: no byte is lost.
class LeakGroups {
public:
    LeakGroups() noexcept = default;
    ~LeakGroups();
    LeakGroups(const LeakGroups&) = delete;  // `groups_` points into `this`.
    LeakGroups& operator=(const LeakGroups&) = delete;

    void add(StackTrace allocated, const void* block, std::size_t size_bytes) noexcept;

    /// Takes out what `suppressions` match, and counts it there, anew. Once, after the last `add`.
    void suppress(Suppressions& suppressions) noexcept;

    /// The groups, largest first. After it nothing can be added.
    [[nodiscard]] std::span<const LeakGroup> sorted() noexcept;

    /// Without what was suppressed.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

private:
    LeakGroup* find(StackTrace allocated) noexcept;
    bool grow() noexcept;

    static constexpr std::size_t first_slot_count = 16;

    // A hash table with linear probing; an unused slot has a count of 0.
    LeakGroup first_slots_[first_slot_count];
    LeakGroup* slots_ = first_slots_;
    std::size_t slot_count_ = first_slot_count;
    std::size_t used_count_ = 0;
    LeakGroup without_place_;  // What found no slot.
    std::size_t count_ = 0;
    std::size_t size_bytes_ = 0;
};

/// What a leak report is made from.
struct LeakReport {
    const char* allocator_name;
    LeakGroups& groups;
    const Suppressions* suppressions = nullptr;  // Whose counts are told.
    std::size_t group_count_max = 20;
};

void write_leaks(platform::ReportText& text, const LeakReport& report,
                 platform::Style style = {}) noexcept;

/// An object on one line. `text` is empty before. Where memory is out, the smaller groups are among
/// the omitted ones, and it ends with "cut_by_out_of_memory":true.
void write_leaks_json(platform::ReportText& text, const LeakReport& report) noexcept;

}  // namespace carbide::detail
