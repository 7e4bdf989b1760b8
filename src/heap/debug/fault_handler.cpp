// SPDX-License-Identifier: MIT
#include "heap/debug/fault_handler.hpp"

#include <signal.h>
#include <ucontext.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "heap/debug/registry.hpp"
#include "platform/stack_point.hpp"

namespace carbide::detail {
namespace {

struct sigaction earlier_segv;
struct sigaction earlier_bus;

struct Access {
    platform::StackPoint at{};
    bool is_write = false;
};

Access access_of(const void* context) noexcept {
    Access access;
#if defined(__x86_64__)
    const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
    // One more than the address of the instruction, as if it were a call: see `TraceFrame`.
    access.at = {static_cast<std::uintptr_t>(registers[REG_RIP]) + 1,
                 static_cast<std::uintptr_t>(registers[REG_RSP]),
                 static_cast<std::uintptr_t>(registers[REG_RBP])};
    access.is_write = (registers[REG_ERR] & 2) != 0;
#elif defined(__aarch64__)
    const auto& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
    access.at = {registers.pc + 1, registers.sp, registers.regs[29]};
#else
    static_cast<void>(context);
#endif
    return access;
}

// The access runs again after this returns, and faults into the earlier handler.
void pass_on(int signal) noexcept {
    sigaction(signal, signal == SIGSEGV ? &earlier_segv : &earlier_bus, nullptr);
}

void handle(int signal, siginfo_t* info, void* context) {
    const int kept_errno = errno;
    const bool was_sent = info->si_code <= 0;  // By kill or raise: there was no access.
    if (!was_sent) {
        const Access access = access_of(context);
        Registry::tell_fault(reinterpret_cast<std::uintptr_t>(info->si_addr), access.is_write,
                             access.at);
    }
    pass_on(signal);
    if (was_sent) raise(signal);  // Nothing runs again, so send it again.
    errno = kept_errno;
}

}  // namespace

void install_fault_handler() noexcept {
    static const bool installed = [] {
        struct sigaction action{};
        action.sa_sigaction = handle;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        return sigaction(SIGSEGV, &action, &earlier_segv) == 0 &&
               sigaction(SIGBUS, &action, &earlier_bus) == 0;
    }();
    static_cast<void>(installed);
}

}  // namespace carbide::detail
