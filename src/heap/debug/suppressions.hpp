// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "carbide/stack_trace.hpp"
#include "platform/report_text.hpp"

namespace carbide::detail {

/// Leaks that are known and not to be reported, from a file in LeakSanitizer's format: a line
/// `leak:PATTERN` each; blank lines, and those that begin with `#`, are skipped.
///
/// A pattern matches a frame whose function, source file or module contains it. `*` in it stands
/// for any text, `^` at its begin and `$` at its end for the begin and end of the name.
///
/// Memory is pages of its own, never malloc's. One thread at a time.
class Suppressions {
public:
    struct Entry {
        std::string_view pattern;
        std::size_t count = 0;  // Leaked allocations that it matched.
        std::size_t size_bytes = 0;
    };

    Suppressions() noexcept = default;
    ~Suppressions();
    Suppressions(const Suppressions&) = delete;  // The patterns point into `content_`.
    Suppressions& operator=(const Suppressions&) = delete;

    /// Reads `path`, once per object. A line of `errors` for a file that cannot be read and for
    /// each line that is no suppression; the other lines count.
    void load(const char* path, platform::ReportText& errors) noexcept;

    /// The first entry that matches a frame of `trace`.
    [[nodiscard]] std::optional<std::size_t> match(StackTrace trace) const noexcept;

    [[nodiscard]] std::span<Entry> entries() noexcept { return {entries_, entry_count_}; }
    [[nodiscard]] std::span<const Entry> entries() const noexcept {
        return {entries_, entry_count_};
    }

    /// All counts 0 again, before another report.
    void reset_counts() noexcept;

private:
    bool read_file(const char* path, platform::ReportText& errors) noexcept;

    platform::ReportText content_;
    Entry* entries_ = nullptr;
    std::size_t entry_count_ = 0;
    std::size_t mapped_bytes_ = 0;
};

/// Whether `text` has a part that `pattern` describes, as `Suppressions` says.
[[nodiscard]] bool matches_suppression(std::string_view pattern, std::string_view text) noexcept;

}  // namespace carbide::detail
