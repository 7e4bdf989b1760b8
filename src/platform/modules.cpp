// SPDX-License-Identifier: MIT
#include "platform/modules.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

#include "platform/eh_frame.hpp"
#include "platform/owner_lock.hpp"
#include "platform/permanent_memory.hpp"

namespace carbide::platform {

constinit std::atomic<std::uint32_t> detail::module_generation = 0;

namespace {

constexpr std::size_t module_count_max = 4096;
constexpr std::size_t path_bytes_max = 4096;
static_assert(module_count_max - 1 <= std::numeric_limits<decltype(Module::index)>::max());

// Slot 0 stays null. Slots below the count are never changed again.
constinit std::atomic<Module*> modules[module_count_max] = {};
constinit std::atomic<unsigned> module_count = 1;

// For changes of everything here.
constinit OwnerLock lock;
constinit PermanentMemory memory;

#ifdef DLFO_EH_SEGMENT_TYPE  // glibc 2.35 and later.

bool find_object(std::uintptr_t address, dl_find_object& object) noexcept {
    return _dl_find_object(reinterpret_cast<void*>(address), &object) == 0;
}

// The linker's name of the main program is empty, and that of a library may be relative.
std::size_t write_path(const char* name, char (&path)[path_bytes_max]) noexcept {
    if (name[0] == '\0') {
        const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
        return size < 0 ? 0 : static_cast<std::size_t>(size);
    }
    std::size_t size = 0;
    const std::string_view relative(name);
    if (relative.front() != '/' && relative.contains('/') && getcwd(path, sizeof path) != nullptr) {
        size = std::strlen(path);
        path[size++] = '/';
    }
    const std::size_t name_bytes = std::min(relative.size(), sizeof path - size);
    std::memcpy(path + size, name, name_bytes);
    return size + name_bytes;
}

const char* copy_path(const char* name) noexcept {
    static char path[path_bytes_max];  // Under the lock, and too large for some stacks.
    const std::size_t size = write_path(name, path);
    auto* const copy = static_cast<char*>(memory.alloc(size + 1));
    if (copy != nullptr) std::memcpy(copy, path, size);
    return copy;
}

bool overlaps(const Module& module, const dl_find_object& object) noexcept {
    return module.begin < reinterpret_cast<std::uintptr_t>(object.dlfo_map_end) &&
           reinterpret_cast<std::uintptr_t>(object.dlfo_map_start) < module.end;
}

// Whether the path that was recorded ends in the linker's name, which a relative one does.
bool has_name(const Module& module, std::string_view name) noexcept {
    const std::string_view path(module.path);
    return name.empty() || (path.ends_with(name.starts_with("./") ? name.substr(1) : name));
}

bool is_record_of(const Module& module, const dl_find_object& object,
                  std::uint64_t fingerprint) noexcept {
    return module.begin == reinterpret_cast<std::uintptr_t>(object.dlfo_map_start) &&
           module.end == reinterpret_cast<std::uintptr_t>(object.dlfo_map_end) &&
           module.load_bias == object.dlfo_link_map->l_addr && module.fingerprint == fingerprint &&
           has_name(module, object.dlfo_link_map->l_name);
}

const Module* find_record(const dl_find_object& object, std::uint64_t fingerprint) noexcept {
    for (unsigned i = module_count.load(std::memory_order_acquire); --i > 0;) {
        const Module* const module = modules[i].load(std::memory_order_relaxed);
        if (is_record_of(*module, object, fingerprint)) return module;
    }
    return nullptr;
}

const Module* add_record(const dl_find_object& object, std::uint64_t fingerprint) noexcept {
    const unsigned index = module_count.load(std::memory_order_relaxed);
    if (index == module_count_max) return nullptr;
    const char* const path = copy_path(object.dlfo_link_map->l_name);
    void* const place = path == nullptr ? nullptr : memory.alloc(sizeof(Module));
    if (place == nullptr) return nullptr;
    auto* const module =
        ::new (place) Module{.begin = reinterpret_cast<std::uintptr_t>(object.dlfo_map_start),
                             .end = reinterpret_cast<std::uintptr_t>(object.dlfo_map_end),
                             .load_bias = object.dlfo_link_map->l_addr,
                             .path = path,
                             .fingerprint = fingerprint,
                             .index = static_cast<std::uint16_t>(index),
                             .is_loaded = false};
    modules[index].store(module, std::memory_order_relaxed);
    module_count.store(index + 1, std::memory_order_release);
    return module;
}

// What was there before has been unloaded.
void mark_loaded(const Module& module, const dl_find_object& object) noexcept {
    bool replaces = false;
    for (unsigned i = module_count.load(std::memory_order_relaxed); --i > 0;) {
        const Module& other = *modules[i].load(std::memory_order_relaxed);
        if (&other == &module || !overlaps(other, object)) continue;
        replaces |= other.is_loaded.exchange(false, std::memory_order_relaxed);
    }
    module.is_loaded.store(true, std::memory_order_relaxed);
    if (replaces) detail::module_generation.fetch_add(1, std::memory_order_seq_cst);
}

const Module* record_of(const dl_find_object& object) noexcept {
    const std::uint64_t fingerprint = eh_frame_fingerprint(object.dlfo_eh_frame);
    const Module* module = find_record(object, fingerprint);
    if (module != nullptr && module->is_loaded.load(std::memory_order_relaxed)) return module;

    if (!lock.lock()) return nullptr;
    module = find_record(object, fingerprint);
    if (module == nullptr) module = add_record(object, fingerprint);
    if (module != nullptr && !module->is_loaded.load(std::memory_order_relaxed)) {
        mark_loaded(*module, object);
    }
    lock.unlock();
    return module;
}

#endif

}  // namespace

#ifdef DLFO_EH_SEGMENT_TYPE

LoadedCode loaded_code_at(std::uintptr_t address) noexcept {
    dl_find_object object;
    if (!find_object(address, object)) return {nullptr, nullptr};
    return {record_of(object), object.dlfo_eh_frame};
}

#else

LoadedCode loaded_code_at(std::uintptr_t) noexcept { return {nullptr, nullptr}; }

#endif

const Module* module_with_index(unsigned index) noexcept {
    return modules[index].load(std::memory_order_acquire);
}

}  // namespace carbide::platform
