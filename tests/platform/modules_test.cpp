// SPDX-License-Identifier: MIT
#include "platform/modules.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "platform/traces.hpp"
#include "support/stack_oracle.hpp"

using namespace carbide;
using namespace carbide::platform;

namespace {

const std::filesystem::path plugins = CARBIDE_TEST_PROGRAMS_DIR;

// A plugin as long as it is loaded.
class Plugin {
public:
    explicit Plugin(const std::filesystem::path& path)
        : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        INFO(path);
        REQUIRE(library_ != nullptr);
        call_ = reinterpret_cast<Call>(dlsym(library_, "plugin_call"));
        const bool is_found = call_ != nullptr;
        REQUIRE(is_found);
    }
    ~Plugin() { dlclose(library_); }
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    void call(void (*function)(void*), void* argument) const { call_(function, argument); }
    [[nodiscard]] std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(call_); }

private:
    using Call = void (*)(void (*)(void*), void*);

    void* library_;
    Call call_ = nullptr;
};

struct Seen {
    StackTrace trace;
    std::string differences;
    std::uintptr_t address = 0;
};

[[gnu::noinline]] void see(void* place) {
    auto& seen = *static_cast<Seen*>(place);
    seen.trace = StackTrace::capture(StackTrace::frame_count_max);
    seen.differences += tests::stack_differences();
    asm volatile("" : : "r"(place) : "memory");
}

[[gnu::noinline]] Seen see_through(const std::filesystem::path& path) {
    Seen seen;
    const Plugin plugin(path);
    plugin.call(see, &seen);
    plugin.call(see, &seen);
    seen.address = plugin.address();
    return seen;
}

std::string module_path(StackTrace trace, unsigned index) {
    const Module* const module = frame_of(trace, index).module;
    return module == nullptr ? "" : module->path;
}

}  // namespace

TEST_CASE("modules: the program's is its file") {
    const Module* const module = loaded_code_at(reinterpret_cast<std::uintptr_t>(&see)).module;
    REQUIRE(module != nullptr);
    CHECK(std::filesystem::equivalent(module->path, "/proc/self/exe"));
    CHECK(module->begin <= reinterpret_cast<std::uintptr_t>(&see));
    CHECK(reinterpret_cast<std::uintptr_t>(&see) < module->end);
    CHECK(module_with_index(module->index) == module);
}

TEST_CASE("modules: addresses that no file was loaded to have none") {
    CHECK(loaded_code_at(4096).module == nullptr);
    CHECK(loaded_code_at(UINTPTR_MAX).module == nullptr);
    const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    CHECK(loaded_code_at(stack).module == nullptr);
    CHECK(module_with_index(0) == nullptr);
}

TEST_CASE("modules: a trace through an unloaded library still names it") {
    const Seen seen = see_through(plugins / "plugin_first.so");
    CHECK(seen.differences == "");
    REQUIRE(loaded_code_at(seen.address).module == nullptr);
    REQUIRE(seen.trace.frame_count() > 2);
    CHECK(module_path(seen.trace, 1).ends_with("/plugin_first.so"));
    const TraceFrame frame = frame_of(seen.trace, 2);
    CHECK(frame.return_address - seen.address < 256);
    CHECK(frame.return_address > frame.module->begin);
    CHECK(frame.return_address < frame.module->end);
}

TEST_CASE("modules: a library in the place of another has stacks of its own") {
    const char* const names[] = {"plugin_first.so", "plugin_second.so"};
    Seen seen[6];
    unsigned at_same_place_count = 0;
    tests::repeat(6, [&](unsigned i) {
        seen[i] = see_through(plugins / names[i % 2]);
        CHECK(seen[i].differences == "");
        CHECK(module_path(seen[i].trace, 1).ends_with(names[i % 2]));
        if (i > 0 && seen[i].address == seen[i - 1].address) ++at_same_place_count;
    });
    // The linker fills the gap that the last one left, unless a checker keeps libraries.
    if (at_same_place_count == 5) {
        CHECK(seen[0].trace != seen[1].trace);
        CHECK(seen[0].trace == seen[2].trace);
        CHECK(seen[1].trace == seen[3].trace);
        CHECK(seen[1].trace == seen[5].trace);
    } else {
        WARN_MESSAGE(at_same_place_count == 5, "libraries were loaded to other places");
    }
}

TEST_CASE("modules: a rebuilt library in the place of itself is another one") {
    const std::filesystem::path path = plugins / "plugin_rebuilt.so";
    const char* const names[] = {"plugin_first.so", "plugin_second.so"};
    Seen seen[4];
    tests::repeat(4, [&](unsigned i) {
        std::filesystem::remove(path);
        std::filesystem::copy_file(plugins / names[i % 2], path);
        seen[i] = see_through(path);
        CHECK(seen[i].differences == "");
    });
    std::filesystem::remove(path);
    if (seen[0].address == seen[1].address) CHECK(seen[0].trace != seen[1].trace);
    if (seen[0].address == seen[2].address) CHECK(seen[0].trace == seen[2].trace);
}

TEST_CASE("modules: the path of a library stays right when the working directory changes") {
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(plugins);
    const Seen seen = see_through("./plugin_second.so");
    const Seen again = see_through("./plugin_second.so");
    std::filesystem::current_path(before);
    CHECK(seen.trace.frame_count() == again.trace.frame_count());
    const std::string path = module_path(seen.trace, 1);
    CHECK(path.starts_with("/"));
    CHECK(std::filesystem::equivalent(path, plugins / "plugin_second.so"));
}
