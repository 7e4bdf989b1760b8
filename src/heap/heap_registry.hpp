// SPDX-License-Identifier: MIT
#pragma once

#include "carbide/heap.hpp"

namespace carbide::detail {

/// The heaps with memory of their own that checked code has used and that live: to name the owner
/// of a pointer that was freed to another allocator. Unchecked programs leave it empty.
///
/// Up to 4,096 heaps; further ones are not named.
class HeapRegistry {
public:
    /// Does nothing where the heap is in it, or cannot tell what it owns.
    static void add(Heap& heap) noexcept;

    /// Does nothing where the heap is not in it.
    static void remove(Heap& heap) noexcept;

    /// Null where no heap in it owns the address. The name outlives its heap.
    [[nodiscard]] static const char* name_of_owner(const void* memory) noexcept;
};

}  // namespace carbide::detail
