// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heap/debug/span.hpp"

namespace carbide::detail {

/// Finds the span that an address lies in, in two loads: a table of tables over the 48 bits of
/// address that user space has. Both levels are mapped and touched only where they are needed.
///
/// Any thread may look up; entering and removing is serialised by the caller.
class PageMap {
public:
    /// False where there is no memory for the root.
    [[nodiscard]] bool init() noexcept;
    void deinit() noexcept;

    [[nodiscard]] Span* find(std::uintptr_t address) const noexcept {
        if (address >> address_bits != 0) return nullptr;
        const Leaf* const leaf = root_[address >> leaf_shift].load(std::memory_order_acquire);
        if (leaf == nullptr) return nullptr;
        return leaf->spans[address / unit_bytes % leaf_size].load(std::memory_order_acquire);
    }

    /// Makes room for the units of [begin, begin + size); false where there is no memory for that.
    [[nodiscard]] bool reserve(std::uintptr_t begin, std::size_t size_bytes) noexcept;

    /// In reserved units. Null removes.
    void enter(std::uintptr_t begin, std::size_t size_bytes, Span* span) noexcept;

private:
    static constexpr unsigned address_bits = 48;
    static constexpr unsigned leaf_shift = 32;
    static constexpr std::size_t leaf_size = (std::size_t{1} << leaf_shift) / unit_bytes;
    static constexpr std::size_t root_size = std::size_t{1} << (address_bits - leaf_shift);

    struct Leaf {
        std::atomic<Span*> spans[leaf_size];
    };

    std::atomic<Leaf*>* root_ = nullptr;
    std::uintptr_t lowest_ = root_size;  // Root entries that were set.
    std::uintptr_t highest_ = 0;
};

}  // namespace carbide::detail
