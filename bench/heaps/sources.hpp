// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "carbide/allocator.hpp"
#include "carbide/thread_caching_allocator.hpp"

/// Where the workloads of `carbide_heap_bench_worker` get their memory from: each as its user would
/// write it, inlined, so that a size that is a constant in the workload is one at the call.
namespace bench::heaps {

[[noreturn, gnu::cold, gnu::noinline]] inline void out_of_memory() {
    std::fputs("carbide_heap_bench_worker: out of memory\n", stderr);
    std::_Exit(3);
}

[[gnu::always_inline]] inline std::byte* checked(void* memory) {
    if (memory == nullptr) [[unlikely]]
        out_of_memory();
    // The compiler may drop a malloc whose result nobody looks at.
    asm volatile("" : : "r"(memory));
    return static_cast<std::byte*>(memory);
}

struct MallocSource {
    [[gnu::always_inline]] std::byte* alloc(std::size_t size_bytes) const {
        return checked(std::malloc(size_bytes));
    }
    [[gnu::always_inline]] void free(std::byte* memory, std::size_t) const { std::free(memory); }
};

/// For the sized deletes of jemalloc, tcmalloc and mimalloc.
struct NewSource {
    [[gnu::always_inline]] std::byte* alloc(std::size_t size_bytes) const {
        return checked(::operator new(size_bytes));
    }
    [[gnu::always_inline]] void free(std::byte* memory, std::size_t size_bytes) const {
        ::operator delete(memory, size_bytes);
    }
};

struct HandleSource {
    carbide::Allocator allocator;

    [[gnu::always_inline]] std::byte* alloc(std::size_t size_bytes) const {
        return checked(allocator.raw_alloc(size_bytes, std::align_val_t{16}));
    }
    [[gnu::always_inline]] void free(std::byte* memory, std::size_t size_bytes) const {
        allocator.raw_free(memory, size_bytes, std::align_val_t{16});
    }
};

struct KnownSource {
    carbide::ThreadCachingAllocator& heap;

    [[gnu::always_inline]] std::byte* alloc(std::size_t size_bytes) const {
        return checked(heap.raw_alloc(size_bytes, std::align_val_t{16}));
    }
    [[gnu::always_inline]] void free(std::byte* memory, std::size_t size_bytes) const {
        heap.raw_free(memory, size_bytes, std::align_val_t{16});
    }
};

}  // namespace bench::heaps
