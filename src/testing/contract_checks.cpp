// SPDX-License-Identifier: MIT
#include "testing/contract_checks.hpp"

#include <algorithm>
#include <cstring>

namespace carbide::testing {
namespace {

constexpr std::size_t interesting_sizes[] = {
    1,   2,    3,    5,    7,    8,    9,    12,   15,    16,    17,    24,   31,  32,
    33,  48,   63,   64,   65,   100,  127,  128,  129,   255,   256,   257,  511, 512,
    513, 1000, 1024, 2047, 2048, 4095, 4096, 4097, 10000, 65535, 65536, 65537};

// Every pair of these, so fewer of them.
constexpr std::size_t resized_sizes[] = {1, 7, 8, 9, 24, 64, 100, 256, 1000, 4096, 10000, 65536};

std::size_t bytes_of(std::align_val_t alignment) noexcept {
    return static_cast<std::size_t>(alignment);
}

}  // namespace

void ContractChecks::zero_sizes() noexcept {
    for (std::size_t bytes = 1; bytes <= bytes_of(options_.alignment_max); bytes *= 2) {
        const std::align_val_t alignment{bytes};
        void* const token = allocator_.raw_alloc(0, alignment);
        if (token == nullptr) return report_.fail("alloc(0, aligned to %zu) returned null", bytes);
        if ((reinterpret_cast<std::uintptr_t>(token) & (bytes - 1)) != 0) {
            return report_.fail("alloc(0, aligned to %zu) returned %p, not aligned", bytes, token);
        }
        allocator_.raw_free(token, 0, alignment);
#ifndef __clang_analyzer__  // Which rightly finds this wrong for any other allocation.
        allocator_.raw_free(token, 0, alignment);
#endif
        if (allocator_.raw_resize(token, 0, 1, alignment)) {
            return report_.fail("resize(0 -> 1) succeeded on no bytes");
        }
        void* const grown = allocator_.raw_realloc(token, 0, 1, alignment);
        if (grown == nullptr && !tolerant_) return report_.fail("realloc(0 -> 1) failed");
        if (grown == nullptr) continue;
        if (!allocator_.raw_resize(grown, 1, 0, alignment)) {
            return report_.fail("resize(1 -> 0) failed, but it only frees");
        }
    }
    allocator_.raw_free(nullptr, 0, std::align_val_t{1});
}

void ContractChecks::overflowing_sizes() noexcept {
    constexpr std::size_t impossible[] = {SIZE_MAX,         SIZE_MAX - 1,      SIZE_MAX - 7,
                                          SIZE_MAX - 15,    SIZE_MAX - 4096,   SIZE_MAX - 65536,
                                          SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 16, SIZE_MAX / 4 * 3};
    Block kept{.size_bytes = std::min<std::size_t>(options_.size_bytes_max, 16),
               .pattern = next_pattern()};
    const bool has_kept = alloc(kept) && kept.memory != nullptr;
    // Past the handle, which would fill what it believes to be that much memory.
    Heap& heap = allocator_.heap();
    const VTable& table = *heap.vtable;
    for (const std::size_t size_bytes : impossible) {
        for (std::size_t bytes = 1; bytes <= bytes_of(options_.alignment_max); bytes *= 16) {
            if (table.alloc(heap, size_bytes, std::align_val_t{bytes}) != nullptr) {
                return report_.fail("alloc(%zu, aligned to %zu) succeeded", size_bytes, bytes);
            }
        }
        if (!has_kept) continue;
        if (table.resize(heap, kept.memory, kept.size_bytes, size_bytes, kept.alignment) ||
            table.remap(heap, kept.memory, kept.size_bytes, size_bytes, kept.alignment) !=
                nullptr) {
            return report_.fail("growing %zu bytes to %zu succeeded", kept.size_bytes, size_bytes);
        }
        if (!check_kept(kept, kept.size_bytes, "growing to an impossible size")) return;
    }
    if (has_kept && allocator_.raw_realloc(kept.memory, kept.size_bytes, SIZE_MAX / 2 + 1,
                                           kept.alignment) != nullptr) {
        return report_.fail("realloc to %zu bytes succeeded", SIZE_MAX / 2 + 1);
    }
    if (allocator_.alloc<std::uint64_t>(SIZE_MAX / 8 + 2).has_value()) {
        return report_.fail("alloc of %zu elements of 8 bytes succeeded", SIZE_MAX / 8 + 2);
    }
    if (allocator_.alloc_sentinel<char>(SIZE_MAX).has_value()) {
        return report_.fail("alloc_sentinel of SIZE_MAX elements succeeded");
    }
    if (has_kept) free(kept);
}

void ContractChecks::sizes_and_alignments() noexcept {
    for (std::size_t bytes = 1; bytes <= bytes_of(options_.alignment_max); bytes *= 2) {
        // Two at a time, so that the second one starts where the first one left the allocator.
        for (const std::size_t size_bytes : interesting_sizes) {
            if (size_bytes > options_.size_bytes_max / 2) break;
            Block first{nullptr, size_bytes, std::align_val_t{1}, next_pattern()};
            if (!alloc(first)) return;
            Block second{nullptr, size_bytes, std::align_val_t{bytes}, next_pattern()};
            const bool fits = 2 * (size_bytes + bytes) <= options_.size_bytes_max;
            if (fits && !alloc(second)) return;
            if (!check_kept(first, first.size_bytes, "another alloc")) return;
            free(second);
            free(first);
        }
        Block largest{nullptr, options_.size_bytes_max, std::align_val_t{bytes}, next_pattern()};
        if (!alloc(largest)) return;
        free(largest);
    }
}

void ContractChecks::growing_and_shrinking() noexcept {
    for (std::size_t bytes = 1; bytes <= bytes_of(options_.alignment_max); bytes *= 8) {
        for (const std::size_t old_bytes : resized_sizes) {
            for (const std::size_t new_bytes : resized_sizes) {
                if (2 * (std::max(old_bytes, new_bytes) + bytes) > options_.size_bytes_max) break;
                Block block{nullptr, old_bytes, std::align_val_t{bytes}, next_pattern()};
                if (!alloc(block)) return;
                if (block.memory == nullptr) continue;
                if (!resize(block, new_bytes)) return;
                if (!remap(block, old_bytes)) return;
                if (!realloc(block, new_bytes)) return;
                if (!realloc(block, old_bytes)) return;
                free(block);
            }
        }
    }
}

void ContractChecks::random_operations(Random random) noexcept {
    std::array<Block, block_count_max> blocks{};
    std::size_t live_bytes = 0;
    pattern_ = static_cast<unsigned char>(random.next());  // Another one in every thread.
    const std::size_t alignment_bits =
        static_cast<std::size_t>(__builtin_ctzll(bytes_of(options_.alignment_max)));
    // One large block must not make the rest of the run impossible.
    const std::size_t size_bytes_max =
        std::min(options_.size_bytes_max, std::max<std::size_t>(options_.live_bytes_max / 8, 1));
    for (std::size_t i = 0; i < options_.operation_count && !failed(); ++i) {
        Block& block = blocks[random.below(block_count_max)];
        const std::size_t size_bytes = random.size_up_to(size_bytes_max);
        live_bytes -= block.size_bytes;
        if (block.memory == nullptr) {
            if (live_bytes + size_bytes > options_.live_bytes_max) continue;
            const std::size_t bits =
                std::min(random.below(alignment_bits + 1), random.below(alignment_bits + 1));
            block = {nullptr, size_bytes, std::align_val_t{std::size_t{1} << bits}, next_pattern()};
            if (!alloc(block)) return;
        } else {
            const bool may_grow = live_bytes + size_bytes <= options_.live_bytes_max;
            const std::size_t new_bytes = may_grow ? size_bytes : 1 + block.size_bytes / 2;
            if (!check_kept(block, block.size_bytes, "operations on other blocks")) return;
            switch (random.below(5)) {
                case 0:
                    static_cast<void>(resize(block, new_bytes));
                    break;
                case 1:
                    static_cast<void>(remap(block, new_bytes));
                    break;
                case 2:
                    static_cast<void>(realloc(block, new_bytes));
                    break;
                default:
                    free(block);
                    break;
            }
        }
        live_bytes += block.size_bytes;
    }
    // Newest last is rarely how they came; arenas and buffers must cope.
    for (Block& block : blocks) {
        if (block.memory == nullptr) continue;
        if (!check_kept(block, block.size_bytes, "all operations")) return;
        free(block);
    }
}

void ContractChecks::still_serves() noexcept {
    Block block{nullptr, std::min<std::size_t>(options_.size_bytes_max, 1000), std::align_val_t{1},
                next_pattern()};
    if (alloc(block)) free(block);
}

bool ContractChecks::alloc(Block& block) noexcept {
    const std::size_t bytes = bytes_of(block.alignment);
    block.memory =
        static_cast<unsigned char*>(allocator_.raw_alloc(block.size_bytes, block.alignment));
    if (block.memory == nullptr) {
        const std::size_t size_bytes = block.size_bytes;
        block.size_bytes = 0;
        if (!tolerant_) report_.fail("alloc(%zu, aligned to %zu) failed", size_bytes, bytes);
        return tolerant_;
    }
    if (!block.is_aligned()) {
        report_.fail("alloc(%zu, aligned to %zu) returned %p, not aligned", block.size_bytes, bytes,
                     static_cast<void*>(block.memory));
        return false;
    }
    if (!check_new(block, 0)) return false;
    block.write();
    return true;
}

// New memory is 0xAA where this build fills it.
bool ContractChecks::check_new(const Block& block, std::size_t from_bytes) noexcept {
    if constexpr (checked_build) {
        const unsigned char* const fresh = block.memory + from_bytes;
        const std::size_t fresh_bytes = block.size_bytes - std::min(block.size_bytes, from_bytes);
        if (fresh_bytes == 0 ||
            (fresh[0] == undefined_byte && std::memcmp(fresh, fresh + 1, fresh_bytes - 1) == 0)) {
            return true;
        }
        report_.fail("some of %zu new bytes are not 0x%02x", fresh_bytes, unsigned{undefined_byte});
        return false;
    }
    return true;
}

bool ContractChecks::check_kept(const Block& block, std::size_t count,
                                const char* operation) noexcept {
    if (block.memory == nullptr || block.holds(count)) return true;
    report_.fail("%zu bytes aligned to %zu changed their content through %s", block.size_bytes,
                 bytes_of(block.alignment), operation);
    return false;
}

bool ContractChecks::resize(Block& block, std::size_t new_bytes) noexcept {
    const std::size_t old_bytes = block.size_bytes;
    if (!allocator_.raw_resize(block.memory, old_bytes, new_bytes, block.alignment)) {
        return check_kept(block, old_bytes, "a failed resize");
    }
    block.size_bytes = new_bytes;
    if (!check_kept(block, std::min(old_bytes, new_bytes), "resize")) return false;
    if (!check_new(block, old_bytes)) return false;
    block.write(old_bytes);
    return true;
}

bool ContractChecks::remap(Block& block, std::size_t new_bytes) noexcept {
    const std::size_t old_bytes = block.size_bytes;
    void* const moved = allocator_.raw_remap(block.memory, old_bytes, new_bytes, block.alignment);
    if (moved == nullptr) return check_kept(block, old_bytes, "a failed remap");
    block.memory = static_cast<unsigned char*>(moved);
    block.size_bytes = new_bytes;
    if (!block.is_aligned()) {
        report_.fail("remap(%zu -> %zu) lost the alignment of %zu", old_bytes, new_bytes,
                     bytes_of(block.alignment));
        return false;
    }
    if (!check_kept(block, std::min(old_bytes, new_bytes), "remap")) return false;
    if (!check_new(block, old_bytes)) return false;
    block.write(old_bytes);
    return true;
}

bool ContractChecks::realloc(Block& block, std::size_t new_bytes) noexcept {
    const std::size_t old_bytes = block.size_bytes;
    void* const moved = allocator_.raw_realloc(block.memory, old_bytes, new_bytes, block.alignment);
    if (moved == nullptr) {
        if (!tolerant_) report_.fail("realloc(%zu -> %zu) failed", old_bytes, new_bytes);
        return tolerant_ && check_kept(block, old_bytes, "a failed realloc");
    }
    block.memory = static_cast<unsigned char*>(moved);
    block.size_bytes = new_bytes;
    if (!block.is_aligned()) {
        report_.fail("realloc(%zu -> %zu) lost the alignment of %zu", old_bytes, new_bytes,
                     bytes_of(block.alignment));
        return false;
    }
    if (!check_kept(block, std::min(old_bytes, new_bytes), "realloc")) return false;
    block.write(old_bytes);
    return true;
}

void ContractChecks::free(Block& block) noexcept {
    if (block.memory == nullptr) return;
    allocator_.raw_free(block.memory, block.size_bytes, block.alignment);
    block = {};
}

}  // namespace carbide::testing
