// SPDX-License-Identifier: MIT
#include "demo/summary.hpp"

#include <algorithm>

#include "carbide/try.hpp"

namespace demo {
namespace {

// Makes one entry of those with the same key; returns what is left.
std::span<json::KeyCount> merge_equal(std::span<json::KeyCount> keys) noexcept {
    std::sort(keys.begin(), keys.end(),
              [](const auto& left, const auto& right) { return left.key < right.key; });
    std::size_t merged_count = 0;
    for (const json::KeyCount& key : keys) {
        if (merged_count != 0 && keys[merged_count - 1].key == key.key) {
            keys[merged_count - 1].count += key.count;
        } else {
            keys[merged_count++] = key;
        }
    }
    return keys.first(merged_count);
}

}  // namespace

carbide::Result<void> Summary::add(const json::Document& document) noexcept {
    const json::Counts& added = document.counts();
    for (std::size_t i = 0; i < json::value_kind_count; ++i) {
        counts_.by_kind[i] += added.by_kind[i];
    }
    counts_.members += added.members;
    counts_.duplicate_members += added.duplicate_members;
    counts_.depth = std::max(counts_.depth, added.depth);

    for (const json::KeyCount& key : document.keys()) {
        const std::span<char> text = CARBIDE_TRY(texts_.dupe(key.key));
        CARBIDE_TRY(keys_.append({{text.data(), text.size()}, key.count}));
    }
    return {};
}

carbide::Result<std::span<const json::KeyCount>> Summary::keys() noexcept {
    const std::span<json::KeyCount> all = CARBIDE_TRY(texts_.dupe(keys_.items()));
    const std::span<json::KeyCount> merged = merge_equal(all);
    std::sort(merged.begin(), merged.end(), json::is_more_frequent);
    return std::span<const json::KeyCount>(merged);
}

}  // namespace demo
