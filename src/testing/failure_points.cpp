// SPDX-License-Identifier: MIT
#include "testing/failure_points.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "testing/random.hpp"

namespace carbide::testing {
namespace {

using Kind = FailurePoint::Kind;
using Repeat = FailurePoint::Repeat;

struct RepeatName {
    Repeat repeat;
    std::string_view name;
    std::string_view description;
};

constexpr RepeatName repeat_names[] = {
    {Repeat::once, "once", "once"},
    {Repeat::from_there_on, "each", "and each resize after it"},
    {Repeat::all_from_there_on, "all", "and every request after it"},
};

const RepeatName& names_of(Repeat repeat) noexcept {
    return *std::ranges::find(repeat_names, repeat, &RepeatName::repeat);
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) noexcept {
    Number number = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc() || rest != end) return std::nullopt;
    return number;
}

// The text in front of the next colon, which it takes away.
std::string_view take_word(std::string_view& text) noexcept {
    const std::size_t size = std::min(text.find(':'), text.size());
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    return word;
}

template <class Number>
void read_variable(const char* name, Number& number, std::string& mistake) {
    const char* const text = std::getenv(name);
    if (text == nullptr) return;
    if (const auto parsed = parse_number<Number>(text)) {
        number = *parsed;
    } else {
        mistake = std::string(name) + " is '" + text + "', and should be a number";
    }
}

// The first `count` are a sample in which each is as likely as the others.
void sample(std::vector<FailurePoint>& points, std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::size_t> order(points.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (std::size_t i = 0; i < count; ++i) {
        std::swap(order[i], order[i + random.below(order.size() - i)]);
    }
    order.resize(count);
    std::ranges::sort(order);
    std::vector<FailurePoint> chosen;
    chosen.reserve(count);
    for (const std::size_t i : order) chosen.push_back(points[i]);
    points = std::move(chosen);
}

}  // namespace

std::string FailurePoint::to_string() const {
    return std::string(kind == Kind::alloc ? "alloc:" : "resize:") + std::to_string(index) + ":" +
           std::string(names_of(repeat).name);
}

std::string describe(const FailurePoint& point) {
    return std::string(point.kind == Kind::alloc ? "alloc " : "resize ") +
           std::to_string(point.index) + " failed, " +
           std::string(names_of(point.repeat).description);
}

std::optional<FailurePoint> parse_failure_point(std::string_view text) noexcept {
    const std::string_view kind = take_word(text);
    const auto index = parse_number<std::size_t>(take_word(text));
    const auto* const repeat = std::ranges::find(repeat_names, text, &RepeatName::name);
    if ((kind != "alloc" && kind != "resize") || !index || repeat == std::end(repeat_names)) {
        return std::nullopt;
    }
    return FailurePoint{kind == "alloc" ? Kind::alloc : Kind::resize, *index, repeat->repeat};
}

PointSelection select_points(const char* only, std::size_t sample_count, std::uint64_t seed) {
    PointSelection selection{.only = {}, .sample_count = sample_count, .seed = seed, .mistake = {}};
    read_variable("CARBIDE_SWEEP_SAMPLE", selection.sample_count, selection.mistake);
    read_variable("CARBIDE_SWEEP_SEED", selection.seed, selection.mistake);
    if (selection.mistake.empty() && selection.sample_count == 0) {
        selection.mistake = "the sample is of 0 runs, which would show nothing";
    }
    const char* const variable = std::getenv("CARBIDE_SWEEP_ONLY");
    const char* const text = variable != nullptr ? variable : only;
    if (text == nullptr) return selection;
    selection.only = parse_failure_point(text);
    if (!selection.only.has_value()) {
        selection.mistake = std::string(variable != nullptr ? "CARBIDE_SWEEP_ONLY" : "`only`") +
                            " is '" + text + "', and should be like 'alloc:17:once'";
    }
    return selection;
}

FailingAllocator::Plan plan_of(const FailurePoint& point) noexcept {
    FailingAllocator::Plan plan{.repeat = point.repeat};
    (point.kind == Kind::alloc ? plan.alloc_index : plan.resize_index) = point.index;
    return plan;
}

std::vector<FailurePoint> failure_points(std::size_t alloc_count, std::size_t resize_count,
                                         const PointSelection& selection) {
    std::vector<FailurePoint> points;
    for (std::size_t i = 0; i < alloc_count; ++i) {
        points.push_back({Kind::alloc, i, Repeat::once});
        points.push_back({Kind::alloc, i, Repeat::all_from_there_on});
    }
    for (std::size_t i = 0; i < resize_count; ++i) {
        for (const RepeatName& each : repeat_names) {
            points.push_back({Kind::resize, i, each.repeat});
        }
    }
    if (selection.only.has_value()) {
        const auto& only = *selection.only;
        const std::size_t count = only.kind == Kind::alloc ? alloc_count : resize_count;
        points.clear();
        if (only.index < count) points.push_back(only);
    } else if (points.size() > selection.sample_count) {
        sample(points, selection.sample_count, selection.seed);
    }
    return points;
}

}  // namespace carbide::testing
