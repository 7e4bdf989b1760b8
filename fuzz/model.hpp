// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace fuzz {

/// An allocation as the model knows it.
struct Block {
    std::byte* memory;
    std::size_t size_bytes;
    std::align_val_t alignment;
    std::uint8_t seed;  // Of the pattern that fills it.

    /// Counts operations: when these bytes were lent.
    std::size_t lent_at;

    [[nodiscard]] std::uintptr_t begin() const noexcept {
        return reinterpret_cast<std::uintptr_t>(memory);
    }
    [[nodiscard]] std::uintptr_t end() const noexcept { return begin() + size_bytes; }

    /// Writes a pattern: to all of it, or to samples of what is large.
    void fill() const noexcept;

    /// The first `count` bytes hold the pattern.
    [[nodiscard]] bool is_intact(std::size_t count) const noexcept;
};

/// What a heap has lent, oldest first: the trivially right heap that the others are compared with.
class Model {
public:
    [[nodiscard]] const std::vector<Block>& blocks() const noexcept { return blocks_; }
    [[nodiscard]] std::size_t live_bytes() const noexcept;

    /// Only the newest block has ever been freed or resized since there was none.
    [[nodiscard]] bool is_stack_like() const noexcept { return is_stack_like_; }

    /// Number of operations so far; `Block::lent_at` compares with it.
    [[nodiscard]] std::size_t now() const noexcept { return now_; }

    /// A new block: not null, aligned, apart from all others. Fills it.
    void lend(void* memory, std::size_t size_bytes, std::align_val_t alignment);

    /// Before a block is given back: its content is what was written.
    void take_back(std::size_t index);

    /// The block has moved, grown or shrunk, and kept what it held.
    void change(std::size_t index, void* memory, std::size_t size_bytes);

    /// Everything lent at `time` or later has ended.
    void forget_since(std::size_t time);

    /// Every block holds what was written to it.
    void verify() const;

private:
    void check_place(const Block& block, std::size_t but_index) const;

    std::vector<Block> blocks_;
    std::size_t now_ = 1;
    bool is_stack_like_ = true;
};

}  // namespace fuzz
