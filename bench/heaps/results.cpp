// SPDX-License-Identifier: MIT
#include "results.hpp"

#include <algorithm>
#include <cstdlib>

namespace bench::heaps {
namespace {

double median_of(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::optional<double> number_behind(const std::string& line, const std::string& key) {
    const std::string label = "\"" + key + "\": ";
    const std::size_t found = line.find(label);
    if (found == std::string::npos) return std::nullopt;
    return std::strtod(line.c_str() + found + label.size(), nullptr);
}

}  // namespace

std::optional<Sample> parse_sample(const std::string& line, const std::string& time_key) {
    const auto ns = number_behind(line, time_key);
    const auto steady = number_behind(line, "steady_bytes");
    const auto peak = number_behind(line, "peak_bytes");
    const auto freed = number_behind(line, "freed_bytes");
    const auto settled = number_behind(line, "settled_bytes");
    if (!ns || !steady || !peak || !freed || !settled) return std::nullopt;
    return Sample{*ns, *steady, *peak, *freed, *settled};
}

double Series::median(double Sample::* member) const {
    std::vector<double> values;
    for (const Sample& sample : samples) values.push_back(sample.*member);
    return median_of(values);
}

std::vector<const Series*> Result::faster() const {
    std::vector<const Series*> chosen;
    for (const Series& series : all) {
        const bool is_second_way = !chosen.empty() && !series.candidate.is_carbide() &&
                                   chosen.back()->candidate.peer == series.candidate.peer;
        if (!is_second_way) {
            chosen.push_back(&series);
        } else if (series.median(&Sample::ns) < chosen.back()->median(&Sample::ns)) {
            chosen.back() = &series;
        }
    }
    return chosen;
}

const Series* Result::best_peer(double Sample::* member) const {
    const Series* best = nullptr;
    for (const Series* series : faster()) {
        if (series->candidate.is_carbide()) continue;
        if (best == nullptr || series->median(member) < best->median(member)) best = series;
    }
    return best;
}

double Result::ratio(const Series& series, const Series& to, double Sample::* member) {
    std::vector<double> ratios;
    const std::size_t count = std::min(series.samples.size(), to.samples.size());
    for (std::size_t i = 0; i < count; ++i) {
        ratios.push_back(series.samples[i].*member / to.samples[i].*member);
    }
    return median_of(ratios);
}

}  // namespace bench::heaps
