// SPDX-License-Identifier: MIT
#include "carbide/bump_window.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "carbide/allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "support/bump_heap.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

using carbide::Allocator;
using carbide::BumpWindow;
using carbide::tests::BumpHeap;
using carbide::tests::RecordingHeap;

namespace {

constexpr std::align_val_t unaligned{1};

struct Lent {
    std::byte* memory;
    std::size_t size_bytes;
    std::align_val_t alignment;
    unsigned char content;

    void fill() const {
        if (size_bytes != 0) std::memset(memory, content, size_bytes);
    }
    [[nodiscard]] bool is_intact() const {
        return std::all_of(memory, memory + size_bytes,
                           [&](std::byte byte) { return byte == std::byte{content}; });
    }
};

// Random requests, whose seed a failing check shows.
class Requests {
public:
    explicit Requests(unsigned seed) : engine_(seed) {}

    std::size_t below(std::size_t limit) { return engine_() % limit; }
    std::align_val_t alignment() { return std::align_val_t{std::size_t{1} << below(13)}; }
    unsigned char content() { return static_cast<unsigned char>(engine_()); }

private:
    std::mt19937 engine_;
};

Lent lend(Allocator allocator, Requests& requests, std::size_t size_bytes_max) {
    Lent lent{nullptr, requests.below(size_bytes_max) + 1, requests.alignment(),
              requests.content()};
    lent.memory = static_cast<std::byte*>(allocator.raw_alloc(lent.size_bytes, lent.alignment));
    if (lent.memory != nullptr) lent.fill();
    return lent;
}

bool is_aligned(const void* memory, std::align_val_t alignment) {
    return reinterpret_cast<std::uintptr_t>(memory) % static_cast<std::size_t>(alignment) == 0;
}

}  // namespace

TEST_CASE("bump window: freeing newest first gives padding back, too") {
    // The case in which Zig 0.15's FixedBufferAllocator keeps 16 bytes.
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    void* const one = allocator.raw_alloc(1, unaligned);
    void* const sixteen = allocator.raw_alloc(16, std::align_val_t{16});
    CHECK(sixteen == heap.buffer() + 16);
    allocator.raw_free(sixteen, 16, std::align_val_t{16});
    CHECK(heap.used_bytes() == 8);
    allocator.raw_free(one, 1, unaligned);
    CHECK(heap.used_bytes() == 0);
}

TEST_CASE("bump window: padding of every size is given back") {
    BumpHeap<32768> heap;
    const Allocator allocator = heap.allocator();
    for (std::size_t granules = 0; granules < 512; ++granules) {
        CAPTURE(granules);
        const std::size_t front_bytes = granules * 8;
        void* const front = allocator.raw_alloc(front_bytes, unaligned);
        void* const padded = allocator.raw_alloc(8, std::align_val_t{4096});
        CHECK(is_aligned(padded, std::align_val_t{4096}));
        allocator.raw_free(padded, 8, std::align_val_t{4096});
        CHECK(heap.used_bytes() == front_bytes);
        allocator.raw_free(front, front_bytes, unaligned);
        REQUIRE(heap.used_bytes() == 0);
    }
}

TEST_CASE("bump window: any depth of random allocations freed newest first returns to the start") {
    for (unsigned seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        Requests requests(seed);
        BumpHeap<262144> heap;
        const Allocator allocator = heap.allocator();
        std::vector<Lent> lent;
        std::vector<std::size_t> used_before;
        for (int step = 0; step < 400; ++step) {
            const bool grows = lent.empty() || requests.below(5) < 3;
            if (grows) {
                used_before.push_back(heap.used_bytes());
                lent.push_back(lend(allocator, requests, 300));
                REQUIRE(lent.back().memory != nullptr);
                CHECK(is_aligned(lent.back().memory, lent.back().alignment));
            } else {
                CHECK(lent.back().is_intact());
                allocator.raw_free(lent.back().memory, lent.back().size_bytes,
                                   lent.back().alignment);
                CHECK(heap.used_bytes() == used_before.back());
                lent.pop_back();
                used_before.pop_back();
            }
        }
        while (!lent.empty()) {
            CHECK(lent.back().is_intact());
            allocator.raw_free(lent.back().memory, lent.back().size_bytes, lent.back().alignment);
            lent.pop_back();
        }
        REQUIRE(heap.used_bytes() == 0);
    }
}

TEST_CASE("bump window: random operations never overlap, never lose content, never leave it") {
    for (unsigned seed = 1; seed <= 40; ++seed) {
        CAPTURE(seed);
        Requests requests(seed);
        BumpHeap<65536> heap;
        const Allocator allocator = heap.allocator();
        std::map<std::byte*, Lent> live;  // By address: neighbours are neighbours.
        for (int step = 0; step < 600; ++step) {
            const std::size_t what = requests.below(4);
            if (what < 2 || live.empty()) {
                const std::size_t used_before = heap.used_bytes();
                const Lent lent = lend(allocator, requests, 700);
                if (lent.memory == nullptr) {
                    CHECK(heap.used_bytes() == used_before);
                    continue;
                }
                CHECK(is_aligned(lent.memory, lent.alignment));
                CHECK(lent.memory >= heap.buffer());
                CHECK(lent.memory + lent.size_bytes <= heap.buffer() + 65536);
                const auto above = live.lower_bound(lent.memory);
                if (above != live.end()) CHECK(lent.memory + lent.size_bytes <= above->first);
                if (above != live.begin()) {
                    const Lent& below = std::prev(above)->second;
                    CHECK(below.memory + below.size_bytes <= lent.memory);
                }
                live[lent.memory] = lent;
                continue;
            }
            auto chosen =
                std::next(live.begin(), static_cast<std::ptrdiff_t>(requests.below(live.size())));
            Lent& lent = chosen->second;
            REQUIRE(lent.is_intact());
            if (what == 2) {
                allocator.raw_free(lent.memory, lent.size_bytes, lent.alignment);
                live.erase(chosen);
                continue;
            }
            const std::size_t new_bytes = requests.below(900) + 1;
            const bool resized =
                allocator.raw_resize(lent.memory, lent.size_bytes, new_bytes, lent.alignment);
            if (!resized) {
                CHECK(new_bytes > lent.size_bytes);
                continue;
            }
            const std::size_t kept_bytes = std::min(lent.size_bytes, new_bytes);
            lent.size_bytes = kept_bytes;
            CHECK(lent.is_intact());
            lent.size_bytes = new_bytes;
            lent.fill();
            const auto above = std::next(chosen);
            if (above != live.end()) CHECK(lent.memory + new_bytes <= above->first);
        }
        for (const auto& [memory, lent] : live) CHECK(lent.is_intact());
    }
}

TEST_CASE("bump window: a free out of order keeps its bytes, and the ones above stay valid") {
    BumpHeap<256> heap;
    const Allocator allocator = heap.allocator();
    void* const older = allocator.raw_alloc(16, unaligned);
    auto* const newest = static_cast<std::byte*>(allocator.raw_alloc(16, unaligned));
    newest[0] = std::byte{7};
    allocator.raw_free(older, 16, unaligned);
    CHECK(heap.used_bytes() == 32);
    CHECK(newest[0] == std::byte{7});
    allocator.raw_free(newest, 16, unaligned);
    CHECK(heap.used_bytes() == 16);
}

TEST_CASE("bump window: the newest allocation grows to the limit, any within its granule") {
    BumpHeap<64> heap;
    BumpWindow& window = heap.window();
    void* const older = window.alloc(9, unaligned);
    void* const newest = window.alloc(8, unaligned);
    CHECK(window.resize(older, 9, 16));
    CHECK_FALSE(window.resize(older, 16, 17));
    CHECK(window.resize(newest, 8, 48));
    CHECK(heap.free_bytes() == 0);
    CHECK_FALSE(window.resize(newest, 48, 49));
    CHECK_FALSE(window.resize(newest, 48, SIZE_MAX));
    CHECK_FALSE(window.resize(newest, 48, SIZE_MAX - 7));
    CHECK(heap.free_bytes() == 0);
    CHECK(window.resize(newest, 48, 1));
    CHECK(heap.used_bytes() == 24);
    window.free(newest, 1);
    window.free(older, 16);
    CHECK(heap.used_bytes() == 0);
}

TEST_CASE("bump window: no request wraps, neither by its size nor by its padding") {
    BumpHeap<256> heap;
    BumpWindow& window = heap.window();
    REQUIRE(window.alloc(8, unaligned) != nullptr);
    for (const std::size_t size_bytes :
         {SIZE_MAX, SIZE_MAX - 7, SIZE_MAX - 8, SIZE_MAX - 255, SIZE_MAX / 2, std::size_t{249}}) {
        for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
            CAPTURE(size_bytes);
            CAPTURE(alignment_bytes);
            CHECK(window.alloc(size_bytes, std::align_val_t{alignment_bytes}) == nullptr);
        }
    }
    // A padding that leaves room for nothing, and one that leads beyond the end.
    CHECK(window.alloc(1, std::align_val_t{8192}) == nullptr);
    CHECK(window.alloc(129, std::align_val_t{128}) == nullptr);
    CHECK(window.alloc(1, std::align_val_t{std::size_t{1} << 63}) == nullptr);
    CHECK(heap.used_bytes() == 8);
    CHECK(window.alloc(128, std::align_val_t{128}) != nullptr);
}

#if !CARBIDE_ASAN
TEST_CASE("bump window: a window at the end of the address space does not wrap either") {
    RecordingHeap header;
    BumpWindow window(header.allocator().heap());
    constexpr std::uintptr_t limit = UINTPTR_MAX - 7;
    window.open(limit - 64, limit);  // Never dereferenced: nothing here needs padding.
    CHECK(window.alloc(65, unaligned) == nullptr);
    CHECK(window.alloc(SIZE_MAX, unaligned) == nullptr);
    CHECK(window.alloc(1, std::align_val_t{4096}) == nullptr);
    CHECK(window.alloc(64, unaligned) == reinterpret_cast<void*>(limit - 64));
    CHECK(window.alloc(1, unaligned) == nullptr);
    CHECK(window.cursor() == limit);
    window.open(0, 0);
}
#endif

TEST_CASE("bump window: going back to a position frees everything newer at once") {
    BumpHeap<8192> heap;
    BumpWindow& window = heap.window();
    const Allocator allocator = heap.allocator();
    void* const kept = allocator.raw_alloc(1, unaligned);
    void* const padded = allocator.raw_alloc(8, std::align_val_t{64});
    const BumpWindow::Position position = window.position();
    const std::size_t used_bytes = heap.used_bytes();
    static_cast<void>(allocator.raw_alloc(100, std::align_val_t{256}));
    static_cast<void>(allocator.raw_alloc(100, std::align_val_t{1024}));

    window.reopen(position, window.limit());
    CHECK(heap.used_bytes() == used_bytes);
    // The links below still lead back to the start.
    allocator.raw_free(padded, 8, std::align_val_t{64});
    allocator.raw_free(kept, 1, unaligned);
    CHECK(heap.used_bytes() == 0);
}

TEST_CASE("bump window: a lower limit is the end of what is lent") {
    BumpHeap<256> heap;
    BumpWindow& window = heap.window();
    const std::uintptr_t whole = window.limit();
    window.set_limit(whole - 128);
    CHECK(heap.allocator().raw_alloc(129, unaligned) == nullptr);
    void* const half = heap.allocator().raw_alloc(128, unaligned);
    CHECK(half != nullptr);
    CHECK(heap.allocator().raw_alloc(1, unaligned) == nullptr);
    window.set_limit(whole);
    CHECK(heap.allocator().raw_alloc(128, unaligned) != nullptr);
}

TEST_CASE("bump window: padding that was overwritten is noticed when it is given back") {
    const auto result = carbide::tests::run_in_child([] {
        BumpHeap<256> heap;
        const Allocator allocator = heap.allocator();
        static_cast<void>(allocator.raw_alloc(1, unaligned));
        auto* const padded = static_cast<std::byte*>(allocator.raw_alloc(8, std::align_val_t{64}));
        carbide::mark_defined(padded - 8, 8);
        std::memset(padded - 8, 0xFF, 8);
        allocator.raw_free(padded, 8, std::align_val_t{64});
    });
    CHECK(result.trapped());
    CHECK(result.wrote("the padding below an allocation was overwritten"));
}

TEST_CASE("bump window: threads that share it get bytes of their own, up to the last") {
    BumpHeap<65536> heap;
    BumpWindow& window = heap.window();
    constexpr std::size_t thread_count = 4;
    std::vector<std::vector<std::byte*>> taken(thread_count);
    {
        std::vector<std::jthread> threads;
        threads.reserve(thread_count);
        for (std::vector<std::byte*>& mine : taken) {
            threads.emplace_back([&mine, &window] {
                while (void* const memory = window.alloc_shared(13, std::align_val_t{16})) {
                    mine.push_back(static_cast<std::byte*>(memory));
                    std::memset(memory, 0x77, 13);
                }
            });
        }
    }
    std::vector<std::byte*> all;
    for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
    std::ranges::sort(all);
    REQUIRE(all.size() == 65536 / 16);
    for (std::size_t index = 0; index < all.size(); ++index) {
        REQUIRE(all[index] == heap.buffer() + 16 * index);
    }
}

TEST_CASE("bump window: a shared window says no rather than wrap") {
    BumpHeap<256> heap;
    BumpWindow& window = heap.window();
    CHECK(window.alloc_shared(257, unaligned) == nullptr);
    CHECK(window.alloc_shared(SIZE_MAX, unaligned) == nullptr);
    CHECK(window.alloc_shared(SIZE_MAX - 7, std::align_val_t{4096}) == nullptr);
    CHECK(window.alloc_shared(256, unaligned) != nullptr);
    CHECK(window.alloc_shared(1, unaligned) == nullptr);
}
