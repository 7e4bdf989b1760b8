// SPDX-License-Identifier: MIT
#include "heap/debug/registry.hpp"

#include <pthread.h>

#include <mutex>

#include "heap/debug/debug_state.hpp"
#include "platform/lock.hpp"

namespace carbide::detail {
namespace {

constinit platform::Lock registry_lock;
constinit DebugState* newest = nullptr;

void before_fork() noexcept {
    registry_lock.lock();
    for (DebugState* state = newest; state != nullptr; state = state->registry_next) {
        state->lock_all();
    }
}

void after_fork() noexcept {
    for (DebugState* state = newest; state != nullptr; state = state->registry_next) {
        state->unlock_all();
    }
    registry_lock.unlock();
}

}  // namespace

void Registry::add(DebugState& state) noexcept {
    static const int registered = pthread_atfork(before_fork, after_fork, after_fork);
    static_cast<void>(registered);
    const std::lock_guard guard(registry_lock);
    state.registry_next = newest;
    if (newest != nullptr) newest->registry_previous = &state;
    newest = &state;
}

void Registry::remove(DebugState& state) noexcept {
    const std::lock_guard guard(registry_lock);
    if (state.registry_next != nullptr) {
        state.registry_next->registry_previous = state.registry_previous;
    }
    (state.registry_previous != nullptr ? state.registry_previous->registry_next : newest) =
        state.registry_next;
}

const char* Registry::name_of_owner(const void* memory, const DebugState& asking) noexcept {
    const std::lock_guard guard(registry_lock);
    for (DebugState* state = newest; state != nullptr; state = state->registry_next) {
        if (state != &asking && state->knows(memory)) return state->name();
    }
    return nullptr;
}

void Registry::tell_fault(std::uintptr_t address, bool is_write,
                          const platform::StackPoint& at) noexcept {
    // The fault may have interrupted somebody who holds the lock: this thread itself, if a list is
    // corrupt. Then the report is lost, and not the program's end.
    for (int attempt = 0; !registry_lock.try_lock(); ++attempt) {
        if (attempt == 1'000'000) return;
    }
    DebugState* state = newest;
    while (state != nullptr && !state->guards(address)) state = state->registry_next;
    registry_lock.unlock();
    if (state != nullptr) state->tell_fault(address, is_write, at);
}

}  // namespace carbide::detail
