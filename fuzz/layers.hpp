// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "bytes.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/locked_allocator.hpp"
#include "carbide/logging_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/stack_fallback_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/thread_caching_allocator.hpp"
#include "composition.hpp"

/// Every heap as a `Layer`: its options from the input's bytes, and what its numbers must be.
namespace fuzz {

// --- The bottom: heaps without a backing --------------------------------------------------------

class Malloc : public Layer {
public:
    carbide::Allocator allocator() override { return carbide::c_allocator(); }
};

class Pages : public Layer {
public:
    carbide::Allocator allocator() override { return carbide::page_allocator(); }
};

class Null : public Layer {
public:
    carbide::Allocator allocator() override { return carbide::null_allocator(); }
    void check(const Lent& lent, bool) const override {
        require(lent.bytes.value_or(0) == 0, "the null heap lends nothing");
    }
};

class FixedBuffer : public Layer {
public:
    // With odd bytes in front and behind; half of them tiny, so that those bytes matter.
    explicit FixedBuffer(Bytes& bytes)
        : storage_(16 + (bytes.below(2) == 0 ? bytes.below(64) : bytes.two())),
          heap_(std::span(storage_)
                    .subspan(bytes.below(8))
                    .first(storage_.size() - 16 + bytes.below(8))),
          is_shared_(bytes.below(4) == 0) {}

    carbide::Allocator allocator() override {
        return is_shared_ ? heap_.shared_view() : heap_.allocator();
    }

    void check(const Lent& lent, bool stack_like) const override {
        require(heap_.used_bytes() <= heap_.capacity_bytes(), "a buffer lends what it has");
        if (lent.bytes.has_value()) {
            require(*lent.bytes <= heap_.used_bytes(), "what is lent is in use");
            if (*lent.bytes == 0 && stack_like && !is_shared_) {
                require(heap_.used_bytes() == 0, "freed newest first, nothing stays in use");
            }
        }
        if (!lent.blocks.has_value()) return;
        for (const Block& block : *lent.blocks) {
            require(heap_.owns_slice({block.memory, block.size_bytes}), "it lends its own bytes");
        }
    }

    bool reset(Bytes&) override {
        heap_.reset();
        require(heap_.used_bytes() == 0, "a reset buffer is empty");
        return true;
    }
    [[nodiscard]] bool frees_all() const override { return true; }

private:
    std::vector<std::byte> storage_;
    carbide::FixedBufferAllocator heap_;
    bool is_shared_;
};

// --- Heaps that make something else of their backing's memory ------------------------------------

class Arena : public Layer {
    using ArenaAllocator = carbide::ArenaAllocator;

public:
    Arena(carbide::Allocator backing, Bytes& bytes)
        : capacity_bytes_max_(bytes.below(3) == 0 ? 64 + bytes.two() : SIZE_MAX),
          heap_(std::in_place,
                ArenaAllocator::Options{
                    .backing = backing,
                    .first_chunk_bytes = std::size_t{16} << bytes.below(13),
                    .growth_percent = static_cast<unsigned>(100 + 50 * bytes.below(7)),
                    .chunk_bytes_max = std::size_t{256} << bytes.below(16),
                    .capacity_bytes_max = capacity_bytes_max_}) {}

    carbide::Allocator allocator() override { return heap_->allocator(); }
    ArenaAllocator* arena() override { return &*heap_; }

    void check(const Lent& lent, bool) const override {
        require(heap_->is_valid(), "an arena is valid");
        require(heap_->used_bytes() <= heap_->capacity_bytes(), "an arena lends what it has");
        require(heap_->capacity_bytes() <= capacity_bytes_max_, "an arena keeps its capacity");
        require(lent.bytes.value_or(0) <= heap_->used_bytes(), "what is lent is in use");
    }
    [[nodiscard]] Lent drawn(Lent) const override { return {heap_->capacity_bytes(), {}}; }

    bool reset(Bytes& bytes) override {
        using Retain = ArenaAllocator::Retain;
        switch (bytes.below(4)) {
            case 0:
                heap_->reset(Retain::nothing);
                break;
            case 1:
                heap_->reset(Retain::capacity);
                break;
            case 2:
                heap_->reset(Retain::recent_rounds);
                break;
            default:
                reset_retaining(bytes.two());
                break;
        }
        require(heap_->used_bytes() == 0, "a reset arena is empty");
        return true;
    }
    bool reattach() override {
        const std::size_t used_bytes = heap_->used_bytes();
        ArenaAllocator::State state = heap_->detach();
        require(heap_->capacity_bytes() == 0, "a detached arena holds nothing");
        heap_.emplace(std::move(state));
        require(heap_->used_bytes() == used_bytes, "a detached state is what the arena was");
        return true;
    }
    [[nodiscard]] bool frees_all() const override { return true; }

private:
    void reset_retaining(std::size_t bytes_max) {
        heap_->reset_retaining(bytes_max);
        require(heap_->capacity_bytes() <= bytes_max, "a reset keeps no more than it was told");
    }

    std::size_t capacity_bytes_max_;
    std::optional<ArenaAllocator> heap_;
};

template <std::size_t Size>
class StackFallback : public Layer {
public:
    explicit StackFallback(carbide::Allocator backing) : heap_(backing) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool stack_like) const override {
        require(heap_.used_bytes() <= Size, "a stack buffer lends what it has");
        if (lent.bytes == std::size_t{0} && stack_like) {
            require(heap_.used_bytes() == 0, "freed newest first, nothing stays in use");
        }
    }
    [[nodiscard]] Lent drawn(Lent lent) const override {
        if (!lent.blocks.has_value()) return {};
        std::erase_if(*lent.blocks, [&](const Block& block) { return heap_.owns(block.memory); });
        lent.bytes = 0;
        for (const Block& block : *lent.blocks) *lent.bytes += block.size_bytes;
        return lent;
    }

private:
    carbide::StackFallbackAllocator<Size> heap_;
};

struct Small {
    std::byte bytes[24];
};
struct alignas(64) Aligned {
    std::byte bytes[192];
};

template <class T>
class Pool : public Layer {
    using Heap = carbide::PoolAllocator<T>;

public:
    Pool(carbide::Allocator backing, Bytes& bytes)
        : heap_({.backing = backing,
                 .first_chunk_slots = 1 + bytes.below(200),
                 .growth = bytes.below(4) == 0 ? Heap::Growth::fixed : Heap::Growth::grow}) {
        const std::size_t wanted = bytes.below(50);
        if (heap_.preheat(wanted).has_value()) {
            require(heap_.capacity_count() >= wanted, "a preheated pool has the slots");
        }
    }
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        require(heap_.is_valid(), "a pool is valid");
        require(heap_.live_count() <= heap_.capacity_count(), "a pool lends what it has");
        if (lent.blocks.has_value()) {
            require(heap_.live_count() == lent.blocks->size(), "a pool counts what it lends");
        }
    }
    [[nodiscard]] Lent drawn(Lent) const override { return {heap_.capacity_bytes(), {}}; }

    bool reset(Bytes& bytes) override {
        heap_.reset(bytes.below(2) == 0 ? Heap::Retain::nothing : Heap::Retain::capacity);
        require(heap_.live_count() == 0, "a reset pool has lent nothing");
        return true;
    }
    [[nodiscard]] bool frees_all() const override { return true; }

private:
    Heap heap_;
};

// Of its chunks, one is enough for what an input may lend. Nothing decays, since time would make an
// input another one each time; what is hardened has random places all the same.
class ThreadCaching : public Layer {
public:
    ThreadCaching(carbide::Allocator backing, Bytes& bytes)
        : heap_({.backing = backing,
                 .retained_bytes_max = bytes.below(3) == 0 ? 0 : std::size_t{64} * bytes.two(),
                 .decay_ms = 0,
                 .hardened = bytes.below(3) == 0}) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        require(heap_.is_valid(), "thread caches are valid");
        const carbide::HeapStatistics sums = heap_.statistics();
        require(sums.lent_bytes + sums.cached_bytes + sums.free_bytes <= sums.mapped_bytes,
                "what is lent, cached or free is in one place");
        require(sums.lent_bytes >= lent.bytes.value_or(0), "what is lent is counted");
        require(sums.lent_bytes == 0 || lent.bytes != std::size_t{0}, "nothing else is counted");
        if (!lent.blocks.has_value()) return;
        for (const Block& block : *lent.blocks) {
            require(heap_.owns(block.memory), "it owns what it lends");
            require(heap_.owns(block.memory + block.size_bytes - 1), "to the last byte");
            require(heap_.size_of(block.memory) >= block.size_bytes, "it knows how much that is");
        }
    }
    [[nodiscard]] Lent drawn(Lent) const override { return {}; }  // Chunks of its own choice.

private:
    carbide::ThreadCachingAllocator heap_;
};

// --- Wrappers, which lend what their backing lends -----------------------------------------------

class Limit : public Layer {
public:
    Limit(carbide::Allocator backing, Bytes& bytes)
        : heap_({.backing = backing,
                 .limit_bytes = bytes.two(),
                 .on_exhausted = bytes.below(3) == 0 ? &raise : nullptr,
                 .on_exhausted_context = this}) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        require(heap_.used_bytes() <= heap_.limit_bytes(), "a budget is never exceeded");
        require(heap_.used_bytes() <= heap_.peak_bytes(), "a peak is the most that was in use");
        require(heap_.used_bytes() == lent.bytes.value_or(heap_.used_bytes()),
                "a budget counts what is lent");
    }

private:
    // Grants a little more, a few times.
    static carbide::LimitAllocator::Decision raise(void* context, carbide::LimitAllocator& heap,
                                                   std::size_t needed_bytes) noexcept {
        auto& limit = *static_cast<Limit*>(context);
        if (limit.raises_left_ == 0 || needed_bytes > 4096) {
            return carbide::LimitAllocator::Decision::fail;
        }
        --limit.raises_left_;
        heap.set_limit_bytes(heap.limit_bytes() + needed_bytes);
        return carbide::LimitAllocator::Decision::retry;
    }

    carbide::LimitAllocator heap_;
    int raises_left_ = 5;
};

class Failing : public Layer {
public:
    Failing(carbide::Allocator backing, Bytes& bytes)
        : heap_({.backing = backing,
                 .alloc_index = bytes.next(),
                 .resize_index = bytes.next(),
                 .repeat = bytes.below(4) == 0 ? carbide::FailingAllocator::Repeat::from_there_on
                                               : carbide::FailingAllocator::Repeat::once}) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        const std::size_t live_bytes = heap_.allocated_bytes() - heap_.freed_bytes();
        require(live_bytes == lent.bytes.value_or(live_bytes), "bytes lent and freed are counted");
    }

private:
    carbide::FailingAllocator heap_;
};

class Statistics : public Layer {
public:
    explicit Statistics(carbide::Allocator backing) : heap_({.backing = backing}) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        const carbide::Statistics statistics = heap_.statistics();
        require(statistics.current_bytes <= statistics.peak_bytes, "a peak is the most");
        require(statistics.peak_bytes <= statistics.total_bytes, "a total is at least the peak");
        require(statistics.current_bytes == lent.bytes.value_or(statistics.current_bytes),
                "current bytes are those that are lent");
        if (lent.blocks.has_value()) {
            require(statistics.live_count() == lent.blocks->size(), "live allocations are counted");
        }
    }

private:
    carbide::StatisticsAllocator heap_;
};

class Logging : public Layer {
public:
    explicit Logging(carbide::Allocator backing)
        : heap_({.backing = backing, .sink = &count, .sink_context = this}) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        require(before_count_ == after_count_, "each call is told before and after");
        require(live_bytes_ == lent.bytes.value_or(live_bytes_), "a log tells all that is lent");
    }

private:
    using Event = carbide::LoggingAllocator::Event;

    static void count(void* context, const Event& event) noexcept {
        auto& log = *static_cast<Logging*>(context);
        if (event.moment == carbide::LoggingAllocator::Moment::before) {
            ++log.before_count_;
            return;
        }
        ++log.after_count_;
        if (!event.success) return;
        using enum carbide::LoggingAllocator::Operation;
        switch (event.operation) {
            case alloc:
                log.live_bytes_ += event.size_bytes;
                break;
            case free:
                log.live_bytes_ -= event.size_bytes;
                break;
            case resize:
            case remap:
                log.live_bytes_ += event.new_bytes - event.size_bytes;
                break;
        }
    }

    carbide::LoggingAllocator heap_;
    std::size_t before_count_ = 0;
    std::size_t after_count_ = 0;
    std::size_t live_bytes_ = 0;
};

// Nothing is ever wrong here, so whatever it finds is wrong in itself.
class Debug : public Layer {
public:
    Debug(carbide::Allocator backing, Bytes& bytes)
        : heap_({.backing = backing,
                 .stack_frame_count = static_cast<unsigned>(bytes.below(3)),
                 .thread_safe = bytes.below(2) == 0,
                 .fill_freed = 0xDD,
                 .pad_before_bytes = 16 * bytes.below(4),
                 .pad_after_bytes = bytes.below(40),
                 .quarantine_bytes = bytes.below(3) == 0 ? bytes.two() : 0,
                 .guard = static_cast<carbide::DebugAllocator::Guard>(
                     bytes.below(8) == 0 ? 1 + bytes.below(2) : 0),
                 .never_unmap = bytes.below(8) == 0,
                 .retain_metadata = bytes.below(8) == 0,
                 .on_finding = carbide::OnFinding::abort}) {}
    ~Debug() override { require(!heap_.deinit(), "everything was freed"); }

    carbide::Allocator allocator() override { return heap_.allocator(); }

    void check(const Lent& lent, bool) const override {
        const carbide::DebugAllocator::Counters counters = heap_.counters();
        require(counters.current_bytes <= counters.peak_bytes, "a peak is the most");
        require(counters.current_bytes == lent.bytes.value_or(counters.current_bytes),
                "current bytes are those that are lent");
        require(heap_.leak_count() == counters.current_count, "live allocations are counted");
        require(heap_.check_all() == 0, "there is nothing to find");
    }
    [[nodiscard]] Lent drawn(Lent) const override { return {}; }  // Chunks of its own choice.

private:
    mutable carbide::DebugAllocator heap_;  // Looking at everything takes its locks.
};

class Locked : public Layer {
public:
    explicit Locked(carbide::Allocator backing) : heap_({.backing = backing}) {}
    carbide::Allocator allocator() override { return heap_.allocator(); }

private:
    carbide::LockedAllocator heap_;
};

}  // namespace fuzz
