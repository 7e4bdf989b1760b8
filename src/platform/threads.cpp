// SPDX-License-Identifier: MIT
#include "platform/threads.hpp"

#include <pthread.h>
#include <unistd.h>

namespace carbide::platform {
namespace {

thread_local int cached_id = 0;

// The child's only thread has a new id.
void forget_cached_id() noexcept { cached_id = 0; }

}  // namespace

int thread_id() noexcept {
    if (cached_id == 0) {
        static const int registered = pthread_atfork(nullptr, nullptr, forget_cached_id);
        static_cast<void>(registered);
        cached_id = gettid();
    }
    return cached_id;
}

}  // namespace carbide::platform
