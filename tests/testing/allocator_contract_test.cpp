// SPDX-License-Identifier: MIT
#include "carbide/testing/allocator_contract.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/heap_operations.hpp"
#include "carbide/null_allocator.hpp"
#include "platform/pages.hpp"

namespace carbide::testing {
namespace {

// Whether the report says this, and with which seed to see it again.
bool reports(const ContractReport& report, std::string_view text, std::uint64_t seed = 1) {
    const std::string message(report.message());
    INFO(message);
    CHECK_FALSE(report.passed());
    const std::string context = "(seed " + std::to_string(seed) + ")";
    const bool found =
        message.find(text) != std::string::npos && message.find(context) != std::string::npos;
    CHECK(found);
    return found;
}

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

// What a heap can do wrong to its backing. All but the first three need it to fail.
enum class Misdeed {
    none,
    frees_another_size,
    frees_another_alignment,
    frees_twice,
    keeps_one,
    leaks_half_of_a_failed_pair,
    gives_up_for_ever,
    loses_content_when_growth_fails,
    lends_less_when_the_backing_fails,
};

/// Every allocation is a pair: the bytes, and a note in memory of its own.
class MisbehavingHeap : public HeapOperations<MisbehavingHeap> {
public:
    static constexpr std::size_t emergency_bytes = 64 << 10;

    MisbehavingHeap(Misdeed misdeed, Allocator backing) noexcept
        : HeapOperations("misbehaving"), misdeed_(misdeed), backing_(backing) {
        if (misdeed_ == Misdeed::keeps_one) kept_ = backing_.raw_alloc(64, std::align_val_t{8});
    }

private:
    friend HeapOperations;

    // In front of the bytes lies the address of the note, with room for the alignment.
    static std::size_t front_bytes(std::align_val_t alignment) noexcept {
        const auto bytes = static_cast<std::size_t>(alignment);
        return bytes < note_bytes ? note_bytes : bytes;
    }

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        MisbehavingHeap& me = self(heap);
        if (me.has_given_up_) return nullptr;
        const std::size_t front = front_bytes(alignment);
        if (size_bytes > SIZE_MAX - front) return nullptr;
        void* const pair = me.backing_.raw_alloc(front + size_bytes, std::align_val_t{front});
        void* const note = me.backing_.raw_alloc(note_bytes, std::align_val_t{note_bytes});
        if (pair != nullptr && note != nullptr) {
            std::memcpy(pair, &note, sizeof note);
            return static_cast<std::byte*>(pair) + front;
        }
        me.has_given_up_ = me.misdeed_ == Misdeed::gives_up_for_ever;
        if (note != nullptr) me.backing_.raw_free(note, note_bytes, std::align_val_t{note_bytes});
        if (pair != nullptr && me.misdeed_ != Misdeed::leaks_half_of_a_failed_pair) {
            me.backing_.raw_free(pair, front + size_bytes, std::align_val_t{front});
        }
        const bool lends_less = me.misdeed_ == Misdeed::lends_less_when_the_backing_fails;
        return lends_less ? me.emergency_ : nullptr;
    }

    static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return false;
    }

    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        MisbehavingHeap& me = self(heap);
        if (memory == me.emergency_) return nullptr;
        void* const moved = slow_alloc(heap, new_bytes, alignment);
        if (moved == nullptr || moved == me.emergency_) {
            if (me.misdeed_ == Misdeed::loses_content_when_growth_fails) {
                std::memset(memory, 0, old_bytes);
            }
            return nullptr;
        }
        std::memcpy(moved, memory, old_bytes < new_bytes ? old_bytes : new_bytes);
        slow_free(heap, memory, old_bytes, alignment);
        return moved;
    }

    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept {
        MisbehavingHeap& me = self(heap);
        if (memory == me.emergency_) return;
        const std::size_t front = front_bytes(alignment);
        void* const pair = static_cast<std::byte*>(memory) - front;
        void* note = nullptr;
        std::memcpy(&note, pair, sizeof note);
        if (me.misdeed_ == Misdeed::frees_another_size) ++size_bytes;
        const bool other_alignment = me.misdeed_ == Misdeed::frees_another_alignment;
        me.backing_.raw_free(pair, front + size_bytes,
                             std::align_val_t{other_alignment ? 2 * front : front});
        me.backing_.raw_free(note, note_bytes, std::align_val_t{note_bytes});
        if (me.misdeed_ == Misdeed::frees_twice) {
            me.backing_.raw_free(note, note_bytes, std::align_val_t{note_bytes});
        }
    }

    static constexpr std::size_t note_bytes = 16;

    Misdeed misdeed_;
    Allocator backing_;
    bool has_given_up_ = false;
    void* kept_ = nullptr;
    alignas(16) std::byte emergency_[emergency_bytes];
};

ContractReport sweep_of(Misdeed misdeed, bool may_run_out = false) {
    const ContractOptions options{.size_bytes_max = MisbehavingHeap::emergency_bytes,
                                  .may_run_out = may_run_out,
                                  .operation_count = 60,
                                  .live_bytes_max = std::size_t{256} << 10};
    return check_out_of_memory(
        [misdeed](Allocator backing, auto run_on) {
            const auto heap = std::make_unique<MisbehavingHeap>(misdeed, backing);
            run_on(heap->allocator());
        },
        options);
}

TEST_CASE("contract: a heap that survives out of memory passes the sweep") {
    CHECK(sweep_of(Misdeed::none).message() == "");
}

TEST_CASE("contract: what does not come back to the backing as it was lent is reported") {
    CHECK(reports(sweep_of(Misdeed::keeps_one), "kept 1 allocations of its backing (64 bytes)"));
#if !CARBIDE_CHECKED
    // Checked builds fill what is freed, with the wrong size and a second time, before anybody
    // can see that it is wrong; AddressSanitizer then is first to tell.
    CHECK(reports(sweep_of(Misdeed::frees_another_size), " where its backing lent "));
    CHECK(reports(sweep_of(Misdeed::frees_twice), "which its backing has not lent out"));
#endif
    CHECK(reports(sweep_of(Misdeed::frees_another_alignment), " where its backing lent "));
}

TEST_CASE("contract: what goes wrong only when the backing fails is reported with the request") {
    CHECK(
        reports(sweep_of(Misdeed::leaks_half_of_a_failed_pair), " (backing alloc 1 failed once)"));
    CHECK(reports(sweep_of(Misdeed::gives_up_for_ever), "although the backing serves again"));
    CHECK(reports(sweep_of(Misdeed::loses_content_when_growth_fails),
                  "lost its content (backing alloc"));
    CHECK(reports(sweep_of(Misdeed::lends_less_when_the_backing_fails), " failed once)"));
    CHECK(sweep_of(Misdeed::gives_up_for_ever, true).passed());
}

TEST_CASE("contract: a sweep runs the heap once for every request, failing each") {
    std::size_t run_count = 0;
    std::size_t failure_count = 0;
    const auto with_heap = [&](Allocator backing, auto) {
        ++run_count;
        for (int i = 0; i < 3; ++i) {
            void* const memory = backing.raw_alloc(8, std::align_val_t{8});
            if (memory == nullptr) ++failure_count;
            if (memory != nullptr) backing.raw_free(memory, 8, std::align_val_t{8});
        }
    };
    CHECK(check_out_of_memory(with_heap).message() == "");
    CHECK(run_count == 1 + 3 + 3);
    CHECK(failure_count == 3 + (3 + 2 + 1));
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
