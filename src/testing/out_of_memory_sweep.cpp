// SPDX-License-Identifier: MIT
#include <algorithm>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "testing/contract_checks.hpp"

namespace carbide::testing::detail {
namespace {

// Short, because it runs once for every request that it makes.
constexpr std::size_t operation_count_max = 150;

struct Sweep {
    WithHeap with_heap;
    void* context;
    ContractOptions options;
    ContractReport& report;
};

struct Requests {
    std::size_t alloc_count;
    std::size_t resize_count;
};

void run_checks(void* context, Allocator allocator) {
    const Sweep& sweep = *static_cast<const Sweep*>(context);
    ContractChecks checks(allocator, sweep.options, true, sweep.report);
    checks.typed_operations();
    checks.random_operations(Random(sweep.options.seed));
}

// One run of the heap on a backing that fails as planned. Returns what it asked its backing for.
Requests run_once(Sweep& sweep, const FailingAllocator::Plan& plan) {
    StatisticsAllocator statistics({.backing = c_allocator(), .name = "out of memory sweep"});
    FailingAllocator failing({.backing = statistics.allocator()});
    failing.rearm(plan);
    sweep.with_heap(sweep.context, failing.allocator(), run_checks, &sweep);
    const Statistics after = statistics.statistics();
    if (after.live_count() != 0 || after.current_bytes != 0) {
        sweep.report.fail("the heap kept %zu allocations of its backing (%zu bytes)",
                          after.live_count(), after.current_bytes);
    }
    return {failing.alloc_count(), failing.resize_count()};
}

}  // namespace

ContractReport check_out_of_memory(WithHeap with_heap, void* context,
                                   const ContractOptions& options) noexcept {
    ContractReport report;
    Sweep sweep{with_heap, context, options, report};
    sweep.options.operation_count = std::min(options.operation_count, operation_count_max);
    const Requests all = run_once(sweep, {});
    for (const auto repeat :
         {FailingAllocator::Repeat::once, FailingAllocator::Repeat::from_there_on}) {
        const char* const shape =
            repeat == FailingAllocator::Repeat::once ? "once" : "from there on";
        for (std::size_t i = 0; i < all.alloc_count && report.passed(); ++i) {
            run_once(sweep, {.alloc_index = i, .repeat = repeat});
            report.add_context(" (backing alloc %zu failed %s)", i, shape);
        }
        for (std::size_t i = 0; i < all.resize_count && report.passed(); ++i) {
            run_once(sweep, {.resize_index = i, .repeat = repeat});
            report.add_context(" (backing resize %zu failed %s)", i, shape);
        }
    }
    report.add_context(" (seed %llu)", static_cast<unsigned long long>(options.seed));
    return report;
}

}  // namespace carbide::testing::detail
