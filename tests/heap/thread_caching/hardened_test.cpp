// SPDX-License-Identifier: MIT
// What the hardened option finds at the free, and what every build finds when it gets to it.
#include <doctest/doctest.h>

#include <csignal>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "carbide/thread_caching_allocator.hpp"
#include "support/child_process.hpp"

namespace carbide {
namespace {

ThreadCachingAllocator::Options hardened_options() { return {.hardened = true, .name = "hard"}; }

// Runs in a child, on a hardened allocator.
tests::ChildResult misuse(const std::function<void(Allocator)>& body) {
    return tests::run_in_child([&] {
        ThreadCachingAllocator allocator(hardened_options());
        body(allocator.allocator());
    });
}

constexpr std::align_val_t word{8};

// AddressSanitizer knows what is lent out, and may be the first to stop a program.
bool is_told(const tests::ChildResult& child, const char* message) {
    return (child.trapped() && child.wrote(message)) ||
           (CARBIDE_ASAN && child.wrote("use-after-poison"));
}

TEST_CASE("hardened: a second free is told where it is made, for every kind of memory") {
    for (const std::size_t size_bytes : {16UL, 1000UL, 32'768UL, 100'000UL, 2'000'000UL}) {
        CAPTURE(size_bytes);
        const auto child = misuse([&](Allocator allocator) {
            void* const memory = allocator.raw_alloc(size_bytes, word);
            allocator.raw_free(memory, size_bytes, word);
            allocator.raw_free(memory, size_bytes, word);
        });
        CHECK(child.trapped());
        CHECK(child.wrote("carbide: allocator 'hard': memory was freed"));
    }
}

TEST_CASE("hardened: a second free by another thread is told, too") {
    const auto child = misuse([&](Allocator allocator) {
        void* const memory = allocator.raw_alloc(100, word);
        std::thread([&] { allocator.raw_free(memory, 100, word); }).join();
        allocator.raw_free(memory, 100, word);
    });
    CHECK(child.trapped());
    CHECK(child.wrote("memory was freed twice"));
}

TEST_CASE("hardened: a foreign pointer is told, wherever it points") {
    const auto child = misuse([&](Allocator allocator) {
        allocator.raw_free(allocator.raw_alloc(64, word), 64, word);
        alignas(16) char on_the_stack[64] = {};
        allocator.raw_free(on_the_stack, 64, word);
    });
    CHECK(child.trapped());
    CHECK(child.wrote("memory was freed that is not lent out"));
    const auto other = misuse([&](Allocator allocator) {
        ThreadCachingAllocator second;
        allocator.raw_free(allocator.raw_alloc(64, word), 64, word);
        allocator.raw_free(second.allocator().raw_alloc(64, word), 64, word);
    });
    CHECK(other.trapped());
    CHECK(other.wrote("memory was freed that is not lent out"));
}

TEST_CASE("hardened: a pointer into the middle is told") {
    for (const std::size_t size_bytes : {1000UL, 100'000UL}) {
        const auto child = misuse([&](Allocator allocator) {
            auto* const memory = static_cast<char*>(allocator.raw_alloc(size_bytes, word));
            allocator.raw_free(memory + 16, size_bytes, word);
        });
        CHECK(child.trapped());
        CHECK(child.wrote("a pointer into the middle was freed"));
    }
}

TEST_CASE("hardened: a size of another class is told, in frees and in resizes") {
    for (const std::size_t size_bytes : {100UL, 100'000UL, 2'000'000UL}) {
        CAPTURE(size_bytes);
        const auto child = misuse([&](Allocator allocator) {
            allocator.raw_free(allocator.raw_alloc(size_bytes, word), size_bytes * 3 / 4, word);
        });
        CHECK(child.trapped());
        CHECK(child.wrote("memory was freed with a wrong size"));
    }
    const auto child = misuse([&](Allocator allocator) {
        static_cast<void>(allocator.raw_resize(allocator.raw_alloc(100, word), 300, 310, word));
    });
    CHECK(child.trapped());
    CHECK(child.wrote("memory was freed with a wrong size"));
}

TEST_CASE("hardened: behind each slab is a page that nobody may touch") {
    const auto child = misuse([&](Allocator allocator) {
        auto* const memory = static_cast<volatile char*>(allocator.raw_alloc(30'000, word));
        std::signal(SIGSEGV, [](int) { _exit(42); });
        for (std::size_t i = 30'000;; ++i) memory[i] = 1;
    });
    CHECK((child.exit_status == 42 || is_told(child, "")));
}

TEST_CASE("hardened: addresses come in no order that could be guessed") {
    std::set<std::uintptr_t> steps;
    ThreadCachingAllocator allocator(hardened_options());
    std::uintptr_t last = 0;
    for (int i = 0; i < 200; ++i) {
        const auto address =
            reinterpret_cast<std::uintptr_t>(allocator.must_alloc<char>(64).data());
        steps.insert(address - last);
        last = address;
    }
    CHECK(steps.size() > 25);
    ThreadCachingAllocator plain;
    steps.clear();
    for (int i = 0; i < 200; ++i) {
        const auto address = reinterpret_cast<std::uintptr_t>(plain.must_alloc<char>(64).data());
        steps.insert(address - last);
        last = address;
    }
    CHECK(steps.size() < 15);
}

TEST_CASE("hardened: the entries of bins are no addresses") {
    if (window_stays_closed()) return;
    ThreadCachingAllocator allocator(hardened_options());
    const auto block = allocator.must_alloc<char>(64);
    allocator.free(block);
    CHECK(allocator.must_alloc<char>(64).data() == block.data());  // It was in the bin.
    allocator.free(block);
    bool found = false;
    for (unsigned slot = 0; slot < detail::closed_bin_slot; ++slot) {
        const auto& bin = detail::thread_bins[slot]->bins[detail::size_class_of(64)];
        if (bin.top[-1] == block.data()) found = true;
    }
    CHECK_FALSE(found);
}

TEST_CASE(
    "thread caching: without hardening a second free is told when the slot reaches its slab") {
    const auto child = tests::run_in_child([] {
        ThreadCachingAllocator allocator;
        void* const memory = allocator.raw_alloc(64, word);
        allocator.raw_free(memory, 64, word);
        allocator.raw_free(memory, 64, word);
        allocator.collect();
    });
    CHECK(is_told(child, "memory was freed twice"));
}

TEST_CASE("thread caching: so are a wrong size, a foreign pointer and one into the middle") {
    const auto check = [](const char* message, const std::function<void(Allocator)>& body) {
        CAPTURE(message);
        const auto child = tests::run_in_child([&] {
            ThreadCachingAllocator allocator;
            allocator.allocator().raw_free(allocator.allocator().raw_alloc(64, word), 64, word);
            body(allocator.allocator());
            allocator.collect();
        });
        CHECK(is_told(child, message));
    };
    check("memory was freed with a size that is not its own", [](Allocator allocator) {
        allocator.raw_free(allocator.raw_alloc(100, word), 50, word);
    });
    check("memory was freed to a thread caching allocator that did not lend it",
          [](Allocator allocator) {
              alignas(16) static char foreign[64];
              allocator.raw_free(foreign, 64, word);
          });
    check("a pointer into the middle of an allocation was freed", [](Allocator allocator) {
        allocator.raw_free(static_cast<char*>(allocator.raw_alloc(64, word)) + 16, 64, word);
    });
}

}  // namespace
}  // namespace carbide
