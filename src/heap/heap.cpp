// SPDX-License-Identifier: MIT
#include "carbide/heap.hpp"

#include <unistd.h>

#include <mutex>

#include "carbide/operations.hpp"
#include "heap/heap_registry.hpp"
#include "platform/message.hpp"
#include "platform/stack.hpp"
#include "platform/threads.hpp"

namespace carbide {
namespace detail {
namespace {

// The table of a heap that has been destroyed. The header is stale but for what ~Heap left.
// In `detail`, whose frames the stack leaves out: it begins with the caller.
[[noreturn]] void report_destroyed(const Heap& heap) noexcept {
    platform::Message()
        .text("carbide: the allocator '")
        .text(heap.name)
        .text("' was used after it was destroyed")
        .write_to(STDERR_FILENO);
    platform::write_stack_trace(STDERR_FILENO);
    __builtin_trap();
}

void* alloc_destroyed(Heap& heap, std::size_t, std::align_val_t) noexcept {
    report_destroyed(heap);
}
bool resize_destroyed(Heap& heap, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
    report_destroyed(heap);
}
void* remap_destroyed(Heap& heap, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
    report_destroyed(heap);
}
void free_destroyed(Heap& heap, void*, std::size_t, std::align_val_t) noexcept {
    report_destroyed(heap);
}

constexpr VTable destroyed_table{alloc_destroyed, resize_destroyed, remap_destroyed, free_destroyed,
                                 true};  // The memory may be gone as well.

// What stands in `Heap::owner` for the running thread: odd, as that of a lock is even, and never
// one of the two reserved values.
std::uintptr_t thread_owner(int thread_id) noexcept {
    return (static_cast<std::uintptr_t>(thread_id) << 1) | 1;
}

platform::Message& describe_owner(platform::Message& message, std::uintptr_t owner) noexcept {
    if ((owner & 1) != 0) return message.text("thread ").number(owner >> 1);
    const char* const lock_name = LockOwner::name_of(owner);
    return message.text("the lock '").text(lock_name != nullptr ? lock_name : "").text("'");
}

[[noreturn, gnu::cold]] void report_second_owner(const Heap& heap, std::uintptr_t first,
                                                 std::uintptr_t second) noexcept {
    platform::Message message;
    message.text("carbide: the allocator '").text(heap.name).text("' belongs to ");
    describe_owner(message, first).text(" and was used by ");
    describe_owner(message, second)
        .text(": put a LockedAllocator around it, or call detach_from_thread() to hand it over");
    message.write_to(STDERR_FILENO);
    platform::write_stack_trace(STDERR_FILENO);
    __builtin_trap();
}

thread_local std::uintptr_t scoped_owner = 0;

// The locks that live. A list of their own links, because nothing here may allocate.
constinit std::mutex locks_mutex;
constinit LockOwner* newest_lock = nullptr;
constinit std::uintptr_t newest_lock_identity = 0;

bool may_be_claimed(std::uintptr_t owner) noexcept {
    if (owner == Heap::owner_unclaimed) return true;
    return (owner & 1) == 0 && LockOwner::name_of(owner) == nullptr;
}

}  // namespace
}  // namespace detail

Heap::~Heap() {
    if (vtable->owns != nullptr) detail::HeapRegistry::remove(*this);
    cursor = 0;
    limit = 0;
    vtable = &detail::destroyed_table;
    // Without this the compiler drops the stores, since nobody may look at a destroyed object.
    asm volatile("" : : "r"(this) : "memory");
}

namespace detail {

std::uintptr_t current_owner() noexcept {
    return scoped_owner != 0 ? scoped_owner : thread_owner(platform::thread_id());
}

void check_owner(Heap& heap) noexcept {
    // Atomic, because two threads that race here are just what is being looked for.
    std::uintptr_t owner = __atomic_load_n(&heap.owner, __ATOMIC_RELAXED);
    if (owner == Heap::owner_shared) return;
    const std::uintptr_t current = current_owner();
    if (owner == current) return;
    if (may_be_claimed(owner) && __atomic_compare_exchange_n(&heap.owner, &owner, current, false,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        HeapRegistry::add(heap);
        return;
    }
    if (owner != current) report_second_owner(heap, owner, current);
}

LockOwner::LockOwner(const char* name) noexcept : name_(name) {
    const std::lock_guard guard(locks_mutex);
    newest_lock_identity += 2;
    identity_ = newest_lock_identity;
    older_ = newest_lock;
    if (older_ != nullptr) older_->newer_ = this;
    newest_lock = this;
}

LockOwner::~LockOwner() {
    const std::lock_guard guard(locks_mutex);
    if (older_ != nullptr) older_->newer_ = newer_;
    (newer_ != nullptr ? newer_->older_ : newest_lock) = older_;
}

const char* LockOwner::name_of(std::uintptr_t identity) noexcept {
    const std::lock_guard guard(locks_mutex);
    const LockOwner* lock = newest_lock;
    while (lock != nullptr && lock->identity_ != identity) lock = lock->older_;
    return lock != nullptr ? lock->name_ : nullptr;
}

OwnerScope::OwnerScope(const LockOwner& lock) noexcept : previous_(scoped_owner) {
    scoped_owner = lock.identity();
}

OwnerScope::~OwnerScope() { scoped_owner = previous_; }

void must_failed(const Heap& heap, std::size_t count, std::size_t element_bytes,
                 std::align_val_t alignment) noexcept {
    platform::Message()
        .text("carbide: out of memory: ")
        .number(count)
        .text(" x ")
        .number(element_bytes)
        .text(" bytes, aligned to ")
        .number(static_cast<std::size_t>(alignment))
        .text(", from the allocator '")
        .text(heap.name)
        .text("'")
        .write_to(STDERR_FILENO);
    platform::write_stack_trace(STDERR_FILENO);
    __builtin_abort();
}

}  // namespace detail
}  // namespace carbide
