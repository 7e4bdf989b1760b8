// SPDX-License-Identifier: MIT
// Ends with status 0 where every object had memory whenever it wanted some. The last object to be
// destroyed says so.
#include <cstdio>
#include <cstdlib>
#include <span>
#include <thread>

#include "carbide/thread_caching_allocator.hpp"

namespace {

using carbide::Allocator;

Allocator allocator() { return carbide::thread_caching_allocator().allocator(); }

int destroyed_count = 0;

// Allocates when it comes and when it goes, and then frees what it has had meanwhile.
class Keeper {
public:
    explicit Keeper(std::size_t size_bytes) : bytes_(allocator().must_alloc<char>(size_bytes)) {
        bytes_.front() = bytes_.back() = 'k';
    }
    ~Keeper() {
        if (bytes_.front() != 'k' || bytes_.back() != 'k') std::abort();
        const std::span<char> late = allocator().must_alloc<char>(bytes_.size() / 2 + 10);
        late.front() = 'l';
        allocator().free(bytes_);
        allocator().free(late);
        ++destroyed_count;
    }
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

private:
    std::span<char> bytes_;
};

constexpr int thread_count = 20;
constexpr int object_count = 2 + 2 * thread_count;

// Destroyed after everything that is built later.
struct Last {
    ~Last() {
        const bool is_right = destroyed_count == object_count &&
                              carbide::thread_caching_allocator().is_valid() &&
                              carbide::thread_caching_allocator().statistics().lent_bytes == 0;
        if (!is_right) {
            std::fprintf(stderr, "%d of %d objects were destroyed\n", destroyed_count,
                         object_count);
            std::_Exit(1);
        }
    }
} last;

Keeper small(100);
Keeper huge(std::size_t{3} << 20);

thread_local Keeper of_thread(2000);
thread_local Keeper large_of_thread(200'000);

}  // namespace

int main() {
    for (int i = 0; i < thread_count; ++i) {
        std::thread([] {
            // Named, and so built for this thread.
            static_cast<void>(&of_thread);
            static_cast<void>(&large_of_thread);
            allocator().free(allocator().must_alloc<char>(50));
        }).join();
    }
    return 0;
}
