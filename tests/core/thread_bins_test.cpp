// SPDX-License-Identifier: MIT
#include "carbide/thread_bins.hpp"

#include <doctest/doctest.h>

#include <array>

#include "carbide/thread_caching_allocator.hpp"

namespace carbide {
namespace {

using detail::ThreadBin;

TEST_CASE("thread bins: a bin is a stack that refuses what it has no room for") {
    std::array<void*, 4> entries{};  // A null, and room for three.
    std::array<int, 4> slots{};
    ThreadBin bin{entries.data() + 1, entries.data() + 4};
    CHECK(detail::pop(bin) == nullptr);
    for (std::size_t i = 0; i < 3; ++i) CHECK(detail::push(bin, &slots[i]));
    CHECK_FALSE(detail::push(bin, &slots[3]));
    for (std::size_t i = 3; i-- > 0;) CHECK(detail::pop(bin) == &slots[i]);
    CHECK(detail::pop(bin) == nullptr);
    CHECK(detail::push(bin, &slots[3]));
    CHECK(detail::pop(bin) == &slots[3]);
}

TEST_CASE("thread bins: a thread that has none finds bins that are empty and full at once") {
    const std::uintptr_t tag = detail::bins_tag(detail::closed_bin_slot);
    CHECK(detail::is_bins_tag(tag));
    CHECK_FALSE(detail::is_bins_tag(0));
    int memory = 0;
    for (const std::size_t size_bytes : {std::size_t{1}, detail::binned_bytes_max}) {
        CHECK(detail::take_binned(tag, size_bytes) == nullptr);
        CHECK_FALSE(detail::give_binned(tag, &memory, size_bytes));
        CHECK(detail::take_binned(tag, size_bytes) == nullptr);
    }
}

TEST_CASE("thread bins: what is freed last comes first, without a call into the library") {
    ThreadCachingAllocator allocator;
    const Allocator handle = allocator.allocator();
    std::array<long*, 3> objects{};
    for (long*& object : objects) object = handle.must_create<long>(1);
    for (long* object : objects) handle.destroy(object);
    if (!checker_watches()) {
        auto& bin = detail::bins_by_tag(Allocator(handle).heap().cursor)
                        .bins[detail::size_class_of(sizeof(long))];
        CHECK(bin.top[-1] == objects[2]);
        CHECK(bin.top[-2] == objects[1]);
    }
    CHECK(handle.must_create<long>(1) == objects[2]);
    CHECK(handle.must_create<long>(1) == objects[1]);
}

TEST_CASE("thread bins: what is larger or more aligned than a slot has no bin") {
    CHECK(detail::is_binned(1, std::align_val_t{1}));
    CHECK(detail::is_binned(detail::binned_bytes_max, std::align_val_t{16}));
    CHECK_FALSE(detail::is_binned(detail::binned_bytes_max + 1, std::align_val_t{1}));
    CHECK_FALSE(detail::is_binned(32, std::align_val_t{32}));
}

}  // namespace
}  // namespace carbide
