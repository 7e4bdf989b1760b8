// SPDX-License-Identifier: MIT
#include "testing/finding_log.hpp"

namespace carbide::testing {
namespace {

// What a person still reads; a loop that overruns a million times must not fill the memory.
constexpr std::size_t text_bytes_max = std::size_t{1} << 20;

}  // namespace

FindingCallback FindingLog::callback() noexcept {
    return {[](void* context, const Finding& finding) noexcept {
                static_cast<FindingLog*>(context)->add(finding);
            },
            this};
}

void FindingLog::add(const Finding& finding) noexcept {
    const std::lock_guard guard(mutex_);
    ++finding_count_;
    if (finding.kind == FindingKind::leak) ++leak_count_;
    if (!first_.has_value()) first_ = finding.kind;
    if (text().size() > text_bytes_max) return;
    text_.text(finding.text.empty() ? name_of(finding.kind) : finding.text);
    if (!text().ends_with('\n')) text_.text("\n");
}

}  // namespace carbide::testing
