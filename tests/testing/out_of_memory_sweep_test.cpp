// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <ostream>
#include <string_view>

#include "carbide/heap_operations.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "support/contract_reports.hpp"

namespace carbide::testing {
namespace {

using tests::reports;

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

}  // namespace
}  // namespace carbide::testing
