// SPDX-License-Identifier: MIT
#include "demo/measure.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "carbide/c_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/try.hpp"

namespace demo {
namespace {

struct Progress {
    std::size_t done_count = 0;                // Documents before the first that failed.
    std::optional<json::DocumentError> error;  // Of that one.
};

Progress process_all(Strategy strategy, carbide::Allocator backing,
                     std::span<const SourceFile> files,
                     const json::DocumentOptions& options) noexcept {
    Progress progress;
    for (const SourceFile& file : files) {
        const auto document = strategy(backing, file.text(), options);
        if (!document.has_value()) {
            progress.error = document.error();
            break;
        }
        ++progress.done_count;
    }
    return progress;
}

Usage usage_of(const carbide::Statistics& statistics) noexcept {
    return {.malloc_calls = statistics.alloc_count + statistics.resize_count,
            .peak_bytes = statistics.peak_bytes,
            .leaked_count = statistics.live_count(),
            .leaked_bytes = statistics.current_bytes};
}

double time_ms(Strategy strategy, std::span<const SourceFile> files,
               const json::DocumentOptions& options) noexcept {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    process_all(strategy, carbide::c_allocator(), files, options);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::span<double> values) noexcept {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 != 0) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

Usage measure_usage(Strategy strategy, std::span<const SourceFile> files,
                    const json::DocumentOptions& options) noexcept {
    carbide::StatisticsAllocator counted({.backing = carbide::c_allocator()});
    process_all(strategy, counted.allocator(), files, options);
    return usage_of(counted.statistics());
}

LimitedRun run_limited(std::span<const SourceFile> files, const json::DocumentOptions& options,
                       std::size_t first_limit_bytes) noexcept {
    // An arena that gets no large chunk makes do with a small one, so the first limit may suffice.
    for (std::size_t limit_bytes = first_limit_bytes;; limit_bytes /= 2) {
        carbide::StatisticsAllocator counted({.backing = carbide::c_allocator()});
        carbide::LimitAllocator limited(
            {.backing = counted.allocator(), .limit_bytes = limit_bytes});
        const Progress progress =
            process_all(json::process_document, limited.allocator(), files, options);
        if (!progress.error.has_value()) continue;
        return {.limit_bytes = limit_bytes,
                .done_count = progress.done_count,
                .stopped_in = files[progress.done_count].name(),
                .error = *progress.error,
                .usage = usage_of(counted.statistics())};
    }
}

carbide::Result<Times> measure_times(carbide::Allocator scratch, std::span<const SourceFile> files,
                                     const json::DocumentOptions& options,
                                     std::size_t round_count) noexcept {
    constexpr std::size_t round_count_min = 3;
    constexpr std::size_t round_count_max = 51;
    constexpr double enough_ms = 1000;
    const bool bounded = round_count == 0;
    if (bounded) round_count = round_count_max;

    const auto piecewise_ms = CARBIDE_TRY(carbide::make_owned_slice<double>(scratch, round_count));
    const auto arena_ms = CARBIDE_TRY(carbide::make_owned_slice<double>(scratch, round_count));
    std::size_t done_count = 0;
    for (double spent_ms = 0; done_count < round_count; ++done_count) {
        if (bounded && done_count >= round_count_min && spent_ms >= enough_ms) break;
        piecewise_ms[done_count] = time_ms(json::process_document_piecewise, files, options);
        arena_ms[done_count] = time_ms(json::process_document, files, options);
        spent_ms += piecewise_ms[done_count] + arena_ms[done_count];
    }
    return Times{median(piecewise_ms.span().first(done_count)),
                 median(arena_ms.span().first(done_count)), done_count};
}

}  // namespace demo
