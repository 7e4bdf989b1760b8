// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace carbide::caching {

/// A set of the units of a chunk.
class UnitSet {
public:
    static constexpr unsigned size = 256;

    struct Run {
        unsigned begin = 0;
        unsigned count = 0;  // 0: there is none.
    };

    void insert(Run run) noexcept {
        for_each_word(run, [](std::uint64_t& word, std::uint64_t mask) { word |= mask; });
    }
    void erase(Run run) noexcept {
        for_each_word(run, [](std::uint64_t& word, std::uint64_t mask) { word &= ~mask; });
    }

    [[nodiscard]] bool contains(unsigned unit) const noexcept {
        return (words_[unit / 64] >> unit % 64 & 1) != 0;
    }
    [[nodiscard]] unsigned count() const noexcept {
        unsigned sum = 0;
        for (const std::uint64_t word : words_) sum += static_cast<unsigned>(std::popcount(word));
        return sum;
    }

    /// The first run at or behind `from`, whole.
    [[nodiscard]] Run next_run(unsigned from) const noexcept {
        const unsigned begin = next_in(from);
        unsigned end = begin;
        while (end < size) {
            const unsigned ones =
                static_cast<unsigned>(std::countr_one(words_[end / 64] >> end % 64));
            const unsigned step = std::min(ones, 64 - end % 64);
            end += step;
            if (step == 0 || end % 64 != 0) break;
        }
        return {begin, end - begin};
    }

    /// The first run of at least `count`, or else the longest.
    [[nodiscard]] Run find_run(unsigned count) const noexcept {
        Run longest;
        for (Run run = next_run(0); run.count != 0; run = next_run(run.begin + run.count)) {
            if (run.count > longest.count) longest = run;
            if (longest.count >= count) break;
        }
        return longest;
    }

    friend bool operator==(const UnitSet&, const UnitSet&) = default;

    [[nodiscard]] UnitSet operator&(const UnitSet& other) const noexcept {
        UnitSet both;
        for (unsigned i = 0; i < word_count; ++i) both.words_[i] = words_[i] & other.words_[i];
        return both;
    }

private:
    static constexpr unsigned word_count = size / 64;

    [[nodiscard]] unsigned next_in(unsigned from) const noexcept {
        for (unsigned i = from / 64; i < word_count; ++i) {
            std::uint64_t word = words_[i];
            if (i == from / 64) word &= ~std::uint64_t{0} << from % 64;
            if (word != 0) return i * 64 + static_cast<unsigned>(std::countr_zero(word));
        }
        return size;
    }

    template <class Change>
    void for_each_word(Run run, Change change) noexcept {
        while (run.count != 0) {
            const unsigned shift = run.begin % 64;
            const unsigned count = std::min(run.count, 64 - shift);
            const std::uint64_t mask =
                (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << shift;
            change(words_[run.begin / 64], mask);
            run.begin += count;
            run.count -= count;
        }
    }

    std::uint64_t words_[word_count] = {};
};

}  // namespace carbide::caching
