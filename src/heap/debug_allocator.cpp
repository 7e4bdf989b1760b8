// SPDX-License-Identifier: MIT
#include "carbide/debug_allocator.hpp"

#include <unistd.h>

#include "heap/debug/debug_state.hpp"
#include "heap/debug/fault_handler.hpp"
#include "platform/message.hpp"
#include "platform/stack_point.hpp"

namespace carbide {
namespace {

constexpr std::size_t pad_bytes_max = 4096;

[[noreturn]] void stop(const char* name, const char* mistake) noexcept {
    platform::Message()
        .text("carbide: DebugAllocator '")
        .text(name)
        .text("': ")
        .text(mistake)
        .write_to(STDERR_FILENO);
    __builtin_trap();
}

}  // namespace

const char* DebugAllocator::Options::mistake() const noexcept {
    if (stack_frame_count > StackTrace::frame_count_max) {
        return "stack_frame_count is above 64, the most that a trace holds";
    }
    if (limit_bytes == 0) {
        return "limit_bytes is 0, so nothing could be allocated; for that use NullAllocator";
    }
    if (pad_before_bytes % 16 != 0) {
        return "pad_before_bytes is no multiple of 16, which would break alignment";
    }
    if (pad_before_bytes > pad_bytes_max || pad_after_bytes > pad_bytes_max) {
        return "a pad is larger than 4096 bytes";
    }
    if (quarantine_bytes != 0 && !fill_freed.has_value()) {
        return "quarantine_bytes needs fill_freed, or there is nothing to check; with NDEBUG that "
               "is off unless it is set";
    }
    if (refresh_trace_on_resize && stack_frame_count == 0) {
        return "refresh_trace_on_resize with a stack_frame_count of 0: there are no traces";
    }
    if (suppressions_path != nullptr && stack_frame_count == 0) {
        return "suppressions_path with a stack_frame_count of 0: nothing could match";
    }
    if (on_finding == OnFinding::call && callback.call == nullptr) {
        return "on_finding is `call`, and there is no callback";
    }
    if (on_finding != OnFinding::call && callback.call != nullptr) {
        return "there is a callback, and on_finding is not `call`";
    }
    return nullptr;
}

DebugAllocator::DebugAllocator() noexcept : DebugAllocator(Options{}) {}

DebugAllocator::DebugAllocator(const Options& options) noexcept
    : HeapOperations(options.name, Sharing::shared) {
    if (const char* const mistake = options.mistake()) stop(options.name, mistake);
    if (options.guard != Guard::off) detail::install_fault_handler();
    state_ = detail::DebugState::create(options);
    if (state_ == nullptr) {
        platform::Message()
            .text("carbide: DebugAllocator '")
            .text(options.name)
            .text("': no memory for its bookkeeping; every allocation will fail")
            .write_to(STDERR_FILENO);
    }
}

DebugAllocator::~DebugAllocator() {
    if (state_ == nullptr) return;
    static_cast<void>(state_->deinit(platform::caller_point()));
    detail::DebugState::destroy(state_);
}

void* DebugAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                 std::align_val_t alignment) noexcept {
    detail::DebugState* const state = self(heap).state_;
    if (state == nullptr) return nullptr;
    return state->alloc(size_bytes, alignment, platform::caller_point());
}

bool DebugAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                 std::size_t new_bytes, std::align_val_t alignment) noexcept {
    detail::DebugState* const state = self(heap).state_;
    if (state == nullptr) return false;
    return state->resize(detail::DebugState::Resizing::resize, memory, old_bytes, new_bytes,
                         alignment, platform::caller_point());
}

void* DebugAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                 std::size_t new_bytes, std::align_val_t alignment) noexcept {
    detail::DebugState* const state = self(heap).state_;
    if (state == nullptr) return nullptr;
    const bool resized = state->resize(detail::DebugState::Resizing::remap, memory, old_bytes,
                                       new_bytes, alignment, platform::caller_point());
    return resized ? memory : nullptr;
}

void DebugAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                               std::align_val_t alignment) noexcept {
    detail::DebugState* const state = self(heap).state_;
    if (state == nullptr) return;
    state->free(memory, size_bytes, alignment, platform::caller_point());
}

bool DebugAllocator::deinit() noexcept {
    return state_ != nullptr && state_->deinit(platform::caller_point());
}

std::size_t DebugAllocator::report_leaks() noexcept {
    return state_ == nullptr ? 0 : state_->report_leaks();
}

std::size_t DebugAllocator::report_leaks(Format format) noexcept {
    return state_ == nullptr ? 0 : state_->report_leaks(format);
}

std::size_t DebugAllocator::leak_count() noexcept {
    return state_ == nullptr ? 0 : state_->leak_count();
}

std::size_t DebugAllocator::check_all() noexcept {
    return state_ == nullptr ? 0 : state_->check_all(platform::caller_point());
}

DebugAllocator::Counters DebugAllocator::counters() const noexcept {
    return state_ == nullptr ? Counters{} : state_->counters();
}

bool DebugAllocator::owns(const void* memory) const noexcept {
    return state_ != nullptr && state_->owns(memory);
}

void DebugAllocator::detach_from_thread() noexcept {
    if (state_ != nullptr) state_->detach_from_thread();
}

}  // namespace carbide
