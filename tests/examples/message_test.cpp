// SPDX-License-Identifier: MIT
#include "message/message.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <ostream>

#include "carbide/fixed_buffer_allocator.hpp"

using examples::format_message;

namespace {

std::string_view text_of(std::span<const char> text) { return {text.data(), text.size()}; }

}  // namespace

TEST_CASE("example message: what is returned lies in the caller's buffer and stays as it is") {
    std::array<std::byte, 256> bytes;
    carbide::FixedBufferAllocator fixed(bytes);
    const auto first = format_message(fixed.allocator(), "Ada");
    const auto second = format_message(fixed.allocator(), "Grace");
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(text_of(*first) == "Hello, Ada!");
    CHECK(text_of(*second) == "Hello, Grace!");
    CHECK(fixed.owns_slice(std::as_bytes(*first)));
    CHECK(fixed.owns_slice(std::as_bytes(*second)));
}

TEST_CASE("example message: a buffer of just the right size suffices, one byte less does not") {
    constexpr std::size_t needed_bytes = 11;  // "Hello, Ada!"
    std::array<std::byte, needed_bytes> bytes;
    carbide::FixedBufferAllocator exact(bytes);
    CHECK(format_message(exact.allocator(), "Ada").has_value());

    carbide::FixedBufferAllocator short_by_one({bytes.data(), needed_bytes - 1});
    CHECK(format_message(short_by_one.allocator(), "Ada").error() == carbide::OutOfMemory{});
    CHECK(short_by_one.used_bytes() == 0);
}

TEST_CASE("example message: an empty name is greeted") {
    std::array<std::byte, 64> bytes;
    carbide::FixedBufferAllocator fixed(bytes);
    const auto message = format_message(fixed.allocator(), "");
    REQUIRE(message.has_value());
    CHECK(text_of(*message) == "Hello, !");
}
