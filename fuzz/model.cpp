// SPDX-License-Identifier: MIT
#include "model.hpp"

#include <algorithm>

#include "bytes.hpp"

namespace fuzz {
namespace {

std::byte pattern(std::uint8_t seed, std::size_t index) noexcept {
    return static_cast<std::byte>(seed + index * 31 + (index >> 8));
}

// The byte that is written behind that at `index`: of a large block both ends, and one here and
// there between. Overlaps are found by address anyway.
std::size_t next_index(std::size_t index, std::size_t size_bytes) noexcept {
    constexpr std::size_t edge_bytes = 256;
    constexpr std::size_t stride_bytes = 509;
    if (index + 1 < edge_bytes || size_bytes - index <= edge_bytes) return index + 1;
    return std::min(index + stride_bytes, size_bytes - edge_bytes);
}

}  // namespace

void Block::fill() const noexcept {
    for (std::size_t i = 0; i < size_bytes; i = next_index(i, size_bytes)) {
        memory[i] = pattern(seed, i);
    }
}

bool Block::is_intact(std::size_t count) const noexcept {
    for (std::size_t i = 0; i < count; i = next_index(i, size_bytes)) {
        if (memory[i] != pattern(seed, i)) return false;
    }
    return true;
}

std::size_t Model::live_bytes() const noexcept {
    std::size_t sum = 0;
    for (const Block& block : blocks_) sum += block.size_bytes;
    return sum;
}

void Model::lend(void* memory, std::size_t size_bytes, std::align_val_t alignment) {
    ++now_;
    const Block block{static_cast<std::byte*>(memory), size_bytes, alignment,
                      static_cast<std::uint8_t>(now_), now_};
    check_place(block, blocks_.size());
    block.fill();
    blocks_.push_back(block);
}

void Model::take_back(std::size_t index) {
    ++now_;
    require(blocks_[index].is_intact(blocks_[index].size_bytes), "nobody writes to lent bytes");
    if (index + 1 != blocks_.size()) is_stack_like_ = false;
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Model::change(std::size_t index, void* memory, std::size_t size_bytes) {
    ++now_;
    Block& block = blocks_[index];
    const bool moved = block.memory != memory || block.size_bytes == 0;
    if (moved || index + 1 != blocks_.size()) is_stack_like_ = false;
    if (moved) block.lent_at = now_;
    const std::size_t kept_bytes = std::min(block.size_bytes, size_bytes);
    block.memory = static_cast<std::byte*>(memory);
    require(block.is_intact(kept_bytes), "a resized block keeps its content");
    block.size_bytes = size_bytes;
    check_place(block, index);
    block.fill();
}

void Model::forget_since(std::size_t time) {
    ++now_;
    std::erase_if(blocks_, [&](const Block& block) { return block.lent_at >= time; });
    if (blocks_.empty()) is_stack_like_ = true;
}

void Model::verify() const {
    for (const Block& block : blocks_) {
        require(block.is_intact(block.size_bytes), "nobody writes to lent bytes");
    }
}

void Model::check_place(const Block& block, std::size_t but_index) const {
    require(block.memory != nullptr, "success is not null");
    require(block.begin() % static_cast<std::size_t>(block.alignment) == 0, "memory is aligned");
    if (block.size_bytes == 0) return;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        if (i == but_index || blocks_[i].size_bytes == 0) continue;
        require(block.end() <= blocks_[i].begin() || blocks_[i].end() <= block.begin(),
                "no byte is lent twice");
    }
}

}  // namespace fuzz
