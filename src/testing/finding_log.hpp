// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>

#include "carbide/finding.hpp"
#include "platform/report_text.hpp"

namespace carbide::testing {

/// Collects what a checking allocator calls back with, from any thread. Allocates nothing from the
/// program's heap, which a test may forbid.
class FindingLog {
public:
    FindingLog() noexcept = default;
    FindingLog(const FindingLog&) = delete;  // Callbacks point at it.
    FindingLog& operator=(const FindingLog&) = delete;

    [[nodiscard]] FindingCallback callback() noexcept;
    void add(const Finding& finding) noexcept;

    /// Without a lock: for when no other thread can find anything.
    [[nodiscard]] std::string_view text() const noexcept { return text_.view(); }
    [[nodiscard]] std::size_t finding_count() const noexcept { return finding_count_; }
    [[nodiscard]] bool has_leak() const noexcept { return leak_count_ != 0; }
    [[nodiscard]] std::optional<FindingKind> first() const noexcept { return first_; }

private:
    std::mutex mutex_;
    platform::ReportText text_;
    std::size_t finding_count_ = 0;
    std::size_t leak_count_ = 0;
    std::optional<FindingKind> first_;
};

}  // namespace carbide::testing
