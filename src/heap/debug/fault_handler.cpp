// SPDX-License-Identifier: MIT
#include "heap/debug/fault_handler.hpp"

#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

#include "heap/debug/registry.hpp"
#include "platform/lock.hpp"
#include "platform/signal_point.hpp"

namespace carbide::detail {
namespace {

struct sigaction earlier_segv;
struct sigaction earlier_bus;
constinit platform::Lock install_lock;
std::atomic<std::uintptr_t> last_address = 0;  // Told of.

bool is_write([[maybe_unused]] const void* context) noexcept {
#if defined(__x86_64__)
    return (static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    return false;
#endif
}

// The access runs again after this returns, and faults into the earlier handler.
void pass_on(int signal) noexcept {
    sigaction(signal, signal == SIGSEGV ? &earlier_segv : &earlier_bus, nullptr);
}

void handle(int signal, siginfo_t* info, void* context) {
    const int kept_errno = errno;
    const bool was_sent = info->si_code <= 0;  // By kill or raise: there was no access.
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    // A handler that we handed the fault to may have handed it back.
    if (!was_sent && last_address.exchange(address) == address) {
        std::signal(signal, SIG_DFL);
        return;
    }
    if (!was_sent) {
        Registry::tell_fault(address, is_write(context), platform::interrupted_point(context));
    }
    pass_on(signal);
    if (was_sent) raise(signal);  // Nothing runs again, so send it again.
    errno = kept_errno;
}

bool is_ours(const struct sigaction& action) noexcept {
    return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == handle;
}

void install(int signal, struct sigaction& earlier) noexcept {
    struct sigaction current{};
    if (sigaction(signal, nullptr, &current) != 0 || is_ours(current)) return;
    struct sigaction action{};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    earlier = current;
    sigaction(signal, &action, nullptr);
}

}  // namespace

void install_fault_handler() noexcept {
    const std::lock_guard guard(install_lock);
    install(SIGSEGV, earlier_segv);
    install(SIGBUS, earlier_bus);
}

}  // namespace carbide::detail
