// SPDX-License-Identifier: MIT
#include "platform/trace_store.hpp"

#include <atomic>
#include <cstddef>
#include <new>

#include "carbide/check.hpp"
#include "platform/modules.hpp"
#include "platform/owner_lock.hpp"
#include "platform/pages.hpp"
#include "platform/stack_walk.hpp"
#include "platform/traces.hpp"

namespace carbide::platform {
namespace {

struct StoredFrame {
    std::uint64_t return_address : 48;
    std::uint64_t module_index : 16;
};
static_assert(sizeof(StoredFrame) == 8);

// In a chunk, at `id * 8` bytes from the beginning of all chunks:
//
//   | Trace | frames ... | Trace | frames ... | free
struct Trace {
    std::uint32_t next;  // An id: the older one in the same bucket.
    std::uint32_t hash;
    std::uint32_t frame_count;

    // The modules of the frames were right in this generation.
    mutable std::atomic<std::uint32_t> verified_generation;

    [[nodiscard]] StoredFrame* frames() noexcept {
        return reinterpret_cast<StoredFrame*>(this + 1);
    }
    [[nodiscard]] const StoredFrame* frames() const noexcept {
        return reinterpret_cast<const StoredFrame*>(this + 1);
    }
};
static_assert(sizeof(Trace) % sizeof(StoredFrame) == 0, "frames follow without a gap");

constexpr unsigned unit_bytes = 8;  // Ids count these.
constexpr unsigned chunk_units_log2 = 17;
constexpr std::uint32_t chunk_units = std::uint32_t{1} << chunk_units_log2;
constexpr std::size_t chunk_bytes = std::size_t{chunk_units} * unit_bytes;
constexpr std::uint32_t chunk_count_max = 4096;  // 4 GiB of traces.
static_assert(std::uint64_t{chunk_count_max} * chunk_units <= std::uint64_t{1} << 32);

constexpr unsigned bucket_count_log2 = 16;
constexpr unsigned bucket_count = 1U << bucket_count_log2;

// Changed under the lock only. A trace never changes once a bucket leads to it.
constinit std::atomic<std::byte*> chunks[chunk_count_max] = {};
constinit std::atomic<std::uint32_t> buckets[bucket_count] = {};
constinit OwnerLock lock;
constinit std::uint32_t next_id = 0;  // A multiple of `chunk_units`: that chunk has to be mapped.

Trace& trace_with(std::uint32_t id) noexcept {
    std::byte* const chunk = chunks[id >> chunk_units_log2].load(std::memory_order_relaxed);
    return *reinterpret_cast<Trace*>(chunk + std::size_t{id % chunk_units} * unit_bytes);
}

std::atomic<std::uint32_t>& bucket_of(std::uint32_t hash) noexcept {
    return buckets[hash >> (32 - bucket_count_log2)];
}

bool has_frames(const Trace& trace, const WalkedStack& stack) noexcept {
    if (trace.hash != stack.hash || trace.frame_count != stack.frame_count) return false;
    for (unsigned i = 0; i < stack.frame_count; ++i) {
        if (trace.frames()[i].return_address != stack.return_addresses[i]) return false;
    }
    return true;
}

unsigned module_index_at(std::uintptr_t return_address) noexcept {
    const Module* const module = loaded_code_at(return_address - 1).module;
    return module == nullptr ? 0 : module->index;
}

// The same addresses may have become another library's.
bool has_modules(const Trace& trace) noexcept {
    const std::uint32_t generation = module_generation();
    if (trace.verified_generation.load(std::memory_order_relaxed) == generation) return true;
    for (unsigned i = 0; i < trace.frame_count; ++i) {
        const StoredFrame& frame = trace.frames()[i];
        if (module_index_at(frame.return_address) != frame.module_index) return false;
    }
    trace.verified_generation.store(generation, std::memory_order_relaxed);
    return true;
}

std::uint32_t find(const WalkedStack& stack) noexcept {
    std::uint32_t id = bucket_of(stack.hash).load(std::memory_order_acquire);
    while (id != 0) {
        const Trace& trace = trace_with(id);
        if (has_frames(trace, stack) && has_modules(trace)) break;
        id = trace.next;
    }
    return id;
}

// Every store leaves things as another owner of the lock may find them. 0: no memory.
std::uint32_t reserve_id(std::uint32_t unit_count) noexcept {
    if (next_id % chunk_units + unit_count > chunk_units) {
        next_id = (next_id / chunk_units + 1) * chunk_units;
    }
    if (next_id % chunk_units == 0) {
        const std::uint32_t index = next_id / chunk_units;
        if (index == chunk_count_max) return 0;
        auto* const chunk = static_cast<std::byte*>(map_pages(chunk_bytes, 1));
        if (chunk == nullptr) return 0;
        chunks[index].store(chunk, std::memory_order_relaxed);
        ++next_id;  // So that 0 is nobody's id.
    }
    const std::uint32_t id = next_id;
    next_id += unit_count;
    return id;
}

void write_frames(Trace& trace, const WalkedStack& stack) noexcept {
    const Module* module = nullptr;
    for (unsigned i = 0; i < stack.frame_count; ++i) {
        const std::uintptr_t call = stack.return_addresses[i] - 1;
        if (module == nullptr || call < module->begin || call >= module->end) {
            module = loaded_code_at(call).module;
        }
        const unsigned module_index = module == nullptr ? 0 : module->index;
        trace.frames()[i] = {.return_address = stack.return_addresses[i] & ((1ULL << 48) - 1),
                             .module_index = module_index & 0xffffU};
    }
}

std::uint32_t add(const WalkedStack& stack) noexcept {
    static_assert(sizeof(Trace) + StackTrace::frame_count_max * sizeof(StoredFrame) <
                  chunk_bytes - unit_bytes);
    const auto unit_count = static_cast<std::uint32_t>(
        (sizeof(Trace) + stack.frame_count * sizeof(StoredFrame)) / unit_bytes);
    const std::uint32_t id = reserve_id(unit_count);
    if (id == 0) return 0;
    std::atomic<std::uint32_t>& bucket = bucket_of(stack.hash);
    Trace& trace = *::new (&trace_with(id)) Trace{
        .next = bucket.load(std::memory_order_relaxed),
        .hash = stack.hash,
        .frame_count = stack.frame_count,
        .verified_generation = module_generation(),
    };
    write_frames(trace, stack);
    bucket.store(id, std::memory_order_release);
    return id;
}

}  // namespace

std::uint32_t intern(const WalkedStack& stack) noexcept {
    if (stack.frame_count == 0) return 0;
    std::uint32_t id = find(stack);
    if (id != 0 || !lock.lock()) return id;
    id = find(stack);  // Another thread may have added it meanwhile.
    if (id == 0) id = add(stack);
    lock.unlock();
    return id;
}

unsigned frame_count_of(StackTrace trace) noexcept {
    return trace.is_empty() ? 0 : trace_with(trace.id()).frame_count;
}

TraceFrame frame_of(StackTrace trace, unsigned index) noexcept {
    CARBIDE_ASSERT(index < frame_count_of(trace));
    const StoredFrame& frame = trace_with(trace.id()).frames()[index];
    return {frame.return_address, module_with_index(frame.module_index)};
}

}  // namespace carbide::platform
