// SPDX-License-Identifier: MIT
#include "carbide/testing/allocator_contract.hpp"

#include <algorithm>
#include <cstdio>

#include "testing/contract_checks.hpp"

namespace carbide::testing {
namespace {

void run_all(ContractChecks& checks, const ContractReport& report, std::uint64_t seed) noexcept {
    using Check = void (ContractChecks::*)() noexcept;
    for (const Check check :
         {&ContractChecks::zero_sizes, &ContractChecks::overflowing_sizes,
          &ContractChecks::sizes_and_alignments, &ContractChecks::growing_and_shrinking,
          &ContractChecks::typed_operations}) {
        (checks.*check)();
        if (!report.passed()) return;
    }
    checks.random_operations(Random(seed));
}

}  // namespace

void ContractReport::fail(const char* format, ...) noexcept {
    if (!passed()) return;
    std::va_list arguments;
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
}

void ContractReport::add_context(const char* format, ...) noexcept {
    if (passed()) return;
    std::va_list arguments;
    va_start(arguments, format);
    append(format, arguments);
    va_end(arguments);
}

// Cuts what does not fit.
void ContractReport::append(const char* format, std::va_list arguments) noexcept {
    const std::size_t room_bytes = sizeof message_ - message_bytes_;
    const int wanted = std::vsnprintf(message_ + message_bytes_, room_bytes, format, arguments);
    message_bytes_ += std::min(static_cast<std::size_t>(std::max(wanted, 0)), room_bytes - 1);
}

ContractReport check_allocator_contract(Allocator allocator,
                                        const ContractOptions& options) noexcept {
    ContractReport report;
    ContractChecks checks(allocator, options, options.may_run_out, report);
    run_all(checks, report, options.seed);
    report.add_context(" (seed %llu)", static_cast<unsigned long long>(options.seed));
    return report;
}

}  // namespace carbide::testing
