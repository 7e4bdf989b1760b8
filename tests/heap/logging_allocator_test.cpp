// SPDX-License-Identifier: MIT
#include "carbide/logging_allocator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using Event = LoggingAllocator::Event;
using Moment = LoggingAllocator::Moment;
using Operation = LoggingAllocator::Operation;
using Bytes = std::span<std::byte>;

// A sink that keeps the events, and what the backing had seen by then.
struct Recorder {
    const tests::RecordingHeap* backing = nullptr;
    std::vector<Event> events;
    std::vector<std::size_t> backing_call_counts;

    static void record(void* context, const Event& event) noexcept {
        auto& recorder = *static_cast<Recorder*>(context);
        recorder.events.push_back(event);
        recorder.backing_call_counts.push_back(recorder.backing->call_count());
    }

    LoggingAllocator::Options options(tests::RecordingHeap& heap) {
        backing = &heap;
        return {
            .backing = heap.allocator(), .sink = &record, .sink_context = this, .name = "recorded"};
    }
};

TEST_CASE("logging: the sink is called before the backing and after it") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    Recorder recorder;
    LoggingAllocator logging(recorder.options(backing));
    const Allocator handle = logging.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(10);
    REQUIRE(handle.resize(slice, 20));
    const auto moved = handle.remap(Bytes(slice.data(), 20), 30);
    REQUIRE(moved.has_value());
    handle.free(*moved);

    REQUIRE(recorder.events.size() == 8);
    const std::array operations{Operation::alloc, Operation::resize, Operation::remap,
                                Operation::free};
    for (std::size_t call = 0; call < operations.size(); ++call) {
        for (const std::size_t index : {2 * call, 2 * call + 1}) {
            CHECK(recorder.events[index].operation == operations[call]);
            CHECK(std::string_view(recorder.events[index].name) == "recorded");
            CHECK(recorder.events[index].alignment == std::align_val_t{1});
        }
        CHECK(recorder.events[2 * call].moment == Moment::before);
        CHECK_FALSE(recorder.events[2 * call].success);
        CHECK(recorder.events[2 * call].new_memory == nullptr);
        CHECK(recorder.backing_call_counts[2 * call] == call);
        CHECK(recorder.events[2 * call + 1].moment == Moment::after);
        CHECK(recorder.events[2 * call + 1].success);
        CHECK(recorder.backing_call_counts[2 * call + 1] == call + 1);
    }
}

TEST_CASE("logging: events carry addresses and sizes") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    Recorder recorder;
    LoggingAllocator logging(recorder.options(backing));
    const Allocator handle = logging.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(10);
    const void* const first = slice.data();
    REQUIRE(handle.resize(slice, 20));
    const auto moved = handle.remap(Bytes(slice.data(), 20), 30);
    REQUIRE(moved.has_value());
    const void* const second = moved->data();
    handle.free(*moved);

    struct Expected {
        const void* memory;
        const void* new_memory;
        std::size_t size_bytes;
        std::size_t new_bytes;
    };
    const std::array expected{Expected{nullptr, first, 10, 0}, Expected{first, first, 10, 20},
                              Expected{first, second, 20, 30}, Expected{second, nullptr, 30, 0}};
    REQUIRE(recorder.events.size() == 2 * expected.size());
    for (std::size_t index = 0; index < recorder.events.size(); ++index) {
        const Event& event = recorder.events[index];
        const Expected& call = expected[index / 2];
        CHECK(event.memory == call.memory);
        CHECK(event.size_bytes == call.size_bytes);
        CHECK(event.new_bytes == call.new_bytes);
        CHECK(event.new_memory == (event.moment == Moment::after ? call.new_memory : nullptr));
    }
}

TEST_CASE("logging: failures are told as such") {
    tests::RecordingHeap backing;
    Recorder recorder;
    LoggingAllocator logging(recorder.options(backing));
    const Allocator handle = logging.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(10);
    recorder.events.clear();
    backing.can_alloc = false;
    CHECK_FALSE(handle.alloc<std::byte>(5).has_value());
    CHECK_FALSE(handle.resize(slice, 20));
    CHECK_FALSE(handle.remap(slice, 20).has_value());
    REQUIRE(recorder.events.size() == 6);
    for (const Event& event : recorder.events) {
        CHECK_FALSE(event.success);
        CHECK(event.new_memory == nullptr);
    }
    handle.free(slice);
}

TEST_CASE("logging: what reaches no allocator is not told") {
    tests::RecordingHeap backing;
    Recorder recorder;
    LoggingAllocator logging(recorder.options(backing));
    const Allocator handle = logging.allocator();
    handle.free(handle.must_alloc<int>(0));
    CHECK(recorder.events.empty());
    const auto slice = handle.must_alloc<int>(1);
    CHECK(handle.resize(slice, 1));
    CHECK(handle.resize(slice, 0));
    REQUIRE(recorder.events.size() == 4);
    CHECK(recorder.events.back().operation == Operation::free);
}

TEST_CASE("logging: alignments reach the sink and the backing unchanged") {
    tests::RecordingHeap backing;
    Recorder recorder;
    LoggingAllocator logging(recorder.options(backing));
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
        const std::align_val_t alignment{alignment_bytes};
        void* const memory = logging.allocator().raw_alloc(24, alignment);
        REQUIRE(memory != nullptr);
        CHECK(backing.newest == tests::RecordingHeap::Lent{24, alignment_bytes});
        CHECK(recorder.events.back().alignment == alignment);
        logging.allocator().raw_free(memory, 24, alignment);
        CHECK(recorder.events.back().alignment == alignment);
    }
    CHECK(backing.mistake.empty());
}

std::string address_text(const void* memory) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%jx", reinterpret_cast<std::uintmax_t>(memory));
    return text;
}

TEST_CASE("logging: by default each call is one line on standard error") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    // Known to both processes: the child repeats what the parent does not see.
    const auto result = tests::run_in_child([&] {
        LoggingAllocator logging({.backing = backing.allocator(), .name = "requests"});
        const Allocator handle = logging.allocator();
        const Bytes slice = handle.must_alloc<std::byte>(10);
        REQUIRE(handle.resize(slice, 20));
        const auto moved = handle.remap(Bytes(slice.data(), 20), 30);
        backing.can_resize = backing.can_remap = false;
        const bool resized = handle.resize(*moved, 40);
        const bool remapped = handle.remap(*moved, 40).has_value();
        handle.free(*moved);
        backing.can_alloc = false;
        const bool allocated = handle.alloc<std::uint64_t>(100).has_value();
        std::fprintf(stderr, "%p %p %d %d %d\n", static_cast<void*>(slice.data()),
                     static_cast<void*>(moved->data()), resized, remapped, allocated);
    });
    CHECK(result.signal == 0);
    const std::size_t last_line = result.stderr_text.rfind('\n', result.stderr_text.size() - 2) + 1;
    void* first = nullptr;
    void* second = nullptr;
    int resized = 1;
    int remapped = 1;
    int allocated = 1;
    REQUIRE(std::sscanf(result.stderr_text.c_str() + last_line, "%p %p %d %d %d", &first, &second,
                        &resized, &remapped, &allocated) == 5);
    CHECK((resized == 0 && remapped == 0 && allocated == 0));
    const std::string one = address_text(first);
    const std::string two = address_text(second);
    CHECK(result.stderr_text.substr(0, last_line) ==
          "carbide: requests: alloc(10 bytes, aligned to 1) = " + one +
              "\n"
              "carbide: requests: resize(" +
              one +
              " of 10 bytes, to 20 bytes, aligned to 1) succeeded\n"
              "carbide: requests: remap(" +
              one + " of 20 bytes, to 30 bytes, aligned to 1) = " + two +
              "\n"
              "carbide: requests: resize(" +
              two +
              " of 30 bytes, to 40 bytes, aligned to 1) failed\n"
              "carbide: requests: remap(" +
              two +
              " of 30 bytes, to 40 bytes, aligned to 1) failed\n"
              "carbide: requests: free(" +
              two +
              " of 30 bytes, aligned to 1)\n"
              "carbide: requests: alloc(800 bytes, aligned to 8) failed\n");
}

TEST_CASE("logging: its name is the one in the options") {
    LoggingAllocator logging({.backing = c_allocator()});
    CHECK(std::string_view(logging.name()) == "logging");
}

// Counts events without a lock.
struct EventCounts {
    std::array<std::atomic<std::size_t>, 4> before{};
    std::array<std::atomic<std::size_t>, 4> after{};

    static void count(void* context, const Event& event) noexcept {
        auto& counts = *static_cast<EventCounts*>(context);
        auto& moment = event.moment == Moment::before ? counts.before : counts.after;
        ++moment[static_cast<std::size_t>(event.operation)];
    }
};

TEST_CASE("logging: no event of many threads is lost") {
    constexpr std::size_t thread_count = 4;
    constexpr std::size_t round_count = 500;
    EventCounts counts;
    LoggingAllocator logging(
        {.backing = c_allocator(), .sink = &EventCounts::count, .sink_context = &counts});
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < thread_count; ++thread) {
            threads.emplace_back([&] {
                for (std::size_t round = 0; round < round_count; ++round) {
                    const Allocator handle = logging.allocator();
                    const auto slice = handle.must_alloc<int>(4);
                    const auto moved = handle.remap(slice, 400);
                    handle.free(moved.value_or(slice));
                }
            });
        }
    }
    for (const Operation operation : {Operation::alloc, Operation::remap, Operation::free}) {
        const auto index = static_cast<std::size_t>(operation);
        CHECK(counts.before[index] == thread_count * round_count);
        CHECK(counts.after[index] == thread_count * round_count);
    }
    CHECK(counts.before[static_cast<std::size_t>(Operation::resize)] == 0);
}

}  // namespace
}  // namespace carbide
