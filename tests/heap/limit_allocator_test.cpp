// SPDX-License-Identifier: MIT
#include "carbide/limit_allocator.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "support/bump_heap.hpp"
#include "support/child_process.hpp"
#include "support/recording_heap.hpp"

namespace carbide {
namespace {

using Decision = LimitAllocator::Decision;
using Bytes = std::span<std::byte>;

TEST_CASE("limit: what fits exactly is granted, and one byte more is not") {
    LimitAllocator limit({.backing = c_allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    CHECK_FALSE(handle.alloc<std::byte>(101).has_value());
    const auto all = handle.alloc<std::byte>(100);
    REQUIRE(all.has_value());
    CHECK(limit.used_bytes() == 100);
    CHECK(limit.remaining_bytes() == 0);
    CHECK_FALSE(handle.alloc<std::byte>(1).has_value());
    handle.free(*all);
    CHECK(limit.used_bytes() == 0);
    CHECK(limit.remaining_bytes() == 100);
    CHECK(limit.exhausted_count() == 2);
}

TEST_CASE("limit: requests that the backing fails charge nothing") {
    LimitAllocator limit({.backing = null_allocator(), .limit_bytes = 10'000});
    for (int attempt = 0; attempt < 3; ++attempt) {
        CHECK_FALSE(limit.allocator().alloc<std::byte>(1000).has_value());
    }
    CHECK(limit.used_bytes() == 0);
    CHECK(limit.remaining_bytes() == 10'000);
    CHECK(limit.peak_bytes() == 0);
    CHECK(limit.exhausted_count() == 0);
}

TEST_CASE("limit: a request that exceeds the budget never reaches the backing") {
    tests::RecordingHeap backing;
    backing.can_resize = backing.can_remap = true;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 100});
    const Bytes slice = limit.allocator().must_alloc<std::byte>(60);
    CHECK_FALSE(limit.allocator().alloc<std::byte>(41).has_value());
    CHECK_FALSE(limit.allocator().resize(slice, 101));
    CHECK_FALSE(limit.allocator().remap(slice, 101).has_value());
    CHECK(backing.call_count() == 1);
    CHECK(limit.exhausted_count() == 3);
    limit.allocator().free(slice);
}

TEST_CASE("limit: sizes near the end of the address space do not wrap") {
    LimitAllocator limit({.backing = null_allocator(), .limit_bytes = 100});
    LimitAllocator unlimited({.backing = limit.allocator()});
    tests::RecordingHeap backing;
    LimitAllocator used({.backing = backing.allocator(), .limit_bytes = 100});
    const Bytes slice = used.allocator().must_alloc<std::byte>(50);
    CHECK(used.allocator().raw_alloc(SIZE_MAX, std::align_val_t{1}) == nullptr);
    CHECK(used.allocator().raw_alloc(SIZE_MAX - 49, std::align_val_t{1}) == nullptr);
    CHECK_FALSE(used.allocator().resize(slice, SIZE_MAX));
    CHECK(used.used_bytes() == 50);
    CHECK(backing.call_count() == 1);
    used.allocator().free(slice);

    CHECK(unlimited.allocator().raw_alloc(SIZE_MAX, std::align_val_t{1}) == nullptr);
    CHECK(unlimited.used_bytes() == 0);
    CHECK(limit.exhausted_count() == 1);
}

TEST_CASE("limit: a resize charges the difference") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    Bytes slice = handle.must_alloc<std::byte>(60);
    REQUIRE(handle.resize(slice, 100));
    CHECK(limit.used_bytes() == 100);
    slice = {slice.data(), 100};
    REQUIRE(handle.resize(slice, 10));
    CHECK(limit.used_bytes() == 10);
    slice = {slice.data(), 10};
    REQUIRE(handle.resize(slice, 0));
    CHECK(limit.used_bytes() == 0);
    CHECK(limit.peak_bytes() == 100);
    CHECK(backing.live.empty());
}

TEST_CASE("limit: a remap charges the difference") {
    tests::RecordingHeap backing;
    backing.can_remap = true;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    const auto grown = handle.remap(handle.must_alloc<std::byte>(60), 100);
    REQUIRE(grown.has_value());
    CHECK(limit.used_bytes() == 100);
    const auto shrunk = handle.remap(*grown, 10);
    REQUIRE(shrunk.has_value());
    CHECK(limit.used_bytes() == 10);
    handle.free(*shrunk);
    CHECK(limit.used_bytes() == 0);
}

TEST_CASE("limit: a resize or remap that the backing refuses changes nothing") {
    tests::RecordingHeap backing;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(60);
    for (const std::size_t new_bytes : {10u, 80u}) {
        CHECK_FALSE(handle.resize(slice, new_bytes));
        CHECK_FALSE(handle.remap(slice, new_bytes).has_value());
        CHECK(limit.used_bytes() == 60);
    }
    CHECK(limit.peak_bytes() == 60);
    CHECK(limit.exhausted_count() == 0);
    handle.free(slice);
}

TEST_CASE("limit: a realloc that copies needs room for both, and fails cleanly without") {
    tests::RecordingHeap backing;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    const Bytes slice = handle.must_alloc<std::byte>(40);
    slice[0] = std::byte{7};
    CHECK_FALSE(handle.realloc(slice, 61).has_value());
    CHECK(limit.used_bytes() == 40);
    CHECK(slice[0] == std::byte{7});
    const auto grown = handle.realloc(slice, 60);
    REQUIRE(grown.has_value());
    CHECK(limit.used_bytes() == 60);
    CHECK(limit.peak_bytes() == 100);
    handle.free(*grown);
}

TEST_CASE("limit: peak is the most that was in use, not the most that was asked for") {
    LimitAllocator limit({.backing = c_allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    const Bytes first = handle.must_alloc<std::byte>(30);
    const Bytes second = handle.must_alloc<std::byte>(40);
    handle.free(first);
    CHECK_FALSE(handle.alloc<std::byte>(90).has_value());
    const Bytes third = handle.must_alloc<std::byte>(20);
    CHECK(limit.peak_bytes() == 70);
    handle.free(second);
    handle.free(third);
}

TEST_CASE("limit: set below what is in use, only new requests fail") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 100});
    const Allocator handle = limit.allocator();
    Bytes slice = handle.must_alloc<std::byte>(80);
    limit.set_limit_bytes(50);
    CHECK(limit.limit_bytes() == 50);
    CHECK(limit.used_bytes() == 80);
    CHECK(limit.remaining_bytes() == 0);
    CHECK_FALSE(handle.alloc<std::byte>(1).has_value());
    CHECK_FALSE(handle.resize(slice, 81));
    REQUIRE(handle.resize(slice, 49));
    slice = {slice.data(), 49};
    CHECK(limit.remaining_bytes() == 1);
    handle.free(slice);

    limit.set_limit_bytes(200);
    const auto larger = handle.alloc<std::byte>(200);
    REQUIRE(larger.has_value());
    handle.free(*larger);
}

TEST_CASE("limit: budgets nest, and the tighter one decides") {
    LimitAllocator server({.backing = c_allocator(), .limit_bytes = 100, .name = "server"});
    LimitAllocator one({.backing = server.allocator(), .limit_bytes = 70, .name = "request one"});
    LimitAllocator two({.backing = server.allocator(), .limit_bytes = 70, .name = "request two"});

    const Bytes first = one.allocator().must_alloc<std::byte>(60);
    CHECK(server.used_bytes() == 60);
    CHECK_FALSE(one.allocator().alloc<std::byte>(11).has_value());
    CHECK(one.exhausted_count() == 1);
    CHECK(server.exhausted_count() == 0);

    // Within the request's own budget, but not within the server's.
    CHECK_FALSE(two.allocator().alloc<std::byte>(41).has_value());
    CHECK(two.exhausted_count() == 0);
    CHECK(two.used_bytes() == 0);
    CHECK(server.exhausted_count() == 1);
    CHECK(server.used_bytes() == 60);

    const Bytes second = two.allocator().must_alloc<std::byte>(40);
    CHECK(server.remaining_bytes() == 0);
    one.allocator().free(first);
    CHECK(server.used_bytes() == 40);
    two.allocator().free(second);
    CHECK(server.used_bytes() == 0);
}

// A cache that gives way when a budget is exhausted.
struct Cache {
    std::vector<Bytes> entries;
    std::vector<std::size_t> asked_bytes;

    static Decision give_way(void* context, LimitAllocator& limit,
                             std::size_t needed_bytes) noexcept {
        auto& cache = *static_cast<Cache*>(context);
        cache.asked_bytes.push_back(needed_bytes);
        if (cache.entries.empty()) return Decision::fail;
        limit.allocator().free(cache.entries.back());
        cache.entries.pop_back();
        return Decision::retry;
    }
};

TEST_CASE("limit: the callback is asked until there is room") {
    Cache cache;
    LimitAllocator limit({.backing = c_allocator(),
                          .limit_bytes = 100,
                          .on_exhausted = &Cache::give_way,
                          .on_exhausted_context = &cache});
    const Allocator handle = limit.allocator();
    for (int entry = 0; entry < 4; ++entry) {
        cache.entries.push_back(handle.must_alloc<std::byte>(25));
    }
    CHECK(cache.asked_bytes.empty());

    const auto slice = handle.alloc<std::byte>(50);
    REQUIRE(slice.has_value());
    CHECK(cache.asked_bytes == std::vector<std::size_t>{50, 50});
    CHECK(cache.entries.size() == 2);
    CHECK(limit.used_bytes() == 100);
    CHECK(limit.exhausted_count() == 0);

    cache.asked_bytes.clear();
    CHECK_FALSE(handle.alloc<std::byte>(51).has_value());
    CHECK(cache.asked_bytes == std::vector<std::size_t>{51, 51, 51});
    CHECK(limit.used_bytes() == 50);
    CHECK(limit.exhausted_count() == 1);
    handle.free(*slice);
}

TEST_CASE("limit: the callback of a resize is told the difference") {
    tests::RecordingHeap backing;
    backing.can_resize = true;
    Cache cache;
    LimitAllocator limit({.backing = backing.allocator(),
                          .limit_bytes = 100,
                          .on_exhausted = &Cache::give_way,
                          .on_exhausted_context = &cache});
    const Allocator handle = limit.allocator();
    cache.entries.push_back(handle.must_alloc<std::byte>(50));
    Bytes slice = handle.must_alloc<std::byte>(50);
    REQUIRE(handle.resize(slice, 80));
    slice = {slice.data(), 80};
    CHECK(cache.asked_bytes == std::vector<std::size_t>{30});
    CHECK(limit.used_bytes() == 80);
    handle.free(slice);
}

TEST_CASE("limit: the callback may raise the limit") {
    LimitAllocator limit(
        {.backing = c_allocator(),
         .limit_bytes = 10,
         .on_exhausted = [](void*, LimitAllocator& self, std::size_t needed_bytes) noexcept {
             self.set_limit_bytes(self.used_bytes() + needed_bytes);
             return Decision::retry;
         }});
    const auto slice = limit.allocator().alloc<std::byte>(1000);
    REQUIRE(slice.has_value());
    CHECK(limit.limit_bytes() == 1000);
    limit.allocator().free(*slice);
}

TEST_CASE("limit: the callback is not asked where the backing fails") {
    Cache cache;
    LimitAllocator limit({.backing = null_allocator(),
                          .limit_bytes = 100,
                          .on_exhausted = &Cache::give_way,
                          .on_exhausted_context = &cache});
    CHECK_FALSE(limit.allocator().alloc<std::byte>(50).has_value());
    CHECK(cache.asked_bytes.empty());
}

TEST_CASE("limit: alignments reach the backing unchanged and cost nothing of the budget") {
    tests::RecordingHeap backing;
    LimitAllocator limit({.backing = backing.allocator(), .limit_bytes = 24});
    for (std::size_t alignment_bytes = 1; alignment_bytes <= 65536; alignment_bytes *= 2) {
        const std::align_val_t alignment{alignment_bytes};
        void* const memory = limit.allocator().raw_alloc(24, alignment);
        REQUIRE(memory != nullptr);
        CHECK(backing.newest == tests::RecordingHeap::Lent{24, alignment_bytes});
        limit.allocator().raw_free(memory, 24, alignment);
    }
    CHECK(backing.mistake.empty());
    CHECK(backing.live.empty());
    CHECK(limit.used_bytes() == 0);
}

TEST_CASE("limit: more bytes freed than lent stop the program") {
    const Bytes foreign = c_allocator().must_alloc<std::byte>(100);
    LimitAllocator limit({.backing = c_allocator(), .limit_bytes = 1000});
    const auto result = tests::run_in_child([&] { limit.allocator().free(foreign); });
    CHECK(result.trapped());
    CHECK(result.wrote("more bytes were freed through a LimitAllocator than it had lent out"));
    c_allocator().free(foreign);
}

TEST_CASE("limit: its name is the one in the options") {
    LimitAllocator plain({.backing = c_allocator()});
    LimitAllocator named({.backing = c_allocator(), .name = "per request"});
    CHECK(std::string_view(plain.name()) == "limit");
    CHECK(std::string_view(named.name()) == "per request");
    CHECK(plain.limit_bytes() == SIZE_MAX);
}

// Knows how much is lent out at any moment, and the most it ever was. For any number of threads.
class GaugedHeap : public HeapOperations<GaugedHeap> {
public:
    GaugedHeap() noexcept : HeapOperations("gauged", Sharing::shared) {}

    const LimitAllocator* watched = nullptr;
    std::atomic<std::size_t> used_bytes_at_free = 0;
    std::atomic<std::size_t> lent_bytes = 0;
    std::atomic<std::size_t> lent_bytes_max = 0;

private:
    friend HeapOperations;

    static void* slow_alloc(Heap& heap, std::size_t size_bytes,
                            std::align_val_t alignment) noexcept {
        GaugedHeap& gauged = self(heap);
        const std::size_t lent = gauged.lent_bytes.fetch_add(size_bytes) + size_bytes;
        std::size_t most = gauged.lent_bytes_max.load();
        while (most < lent && !gauged.lent_bytes_max.compare_exchange_weak(most, lent)) {
        }
        return c_allocator().raw_alloc(size_bytes, alignment);
    }
    static bool slow_resize(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return false;
    }
    static void* slow_remap(Heap&, void*, std::size_t, std::size_t, std::align_val_t) noexcept {
        return nullptr;
    }
    static void slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                          std::align_val_t alignment) noexcept {
        GaugedHeap& gauged = self(heap);
        c_allocator().raw_free(memory, size_bytes, alignment);
        gauged.used_bytes_at_free = gauged.watched->used_bytes();
        gauged.lent_bytes.fetch_sub(size_bytes);
    }
};
TEST_CASE("limit: freed bytes are granted again only when the backing has them back") {
    GaugedHeap gauged;
    LimitAllocator limit({.backing = gauged.allocator(), .limit_bytes = 1000});
    gauged.watched = &limit;
    limit.allocator().free(limit.allocator().must_alloc<std::byte>(600));
    CHECK(gauged.used_bytes_at_free == 600);
    CHECK(limit.used_bytes() == 0);
}

// Where threads wait for each other by looking, so that they go on within a few nanoseconds.
class Rendezvous {
public:
    explicit Rendezvous(std::size_t thread_count) noexcept : thread_count_(thread_count) {}

    void wait() noexcept {
        const std::size_t all = (arrivals_.fetch_add(1) / thread_count_ + 1) * thread_count_;
        for (int looks = 0; arrivals_.load() < all; ++looks) {
            if (looks > 10'000) std::this_thread::yield();  // The other one waits for a processor.
        }
    }

private:
    std::size_t thread_count_;
    std::atomic<std::size_t> arrivals_ = 0;
};

TEST_CASE("limit: of many threads that ask at once for all there is, one gets it") {
    constexpr std::size_t thread_count = 2;
    constexpr std::size_t round_count = 20'000;
    GaugedHeap gauged;
    LimitAllocator limit({.backing = gauged.allocator(), .limit_bytes = 100});
    gauged.watched = &limit;
    std::atomic<std::size_t> granted = 0;
    Rendezvous rendezvous(thread_count);
    {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < thread_count; ++thread) {
            threads.emplace_back([&] {
                for (std::size_t round = 0; round < round_count; ++round) {
                    rendezvous.wait();
                    const auto slice = limit.allocator().alloc<std::byte>(100);
                    if (slice.has_value()) ++granted;
                    rendezvous.wait();
                    limit.allocator().free(slice.value_or(Bytes()));
                }
            });
        }
    }
    CHECK(granted == round_count);
    CHECK(gauged.lent_bytes == 0);
    CHECK(gauged.lent_bytes_max == 100);
    CHECK(limit.peak_bytes() == 100);
    CHECK(limit.used_bytes() == 0);
    CHECK(limit.exhausted_count() == round_count * (thread_count - 1));
}

#if CARBIDE_CHECKED
TEST_CASE("limit: a second thread on a single-owner backing is found through it") {
    const auto result = tests::run_in_child([] {
        tests::BumpHeap<4096> bump("the bump heap");
        LimitAllocator limit({.backing = bump.allocator(), .limit_bytes = 1000});
        static_cast<void>(limit.allocator().must_alloc<int>(1));
        std::thread([&] { static_cast<void>(limit.allocator().must_alloc<int>(1)); }).join();
    });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: the allocator 'the bump heap' belongs to thread "));
}
#endif

}  // namespace
}  // namespace carbide
