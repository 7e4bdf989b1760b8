// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace carbide::tests {

/// How a child process ended, and what it wrote to standard error.
struct ChildResult {
    int signal = 0;       // 0 where it exited.
    int exit_status = 0;  // 0 where a signal ended it.
    std::string stderr_text;

    /// Ended by the instruction behind `CARBIDE_CHECK`.
    [[nodiscard]] bool trapped() const noexcept;

    [[nodiscard]] bool wrote(const std::string& text) const noexcept {
        return stderr_text.find(text) != std::string::npos;
    }
};

/// Runs `body` in a forked child, where it may crash. It returns without error where `body` does;
/// signals have their default effect in it, whatever the test framework or a sanitizer installed.
[[nodiscard]] ChildResult run_in_child(const std::function<void()>& body);

}  // namespace carbide::tests
