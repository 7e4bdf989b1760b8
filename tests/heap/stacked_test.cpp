// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <span>
#include <string>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/locked_allocator.hpp"
#include "carbide/logging_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/stack_fallback_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "carbide/thread_caching_allocator.hpp"

// Heaps on heaps, in any order: each composition keeps the contract and gives everything back.
namespace carbide {
namespace {

using testing::ContractOptions;

enum class Layer {
    failing,
    limit,
    locked,
    logging,
    statistics,
    debug,
    thread_caching,
    arena,
    stack_fallback
};

constexpr std::array wrappers{Layer::failing,    Layer::limit, Layer::locked,        Layer::logging,
                              Layer::statistics, Layer::debug, Layer::thread_caching};
constexpr std::array layers{Layer::failing,        Layer::limit,      Layer::locked,
                            Layer::logging,        Layer::statistics, Layer::debug,
                            Layer::thread_caching, Layer::arena,      Layer::stack_fallback};

const char* name_of(Layer layer) {
    constexpr std::array names{"failing", "limit",          "locked", "logging",       "statistics",
                               "debug",   "thread_caching", "arena",  "stack_fallback"};
    return names[static_cast<std::size_t>(layer)];
}

using Use = std::function<void(Allocator)>;

// Builds one layer on `backing` and lends it to `use`. Whatever a layer counts must add up.
void with_layer(Layer layer, Allocator backing, const Use& use) {
    switch (layer) {
        case Layer::failing: {
            FailingAllocator failing({.backing = backing});
            use(failing.allocator());
            CHECK(failing.allocated_bytes() == failing.freed_bytes());
            CHECK_FALSE(failing.has_induced_failure());
            break;
        }
        case Layer::limit: {
            LimitAllocator limit({.backing = backing, .limit_bytes = SIZE_MAX / 2});
            use(limit.allocator());
            CHECK(limit.used_bytes() == 0);
            break;
        }
        case Layer::locked: {
            LockedAllocator locked({.backing = backing});
            use(locked.allocator());
            break;
        }
        case Layer::logging: {
            const LoggingAllocator::Sink ignore = [](void*,
                                                     const LoggingAllocator::Event&) noexcept {};
            LoggingAllocator logging({.backing = backing, .sink = ignore});
            use(logging.allocator());
            break;
        }
        case Layer::statistics: {
            StatisticsAllocator statistics({.backing = backing});
            use(statistics.allocator());
            CHECK(statistics.live_count() == 0);
            CHECK(statistics.statistics().current_bytes == 0);
            break;
        }
        case Layer::debug: {
            DebugAllocator debug(
                {.backing = backing, .stack_frame_count = 0, .on_finding = OnFinding::abort});
            use(debug.allocator());
            CHECK(debug.counters().current_bytes == 0);
            CHECK_FALSE(debug.deinit());
            break;
        }
        case Layer::thread_caching: {
            ThreadCachingAllocator caching({.backing = backing});
            use(caching.allocator());
            CHECK(caching.statistics().lent_bytes == 0);
            CHECK(caching.is_valid());
            break;
        }
        case Layer::arena: {
            ArenaAllocator arena({.backing = backing});
            use(arena.allocator());
            break;
        }
        case Layer::stack_fallback: {
            StackFallbackAllocator<512> stack_fallback(backing);
            use(stack_fallback.allocator());
            break;
        }
    }
}

// The last layer is built on `backing`; `use` gets the first.
void with_stack(std::span<const Layer> stack, Allocator backing, const Use& use) {
    if (stack.empty()) {
        use(backing);
        return;
    }
    with_layer(stack.back(), backing, [&](Allocator allocator) {
        with_stack(stack.first(stack.size() - 1), allocator, use);
    });
}

std::string text_of(std::span<const Layer> stack, const char* bottom) {
    std::string text;
    for (const Layer layer : stack) text.append(name_of(layer)).append("(");
    return text.append(bottom).append(stack.size(), ')');
}

// Calls `check` with every sequence of three layers.
template <std::size_t N>
void for_each_triple(const std::array<Layer, N>& choice,
                     const std::function<void(std::span<const Layer>)>& check) {
    for (const Layer outer : choice) {
        for (const Layer middle : choice) {
            for (const Layer inner : choice) check(std::array{outer, middle, inner});
        }
    }
}

void check_contract(std::span<const Layer> stack, Allocator bottom,
                    const ContractOptions& options) {
    const std::string composition = text_of(stack, bottom.name());
    CAPTURE(composition);
    with_stack(stack, bottom, [&](Allocator allocator) {
        const auto report = testing::check_allocator_contract(allocator, options);
        CHECK_MESSAGE(report.passed(), report.message());
    });
}

// Small, because there are hundreds of compositions.
constexpr ContractOptions small{.size_bytes_max = 2048,
                                .alignment_max = std::align_val_t{256},
                                .operation_count = 150,
                                .live_bytes_max = 16384};

TEST_CASE("stacked: each wrapper alone keeps the contract") {
    constexpr ContractOptions options{.size_bytes_max = 200'000, .live_bytes_max = 400'000};
    for (const Layer layer : wrappers) check_contract(std::array{layer}, c_allocator(), options);
}

TEST_CASE("stacked: each wrapper keeps the contract on whole pages") {
    constexpr ContractOptions options{.size_bytes_max = 20'000, .operation_count = 500};
    for (const Layer layer : wrappers) check_contract(std::array{layer}, page_allocator(), options);
}

TEST_CASE("stacked: each wrapper keeps the contract on a buffer that may run out") {
    constexpr ContractOptions options{.size_bytes_max = 4096,
                                      .alignment_max = std::align_val_t{4096},
                                      .may_run_out = true,
                                      .live_bytes_max = 32768};
    for (const Layer layer : wrappers) {
        std::array<std::byte, 65536> bytes;
        FixedBufferAllocator buffer(bytes);
        check_contract(std::array{layer}, buffer.allocator(), options);
    }
}

TEST_CASE("stacked: each wrapper keeps the contract where there is no memory at all") {
    for (const Layer layer : wrappers) {
        check_contract(std::array{layer}, null_allocator(), {.may_run_out = true});
    }
}

TEST_CASE("stacked: three deep, heaps of every kind keep the contract in every order") {
    for_each_triple(layers, [](std::span<const Layer> stack) {
        StatisticsAllocator bottom({.backing = c_allocator(), .name = "bottom"});
        check_contract(stack, bottom.allocator(), small);
        CHECK(bottom.live_count() == 0);
        CHECK(bottom.statistics().current_bytes == 0);
    });
}

TEST_CASE("stacked: an exhausted budget anywhere in the stack keeps the contract") {
    ContractOptions options = small;
    options.may_run_out = true;
    for (const Layer outer : layers) {
        for (const Layer inner : layers) {
            LimitAllocator budget({.backing = c_allocator(), .limit_bytes = 5000});
            with_layer(inner, budget.allocator(), [&](Allocator backing) {
                LimitAllocator tighter({.backing = backing, .limit_bytes = 3000});
                check_contract(std::array{outer}, tighter.allocator(), options);
                CHECK(tighter.used_bytes() == 0);
                CHECK(tighter.peak_bytes() <= 3000);
            });
            CHECK(budget.used_bytes() == 0);
            CHECK(budget.peak_bytes() <= 5000);
        }
    }
}

// Out of memory at every point; the kit's own backing sees to it that everything comes back.
void check_out_of_memory(std::span<const Layer> stack) {
    const std::string composition = text_of(stack, "failing backing");
    CAPTURE(composition);
    const auto report = testing::check_out_of_memory(
        [&](Allocator backing, auto run_on) { with_stack(stack, backing, run_on); }, small);
    CHECK_MESSAGE(report.passed(), report.message());
}

TEST_CASE("stacked: each wrapper survives out of memory at every point") {
    for (const Layer layer : wrappers) check_out_of_memory(std::array{layer});
}

TEST_CASE("stacked: three deep, compositions survive out of memory at every point") {
    check_out_of_memory(std::array{Layer::limit, Layer::statistics, Layer::locked});
    check_out_of_memory(std::array{Layer::logging, Layer::arena, Layer::limit});
    check_out_of_memory(std::array{Layer::stack_fallback, Layer::limit, Layer::arena});
    check_out_of_memory(std::array{Layer::arena, Layer::failing, Layer::stack_fallback});
}

void check_shared(std::span<const Layer> stack) {
    const std::string composition = text_of(stack, "malloc");
    CAPTURE(composition);
    with_stack(stack, c_allocator(), [](Allocator allocator) {
        const auto report = testing::check_shared_allocator(allocator, 4, small);
        CHECK_MESSAGE(report.passed(), report.message());
    });
}

TEST_CASE("stacked: each wrapper of a shared heap can be shared") {
    for (const Layer layer : wrappers) check_shared(std::array{layer});
}

TEST_CASE("stacked: three deep, shared heaps can be shared in every order") {
    for_each_triple(wrappers, check_shared);
}

TEST_CASE("stacked: a lock makes what is below it shared, in every order") {
    for (const Layer above : wrappers) {
        for (const Layer below : layers) {
            // Threads that end give back what they cached, and do so without the lock above.
            if (below == Layer::thread_caching) continue;
            check_shared(std::array{above, Layer::locked, below, Layer::arena});
        }
    }
}

}  // namespace
}  // namespace carbide
