// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bench::heaps {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// Ours, without what would change the allocators.
std::vector<std::string> environment_with(const std::string& preload) {
    constexpr const char* removed[] = {"LD_PRELOAD=", "MALLOC_", "GLIBC_TUNABLES=", "TCMALLOC_",
                                       "MIMALLOC_"};
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        bool is_kept = true;
        for (const char* const start : removed) {
            if (std::strncmp(*variable, start, std::strlen(start)) == 0) is_kept = false;
        }
        if (is_kept) variables.emplace_back(*variable);
    }
    if (!preload.empty()) variables.push_back("LD_PRELOAD=" + preload);
    return variables;
}

std::string read_all(int file) {
    std::string text;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = read(file, buffer, sizeof buffer)) > 0 || (count < 0 && errno == EINTR)) {
        if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
}

}  // namespace

Outcome run(const std::vector<std::string>& arguments, const std::string& preload) {
    int ends[2];
    if (pipe(ends) != 0) return {-1, std::strerror(errno)};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);

    std::vector<std::string> texts = arguments;
    std::vector<std::string> variables = environment_with(preload);
    pid_t child = 0;
    const int error = posix_spawnp(&child, texts[0].c_str(), &actions, nullptr,
                                   pointers_to(texts).data(), pointers_to(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    Outcome outcome;
    if (error == 0) {
        outcome.output = read_all(ends[0]);
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else {
        outcome = {-1, std::strerror(error)};
    }
    close(ends[0]);
    return outcome;
}

}  // namespace bench::heaps
