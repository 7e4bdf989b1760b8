// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "carbide/fixed_buffer_allocator.hpp"
#include "testing/random.hpp"

namespace carbide {
namespace {

constexpr std::size_t none = SIZE_MAX;

std::size_t round_up(std::size_t value, std::size_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

struct Lent {
    std::size_t at;  // Offset from an address that is a multiple of 64, as every number here.
    std::size_t size_bytes;
    std::size_t alignment;
    std::size_t front_before;  // Where free bytes began before it.
};

// The rule of the class comment on plain offsets: where each allocation goes, and what is used.
class Model {
public:
    Model(std::size_t begin, std::size_t size_bytes)
        : begin_(begin),
          end_(begin + size_bytes),
          first_whole_(round_up(begin, 8)),
          last_whole_(std::max(end_ / 8 * 8, first_whole_)),
          front_(begin) {}

    std::size_t alloc(std::size_t size_bytes, std::size_t alignment) {
        const std::size_t at = round_up(std::max(front_, first_whole_), std::max(alignment, 8UL));
        if (tail_ == none && at + size_bytes > last_whole_) {
            if (at <= last_whole_ && at + size_bytes <= end_) return lend(at, size_bytes, true);
            const bool head = front_ == begin_ && begin_ % 8 != 0 && begin_ % alignment == 0;
            if (!head || begin_ + size_bytes > end_) return none;
            const bool is_tail = begin_ + size_bytes > last_whole_;
            front_ = head_end(size_bytes);
            head_is_lent_ = true;
            if (is_tail) tail_ = begin_;
            return begin_;
        }
        if (at + size_bytes > (tail_ == none ? last_whole_ : tail_)) return none;
        return lend(at, size_bytes, false);
    }

    bool resize(const Lent& lent, std::size_t new_bytes) {
        if (lent.at == tail_ && !is_head(lent)) return lent.at + new_bytes <= end_;
        const bool newest = is_newest(lent);
        if (is_head(lent)) {
            if (!newest) return new_bytes <= lent.size_bytes;
            const bool tail_is_other = tail_ != none && tail_ != lent.at;
            if (lent.at + new_bytes > (tail_is_other ? tail_ : end_)) return false;
            front_ = head_end(new_bytes);
            if (!tail_is_other) tail_ = lent.at + new_bytes > last_whole_ ? lent.at : none;
            return true;
        }
        if (!newest) return new_bytes <= round_up(lent.size_bytes, 8);
        if (lent.at + new_bytes > (tail_ == none ? last_whole_ : tail_)) return false;
        front_ = lent.at + round_up(new_bytes, 8);
        return true;
    }

    void free(const Lent& lent) {
        const bool newest = is_newest(lent);
        const bool is_tail = lent.at == tail_;
        if (is_tail) tail_ = none;
        if (newest && (!is_tail || is_head(lent))) front_ = lent.front_before;
        if (is_head(lent)) head_is_lent_ = false;
        // Nothing is lent in front any more, not even a head that was freed before the rest.
        if (front_ <= first_whole_ && !head_is_lent_) front_ = begin_;
    }

    std::size_t front() const { return front_; }

    std::size_t used_bytes() const {
        const std::size_t free_end = tail_ == none ? end_ : tail_;
        return end_ - begin_ - (std::max(free_end, front_) - front_);
    }

private:
    std::size_t lend(std::size_t at, std::size_t size_bytes, bool is_tail) {
        if (is_tail) {
            tail_ = at;
        } else {
            front_ = at + round_up(size_bytes, 8);
        }
        return at;
    }
    std::size_t head_end(std::size_t size_bytes) const {
        return std::min(round_up(begin_ + size_bytes, 8), std::max(last_whole_, begin_ + 1));
    }
    static bool is_head(const Lent& lent) { return lent.at % 8 != 0; }
    bool is_newest(const Lent& lent) const {
        if (is_head(lent)) return front_ == head_end(lent.size_bytes);
        return lent.at + round_up(lent.size_bytes, 8) == front_;
    }

    std::size_t begin_, end_;
    std::size_t first_whole_, last_whole_;
    std::size_t front_;        // Free bytes begin here.
    std::size_t tail_ = none;  // And end here, or at the end.
    bool head_is_lent_ = false;
};

// Runs both side by side, and keeps for every byte whose it is.
class Comparison {
public:
    Comparison(std::byte* memory, std::size_t begin, std::size_t size_bytes)
        : memory_(memory),
          buffer_({memory + begin, size_bytes}),
          model_(begin, size_bytes),
          is_lent_(begin + size_bytes, false) {}

    void run(testing::Random& random, std::size_t operation_count) {
        for (std::size_t i = 0; i < operation_count; ++i) {
            const std::size_t size_bytes = 1 + random.below(random.below(4) == 0 ? 220 : 24);
            if (lent_.empty() || random.below(2) == 0) {
                alloc(size_bytes, std::size_t{1} << random.below(6));
            } else {
                // Mostly the newest, as a stack would.
                const bool newest = random.below(3) != 0;
                const std::size_t index = newest ? lent_.size() - 1 : random.below(lent_.size());
                if (random.below(3) == 0) {
                    resize(lent_[index], size_bytes);
                } else {
                    free(index);
                }
            }
            REQUIRE(buffer_.used_bytes() == model_.used_bytes());
        }
    }

private:
    void alloc(std::size_t size_bytes, std::size_t alignment) {
        const std::size_t front_before = model_.front();
        const std::size_t expected = model_.alloc(size_bytes, alignment);
        void* const memory = buffer_.raw_alloc(size_bytes, std::align_val_t{alignment});
        REQUIRE(memory == (expected == none ? nullptr : memory_ + expected));
        if (memory == nullptr) return;
        claim(expected, size_bytes);
        lent_.push_back({expected, size_bytes, alignment, front_before});
    }
    void resize(Lent& lent, std::size_t new_bytes) {
        if (new_bytes == lent.size_bytes) return;
        const bool expected = model_.resize(lent, new_bytes);
        REQUIRE(buffer_.raw_resize(memory_ + lent.at, lent.size_bytes, new_bytes,
                                   std::align_val_t{lent.alignment}) == expected);
        if (!expected) return;
        release(lent);
        claim(lent.at, new_bytes);
        lent.size_bytes = new_bytes;
    }
    void free(std::size_t index) {
        const Lent lent = lent_[index];
        lent_.erase(lent_.begin() + static_cast<std::ptrdiff_t>(index));
        release(lent);
        model_.free(lent);
        buffer_.raw_free(memory_ + lent.at, lent.size_bytes, std::align_val_t{lent.alignment});
    }
    void claim(std::size_t at, std::size_t size_bytes) {
        for (std::size_t i = at; i < at + size_bytes; ++i) {
            REQUIRE_FALSE(is_lent_[i]);
            is_lent_[i] = true;
        }
    }
    void release(const Lent& lent) {
        for (std::size_t i = 0; i < lent.size_bytes; ++i) is_lent_[lent.at + i] = false;
    }

    std::byte* memory_;
    FixedBufferAllocator buffer_;
    Model model_;
    std::vector<Lent> lent_;
    std::vector<bool> is_lent_;
};

TEST_CASE("fixed buffer: random operations do what the rule says, in odd buffers too") {
    alignas(64) std::array<std::byte, 256> bytes;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(seed);
        testing::Random random(seed);
        for (std::size_t begin = 0; begin < 16; ++begin) {
            for (std::size_t size_bytes = 0; size_bytes <= 200; size_bytes += 7) {
                CAPTURE(begin);
                CAPTURE(size_bytes);
                Comparison(bytes.data(), begin, size_bytes).run(random, 200);
            }
        }
    }
}

}  // namespace
}  // namespace carbide
