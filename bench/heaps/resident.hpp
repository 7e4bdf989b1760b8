// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <span>

namespace bench::heaps {

/// Bytes of this process that are in memory now, and the most that ever were. Allocates nothing.
[[nodiscard]] std::size_t resident_bytes();
[[nodiscard]] std::size_t resident_bytes_max();

/// A zeroed table straight from the system, so that the benchmark's own tables are nothing that
/// the allocator under test has to find a place for.
template <class T>
class Table {
public:
    explicit Table(std::size_t count) : entries_(map(count), count) {}
    ~Table() { release(); }
    Table(Table&& other) noexcept : entries_(other.entries_) { other.entries_ = {}; }
    Table& operator=(Table&&) = delete;

    [[nodiscard]] std::span<T> entries() const { return entries_; }

    void release() {
        if (!entries_.empty()) munmap(entries_.data(), entries_.size_bytes());
        entries_ = {};
    }

private:
    static T* map(std::size_t count) {
        void* const memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED) std::abort();
        return static_cast<T*>(memory);
    }

    std::span<T> entries_;
};

}  // namespace bench::heaps
