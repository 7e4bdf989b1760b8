// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "bytes.hpp"
#include "carbide/allocator.hpp"
#include "composition.hpp"
#include "model.hpp"

namespace fuzz {
namespace {

using carbide::ArenaAllocator;

// More would make an input slow, not better.
constexpr std::size_t operation_count_max = 400;
constexpr std::size_t live_bytes_max = std::size_t{2} << 20;

/// Mostly small; sometimes larger than any heap, or so large that sums overflow.
std::size_t pick_size(Bytes& bytes) {
    const std::size_t kind = bytes.below(16);
    if (kind < 7) return bytes.below(32);
    if (kind < 11) return bytes.next();
    if (kind < 13) return bytes.two() % 5000;
    if (kind < 14) return 4096 * bytes.below(10) + bytes.below(16);  // Some pages, and a bit.
    if (kind < 15) return bytes.two() * 3;
    const std::size_t distance = bytes.next();
    switch (bytes.below(4)) {
        case 0:
            return SIZE_MAX - distance;
        case 1:
            return SIZE_MAX / 2 + distance;
        case 2:
            return SIZE_MAX - (distance << 8);
        default:
            return (SIZE_MAX / 4) * 3 - distance;
    }
}

/// 1 to 64 KiB, mostly those that objects have.
std::align_val_t pick_alignment(Bytes& bytes) {
    const std::size_t kind = bytes.next();
    return std::align_val_t{std::size_t{1} << (kind < 192 ? kind % 5 : kind % 17)};
}

/// Drives the top of a composition, and keeps the model in step with it.
class Driver {
public:
    explicit Driver(Bytes& bytes)
        : bytes_(bytes), composition_(bytes), allocator_(composition_.top().allocator()) {}

    void run() {
        for (std::size_t i = 0; i < operation_count_max && !bytes_.empty(); ++i) {
            step();
            composition_.check(model_);
        }
        model_.verify();
        finish();
    }

private:
    /// What was lent after it ends when it is rewound.
    struct Mark {
        std::unique_ptr<ArenaAllocator::Mark> mark;
        std::size_t made_at;
    };

    void step() {
        switch (bytes_.below(16)) {
            case 0:
                return free_block(pick_block());
            case 1:
                return resize_block();
            case 2:
                return remap_block();
            case 3:
            case 4:
                return realloc_block();
            case 5:
                return alloc_zeroed();
            case 6:
                return dupe_block();
            case 7:
                return reset();
            case 8:
                return mark();
            case 9:
                return model_.verify();
            case 10:
            case 11:
                if (!model_.blocks().empty()) free_block(model_.blocks().size() - 1);
                return;
            default:
                return alloc();
        }
    }

    void alloc() {
        const std::size_t size_bytes = pick_size(bytes_);
        const std::align_val_t alignment = pick_alignment(bytes_);
        if (!has_room(size_bytes)) return;
        void* const memory = allocator_.raw_alloc(size_bytes, alignment);
        require(size_bytes != 0 || memory != nullptr, "zero bytes can always be had");
        if (memory == nullptr) return;
        model_.lend(memory, size_bytes, alignment);
        // What has no bytes may be freed any number of times: now, and later with the others.
        if (size_bytes == 0) allocator_.raw_free(memory, 0, alignment);
    }

    void free_block(std::size_t index) {
        if (index >= model_.blocks().size()) return;
        const Block block = model_.blocks()[index];
        model_.take_back(index);
        allocator_.raw_free(block.memory, block.size_bytes, block.alignment);
    }

    void resize_block() {
        const std::size_t index = pick_block();
        if (index >= model_.blocks().size()) return;
        const Block block = model_.blocks()[index];
        const std::size_t new_bytes = pick_new_size(block);
        if (!has_room(new_bytes)) return;
        check_intact(block);
        if (!allocator_.raw_resize(block.memory, block.size_bytes, new_bytes, block.alignment)) {
            require(new_bytes != 0 && new_bytes != block.size_bytes, "what is no change succeeds");
            return check_intact(block);
        }
        model_.change(index, block.memory, new_bytes);
    }

    void remap_block() {
        const std::size_t index = pick_block();
        if (index >= model_.blocks().size()) return;
        const Block block = model_.blocks()[index];
        const std::size_t new_bytes = pick_new_size(block);
        if (!has_room(new_bytes)) return;
        check_intact(block);
        void* const memory =
            allocator_.raw_remap(block.memory, block.size_bytes, new_bytes, block.alignment);
        if (memory == nullptr) return check_intact(block);
        model_.change(index, memory, new_bytes);
    }

    void realloc_block() {
        const std::size_t index = pick_block();
        if (index >= model_.blocks().size()) return;
        const Block block = model_.blocks()[index];
        const std::size_t new_bytes = pick_new_size(block);
        if (!has_room(new_bytes)) return;
        check_intact(block);
        void* const memory =
            allocator_.raw_realloc(block.memory, block.size_bytes, new_bytes, block.alignment);
        if (memory == nullptr) return check_intact(block);
        model_.change(index, memory, new_bytes);
    }

    void alloc_zeroed() {
        const std::size_t count = pick_size(bytes_);
        if (count > SIZE_MAX / sizeof(std::uint32_t)) {
            const bool lent = allocator_.alloc_zeroed<std::uint32_t>(count).has_value();
            return require(!lent, "a size that overflows is out of memory");
        }
        if (!has_room(count * sizeof(std::uint32_t))) return;
        const auto numbers = allocator_.alloc_zeroed<std::uint32_t>(count);
        if (!numbers.has_value()) return;
        require(std::ranges::all_of(*numbers, [](std::uint32_t number) { return number == 0; }),
                "zeroed memory is zero");
        model_.lend(numbers->data(), numbers->size_bytes(), std::align_val_t{4});
    }

    void dupe_block() {
        const std::size_t index = pick_block();
        if (index >= model_.blocks().size()) return;
        const Block block = model_.blocks()[index];
        if (!has_room(block.size_bytes)) return;
        const auto copy =
            allocator_.dupe(std::span<const std::byte>(block.memory, block.size_bytes));
        if (!copy.has_value()) return;
        require(
            copy->size() == block.size_bytes &&
                (copy->empty() || std::memcmp(copy->data(), block.memory, block.size_bytes) == 0),
            "a copy is equal");
        model_.lend(copy->data(), copy->size(), std::align_val_t{1});
    }

    // An arena under marks must not be reset; then it is rewound.
    void reset() {
        if (!marks_.empty()) return rewind();
        model_.verify();
        if (composition_.top().reset(bytes_)) model_.forget_since(0);
    }

    void mark() {
        ArenaAllocator* const arena = composition_.top().arena();
        if (arena == nullptr) return;
        if (marks_.size() < 4 && bytes_.below(2) == 0) {
            auto made = std::make_unique<ArenaAllocator::Mark>(*arena);
            marks_.push_back({std::move(made), model_.now() + 1});
        } else if (!marks_.empty()) {
            rewind();
            if (bytes_.below(2) == 0) marks_.pop_back();
        }
    }

    void reattach() {
        model_.verify();
        if (!marks_.empty()) return;
        if (composition_.top().reattach()) allocator_ = composition_.top().allocator();
    }

    void rewind() {
        model_.verify();
        marks_.back().mark->rewind();
        model_.forget_since(marks_.back().made_at);
    }

    void finish() {
        while (!marks_.empty()) marks_.pop_back();
        if (composition_.top().frees_all() && bytes_.below(2) == 0) return;
        while (!model_.blocks().empty()) free_block(model_.blocks().size() - 1);
        composition_.check(model_);
    }

    void check_intact(const Block& block) const {
        require(block.is_intact(block.size_bytes), "a failed operation changes nothing");
    }

    // Beyond it only sizes that no heap has.
    [[nodiscard]] bool has_room(std::size_t size_bytes) const {
        return size_bytes > SIZE_MAX / 4 || model_.live_bytes() + size_bytes <= live_bytes_max;
    }

    std::size_t pick_block() {
        const std::size_t count = model_.blocks().size();
        return count == 0 ? 0 : bytes_.next() % count;
    }

    // A little more, a little less, or something else.
    std::size_t pick_new_size(const Block& block) {
        switch (bytes_.below(4)) {
            case 0:
                return block.size_bytes + bytes_.below(20);
            case 1:
                return block.size_bytes - std::min(block.size_bytes, bytes_.below(20));
            default:
                return pick_size(bytes_);
        }
    }

    Bytes& bytes_;
    Composition composition_;
    carbide::Allocator allocator_;
    Model model_;
    std::vector<Mark> marks_;  // Oldest first, which is the order they must not end in.
};

}  // namespace

void run_input(std::span<const std::uint8_t> input) {
    Bytes bytes(input);
    Driver(bytes).run();
}

}  // namespace fuzz
