// SPDX-License-Identifier: MIT
#include "carbide/heap.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "carbide/allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "support/bump_heap.hpp"
#include "support/child_process.hpp"

using carbide::Allocator;
using carbide::Heap;
using carbide::window_bytes;
using carbide::tests::BumpHeap;
using carbide::tests::ChildResult;
using carbide::tests::run_in_child;

TEST_CASE("heap: a window takes whole granules, and a size that overflows takes none") {
    CHECK(window_bytes(0) == 0);
    CHECK(window_bytes(1) == 8);
    CHECK(window_bytes(8) == 8);
    CHECK(window_bytes(9) == 16);
    CHECK(window_bytes(SIZE_MAX - 7) == SIZE_MAX - 7);
    CHECK(window_bytes(SIZE_MAX - 6) == 0);
    CHECK(window_bytes(SIZE_MAX) == 0);
}

TEST_CASE("heap: every use after its end is reported by name") {
    struct Use {
        const char* what;
        void (*make)(Allocator handle, void* memory);
    };
    constexpr std::align_val_t word{8};
    const Use uses[] = {
        {"alloc", [](Allocator a, void*) { static_cast<void>(a.raw_alloc(8, word)); }},
        {"resize", [](Allocator a, void* m) { static_cast<void>(a.raw_resize(m, 8, 9, word)); }},
        {"remap", [](Allocator a, void* m) { static_cast<void>(a.raw_remap(m, 8, 9, word)); }},
        {"free", [](Allocator a, void* m) { a.raw_free(m, 8, word); }},
    };
    for (const Use& use : uses) {
        CAPTURE(use.what);
        const ChildResult result = run_in_child([&] {
            alignas(BumpHeap<64>) static std::byte storage[sizeof(BumpHeap<64>)];
            auto* const heap = ::new (storage) BumpHeap<64>("short-lived");
            const Allocator handle = heap->allocator();
            void* const memory = handle.raw_alloc(8, word);
            heap->~BumpHeap();
            use.make(handle, memory);
        });
        CHECK(result.trapped());
        CHECK(result.wrote("carbide: the allocator 'short-lived' was used after it was destroyed"));
    }
}

TEST_CASE("heap: a destroyed window has nothing left to give") {
    alignas(BumpHeap<64>) static std::byte storage[sizeof(BumpHeap<64>)];
    auto* const heap = ::new (storage) BumpHeap<64>;
    Heap& header = heap->allocator().heap();
    heap->~BumpHeap();
    const volatile std::uintptr_t& cursor = header.cursor;
    const volatile std::uintptr_t& limit = header.limit;
    CHECK(cursor == 0);
    CHECK(limit == 0);
}

TEST_CASE("heap: an unclaimed heap can be used by whichever thread comes first") {
    BumpHeap<256> heap;
    void* memory = nullptr;
    std::thread([&] { memory = heap.allocator().raw_alloc(8, std::align_val_t{8}); }).join();
    CHECK(memory != nullptr);
}

TEST_CASE("heap: a shared heap is never claimed") {
    const Allocator handle = carbide::c_allocator();
    void* const memory = handle.raw_alloc(8, std::align_val_t{8});
    CHECK(handle.heap().owner == Heap::owner_shared);
    std::thread([&] { handle.raw_free(memory, 8, std::align_val_t{8}); }).join();
}

TEST_CASE("heap: the owner is checked in a call of its own, in every build") {
    BumpHeap<256> heap("claimed");
    Heap& header = heap.allocator().heap();
    carbide::detail::check_owner(header);
    CHECK(header.owner == carbide::detail::current_owner());
    carbide::detail::check_owner(header);

    const ChildResult result = run_in_child([&] {
        // The child's only thread has another id than the parent's, which claimed the heap.
        carbide::detail::check_owner(header);
    });
    CHECK(result.trapped());
    const std::string parent = std::to_string(header.owner >> 1);
    CHECK(result.wrote("carbide: the allocator 'claimed' belongs to thread " + parent +
                       " and was used by thread "));
    CHECK_FALSE(result.wrote("was used by thread " + parent + ":"));
    CHECK(result.wrote("put a LockedAllocator around it, or call detach_from_thread()"));
}

TEST_CASE("heap: whoever holds the same lock is the same owner") {
    BumpHeap<256> heap("locked");
    Heap& header = heap.allocator().heap();
    const carbide::detail::LockOwner lock("the lock's name");
    const auto use = [&] {
        const carbide::detail::OwnerScope scope(lock);
        carbide::detail::check_owner(header);
    };
    use();
    std::thread(use).join();
    CHECK(header.owner == lock.identity());

    const ChildResult result = run_in_child([&] { carbide::detail::check_owner(header); });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: the allocator 'locked' belongs to the lock 'the lock's name'"));
}

TEST_CASE("heap: what a lock has claimed is free to be claimed after its end") {
    BumpHeap<256> heap("was locked");
    Heap& header = heap.allocator().heap();
    std::uintptr_t identity = 0;
    {
        const carbide::detail::LockOwner lock("first");
        identity = lock.identity();
        const carbide::detail::OwnerScope scope(lock);
        carbide::detail::check_owner(header);
    }
    CHECK(header.owner == identity);
    const carbide::detail::LockOwner later("later");
    CHECK(later.identity() != identity);
    CHECK(carbide::detail::LockOwner::name_of(identity) == nullptr);
    carbide::detail::check_owner(header);
    CHECK(header.owner == carbide::detail::current_owner());
}

TEST_CASE("heap: locks end in any order") {
    using carbide::detail::LockOwner;
    auto first = std::make_unique<LockOwner>("first");
    auto second = std::make_unique<LockOwner>("second");
    auto third = std::make_unique<LockOwner>("third");
    const std::uintptr_t identity = third->identity();
    second.reset();
    CHECK(std::string(LockOwner::name_of(first->identity())) == "first");
    CHECK(std::string(LockOwner::name_of(identity)) == "third");
    first.reset();
    CHECK(std::string(LockOwner::name_of(identity)) == "third");
    third.reset();
    CHECK(LockOwner::name_of(identity) == nullptr);
}

TEST_CASE("heap: owner scopes nest") {
    const carbide::detail::LockOwner outer("outer");
    const carbide::detail::LockOwner inner("inner");
    const std::uintptr_t thread = carbide::detail::current_owner();
    {
        const carbide::detail::OwnerScope first(outer);
        {
            const carbide::detail::OwnerScope second(inner);
            CHECK(carbide::detail::current_owner() == inner.identity());
        }
        CHECK(carbide::detail::current_owner() == outer.identity());
    }
    CHECK(carbide::detail::current_owner() == thread);
    CHECK(thread % 2 == 1);
}

#if CARBIDE_CHECKED
TEST_CASE("heap: a checked build stops a second thread in every operation") {
    struct Use {
        const char* what;
        void (*make)(Allocator handle, void* memory);
    };
    constexpr std::align_val_t word{8};
    const Use uses[] = {
        {"alloc", [](Allocator a, void*) { static_cast<void>(a.raw_alloc(8, word)); }},
        {"resize", [](Allocator a, void* m) { static_cast<void>(a.raw_resize(m, 8, 9, word)); }},
        {"remap", [](Allocator a, void* m) { static_cast<void>(a.raw_remap(m, 8, 9, word)); }},
        {"free", [](Allocator a, void* m) { a.raw_free(m, 8, word); }},
    };
    for (const Use& use : uses) {
        CAPTURE(use.what);
        const ChildResult result = run_in_child([&] {
            BumpHeap<256> heap("unshared");
            const Allocator handle = heap.allocator();
            void* const memory = handle.raw_alloc(8, word);
            std::thread([&] { use.make(handle, memory); }).join();
        });
        CHECK(result.trapped());
        CHECK(result.wrote("carbide: the allocator 'unshared' belongs to thread "));
        CHECK(result.wrote(" and was used by thread "));
    }
}
#else
TEST_CASE("heap: an unchecked build does not pay for the owner") {
    BumpHeap<256> heap;
    static_cast<void>(heap.allocator().raw_alloc(8, std::align_val_t{8}));
    CHECK(heap.allocator().heap().owner == Heap::owner_unclaimed);
}
#endif
