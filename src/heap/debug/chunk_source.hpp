// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "heap/debug/size_classes.hpp"

namespace carbide::detail {

/// Memory from the backing, from which spans are cut.
struct Chunk {
    std::uintptr_t base = 0;
    unsigned unit_count = 0;
    std::uint64_t free_units = 0;  // A bit per unit.
    Chunk* next = nullptr;
    Chunk* previous = nullptr;

    [[nodiscard]] bool is_empty() const noexcept { return free_units == all_units(unit_count); }

    static constexpr std::uint64_t all_units(unsigned count) noexcept {
        return count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    }
};

/// Cuts chunks into runs of units, and allocates the bookkeeping. Chunks grow from one unit to 64,
/// so that a test that allocates ten blocks takes little, and a database few chunks.
///
/// Callers serialise. The backing is always used in the name of one owner, whatever the thread.
class ChunkSource {
public:
    struct Options {
        Allocator backing;
        bool keeps_chunks;  // Until all are given back.
        bool marks;         // A checker watches, and is to be told.
    };

    explicit ChunkSource(const Options& options) noexcept
        : backing_(options.backing),
          keeps_chunks_(options.keeps_chunks),
          marks_(options.marks),
          metadata_({.backing = options.backing}) {}
    ~ChunkSource();

    struct Units {
        std::uintptr_t base = 0;  // 0: out of memory.
        Chunk* chunk = nullptr;
    };
    [[nodiscard]] Units take_units(unsigned count) noexcept;
    void give_back_units(Units units, unsigned count) noexcept;

    /// A multiple of a unit, aligned to one or more. Null where the backing is out of memory.
    [[nodiscard]] void* take_large(std::size_t size_bytes, std::size_t alignment_bytes) noexcept;
    void give_back_large(void* memory, std::size_t size_bytes,
                         std::size_t alignment_bytes) noexcept;

    /// Ends the lifetime of everything, bookkeeping included.
    void give_back_all() noexcept;

    /// Bookkeeping, which is given back only at the end. Value-initialised; null if out of memory.
    template <class T>
    [[nodiscard]] T* make(std::size_t count = 1) noexcept {
        const OwnerScope scope(owner_);
        const Result<std::span<T>> made = metadata_.alloc<T>(count);
        if (!made.has_value()) return nullptr;
        for (T& element : *made) new (&element) T();
        return made->data();
    }

private:
    static constexpr unsigned chunk_units_max = 64;

    [[nodiscard]] static Units cut(Chunk& chunk, unsigned count) noexcept;
    [[nodiscard]] bool add_chunk(unsigned unit_count_min) noexcept;
    [[nodiscard]] void* map_chunk(unsigned unit_count) noexcept;
    void release(Chunk& chunk) noexcept;
    void unlink(Chunk& chunk) noexcept;

    Allocator backing_;
    bool keeps_chunks_;
    bool marks_;  // A checker watches, and is to be told.
    LockOwner owner_{"debug allocator"};
    ArenaAllocator metadata_;
    Chunk* chunks_ = nullptr;         // The one that gave last comes first.
    Chunk* spare_headers_ = nullptr;  // Of chunks that were given back.
    unsigned next_unit_count_ = 1;
};

}  // namespace carbide::detail
