// SPDX-License-Identifier: MIT
#include "mistakes/mistake_pair.hpp"

#include <utility>

namespace carbide::tests {

using testing::Verdict;

std::string Outcome::to_string() const {
    std::string text;
    const auto append = [&text](std::string_view name) {
        if (!text.empty()) text += ", ";
        text += name;
    };
    for (const Verdict verdict : verdicts) append(name_of(verdict));
    for (const FindingKind kind : findings) append(name_of(kind));
    return text.empty() ? "nothing" : text;
}

MistakePair::MistakePair(const char* statement, Run mistake, Run correct, Outcome expected)
    : statement_(statement), mistake_(mistake), correct_(correct), expected_(std::move(expected)) {
    all().push_back(this);
}

const Outcome& MistakePair::of_mistake() const {
    if (!of_mistake_.has_value()) of_mistake_ = mistake_();
    return *of_mistake_;
}

std::vector<const MistakePair*>& MistakePair::all() {
    static std::vector<const MistakePair*> pairs;
    return pairs;
}

void check(const MistakePair& pair) {
    const Outcome& mistake = pair.of_mistake();
    INFO("the mistake: ", mistake.message);
    CHECK(mistake.to_string() == pair.expected().to_string());
    const Outcome correct = pair.of_correct();
    INFO("the correct twin: ", correct.message);
    CHECK(correct.to_string() == "nothing");
}

TEST_CASE("mistakes: each verdict and each kind of finding is produced by one") {
    Outcome seen;
    for (const MistakePair* const pair : MistakePair::all()) {
        const Outcome& outcome = pair->of_mistake();
        for (const Verdict verdict : outcome.verdicts) seen.add(verdict);
        for (const FindingKind kind : outcome.findings) seen.add(kind);
    }
    for (int i = 0; i < static_cast<int>(Verdict::not_run); ++i) {
        const auto verdict = static_cast<Verdict>(i);
        CHECK_MESSAGE(std::ranges::find(seen.verdicts, verdict) != seen.verdicts.end(),
                      name_of(verdict));
    }
    for (int i = 0; i <= static_cast<int>(FindingKind::global_allocation); ++i) {
        const auto kind = static_cast<FindingKind>(i);
        CHECK_MESSAGE(std::ranges::find(seen.findings, kind) != seen.findings.end(), name_of(kind));
    }
}

TEST_CASE("mistakes: there are thirty at least, and no two of one name") {
    std::vector<std::string_view> names;
    for (const MistakePair* const pair : MistakePair::all()) names.emplace_back(pair->statement());
    CHECK(names.size() >= 30);
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace carbide::tests
