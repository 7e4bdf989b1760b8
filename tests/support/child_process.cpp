// SPDX-License-Identifier: MIT
#include "support/child_process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace carbide::tests {
namespace {

constexpr unsigned time_limit_s = 60;

[[noreturn]] void throw_errno(const char* attempted) {
    throw std::system_error(errno, std::generic_category(), attempted);
}

[[noreturn]] void run_child(int stderr_pipe, const std::function<void()>& body) noexcept {
    for (const int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTERM, SIGTRAP}) {
        std::signal(signal, SIG_DFL);
    }
    const rlimit no_core_file{};
    setrlimit(RLIMIT_CORE, &no_core_file);
    dup2(stderr_pipe, STDERR_FILENO);
    alarm(time_limit_s);
    body();
    _exit(EXIT_SUCCESS);  // Not exit: this is the parent's state, and its buffers are not ours.
}

std::string read_all(int descriptor) {
    std::string text;
    char part[4096];
    for (;;) {
        const ssize_t count = read(descriptor, part, sizeof part);
        if (count > 0) {
            text.append(part, static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            return text;
        }
    }
}

}  // namespace

bool ChildResult::trapped() const noexcept { return signal == SIGILL || signal == SIGTRAP; }

ChildResult run_in_child(const std::function<void()>& body) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe2");
    std::fflush(nullptr);  // What is buffered now belongs to the parent alone.
    const pid_t pid = fork();
    if (pid < 0) throw_errno("fork");
    if (pid == 0) run_child(ends[1], body);

    close(ends[1]);
    ChildResult result;
    result.stderr_text = read_all(ends[0]);
    close(ends[0]);

    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) throw_errno("waitpid");
    }
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    if (WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
    return result;
}

}  // namespace carbide::tests
