// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "carbide/debug_allocator.hpp"

namespace carbide::tests {

/// Keeps what a debug allocator finds. Its options name no file and print nothing.
class FindingsLog {
public:
    [[nodiscard]] FindingCallback callback() noexcept {
        return {.call =
                    [](void* context, const Finding& finding) noexcept {
                        auto& log = *static_cast<FindingsLog*>(context);
                        log.findings.push_back(finding);
                        log.findings.back().text = {};
                        log.texts.emplace_back(finding.text);
                    },
                .context = this};
    }

    /// `options` with this log as the callback. No checker is told, because tests do what it would
    /// stop the program for.
    [[nodiscard]] DebugAllocator::Options options(DebugAllocator::Options options = {}) noexcept {
        options.on_finding = OnFinding::call;
        options.callback = callback();
        options.mark_for_checkers = false;
        return options;
    }

    [[nodiscard]] std::vector<FindingKind> kinds() const {
        std::vector<FindingKind> all;
        for (const Finding& finding : findings) all.push_back(finding.kind);
        return all;
    }

    std::vector<Finding> findings;
    std::vector<std::string> texts;
};

}  // namespace carbide::tests
