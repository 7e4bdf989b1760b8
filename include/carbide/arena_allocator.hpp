// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/bump_window.hpp"
#include "carbide/heap_operations.hpp"
#include "carbide/recent_rounds.hpp"

namespace carbide {

/// Allocates by moving a cursor; frees everything at once.
///
/// Use it when many allocations share one lifetime: a request, a frame, a parse. Avoid it when
/// single objects must be given back early; their bytes stay held until `reset`.
///
/// Memory         Chunks from `Options::backing`, growing; each allocation rounded up to 8 bytes.
/// Ownership      Owns its chunks. Borrows `backing`, which must outlive the arena.
/// Out of memory  When the backing fails for even the smallest chunk that would do, or at
///                `capacity_bytes_max`. Every earlier allocation stays valid.
/// Threads        One at a time. Share it through `LockedAllocator`.
/// Cost           Inlined bump, a call per chunk; 32 bytes of bookkeeping per chunk.
/// Source         Zig 0.15 `std.heap.ArenaAllocator`; marks, percentile retention and in-place
///                growth of a chunk are described in docs/design.md.
class ArenaAllocator : public HeapOperations<ArenaAllocator> {
    struct Chunk;

public:
    struct Options {
        /// Where chunks come from and go back to.
        Allocator backing;

        /// Size of the first chunk, bookkeeping included. A larger request gets a larger chunk.
        std::size_t first_chunk_bytes = 4096;

        /// Each chunk is this much of the one before, until `chunk_bytes_max`. At least 100.
        unsigned growth_percent = 200;
        std::size_t chunk_bytes_max = std::size_t{8} << 20;

        /// All chunks together never exceed this.
        std::size_t capacity_bytes_max = SIZE_MAX;

        /// What `Retain::recent_rounds` keeps: enough for this share of the last eight rounds.
        unsigned retain_percent = 80;

        const char* name = "arena";
    };

    /// What `reset` keeps for the next round, as one chunk, so that a steady workload stops
    /// calling the backing.
    enum class Retain {
        nothing,        // Every chunk goes back.
        capacity,       // As much as was held.
        recent_rounds,  // What most of the last rounds needed: one worst round is let go.
    };

    class Mark;
    class Scope;
    class State;

    /// Allocates nothing until the first request.
    explicit ArenaAllocator(const Options& options) noexcept;

    /// Goes on where a detached arena stopped. Its allocations stay valid.
    explicit ArenaAllocator(State&& state) noexcept;

    /// Gives every chunk back. Runs no destructors of objects placed in the arena.
    ~ArenaAllocator();

    /// Ends the lifetime of every allocation. No mark may be alive.
    void reset(Retain retain = Retain::capacity) noexcept;

    /// The same, keeping the capacity but no more than this, bookkeeping included.
    void reset_retaining(std::size_t bytes_max) noexcept;

    /// Remembers the present state, to free at once what is allocated after it. Marks end in the
    /// reverse order of their making; one that does not stops the program. While a mark is alive,
    /// what is older than it does not grow in place, since rewinding would free what it grew by.
    [[nodiscard]] Mark mark() noexcept CARBIDE_LIFETIMEBOUND;

    /// A mark that rewinds at the end of its scope.
    [[nodiscard]] Scope scope() noexcept CARBIDE_LIFETIMEBOUND;

    /// Takes the content out as a value that can be moved and stored, and later become an arena
    /// again. This arena is empty afterwards. No mark may be alive.
    [[nodiscard]] State detach() noexcept;

    /// Bytes between the beginnings of the chunks and their cursors: what is lent, padding, and
    /// what was left over at the end of full chunks.
    [[nodiscard]] std::size_t used_bytes() const noexcept;

    /// Bytes held from the backing, bookkeeping included.
    [[nodiscard]] std::size_t capacity_bytes() const noexcept;

    /// Walks the chunks. For tests; linear in their number.
    [[nodiscard]] bool is_valid() const noexcept;

    /// The chunks, without the header that handles point at.
    class State {
    public:
        State(State&& other) noexcept;
        State& operator=(State&&) = delete;
        ~State();  // Gives every chunk back.

        [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_bytes_; }

    private:
        friend ArenaAllocator;
        explicit State(const Options& options) noexcept : options_(options) {}

        [[nodiscard]] Chunk* new_chunk(std::size_t needed_bytes) noexcept;
        [[nodiscard]] Chunk* allocate_chunk(std::size_t chunk_bytes) noexcept;
        [[nodiscard]] bool extend_chunk(Chunk& chunk, std::uintptr_t cursor,
                                        std::size_t needed_bytes) noexcept;
        [[nodiscard]] bool resize_chunk(Chunk& chunk, std::size_t chunk_bytes) noexcept;
        void free_chunk(Chunk* chunk) noexcept;
        void keep_as_spare(Chunk* chunk) noexcept;
        void free_chunks_but(Chunk* kept) noexcept;
        void retain_one_chunk(std::size_t least_bytes, std::size_t most_bytes) noexcept;
        [[nodiscard]] std::size_t capacity_left_bytes() const noexcept;
        [[nodiscard]] std::size_t next_chunk_bytes(std::size_t needed_bytes) const noexcept;

        Options options_;
        Chunk* newest_ = nullptr;           // Newest to oldest.
        Chunk* spare_ = nullptr;            // The largest of those that rewinding set free.
        std::size_t capacity_bytes_ = 0;    // Of all chunks and the spare one.
        std::size_t older_used_bytes_ = 0;  // Of all chunks but the newest.
        std::size_t round_peak_bytes_ = 0;  // Most bytes in use that a rewind or reset has seen.
        RecentRounds rounds_;
    };

private:
    friend HeapOperations;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept;
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept;
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept;
    static bool slow_owns(Heap& heap, const void* memory) noexcept;

    [[nodiscard, gnu::noinline]] void* alloc_behind_growth(std::size_t size_bytes,
                                                           std::align_val_t alignment) noexcept;
    [[nodiscard]] bool extend_newest(std::size_t needed_bytes) noexcept;
    [[nodiscard]] bool add_chunk(std::size_t needed_bytes) noexcept;
    [[nodiscard]] bool crosses_mark(std::uintptr_t address, std::size_t new_bytes) const noexcept;
    void note_peak() noexcept;
    void end_round() noexcept;
    void begin_round() noexcept;

    BumpWindow window_;
    State state_;
    Mark* newest_mark_ = nullptr;
};

/// A remembered state of an arena.
class [[nodiscard]] ArenaAllocator::Mark {
public:
    explicit Mark(ArenaAllocator& arena CARBIDE_LIFETIMEBOUND) noexcept;
    ~Mark();  // Forgets. Rewinds nothing.

    Mark(const Mark&) = delete;  // The arena knows its address.
    Mark& operator=(const Mark&) = delete;

    /// Ends the lifetime of what was allocated since. May be called again. A newer mark must not
    /// be alive.
    void rewind() noexcept;

private:
    friend ArenaAllocator;

    ArenaAllocator& arena_;
    Mark* older_;
    Chunk* chunk_;
    BumpWindow::Position position_;
    std::size_t older_used_bytes_;
};

class [[nodiscard]] ArenaAllocator::Scope : public Mark {
public:
    using Mark::Mark;
    ~Scope() { rewind(); }
};

inline ArenaAllocator::Mark ArenaAllocator::mark() noexcept { return Mark(*this); }
inline ArenaAllocator::Scope ArenaAllocator::scope() noexcept { return Scope(*this); }

}  // namespace carbide
