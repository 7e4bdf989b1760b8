// SPDX-License-Identifier: MIT
#include "testing/isolated_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "platform/signal_point.hpp"
#include "platform/stack.hpp"
#include "platform/traces.hpp"
#include "testing/finding_log.hpp"

// There where a sanitizer watches: called before it ends the process.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace carbide::testing {
namespace {

constexpr std::size_t output_bytes_max = std::size_t{16} << 10;
constexpr std::size_t handler_stack_bytes = std::size_t{256} << 10;
constexpr int status_hung = 124;  // As timeout(1) says it.

// What the signal handlers of a child know of its run.
RunRecord* watched_record = nullptr;
TestingAllocator* watched_testing = nullptr;

[[noreturn]] void stop(const char* attempted) {
    std::fprintf(stderr, "carbide: cannot isolate a run: %s: %s\n", attempted,
                 std::strerror(errno));
    std::abort();
}

// First without names, which needs nothing: the handler may have interrupted malloc, and then the
// lookup of names may hang, until the parent ends it.
template <std::size_t Capacity>
void note_trace(FixedText<Capacity>& text, StackTrace trace, platform::Names names) noexcept {
    platform::ReportText report;
    platform::write_trace(report, trace, names);
    text.set(report.view());
}

void note_end(StackTrace here) noexcept {
    StackTrace induced;
    if (watched_testing != nullptr) {
        induced = watched_testing->failing().first_induced_failure_trace();
        const FindingLog& log = watched_testing->log();  // Not locked: its owner may be us.
        watched_record->has_finding = log.first().has_value();
        watched_record->first_finding = log.first().value_or(FindingKind{});
        watched_record->findings.set(log.text());
    }
    for (const platform::Names names : {platform::Names::none, platform::Names::all}) {
        note_trace(watched_record->induced_at, induced, names);
        note_trace(watched_record->ended_at, here, names);
    }
}

// Of what the handler has interrupted; where that cannot be told, with the handler.
StackTrace interrupted_trace(const void* context) noexcept {
    const platform::StackPoint at = platform::interrupted_point(context);
    if (at.return_address == 0) return StackTrace::capture(StackTrace::frame_count_max);
    return platform::capture_trace(at, StackTrace::frame_count_max);
}

void crashed(int signal, siginfo_t*, void* context) noexcept {
    if (watched_record != nullptr && !watched_record->ended) {
        watched_record->signal = signal;
        note_end(interrupted_trace(context));
    }
    raise(signal);  // Its effect is the default again.
}

void timed_out(int, siginfo_t*, void* context) noexcept {
    // Where the handler above hangs, the signal that it was called for is the verdict.
    if (watched_record != nullptr && !watched_record->ended && watched_record->signal == 0) {
        watched_record->hung = true;
        note_end(interrupted_trace(context));
    }
    _exit(status_hung);
}

// By exit(3), or by a sanitizer.
void ended_the_process() {
    if (watched_record == nullptr || watched_record->ended || watched_record->signal != 0) return;
    note_end(platform::capture_trace(platform::caller_point(), StackTrace::frame_count_max));
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) noexcept {
    struct sigaction action{};
    action.sa_sigaction = handler;
    // Reset, so that a second crash, in the handler, ends the process.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
}

void install_handlers(unsigned time_limit_ms) noexcept {
    void* const stack = mmap(nullptr, handler_stack_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack != MAP_FAILED) {
        const stack_t handler_stack{.ss_sp = stack, .ss_flags = 0, .ss_size = handler_stack_bytes};
        sigaltstack(&handler_stack, nullptr);
    }
    // All that test frameworks have handlers for, which are not to report in the child.
    for (const int signal :
         {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGTERM, SIGINT}) {
        install(signal, crashed);
    }
    install(SIGALRM, timed_out);
    static_cast<void>(std::atexit(ended_the_process));
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(ended_the_process);
    }
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &wanted, nullptr);
    itimerval timer{};
    timer.it_value.tv_sec = static_cast<time_t>(time_limit_ms / 1000);
    timer.it_value.tv_usec = static_cast<suseconds_t>(time_limit_ms % 1000) * 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

SharedRecord::SharedRecord() {
    void* const memory =
        mmap(nullptr, sizeof(RunRecord), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) stop("mmap");
    record_ = new (memory) RunRecord;
}

SharedRecord::~SharedRecord() { munmap(record_, sizeof(RunRecord)); }

IsolatedRun::~IsolatedRun() {
    if (output_ >= 0) close(output_);
}

bool IsolatedRun::start() {
    record_.clear();
    output_ = memfd_create("carbide child output", MFD_CLOEXEC);
    if (output_ < 0) stop("memfd_create");
    std::fflush(nullptr);  // What is buffered now belongs to the parent alone.
    pid_ = fork();
    if (pid_ < 0) stop("fork");
    if (pid_ != 0) return false;

    const rlimit no_core_file{};
    setrlimit(RLIMIT_CORE, &no_core_file);
    dup2(output_, STDOUT_FILENO);
    dup2(output_, STDERR_FILENO);
    watched_record = &record_;
    watched_testing = nullptr;
    install_handlers(time_limit_ms_);
    return true;
}

TestingAllocator* IsolatedRun::watch(TestingAllocator* testing) noexcept {
    return std::exchange(watched_testing, testing);
}

void IsolatedRun::end(RunRecord& record) noexcept {
    record.ended = true;
    _exit(EXIT_SUCCESS);  // Not exit: this is the parent's state, and its buffers are not ours.
}

void IsolatedRun::wait() {
    const int status = wait_for_child();
    if (record_.ended) return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && record_.signal == 0) {
        record_.hung = true;
    } else if (WIFSIGNALED(status)) {
        record_.signal = WTERMSIG(status);
    } else if (!record_.hung) {
        end_text_ = "the process was ended with status " + std::to_string(WEXITSTATUS(status)) +
                    " in the middle of the run\n";
    }
    end_text_ += last_output();
}

// The child's own timer stops it at the limit, and says where; where it cannot, we do.
int IsolatedRun::wait_for_child() const {
    const int child = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    if (child >= 0) {
        pollfd ended{.fd = child, .events = POLLIN, .revents = 0};
        const unsigned limit_ms = std::min(2 * time_limit_ms_ + 1000, 1'000'000'000U);
        int ready = 0;
        while ((ready = poll(&ended, 1, static_cast<int>(limit_ms))) < 0 && errno == EINTR) {
        }
        if (ready == 0) kill(pid_, SIGKILL);
        close(child);
    }
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0) {
        if (errno != EINTR) stop("waitpid");
    }
    return status;
}

std::string IsolatedRun::last_output() const {
    const off_t size = lseek(output_, 0, SEEK_END);
    if (size <= 0) return {};
    const auto count = std::min(static_cast<std::size_t>(size), output_bytes_max);
    std::string text(count, '\0');
    const ssize_t read = pread(output_, text.data(), count, size - static_cast<off_t>(count));
    text.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
    return "it printed:\n" + text;
}

}  // namespace carbide::testing
