// SPDX-License-Identifier: MIT
// What a ThreadCachingAllocator gives back to its backing.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <ostream>
#include <vector>

#include "carbide/heap_operations.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/thread_caching_allocator.hpp"

namespace carbide {
namespace {

// Writes to all that it is given back, as a malloc may.
class WritingHeap : public HeapOperations<WritingHeap> {
public:
    WritingHeap() noexcept : HeapOperations("writing", Sharing::shared) {}

    std::size_t lent_bytes = 0;

private:
    friend HeapOperations;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        void* const memory = page_allocator().raw_alloc(size_bytes, alignment);
        if (memory != nullptr) self(heap).lent_bytes += size_bytes;
        return memory;
    }
    static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return false;
    }
    static void* slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return nullptr;
    }
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept {
        std::memset(memory, 0xDD, size_bytes);
        self(heap).lent_bytes -= size_bytes;
        page_allocator().raw_free(memory, size_bytes, alignment);
    }
};

TEST_CASE("thread caching: everything goes back to the backing, and may be written to") {
    for (const bool hardened : {false, true}) {
        CAPTURE(hardened);
        WritingHeap backing;
        {
            ThreadCachingAllocator allocator(
                {.backing = backing.allocator(), .hardened = hardened});
            for (std::size_t size_bytes = 1; size_bytes < (std::size_t{3} << 20); size_bytes *= 3) {
                void* const kept = allocator.raw_alloc(size_bytes, std::align_val_t{16});
                void* const freed = allocator.raw_alloc(size_bytes, std::align_val_t{16});
                REQUIRE(kept != nullptr);
                REQUIRE(freed != nullptr);
                allocator.raw_free(freed, size_bytes, std::align_val_t{16});
            }
        }
        CHECK(backing.lent_bytes == 0);
    }
}

}  // namespace
}  // namespace carbide
