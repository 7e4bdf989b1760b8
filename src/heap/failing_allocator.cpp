// SPDX-License-Identifier: MIT
#include "carbide/failing_allocator.hpp"

#include "carbide/recovery_scope.hpp"
#include "platform/traces.hpp"

namespace carbide {
namespace {

void add(std::atomic<std::size_t>& counter, std::size_t amount) noexcept {
    counter.fetch_add(amount, std::memory_order_relaxed);
}

}  // namespace

FailingAllocator::FailingAllocator(const Options& options) noexcept
    : HeapOperations(options.name, Sharing::shared),
      backing_(options.backing),
      plan_{.alloc_index = options.alloc_index,
            .resize_index = options.resize_index,
            .repeat = options.repeat},
      stack_frame_count_(options.stack_frame_count) {}

void FailingAllocator::rearm(const Plan& plan) noexcept {
    plan_ = plan;
    for (Counter* const counter :
         {&alloc_count_, &resize_count_, &free_count_, &allocated_bytes_, &freed_bytes_,
          &induced_failure_count_, &reportable_failure_count_}) {
        counter->store(0, std::memory_order_relaxed);
    }
    first_trace_id_.store(0, std::memory_order_relaxed);
    last_trace_id_.store(0, std::memory_order_relaxed);
}

void* FailingAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                   std::align_val_t alignment) noexcept {
    FailingAllocator& failing = self(heap);
    if (failing.fails(failing.alloc_count_, failing.plan_.alloc_index)) return nullptr;
    void* const memory = failing.backing_.raw_alloc(size_bytes, alignment);
    if (memory != nullptr) add(failing.allocated_bytes_, size_bytes);
    return memory;
}

bool FailingAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                   std::size_t new_bytes, std::align_val_t alignment) noexcept {
    FailingAllocator& failing = self(heap);
    if (failing.fails(failing.resize_count_, failing.plan_.resize_index)) return false;
    if (!failing.backing_.raw_resize(memory, old_bytes, new_bytes, alignment)) return false;
    failing.count_resized(old_bytes, new_bytes);
    return true;
}

void* FailingAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                   std::size_t new_bytes, std::align_val_t alignment) noexcept {
    FailingAllocator& failing = self(heap);
    if (failing.fails(failing.resize_count_, failing.plan_.resize_index)) return nullptr;
    void* const moved = failing.backing_.raw_remap(memory, old_bytes, new_bytes, alignment);
    if (moved != nullptr) failing.count_resized(old_bytes, new_bytes);
    return moved;
}

void FailingAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                 std::align_val_t alignment) noexcept {
    FailingAllocator& failing = self(heap);
    add(failing.free_count_, 1);
    add(failing.freed_bytes_, size_bytes);
    failing.backing_.raw_free(memory, size_bytes, alignment);
}

// Inlined into the slow path, so that the stack begins at whoever called that.
inline bool FailingAllocator::fails(Counter& request_count, std::size_t planned_index) noexcept {
    const std::size_t index = request_count.fetch_add(1, std::memory_order_relaxed);
    if (!is_planned(index, planned_index)) [[likely]]
        return false;
    const bool is_alloc = &request_count == &alloc_count_;
    if (is_alloc && !RecoveryScope::is_open()) add(reportable_failure_count_, 1);
    note_failure(platform::capture_trace(platform::caller_point(), stack_frame_count_));
    return true;
}

bool FailingAllocator::is_planned(std::size_t index, std::size_t planned_index) const noexcept {
    switch (plan_.repeat) {
        case Repeat::once:
            return index == planned_index;
        case Repeat::from_there_on:
            return index >= planned_index;
        case Repeat::all_from_there_on:
            return index >= planned_index || has_induced_failure();
    }
    return false;
}

void FailingAllocator::note_failure(StackTrace trace) noexcept {
    if (induced_failure_count_.fetch_add(1, std::memory_order_relaxed) == 0) {
        first_trace_id_.store(trace.id(), std::memory_order_relaxed);
    }
    last_trace_id_.store(trace.id(), std::memory_order_relaxed);
}

void FailingAllocator::count_resized(std::size_t old_bytes, std::size_t new_bytes) noexcept {
    if (new_bytes > old_bytes) {
        add(allocated_bytes_, new_bytes - old_bytes);
    } else {
        add(freed_bytes_, old_bytes - new_bytes);
    }
}

}  // namespace carbide
