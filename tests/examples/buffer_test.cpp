// SPDX-License-Identifier: MIT
#include "buffer/buffer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <ostream>
#include <utility>

#include "carbide/c_allocator.hpp"
#include "carbide/fixed_buffer_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"

using examples::Buffer;
using examples::ManualBuffer;

TEST_CASE("example buffer: its memory comes from the allocator it was given") {
    std::array<std::byte, 128> bytes;
    carbide::FixedBufferAllocator fixed(bytes);
    auto buffer = Buffer::create(fixed.allocator(), 100);
    REQUIRE(buffer.has_value());
    CHECK(buffer->bytes().size() == 100);
    CHECK(fixed.owns_slice(buffer->bytes()));
    CHECK(Buffer::create(fixed.allocator(), 100).error() == carbide::OutOfMemory{});
}

TEST_CASE("example buffer: moves, and frees once") {
    static_assert(!std::is_copy_constructible_v<Buffer>);
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    {
        auto first = Buffer::create(statistics.allocator(), 100);
        REQUIRE(first.has_value());
        Buffer second = std::move(*first);
        CHECK(second.bytes().size() == 100);
        CHECK(statistics.live_count() == 1);
    }
    CHECK(statistics.statistics().free_count == 1);
    CHECK(statistics.live_count() == 0);
}

TEST_CASE("example buffer: the manual one frees in deinit, and is poisoned by it") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const auto made = ManualBuffer::init(statistics.allocator(), 100);
    REQUIRE(made.has_value());
    ManualBuffer buffer = *made;
    CHECK(buffer.bytes.size() == 100);
    CHECK(statistics.live_count() == 1);
    buffer.deinit();
    CHECK(statistics.live_count() == 0);
    if (carbide::checked_build) {
        std::array<unsigned char, sizeof(ManualBuffer)> object;
        std::memcpy(object.data(), &buffer, sizeof(ManualBuffer));
        for (const unsigned char byte : object) CHECK(byte == 0xAA);
    }
    CHECK(!ManualBuffer::init(carbide::null_allocator(), 1).has_value());
}
