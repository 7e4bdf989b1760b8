// SPDX-License-Identifier: MIT
// Allocations that are no slots, and what changes the size of any.
#include "carbide/memory_marks.hpp"
#include "heap/thread_caching/caching_state.hpp"

namespace carbide::caching {

void* CachingState::alloc_large(std::size_t size_bytes) noexcept {
    const std::size_t unit_count = (size_bytes + unit_bytes - 1) / unit_bytes;
    const Slab* const slab =
        pool_.take(Slab::Kind::large, static_cast<unsigned>(unit_count), size_bytes);
    return slab == nullptr ? nullptr : reinterpret_cast<void*>(slab->base);
}

void CachingState::free_large(void* memory) noexcept {
    CARBIDE_CHECK(pool_.contains(memory),
                  "memory was freed to a thread caching allocator that did not lend it");
    Slab& slab = Chunk::of(memory)->slab_at(address_of(memory));
    CARBIDE_CHECK(slab.kind == Slab::Kind::large && slab.base == address_of(memory),
                  "memory was freed twice, or with a size that is not its own");
    pool_.give(slab);
}

void* CachingState::alloc_huge(std::size_t size_bytes, std::align_val_t alignment) noexcept {
    if (!huge_.reserve()) return nullptr;
    void* const memory = options_.backing.raw_alloc(size_bytes, alignment);
    if (memory == nullptr) {
        huge_.unreserve();
        return nullptr;
    }
    huge_.insert({address_of(memory), size_bytes, alignment});
    return memory;
}

void CachingState::free_huge(void* memory) noexcept {
    const HugeTable::Entry entry = huge_.take_out(address_of(memory));
    CARBIDE_CHECK(entry.address != 0,
                  "memory was freed twice, or to an allocator that did not lend it");
    huge_.unreserve();
    options_.backing.raw_free(memory, entry.size_bytes, entry.alignment);
}

bool CachingState::resize(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                          std::align_val_t alignment) noexcept {
    const Request old_request = classify(old_bytes, alignment);
    const Request new_request = classify(new_bytes, alignment);
    if (options_.hardened) verify(memory, old_bytes, alignment, old_request);
    if (old_request.kind != new_request.kind) return false;
    switch (old_request.kind) {
        case Kind::slot:
            if (old_request.size_class != new_request.size_class) return false;
            break;
        case Kind::large: {
            Slab& slab = Chunk::of(memory)->slab_at(address_of(memory));
            const std::size_t units = (new_bytes + unit_bytes - 1) / unit_bytes;
            if (!pool_.resize(slab, static_cast<unsigned>(units), new_bytes)) return false;
            break;
        }
        case Kind::huge:
            if (!options_.backing.raw_resize(memory, old_bytes, new_bytes, alignment)) return false;
            huge_.update(address_of(memory), new_bytes);
            return true;
    }
    if (marks_) [[unlikely]] {
        auto* const bytes = static_cast<std::byte*>(memory);
        if (new_bytes > old_bytes) mark_undefined(bytes + old_bytes, new_bytes - old_bytes);
        if (new_bytes < old_bytes) mark_no_access(bytes + new_bytes, old_bytes - new_bytes);
    }
    return true;
}

void* CachingState::remap(void* memory, std::size_t old_bytes, std::size_t new_bytes,
                          std::align_val_t alignment) noexcept {
    const Kind kind = classify(old_bytes, alignment).kind;
    if (kind != Kind::huge || classify(new_bytes, alignment).kind != Kind::huge) {
        return resize(memory, old_bytes, new_bytes, alignment) ? memory : nullptr;
    }
    if (options_.hardened) verify(memory, old_bytes, alignment, {kind, 0});
    HugeTable::Entry entry = huge_.take_out(address_of(memory));
    CARBIDE_CHECK(entry.address != 0, "memory was reallocated that is not lent out");
    void* const moved = options_.backing.raw_remap(memory, old_bytes, new_bytes, alignment);
    if (moved != nullptr) entry = {address_of(moved), new_bytes, alignment};
    huge_.insert(entry);
    return moved;
}

}  // namespace carbide::caching
