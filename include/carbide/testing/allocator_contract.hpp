// SPDX-License-Identifier: MIT
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "carbide/allocator.hpp"

/// The conformance kit: does an allocator keep the contract of `allocator.hpp`?
///
/// Works with any test framework, on allocators of your own as on Carbide's:
///
///     MyAllocator mine;
///     const auto report = carbide::testing::check_allocator_contract(mine.allocator());
///     ASSERT_TRUE(report.passed()) << report.message();
namespace carbide::testing {

/// What the allocator under test promises. The defaults suit one that is backed by the system.
struct ContractOptions {
    /// The largest request that it must satisfy while nothing else is lent out.
    std::size_t size_bytes_max = std::size_t{1} << 20;

    /// The greatest alignment that it must satisfy.
    std::align_val_t alignment_max{std::size_t{64} << 10};

    /// It may run out within these limits, because frees give nothing back. Then out of memory is
    /// tolerated everywhere, and everything that it does hand out is checked all the same.
    bool may_run_out = false;

    /// Random operations against a model, at most `live_bytes_max` lent out at a time.
    std::size_t operation_count = 2000;
    std::size_t live_bytes_max = std::size_t{1} << 20;

    /// Of the random operations; printed with a failure.
    std::uint64_t seed = 1;
};

/// The first broken promise, if any.
class [[nodiscard]] ContractReport {
public:
    [[nodiscard]] bool passed() const noexcept { return message_bytes_ == 0; }
    explicit operator bool() const noexcept { return passed(); }

    /// What was asked and what came back, with the seed; empty where all was well.
    [[nodiscard]] std::string_view message() const noexcept { return {message_, message_bytes_}; }

    /// Keeps the first failure. For the kit.
    [[gnu::format(printf, 2, 3)]] void fail(const char* format, ...) noexcept;

    /// Adds to the message of a failure; nothing where there is none. For the kit.
    [[gnu::format(printf, 2, 3)]] void add_context(const char* format, ...) noexcept;

private:
    [[gnu::format(printf, 2, 0)]] void append(const char* format, std::va_list arguments) noexcept;

    char message_[256];
    std::size_t message_bytes_ = 0;
};

/// Every operation; sizes from 0 to the largest and those that overflow; every alignment; content
/// preserved; then random operations against a model. Everything is freed again.
ContractReport check_allocator_contract(Allocator allocator,
                                        const ContractOptions& options = {}) noexcept;

/// The same from several threads at once, each on its own blocks and on blocks of others. For
/// allocators that may be shared; worth most under ThreadSanitizer.
ContractReport check_shared_allocator(Allocator allocator, unsigned thread_count = 4,
                                      const ContractOptions& options = {});

namespace detail {

using RunOn = void (*)(void* context, Allocator allocator);
using WithHeap = void (*)(void* context, Allocator backing, RunOn run_on, void* run_context);

ContractReport check_out_of_memory(WithHeap with_heap, void* context,
                                   const ContractOptions& options) noexcept;

}  // namespace detail

/// Out of memory at every point: fails each request of the heap to its backing in turn, that one
/// only and from that one on, allocations as well as resizes. Through all of it the heap must keep
/// the contract, serve again once its backing does (unless it `may_run_out`), and give everything
/// back that it took: once, with the size and alignment that it had asked for.
///
///     check_out_of_memory([](Allocator backing, auto run_on) {
///         ArenaAllocator arena({.backing = backing});
///         run_on(arena.allocator());
///     });
template <class F>
ContractReport check_out_of_memory(F with_heap, const ContractOptions& options = {}) {
    const detail::WithHeap call = [](void* context, Allocator backing, detail::RunOn run_on,
                                     void* run_context) {
        (*static_cast<F*>(context))(backing,
                                    [&](Allocator allocator) { run_on(run_context, allocator); });
    };
    return detail::check_out_of_memory(call, &with_heap, options);
}

}  // namespace carbide::testing
