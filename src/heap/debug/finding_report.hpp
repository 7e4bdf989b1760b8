// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

#include "carbide/finding.hpp"
#include "platform/report_text.hpp"

namespace carbide::detail {

/// A line that names the mistake and the memory, what is known as sentences, and the call stacks.
void write_finding(platform::ReportText& text, const Finding& finding,
                   platform::Style style = {}) noexcept;

/// An object on one line, with what applies to its kind. `text` is empty before. Where memory is
/// out it has no stacks, the begin of long names, and "cut_by_out_of_memory":true.
void write_finding_json(platform::ReportText& text, const Finding& finding) noexcept;

/// What is left of a name in such an object.
inline constexpr std::size_t cut_name_bytes_max = 40;

/// `bytes` in quotes, as JSON wants it; what is not UTF-8 becomes U+FFFD.
void write_json_string(platform::ReportText& text, std::string_view bytes) noexcept;

/// An array of frames.
void write_json_trace(platform::ReportText& text, StackTrace trace) noexcept;

}  // namespace carbide::detail
