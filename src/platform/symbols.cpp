// SPDX-License-Identifier: MIT
#include "platform/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "platform/function_name.hpp"
#include "platform/libbacktrace.hpp"
#include "platform/modules.hpp"
#include "platform/owner_lock.hpp"
#include "platform/traces.hpp"

namespace carbide::platform {
namespace {

std::string_view view_of(const char* text) noexcept { return text != nullptr ? text : ""; }

std::string_view last_component(std::string_view path) noexcept {
    return path.substr(path.rfind('/') + 1);
}

// The libraries that call main and the functions of threads.
bool is_runtime(const Module* module) noexcept {
    if (module == nullptr) return false;
    const std::string_view file = last_component(view_of(module->path));
    for (const std::string_view name :
         {"libc.so", "libstdc++.so", "libpthread.so", "libasan.so", "libtsan.so"}) {
        if (file.starts_with(name)) return true;
    }
    return false;
}

// GCC 12's libbacktrace puts the directory of the compilation in front of absolute paths as well,
// where the debug information is clang's (DWARF 5): "/build//source/parser.cpp".
std::string_view without_directory(std::string_view path) noexcept {
    const std::size_t absolute = path.find("//");
    if (absolute == path.npos || absolute == 0) return path;
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): it ends with a null.
    if (access(path.data(), F_OK) == 0) return path;
    return path.substr(absolute + 1);
}

constinit OwnerLock lookup_lock;
constinit bool lookup_is_running = false;

/// The right to look names up, which one thread has at a time. Not granted to a thread that has it
/// already, because libbacktrace cannot be entered twice.
class LookupTurn {
public:
    explicit LookupTurn(bool is_wanted) noexcept {
        if (!is_wanted) return;
        is_granted_ = lookup_lock.lock();
        if (!is_granted_) return;
        // A thread that this process has not got was in the middle when its parent forked.
        if (lookup_is_running) libbacktrace::forget();
        lookup_is_running = true;
    }
    ~LookupTurn() {
        if (!is_granted_) return;
        lookup_is_running = false;
        lookup_lock.unlock();
    }
    LookupTurn(const LookupTurn&) = delete;  // Ends once.
    LookupTurn& operator=(const LookupTurn&) = delete;

    [[nodiscard]] bool is_granted() const noexcept { return is_granted_; }

private:
    bool is_granted_ = false;
};

/// The current directory, from which paths below it are shown.
class ShownPaths {
public:
    ShownPaths() noexcept {
        if (getcwd(directory_, sizeof directory_ - 1) == nullptr) return;
        size_bytes_ = std::strlen(directory_);
        if (directory_[size_bytes_ - 1] != '/') directory_[size_bytes_++] = '/';
    }

    [[nodiscard]] std::string_view shown(std::string_view path) const noexcept {
        const std::string_view prefix(directory_, size_bytes_);
        if (size_bytes_ > 1 && path.size() > size_bytes_ && path.starts_with(prefix)) {
            path.remove_prefix(size_bytes_);
        }
        return path;
    }

private:
    char directory_[1024];  // Below a longer one, paths are shown in full.
    std::size_t size_bytes_ = 0;
};

// The address of the call, in front of the one that it returns to.
std::uintptr_t call_address(const TraceFrame& frame) noexcept { return frame.return_address - 1; }

// Whether the module is still there. What is mapped in place of an unloaded one says nothing.
bool is_loaded(const TraceFrame& frame) noexcept {
    return frame.module != nullptr && loaded_code_at(call_address(frame)).module == frame.module;
}

const char* exported_name(const TraceFrame& frame) noexcept {
    Dl_info info{};
    if (!is_loaded(frame)) return nullptr;
    if (dladdr(reinterpret_cast<const void*>(call_address(frame)), &info) == 0) return nullptr;
    return info.dli_sname;
}

// Those that run main and a thread's function: the same in every trace.
bool starts_programs(std::string_view function) noexcept {
    for (const std::string_view name :
         {"__libc_start_call_main", "__libc_start_main", "__libc_start_main_impl", "start_thread",
          "execute_native_thread_routine", "clone", "clone3", "__clone", "__clone3"}) {
        if (function == name) return true;
    }
    return false;
}

// The number of frames without those at the end that only start the program or a thread. In
// stripped libraries most of them have no name.
unsigned program_frame_count(StackTrace trace) noexcept {
    const unsigned all_count = trace.frame_count();
    unsigned count = 1;
    for (; count < all_count; ++count) {
        const TraceFrame frame = frame_of(trace, count);
        if (is_runtime(frame.module) && starts_programs(view_of(exported_name(frame)))) break;
    }
    while (count > 1) {
        const TraceFrame frame = frame_of(trace, count - 1);
        if (!is_runtime(frame.module) || exported_name(frame) != nullptr) break;
        --count;
    }
    return count < all_count ? count : all_count;
}

/// One pass over a trace.
class Walk {
public:
    Walk(Names names, bool drops_plumbing, void* context,
         bool (*visit)(void*, const SourceFrame&) noexcept) noexcept
        : names_(names), drops_plumbing_(drops_plumbing), context_(context), visit_(visit) {}

    void run(StackTrace trace) noexcept {
        const unsigned count =
            names_ == Names::none ? trace.frame_count() : program_frame_count(trace);
        for (unsigned index = 0; index < count && !is_over_; ++index) {
            describe(frame_of(trace, index));
        }
    }

    [[nodiscard]] bool has_visited() const noexcept { return has_visited_; }

private:
    void describe(const TraceFrame& frame) noexcept;
    bool describe_functions(const TraceFrame& frame) noexcept;
    bool describe_symbol(const TraceFrame& frame) noexcept;
    void show(std::string_view mangled, std::string_view file, unsigned line) noexcept;

    ShownPaths paths_;
    Names names_;
    bool drops_plumbing_;
    void* context_;
    bool (*visit_)(void*, const SourceFrame&) noexcept;

    SourceFrame shown_;  // What is the same for all functions of the frame.
    const Module* module_ = nullptr;
    unsigned inlined_left_ = 0;
    const char* symbol_ = nullptr;
    bool has_visited_ = false;
    bool is_over_ = false;
};

void Walk::describe(const TraceFrame& frame) noexcept {
    shown_ = {};
    module_ = frame.module;
    if (module_ != nullptr) {
        shown_.module = paths_.shown(view_of(module_->path));
        shown_.offset = call_address(frame) - module_->load_bias;
    } else {
        shown_.offset = call_address(frame);
    }
    if (names_ != Names::none && is_loaded(frame)) {
        if (names_ == Names::all && libbacktrace::is_ready_for(*module_)) {
            if (describe_functions(frame) || describe_symbol(frame)) return;
        }
        show(view_of(exported_name(frame)), {}, 0);
        return;
    }
    show({}, {}, 0);
}

// Counts first, because only the last one was not inlined.
bool Walk::describe_functions(const TraceFrame& frame) noexcept {
    unsigned count = 0;
    libbacktrace::visit_functions(
        call_address(frame), &count,
        [](void* counted, const char* function, const char*, unsigned) noexcept {
            if (function != nullptr) ++*static_cast<unsigned*>(counted);
        });
    if (count == 0) return false;

    // Debug information has the bare names of functions with internal linkage.
    symbol_ = nullptr;
    libbacktrace::visit_symbol(call_address(frame), this,
                               [](void* walk, const char* symbol, const char*, unsigned) noexcept {
                                   static_cast<Walk*>(walk)->symbol_ = symbol;
                               });
    inlined_left_ = count - 1;
    libbacktrace::visit_functions(
        call_address(frame), this,
        [](void* opaque, const char* function, const char* file, unsigned line) noexcept {
            Walk& walk = *static_cast<Walk*>(opaque);
            if (function == nullptr || walk.is_over_) return;
            walk.shown_.inlined = walk.inlined_left_ != 0;
            const bool is_bare = !view_of(function).starts_with("_Z");
            const bool has_symbol = view_of(walk.symbol_).starts_with("_Z");
            const bool use_symbol = is_bare && has_symbol && !walk.shown_.inlined;
            walk.show(use_symbol ? walk.symbol_ : function, view_of(file), line);
            if (walk.inlined_left_ != 0) --walk.inlined_left_;
        });
    return true;
}

bool Walk::describe_symbol(const TraceFrame& frame) noexcept {
    symbol_ = nullptr;
    libbacktrace::visit_symbol(call_address(frame), this,
                               [](void* walk, const char* symbol, const char*, unsigned) noexcept {
                                   static_cast<Walk*>(walk)->symbol_ = symbol;
                               });
    if (symbol_ == nullptr) return false;
    show(symbol_, {}, 0);
    return true;
}

void Walk::show(std::string_view mangled, std::string_view file, unsigned line) noexcept {
    char* demangled = nullptr;
    std::string_view name = mangled;
    if (mangled.starts_with("_Z")) {
        // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): it comes from C.
        demangled = abi::__cxa_demangle(mangled.data(), nullptr, nullptr, nullptr);
        if (demangled != nullptr) name = readable_name(demangled);
    }
    const bool is_start = is_runtime(module_) && starts_programs(name);
    if (has_visited_ && (is_start || name == "_start")) {
        is_over_ = true;
    } else if (!drops_plumbing_ || !(is_plumbing(name) || forwards_calls(file))) {
        SourceFrame frame = shown_;
        frame.function = name;
        frame.file = paths_.shown(without_directory(file));
        frame.line = line;
        has_visited_ = true;
        is_over_ = !visit_(context_, frame) || (name == "main" && !frame.inlined);
    }
    std::free(demangled);
}

}  // namespace

void visit_frames(StackTrace trace, Names names, void* context,
                  bool (*visit)(void* context, const SourceFrame& frame) noexcept) noexcept {
    const int kept_errno = errno;
    const LookupTurn turn(names != Names::none);
    if (!turn.is_granted()) names = Names::none;
    Walk walk(names, true, context, visit);
    walk.run(trace);
    if (!walk.has_visited()) Walk(names, false, context, visit).run(trace);
    errno = kept_errno;
}

}  // namespace carbide::platform
