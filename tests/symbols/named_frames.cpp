// SPDX-License-Identifier: MIT
// Prints call stacks to standard output: `named_frames call`, or `named_frames plugin LIBRARY` for
// a stack through a library that is loaded late, before and after it is unloaded.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "carbide/stack_trace.hpp"

using carbide::StackTrace;

namespace {

// A tail call would leave no frame of the caller.
void keep_frame() { asm volatile(""); }

StackTrace plugin_trace;

}  // namespace

[[gnu::noinline]] StackTrace capture_here() {
    const StackTrace trace = StackTrace::capture();  // capture
    keep_frame();
    return trace;
}

[[gnu::always_inline]] inline StackTrace inlined_caller() { return capture_here(); }  // inlined

[[gnu::noinline]] StackTrace outer(int) {
    const StackTrace trace = inlined_caller();  // outer
    keep_frame();
    return trace;
}

[[gnu::noinline]] void take_trace() {
    plugin_trace = capture_here();  // callback
    keep_frame();
}

int main(int argument_count, char** arguments) {
    outer(1).write_to(STDOUT_FILENO);  // main
    if (argument_count < 3 || std::string_view(arguments[1]) != "plugin") return 0;

    void* const plugin = dlopen(arguments[2], RTLD_NOW);
    if (plugin == nullptr) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    using Run = void (*)(void (*callback)());
    const auto run = reinterpret_cast<Run>(dlsym(plugin, "plugin_run"));
    run(take_trace);  // plugin
    plugin_trace.write_to(STDOUT_FILENO);
    dlclose(plugin);
    plugin_trace.write_to(STDOUT_FILENO);
    return 0;
}
