// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <new>

#include "carbide/heap_operations.hpp"
#include "carbide/testing/allocator_contract.hpp"

namespace carbide::testing {

/// The backing of a heap under test: malloc with a list of what it lent, which reports whatever
/// does not come back as it was lent, and goes on with what it knows.
class Ledger : public HeapOperations<Ledger> {
public:
    explicit Ledger(ContractReport& report) noexcept
        : HeapOperations("out of memory sweep"), report_(report) {}

    /// Frees what the heap kept.
    ~Ledger();

    /// Reports what the heap kept.
    void check_empty() noexcept;

private:
    friend HeapOperations;

    struct Lent {
        std::size_t size_bytes;
        std::align_val_t alignment;
    };

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;

    // Whether the memory is lent out at all.
    bool verify(const char* operation, void* memory, std::size_t size_bytes,
                std::align_val_t alignment) noexcept;

    ContractReport& report_;
    std::map<void*, Lent> lent_;
};

}  // namespace carbide::testing
