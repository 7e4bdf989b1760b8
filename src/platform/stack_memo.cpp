// SPDX-License-Identifier: MIT
#include "platform/stack_memo.hpp"

#include <pthread.h>
#include <unistd.h>

#include <new>

#include "platform/pages.hpp"

namespace carbide::platform {

constinit thread_local ThreadMemo* detail::thread_memo = nullptr;

namespace {

// Set where the thread ends, or where there is no memory.
constinit thread_local bool gets_none [[gnu::tls_model("initial-exec")]] = false;

constinit std::atomic<ThreadMemo*> free_memos = nullptr;

// Of the thread's exit. The C library keeps the values of its first keys in the thread itself;
// setting those of later ones would allocate.
constexpr pthread_key_t first_key_that_allocates = 32;
constexpr std::int64_t no_key_yet = -1;
constexpr std::int64_t key_in_the_making = -2;
constexpr std::int64_t no_key = -3;
constinit std::atomic<std::int64_t> exit_key = no_key_yet;

void give_free(ThreadMemo* first, ThreadMemo* last) noexcept {
    last->next_free = free_memos.load(std::memory_order_relaxed);
    while (!free_memos.compare_exchange_weak(last->next_free, first, std::memory_order_release,
                                             std::memory_order_relaxed)) {
    }
}

// Takes the whole list and gives back the rest: no thread ever looks into a list that others
// change.
ThreadMemo* take_free() noexcept {
    if (free_memos.load(std::memory_order_relaxed) == nullptr) return nullptr;
    ThreadMemo* const taken = free_memos.exchange(nullptr, std::memory_order_acquire);
    if (taken == nullptr || taken->next_free == nullptr) return taken;
    ThreadMemo* last = taken->next_free;
    while (last->next_free != nullptr) last = last->next_free;
    give_free(taken->next_free, last);
    return taken;
}

void leave_thread(void* memo) noexcept {
    gets_none = true;
    detail::thread_memo = nullptr;
    auto* const left = static_cast<ThreadMemo*>(memo);
    give_free(left, left);
}

std::int64_t make_key() noexcept {
    pthread_key_t key = 0;
    if (pthread_key_create(&key, leave_thread) != 0) return no_key;
    if (key < first_key_that_allocates) return key;
    pthread_key_delete(key);
    return no_key;
}

// False: nobody would take the memo back. The main thread's is never given back.
bool will_be_given_back(ThreadMemo* memo) noexcept {
    std::int64_t key = exit_key.load(std::memory_order_acquire);
    if (key == no_key_yet && exit_key.compare_exchange_strong(key, key_in_the_making)) {
        key = make_key();
        exit_key.store(key, std::memory_order_release);
    }
    if (key < 0) return false;
    return pthread_setspecific(static_cast<pthread_key_t>(key), memo) == 0;
}

ThreadMemo* new_memo() noexcept {
    const std::size_t size_bytes = round_up_to_pages(sizeof(ThreadMemo));
    return static_cast<ThreadMemo*>(map_pages(size_bytes, 1));
}

}  // namespace

ThreadMemo* obtain_thread_memo() noexcept {
    if (detail::thread_memo != nullptr || gets_none) return detail::thread_memo;
    gets_none = true;  // A signal handler that comes here meanwhile does without.
    ThreadMemo* memo = take_free();
    if (memo == nullptr) memo = new_memo();
    if (memo == nullptr) return nullptr;
    memo->is_used.store(false, std::memory_order_relaxed);
    memo->own_stack = {};
    memo->next_free = nullptr;
    // The last owner's stack may have been where this one's is.
    for (MemoEntry& entry : memo->entries) entry.return_address = 0;
    if (!will_be_given_back(memo) && gettid() != getpid()) {
        give_free(memo, memo);
        return nullptr;
    }
    detail::thread_memo = memo;
    gets_none = false;
    return memo;
}

}  // namespace carbide::platform
