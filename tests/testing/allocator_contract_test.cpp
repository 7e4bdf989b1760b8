// SPDX-License-Identifier: MIT
#include "carbide/testing/allocator_contract.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/heap_operations.hpp"
#include "carbide/null_allocator.hpp"
#include "platform/pages.hpp"
#include "support/contract_reports.hpp"

namespace carbide::testing {
namespace {

using tests::reports;

// What a heap can get wrong on its own.
enum class Defect {
    none,
    ignores_alignment,
    ignores_large_alignment,
    lends_overlapping_bytes,
    lends_what_is_lent,
    rewinds_on_any_free,
    wraps_around,
    resize_grows_without_room,
    resize_grows_a_little_too_far,
    failed_resize_writes,
    failed_remap_writes,
    remap_loses_content,
    remap_loses_the_end,
    remap_loses_alignment,
    remap_returns_old_memory,
};

/// A bump pointer in a buffer, with one defect.
class DefectiveHeap : public HeapOperations<DefectiveHeap> {
public:
    explicit DefectiveHeap(Defect defect)
        : HeapOperations("defective"),
          defect_(defect),
          buffer_(static_cast<std::byte*>(platform::map_pages(buffer_bytes, 1))) {}
    ~DefectiveHeap() { platform::unmap_pages(buffer_, buffer_bytes); }

private:
    friend HeapOperations;

    static std::size_t bytes_of(std::align_val_t alignment) noexcept {
        return static_cast<std::size_t>(alignment);
    }
    [[nodiscard]] std::uintptr_t begin() const noexcept {
        return reinterpret_cast<std::uintptr_t>(buffer_);
    }

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        DefectiveHeap& me = self(heap);
        std::size_t mask = bytes_of(alignment) - 1;
        if (me.defect_ == Defect::ignores_alignment) mask = 0;
        if (me.defect_ == Defect::ignores_large_alignment) mask &= 4095;
        const std::uintptr_t address = (me.begin() + me.used_bytes_ + mask) & ~mask;
        const std::size_t at = address - me.begin();
        if (me.defect_ == Defect::wraps_around) {
            if (at + size_bytes > buffer_bytes) return nullptr;
        } else if (at > buffer_bytes || size_bytes > buffer_bytes - at) {
            return nullptr;
        }
        me.used_bytes_ = at + size_bytes;
        if (me.defect_ == Defect::lends_overlapping_bytes) me.used_bytes_ -= size_bytes / 4;
        if (me.defect_ == Defect::lends_what_is_lent) me.used_bytes_ = at;
        return me.buffer_ + at;
    }

    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t) noexcept {
        DefectiveHeap& me = self(heap);
        const std::size_t at = reinterpret_cast<std::uintptr_t>(memory) - me.begin();
        const bool fits = new_bytes <= buffer_bytes - at;
        if (new_bytes <= old_bytes) return true;
        if (me.defect_ == Defect::resize_grows_without_room) return fits;
        if (me.defect_ == Defect::resize_grows_a_little_too_far) {
            return fits && new_bytes - old_bytes < 64;
        }
        if (me.defect_ == Defect::failed_resize_writes) *static_cast<char*>(memory) ^= 1;
        return false;
    }

    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        DefectiveHeap& me = self(heap);
        if (me.defect_ == Defect::failed_remap_writes) {
            static_cast<char*>(memory)[old_bytes - 1] ^= 1;
            return nullptr;
        }
        const bool loses_alignment = me.defect_ == Defect::remap_loses_alignment;
        void* const moved =
            slow_alloc(heap, new_bytes, loses_alignment ? std::align_val_t{1} : alignment);
        if (moved == nullptr) return nullptr;
        if (me.defect_ == Defect::remap_returns_old_memory) return memory;
        std::size_t kept_bytes = old_bytes < new_bytes ? old_bytes : new_bytes;
        if (me.defect_ == Defect::remap_loses_content) kept_bytes = 0;
        if (me.defect_ == Defect::remap_loses_the_end) kept_bytes -= 1;
        std::memcpy(moved, memory, kept_bytes);
        return moved;
    }

    static void slow_free(Heap& heap, void* memory, std::size_t, std::align_val_t) noexcept {
        DefectiveHeap& me = self(heap);
        if (me.defect_ != Defect::rewinds_on_any_free) return;
        me.used_bytes_ = reinterpret_cast<std::uintptr_t>(memory) - me.begin();
    }

    Defect defect_;
    // Enough for a run of the kit; not touched before it is lent.
    static constexpr std::size_t buffer_bytes = 256 << 20;

    std::byte* buffer_;
    std::size_t used_bytes_ = 0;
};

ContractReport report_on(Defect defect, const ContractOptions& options = {}) {
    DefectiveHeap heap(defect);
    return check_allocator_contract(heap.allocator(), options);
}

TEST_CASE("contract: a right heap passes, and its report is empty") {
    const ContractReport report = report_on(Defect::none);
    CHECK(report.passed());
    CHECK(static_cast<bool>(report));
    CHECK(report.message().empty());
}

TEST_CASE("contract: memory with too little alignment is reported") {
    CHECK(reports(report_on(Defect::ignores_alignment), ", not aligned"));
    CHECK(reports(report_on(Defect::ignores_large_alignment), "aligned to 8192) returned "));
}

TEST_CASE("contract: bytes that are lent twice are reported") {
    CHECK(reports(report_on(Defect::lends_overlapping_bytes), "changed their content through"));
    CHECK(reports(report_on(Defect::lends_what_is_lent), "changed their content through"));
    CHECK(reports(report_on(Defect::rewinds_on_any_free), "changed their content through"));
}

TEST_CASE("contract: a size that wraps around is reported") {
    CHECK(reports(report_on(Defect::wraps_around), "alloc(18446744073709551615, aligned to "));
}

TEST_CASE("contract: growth in place over a neighbour is reported") {
    CHECK(reports(report_on(Defect::resize_grows_without_room), ""));
    CHECK(reports(report_on(Defect::resize_grows_a_little_too_far), "changed their content"));
}

TEST_CASE("contract: a failed resize or remap that writes is reported") {
    CHECK(reports(report_on(Defect::failed_resize_writes), "changed their content through"));
    CHECK(reports(report_on(Defect::failed_remap_writes), "changed their content through"));
}

TEST_CASE("contract: a remap that loses content, alignment or room is reported") {
    CHECK(reports(report_on(Defect::remap_loses_content), "changed their content through re"));
    CHECK(reports(report_on(Defect::remap_loses_the_end), "changed their content through re"));
    CHECK(reports(report_on(Defect::remap_loses_alignment), "lost the alignment of "));
    CHECK(reports(report_on(Defect::remap_returns_old_memory), "changed their content"));
}

TEST_CASE("contract: out of memory is reported unless the heap may run out") {
    CHECK(reports(check_allocator_contract(null_allocator()), "failed"));
    CHECK(check_allocator_contract(null_allocator(), {.may_run_out = true}).passed());
}

TEST_CASE("contract: the report names the seed of the run, and the run depends on it") {
    const ContractOptions options{.seed = 12345};
    CHECK(reports(report_on(Defect::rewinds_on_any_free, options), "", 12345));
    const ContractReport one = report_on(Defect::resize_grows_a_little_too_far);
    const ContractReport same = report_on(Defect::resize_grows_a_little_too_far);
    CHECK(one.message() == same.message());
}

TEST_CASE("contract: a message that is too long is cut") {
    ContractReport report;
    report.fail("%s", std::string(1000, 'x').c_str());
    report.add_context("more");
    report.fail("a second failure");
    CHECK(report.message() == std::string(255, 'x'));
    CHECK_FALSE(report.passed());
}

#ifndef __SANITIZE_THREAD__  // Which reports these heaps itself, as the race that they are.
/// Threads that meet in `slow_alloc` are lent the same bytes.
class RacingHeap : public HeapOperations<RacingHeap> {
public:
    RacingHeap() : HeapOperations("racing", Sharing::shared), buffer_(64 << 20) {}

private:
    friend HeapOperations;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        RacingHeap& me = self(heap);
        const std::size_t mask = static_cast<std::size_t>(alignment) - 1;
        const std::size_t at = (me.used_bytes_.load() + mask) & ~mask;
        std::this_thread::yield();  // Long enough for another one to come by.
        if (at > me.buffer_.size() || size_bytes > me.buffer_.size() - at) return nullptr;
        me.used_bytes_.store(at + size_bytes);
        return me.buffer_.data() + at;
    }
    static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return false;
    }
    static void* slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return nullptr;
    }
    static void slow_free(Heap&, void*, std::size_t, std::align_val_t) noexcept {}

    std::vector<std::byte> buffer_;
    std::atomic<std::size_t> used_bytes_ = 0;
};

TEST_CASE("contract: bytes that two threads are lent at once are reported") {
    RacingHeap heap;
    const ContractOptions options{.alignment_max = std::align_val_t{16}, .may_run_out = true};
    CHECK(reports(check_shared_allocator(heap.allocator(), 4, options), ""));
}
#endif

TEST_CASE("contract: a right heap passes from several threads") {
    CHECK(check_shared_allocator(c_allocator(), 3).message() == "");
}

TEST_CASE("contract: out of memory in a thread is reported unless the heap may run out") {
    CHECK(reports(check_shared_allocator(null_allocator(), 2), "failed"));
    CHECK(check_shared_allocator(null_allocator(), 2, {.may_run_out = true}).passed());
}

}  // namespace
}  // namespace carbide::testing
