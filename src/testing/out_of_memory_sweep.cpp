// SPDX-License-Identifier: MIT
#include <algorithm>

#include "carbide/failing_allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "testing/contract_checks.hpp"
#include "testing/ledger.hpp"

namespace carbide::testing::detail {
namespace {

using Plan = FailingAllocator::Plan;
using Repeat = FailingAllocator::Repeat;

// Short, because it runs once for every request that it makes.
constexpr std::size_t operation_count_max = 150;

struct Sweep {
    WithHeap with_heap;
    void* context;
    ContractOptions options;
    ContractReport& report;
};

struct Run {
    const Sweep& sweep;
    const FailingAllocator& backing;
    Repeat repeat;
};

struct Requests {
    std::size_t alloc_count;
    std::size_t resize_count;
};

void run_checks(void* context, Allocator allocator) {
    const Run& run = *static_cast<const Run*>(context);
    const ContractOptions& options = run.sweep.options;
    ContractReport& report = run.sweep.report;
    ContractChecks tolerant(allocator, options, true, report);
    tolerant.typed_operations();
    tolerant.random_operations(Random(options.seed));

    const bool failure_is_over =
        run.backing.has_induced_failure() && run.repeat == Repeat::once && !options.may_run_out;
    if (!failure_is_over || !report.passed()) return;
    ContractChecks(allocator, options, false, report).still_serves();
    report.add_context(" although the backing serves again");
}

// One run of the heap on a backing that fails as planned. Returns what it asked its backing for.
Requests run_once(const Sweep& sweep, const Plan& plan) {
    Ledger ledger(sweep.report);
    FailingAllocator failing({.backing = ledger.allocator()});
    failing.rearm(plan);
    Run run{sweep, failing, plan.repeat};
    sweep.with_heap(sweep.context, failing.allocator(), run_checks, &run);
    ledger.check_empty();
    return {failing.alloc_count(), failing.resize_count()};
}

}  // namespace

ContractReport check_out_of_memory(WithHeap with_heap, void* context,
                                   const ContractOptions& options) noexcept {
    ContractReport report;
    Sweep sweep{with_heap, context, options, report};
    sweep.options.operation_count = std::min(options.operation_count, operation_count_max);
    const Requests all = run_once(sweep, {});
    for (const Repeat repeat : {Repeat::once, Repeat::from_there_on}) {
        const char* const shape = repeat == Repeat::once ? "once" : "from there on";
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
