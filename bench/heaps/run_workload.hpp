// SPDX-License-Identifier: MIT
#pragma once

#include "passing_workloads.hpp"
#include "replace_workloads.hpp"
#include "small_workloads.hpp"
#include "trace_workload.hpp"

namespace bench::heaps {

template <class Source>
bool run_named(Source source, const Job& job, Measurement& result) {
    const std::string_view name = job.workload;
    if (name == "pairs") {
        result = pairs(source, job);
    } else if (name == "nodes") {
        result = nodes(source, job);
    } else if (name == "replace-10k") {
        result = replace_live(source, job, 10'000);
    } else if (name == "replace-1m") {
        result = replace_live(source, job, 1'000'000);
    } else if (name == "producer-consumer") {
        result = producer_consumer(source, job);
    } else if (name == "larson") {
        result = larson(source, job);
    } else if (name == "asymmetric") {
        result = asymmetric(source, job);
    } else if (name == "peak") {
        result = peak(source, job);
    } else if (name == "trace") {
        result = trace(source, job);
    } else {
        return false;
    }
    return true;
}

}  // namespace bench::heaps
