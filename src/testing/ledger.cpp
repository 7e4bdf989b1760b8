// SPDX-License-Identifier: MIT
#include "testing/ledger.hpp"

#include "carbide/c_allocator.hpp"

namespace carbide::testing {

Ledger::~Ledger() {
    for (const auto& [memory, lent] : lent_) {
        c_allocator().raw_free(memory, lent.size_bytes, lent.alignment);
    }
}

void Ledger::check_empty() noexcept {
    std::size_t kept_bytes = 0;
    for (const auto& [memory, lent] : lent_) kept_bytes += lent.size_bytes;
    if (lent_.empty()) return;
    report_.fail("the heap kept %zu allocations of its backing (%zu bytes)", lent_.size(),
                 kept_bytes);
}

void* Ledger::slow_alloc(Heap& heap, std::size_t size_bytes, std::align_val_t alignment) noexcept {
    void* const memory = c_allocator().raw_alloc(size_bytes, alignment);
    if (memory != nullptr) self(heap).lent_[memory] = {size_bytes, alignment};
    return memory;
}

bool Ledger::slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                         std::align_val_t alignment) noexcept {
    Ledger& ledger = self(heap);
    if (!ledger.verify("resized", memory, old_bytes, alignment)) return false;
    Lent& lent = ledger.lent_[memory];
    if (!c_allocator().raw_resize(memory, lent.size_bytes, new_bytes, lent.alignment)) return false;
    lent.size_bytes = new_bytes;
    return true;
}

void* Ledger::slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                         std::align_val_t alignment) noexcept {
    Ledger& ledger = self(heap);
    if (!ledger.verify("remapped", memory, old_bytes, alignment)) return nullptr;
    const Lent lent = ledger.lent_[memory];
    void* const moved = c_allocator().raw_remap(memory, lent.size_bytes, new_bytes, lent.alignment);
    if (moved == nullptr) return nullptr;
    ledger.lent_.erase(memory);
    ledger.lent_[moved] = {new_bytes, lent.alignment};
    return moved;
}

void Ledger::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                       std::align_val_t alignment) noexcept {
    Ledger& ledger = self(heap);
    if (!ledger.verify("freed", memory, size_bytes, alignment)) return;
    const Lent lent = ledger.lent_[memory];
    ledger.lent_.erase(memory);
    c_allocator().raw_free(memory, lent.size_bytes, lent.alignment);
}

bool Ledger::verify(const char* operation, void* memory, std::size_t size_bytes,
                    std::align_val_t alignment) noexcept {
    const auto found = lent_.find(memory);
    if (found == lent_.end()) {
        report_.fail("the heap %s %p, which its backing has not lent out", operation, memory);
        return false;
    }
    const Lent& lent = found->second;
    if (lent.size_bytes != size_bytes || lent.alignment != alignment) {
        report_.fail(
            "the heap %s %zu bytes aligned to %zu where its backing lent %zu aligned to %zu",
            operation, size_bytes, static_cast<std::size_t>(alignment), lent.size_bytes,
            static_cast<std::size_t>(lent.alignment));
    }
    return true;
}

}  // namespace carbide::testing
