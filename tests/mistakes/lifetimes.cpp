// SPDX-License-Identifier: MIT
// Writes to memory that is no longer lent out, and handles in the wrong thread.
#include <cstddef>
#include <span>
#include <thread>

#include "carbide/arena_allocator.hpp"
#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum FindingKind;
using Text = std::span<char>;

// A pointer to the first element is kept while the block grows and moves.
namespace pointer_kept_across_realloc {

void mistake(Allocator allocator) {
    const auto numbers = allocator.must_alloc<int>(4);
    int* const first = numbers.data();
    const auto grown = allocator.realloc(numbers, 4096);
    *first = 7;
    if (grown.has_value()) allocator.free(*grown);
}

void correct(Allocator allocator) {
    const auto numbers = allocator.must_alloc<int>(4);
    const auto grown = allocator.realloc(numbers, 4096);
    if (!grown.has_value()) return allocator.free(numbers);
    grown->front() = 7;
    allocator.free(*grown);
}

CARBIDE_MISTAKE_PAIR("a pointer kept across realloc writes to freed memory", debugged,
                     write_after_free)

}  // namespace pointer_kept_across_realloc

// An object is destroyed while a timer still has its address.
// Seen: neovim issue 5190, flipperzero-firmware pull request 3381, XCSoar pull request 2729.
namespace callback_outlives_its_object {

struct Clock {
    int ticks = 0;
};

struct Timer {
    Clock* registered = nullptr;

    void fire() const {
        if (registered != nullptr) ++registered->ticks;
    }
};

void mistake(Allocator allocator) {
    const Timer timer{.registered = allocator.must_create<Clock>()};
    allocator.destroy(timer.registered);
    timer.fire();
}

void correct(Allocator allocator) {
    Timer timer{.registered = allocator.must_create<Clock>()};
    allocator.destroy(timer.registered);
    timer.registered = nullptr;
    timer.fire();
}

CARBIDE_MISTAKE_PAIR("a callback that outlives its object writes to freed memory", debugged,
                     write_after_free)

}  // namespace callback_outlives_its_object

// One release more than there are references: it counts down in an object that is gone.
namespace released_too_often {

struct Shared {
    int reference_count = 1;
};

void release(Allocator allocator, Shared* shared) {
    if (--shared->reference_count == 0) allocator.destroy(shared);
}

void mistake(Allocator allocator) {
    auto* const shared = allocator.must_create<Shared>();
    release(allocator, shared);
    release(allocator, opaque(shared));
}

void correct(Allocator allocator) {
    auto* const shared = allocator.must_create<Shared>();
    ++shared->reference_count;
    release(allocator, shared);
    release(allocator, shared);
}

CARBIDE_MISTAKE_PAIR("a reference released too often is counted down in freed memory", debugged,
                     write_after_free)

}  // namespace released_too_often

// What came from an arena is used after its reset.
namespace arena_memory_after_reset {

void mistake(Allocator allocator) {
    ArenaAllocator arena({.backing = allocator});
    const Text line = copy_of(arena.allocator(), "line");
    arena.reset(ArenaAllocator::Retain::nothing);
    line.front() = 'L';
}

void correct(Allocator allocator) {
    ArenaAllocator arena({.backing = allocator});
    const Text line = copy_of(arena.allocator(), "line");
    line.front() = 'L';
    arena.reset(ArenaAllocator::Retain::nothing);
}

CARBIDE_MISTAKE_PAIR("memory of an arena used after its reset is freed memory", debugged,
                     write_after_free)

}  // namespace arena_memory_after_reset

// An object with an allocator that belongs to one thread is handed to another.
namespace freed_by_another_thread {

void mistake(DebugAllocator& debug) {
    const Text job = copy_of(debug.allocator(), "job");
    std::thread([&] { debug.allocator().free(job); }).join();
    debug.detach_from_thread();
}

void correct(DebugAllocator& debug) {
    const Text job = copy_of(debug.allocator(), "job");
    debug.detach_from_thread();
    std::thread([&] {
        debug.allocator().free(job);
        debug.detach_from_thread();
    }).join();
}

CARBIDE_MISTAKE_PAIR("a single-owner allocator used by another thread is found out",
                     debugged_for_one_thread, second_thread)

}  // namespace freed_by_another_thread

}  // namespace
}  // namespace carbide::tests
