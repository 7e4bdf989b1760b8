// SPDX-License-Identifier: MIT
// Preloaded into a program with one thread, writes what it allocates and frees to the file that
// CARBIDE_TRACE_FILE names. traces/README.md describes the file, and how to make one.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>

extern "C" {
void* __libc_malloc(std::size_t size_bytes);
void* __libc_calloc(std::size_t count, std::size_t size_bytes);
void* __libc_realloc(void* memory, std::size_t size_bytes);
void* __libc_memalign(std::size_t alignment, std::size_t size_bytes);
void __libc_free(void* memory);
}

namespace {

// Which allocation lives at an address. Open addressing; what was freed keeps its place, because
// the same addresses come back.
class Addresses {
public:
    std::uint64_t& at(const void* memory) {
        if (entries_ == nullptr) entries_ = map();
        const auto address = reinterpret_cast<std::uintptr_t>(memory);
        std::size_t i = (address >> 4) * 0x9E3779B97F4A7C15U >> (64 - bits);
        while (entries_[i].address != 0 && entries_[i].address != address) {
            i = (i + 1) % entry_count;
        }
        entries_[i].address = address;
        return entries_[i].allocation;
    }

private:
    struct Entry {
        std::uintptr_t address;
        std::uint64_t allocation;  // Counted from 1; 0: none.
    };
    static constexpr unsigned bits = 22;
    static constexpr std::size_t entry_count = std::size_t{1} << bits;

    static Entry* map() {
        void* const memory = mmap(nullptr, entry_count * sizeof(Entry), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) std::abort();
        return static_cast<Entry*>(memory);
    }
    Entry* entries_ = nullptr;
};

class Recorder {
public:
    void allocated(const void* memory, std::size_t size_bytes) {
        const std::lock_guard lock(mutex_);
        if (memory == nullptr || !is_on()) return;
        addresses_.at(memory) = ++allocation_count_;
        put((size_bytes == 0 ? 1 : std::uint64_t{size_bytes}) << 1);
    }
    void freed(const void* memory) {
        const std::lock_guard lock(mutex_);
        if (memory == nullptr || !is_on()) return;
        std::uint64_t& allocation = addresses_.at(memory);
        if (allocation == 0) return;
        put((allocation_count_ - allocation) << 1 | 1);
        allocation = 0;
    }
    void flush() {
        if (file_ >= 0 && write(file_, buffer_, used_) < 0) _exit(3);
        used_ = 0;
    }

private:
    // Programs that the recorded one starts are not recorded, nor is what it does after a fork.
    bool is_on() {
        if (process_ == 0) {
            process_ = getpid();
            if (const char* const path = getenv("CARBIDE_TRACE_FILE"); path != nullptr) {
                file_ = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
            }
        }
        return file_ >= 0 && process_ == getpid();
    }
    void put(std::uint64_t number) {
        if (used_ + 10 > sizeof buffer_) flush();
        for (; number >= 0x80; number >>= 7) {
            buffer_[used_++] = static_cast<unsigned char>(number | 0x80);
        }
        buffer_[used_++] = static_cast<unsigned char>(number);
    }

    std::mutex mutex_;
    Addresses addresses_;
    std::uint64_t allocation_count_ = 0;
    pid_t process_ = 0;
    int file_ = -1;
    std::size_t used_ = 0;
    unsigned char buffer_[std::size_t{64} << 10] = {};
};

constinit Recorder recorder;

[[gnu::destructor]] void flush_at_exit() { recorder.flush(); }

}  // namespace

extern "C" {

void* malloc(std::size_t size_bytes) {
    void* const memory = __libc_malloc(size_bytes);
    recorder.allocated(memory, size_bytes);
    return memory;
}
void* calloc(std::size_t count, std::size_t size_bytes) {
    void* const memory = __libc_calloc(count, size_bytes);
    recorder.allocated(memory, count * size_bytes);
    return memory;
}
void* memalign(std::size_t alignment, std::size_t size_bytes) {
    void* const memory = __libc_memalign(alignment, size_bytes);
    recorder.allocated(memory, size_bytes);
    return memory;
}
void* aligned_alloc(std::size_t alignment, std::size_t size_bytes) {
    return memalign(alignment, size_bytes);
}
int posix_memalign(void** result, std::size_t alignment, std::size_t size_bytes) {
    *result = memalign(alignment, size_bytes);
    return *result == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
    recorder.freed(memory);
    __libc_free(memory);
}

// Recorded as a free and an allocation, whether the block moved or not.
void* realloc(void* memory, std::size_t size_bytes) {
    recorder.freed(memory);
    void* const moved = __libc_realloc(memory, size_bytes);
    recorder.allocated(moved, size_bytes);
    return moved;
}
}
