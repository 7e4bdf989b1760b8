// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/finding.hpp"
#include "carbide/testing/allocation_failures.hpp"

/// A mistake that people make with memory, and the same function without it.
///
///     // What people do, and how it shows.
///     namespace name_of_the_mistake {
///     bool mistake(Allocator allocator) { ... }
///     bool correct(Allocator allocator) { ... }
///     CARBIDE_MISTAKE_PAIR("growing into the only pointer leaks", swept, leaked, leak)
///     }  // namespace name_of_the_mistake
///
/// The statement is the name of a test case. A tool (see tools.hpp) is called with each function;
/// what follows is all that it must say of the mistake. Of the twin it must say nothing.
#define CARBIDE_MISTAKE_PAIR(statement, tool, ...)                             \
    const ::carbide::tests::MistakePair pair(                                  \
        statement, [] { return tool(mistake); }, [] { return tool(correct); }, \
        ::carbide::tests::outcome_of(__VA_ARGS__));                            \
    TEST_CASE("mistakes: " statement) { ::carbide::tests::check(pair); }

namespace carbide::tests {

/// What a tool said about a function.
struct Outcome {
    std::vector<testing::Verdict> verdicts;  // Each once. Empty where all runs passed.
    std::vector<FindingKind> findings;       // As they came; leaks, which come in groups, once.
    std::string message;                     // For a person.

    void add(testing::Verdict verdict) {
        if (std::ranges::find(verdicts, verdict) == verdicts.end()) verdicts.push_back(verdict);
    }
    void add(FindingKind kind) {
        const bool is_known = std::ranges::find(findings, kind) != findings.end();
        if (kind != FindingKind::leak || !is_known) findings.push_back(kind);
    }

    /// "leaked, leak", or "nothing".
    [[nodiscard]] std::string to_string() const;
};

template <class... Parts>
Outcome outcome_of(Parts... parts) {
    Outcome outcome;
    (outcome.add(parts), ...);
    return outcome;
}

class MistakePair {
public:
    using Run = Outcome (*)();

    MistakePair(const char* statement, Run mistake, Run correct, Outcome expected);

    [[nodiscard]] const char* statement() const noexcept { return statement_; }
    [[nodiscard]] const Outcome& expected() const noexcept { return expected_; }
    [[nodiscard]] Outcome of_correct() const { return correct_(); }

    /// Runs it once in a process: what it leaves behind in a static variable is a part of some.
    [[nodiscard]] const Outcome& of_mistake() const;

    /// In the order of their construction, which differs between files.
    [[nodiscard]] static std::vector<const MistakePair*>& all();

private:
    const char* statement_;
    Run mistake_;
    Run correct_;
    Outcome expected_;
    mutable std::optional<Outcome> of_mistake_;
};

void check(const MistakePair& pair);

/// A copy of the text, which the mistakes below treat badly. Aborts where memory is out.
[[nodiscard]] inline std::span<char> copy_of(Allocator allocator, std::string_view text) {
    const std::span<char> copy = allocator.must_alloc<char>(text.size());
    text.copy(copy.data(), copy.size());
    return copy;
}

/// The same value, of which the compiler knows nothing, so that it neither warns nor removes.
template <class T>
[[nodiscard]] T opaque(T value) {
    asm volatile("" : "+r"(value));
    return value;
}

/// Reads the object, whatever the optimiser thinks of it.
template <class T>
void look_at(const T& object) {
    const T value = *static_cast<const volatile T*>(&object);
    static_cast<void>(opaque(value));
}

}  // namespace carbide::tests
