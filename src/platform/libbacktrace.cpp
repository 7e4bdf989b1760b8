// SPDX-License-Identifier: MIT
#include "platform/libbacktrace.hpp"

#include <link.h>

#include <bitset>
#include <cstddef>
#include <limits>
#include <span>

#include "platform/modules.hpp"

// Its interface, unchanged since its first version. Declared here, and weak, because the header is
// in a folder of GCC's that clang does not search, and because a program may be linked without it.
extern "C" {
struct backtrace_state;
using BacktraceErrorFunction = void (*)(void* context, const char* message, int error);
using BacktraceLineFunction = int (*)(void* context, std::uintptr_t address, const char* file,
                                      int line, const char* function);
using BacktraceSymbolFunction = void (*)(void* context, std::uintptr_t address, const char* symbol,
                                         std::uintptr_t begin, std::uintptr_t size_bytes);

[[gnu::weak]] backtrace_state* backtrace_create_state(const char* path, int threaded,
                                                      BacktraceErrorFunction on_error,
                                                      void* context);
[[gnu::weak]] int backtrace_pcinfo(backtrace_state* state, std::uintptr_t address,
                                   BacktraceLineFunction visit, BacktraceErrorFunction on_error,
                                   void* context);
[[gnu::weak]] int backtrace_syminfo(backtrace_state* state, std::uintptr_t address,
                                    BacktraceSymbolFunction visit, BacktraceErrorFunction on_error,
                                    void* context);
}

namespace carbide::platform::libbacktrace {
namespace {

// Each start keeps the tables of all modules for good; a program that loads and unloads plugins
// all day gets `module+0xoffset` for the newest ones in the end.
constexpr unsigned start_count_max = 32;

constinit backtrace_state* state = nullptr;
constinit unsigned start_count = 0;

// By `Module::index`: what was loaded when libbacktrace was started.
constinit std::bitset<std::numeric_limits<decltype(Module::index)>::max() + 1> known;

void ignore_error(void*, const char*, int) noexcept {}

// The dynamic linker's count of loaded modules, unloaded ones included, at that time.
constinit unsigned long long known_load_count = 0;

int note_load_count(dl_phdr_info* info, std::size_t, void* load_count) noexcept {
    *static_cast<unsigned long long*>(load_count) = info->dlpi_adds;
    return 1;
}

int note_module(dl_phdr_info* info, std::size_t, void*) noexcept {
    known_load_count = info->dlpi_adds;
    for (const ElfW(Phdr) & segment : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
        const Module* const module = loaded_code_at(info->dlpi_addr + segment.p_vaddr).module;
        if (module != nullptr) known.set(module->index);
        break;
    }
    return 0;
}

bool start() noexcept {
    unsigned long long load_count = 0;
    dl_iterate_phdr(note_load_count, &load_count);
    if (load_count == known_load_count || start_count == start_count_max) return false;
    ++start_count;
    known.reset();
    dl_iterate_phdr(note_module, nullptr);
    constexpr int one_thread = 0;
    state = backtrace_create_state(nullptr, one_thread, ignore_error, nullptr);
    return state != nullptr;
}

struct Visitor {
    void* context;
    Visit visit;
};

}  // namespace

bool is_linked_in() noexcept {
    return backtrace_create_state != nullptr && backtrace_pcinfo != nullptr &&
           backtrace_syminfo != nullptr;
}

bool is_ready_for(const Module& module) noexcept {
    if (!is_linked_in()) return false;
    if (state != nullptr && known.test(module.index)) return true;
    return start() && known.test(module.index);
}

void visit_functions(std::uintptr_t address, void* context, Visit visit) noexcept {
    Visitor visitor{context, visit};
    backtrace_pcinfo(
        state, address,
        [](void* opaque, std::uintptr_t, const char* file, int line, const char* function) {
            const auto& inner = *static_cast<Visitor*>(opaque);
            inner.visit(inner.context, function, file, line > 0 ? static_cast<unsigned>(line) : 0);
            return 0;
        },
        ignore_error, &visitor);
}

void visit_symbol(std::uintptr_t address, void* context, Visit visit) noexcept {
    Visitor visitor{context, visit};
    backtrace_syminfo(
        state, address,
        [](void* opaque, std::uintptr_t, const char* symbol, std::uintptr_t, std::uintptr_t) {
            const auto& inner = *static_cast<Visitor*>(opaque);
            inner.visit(inner.context, symbol, nullptr, 0);
        },
        ignore_error, &visitor);
}

void forget() noexcept {
    state = nullptr;
    known_load_count = 0;
    known.reset();
}

}  // namespace carbide::platform::libbacktrace
