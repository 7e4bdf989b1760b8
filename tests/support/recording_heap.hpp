// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

#include "carbide/heap_operations.hpp"

namespace carbide::tests {

/// A heap without a window that knows what it lent out, and records whatever reaches it.
class RecordingHeap : public HeapOperations<RecordingHeap> {
public:
    struct Lent {
        std::size_t size_bytes;
        std::size_t alignment_bytes;
        bool operator==(const Lent&) const = default;
    };

    explicit RecordingHeap(const char* name = "recording") noexcept : HeapOperations(name) {}
    ~RecordingHeap() {
        for (const auto& [memory, lent] : live) std::free(memory);
    }

    // What it says next.
    bool can_alloc = true;
    bool can_resize = false;
    bool can_remap = false;

    // What it saw.
    std::size_t alloc_count = 0;
    std::size_t resize_count = 0;
    std::size_t remap_count = 0;
    std::size_t free_count = 0;
    std::string mistake;  // Empty as long as sizes, alignments and addresses have been right.
    Lent newest{};
    std::map<void*, Lent> live;

    [[nodiscard]] std::size_t call_count() const noexcept {
        return alloc_count + resize_count + remap_count + free_count;
    }

private:
    friend HeapOperations;

    // Room to grow in place.
    static constexpr std::size_t spare_bytes = 4096;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        RecordingHeap& recorder = self(heap);
        ++recorder.alloc_count;
        const auto alignment_bytes = static_cast<std::size_t>(alignment);
        recorder.newest = {size_bytes, alignment_bytes};
        if (size_bytes == 0) recorder.mistake = "alloc of 0 bytes";
        void* memory = nullptr;
        if (!recorder.can_alloc || size_bytes > SIZE_MAX / 2) return nullptr;
        const std::size_t least = alignment_bytes < sizeof(void*) ? sizeof(void*) : alignment_bytes;
        if (posix_memalign(&memory, least, size_bytes + spare_bytes) != 0) return nullptr;
        recorder.live[memory] = recorder.newest;
        return memory;
    }
    static bool slow_resize(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        RecordingHeap& recorder = self(heap);
        ++recorder.resize_count;
        recorder.verify(memory, old_bytes, alignment);
        if (new_bytes == 0 || new_bytes == old_bytes) recorder.mistake = "resize without need";
        if (!recorder.can_resize || new_bytes > spare_bytes) return false;
        recorder.live[memory].size_bytes = new_bytes;
        return true;
    }
    static void* slow_remap(Heap& heap, void* memory, std::size_t old_bytes, std::size_t new_bytes,
                            std::align_val_t alignment) noexcept {
        RecordingHeap& recorder = self(heap);
        ++recorder.remap_count;
        recorder.verify(memory, old_bytes, alignment);
        if (new_bytes == 0 || new_bytes == old_bytes) recorder.mistake = "remap without need";
        if (!recorder.can_remap || new_bytes > SIZE_MAX / 2) return nullptr;
        void* const moved = std::realloc(memory, new_bytes + spare_bytes);
        recorder.live.erase(memory);
        recorder.live[moved] = {new_bytes, static_cast<std::size_t>(alignment)};
        return moved;
    }
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept {
        RecordingHeap& recorder = self(heap);
        ++recorder.free_count;
        recorder.verify(memory, size_bytes, alignment);
        if (recorder.live.erase(memory) != 0) std::free(memory);
    }

    void verify(void* memory, std::size_t size_bytes, std::align_val_t alignment) {
        const auto found = live.find(memory);
        if (found == live.end()) {
            mistake = "not lent out";
        } else if (found->second != Lent{size_bytes, static_cast<std::size_t>(alignment)}) {
            mistake = "another size or alignment than that of the allocation";
        }
    }
};

}  // namespace carbide::tests
