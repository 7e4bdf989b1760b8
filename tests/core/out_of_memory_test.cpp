// SPDX-License-Identifier: MIT
#include "carbide/out_of_memory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <ostream>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "carbide/result.hpp"
#include "carbide/try.hpp"

using carbide::OutOfMemory;
using carbide::Result;

namespace {

// A user's error type, as the header recommends it.
struct LoadError {
    enum class Kind { out_of_memory, not_found };

    explicit constexpr LoadError(Kind what) noexcept : kind(what) {}
    // Implicit, so that CARBIDE_TRY carries the error on.
    constexpr LoadError(OutOfMemory) noexcept : kind(Kind::out_of_memory) {}  // NOLINT

    Kind kind;
};

Result<int> allocate(bool succeeds) {
    if (!succeeds) return std::unexpected(OutOfMemory{});
    return 1;
}

Result<int, LoadError> load(bool succeeds) {
    const int value = CARBIDE_TRY(allocate(succeeds));
    if (value == 0) return std::unexpected(LoadError(LoadError::Kind::not_found));
    return value + 1;
}

Result<int, std::error_code> load_for_system(bool succeeds) {
    CARBIDE_TRY_LET(value, allocate(succeeds));
    return value + 1;
}

}  // namespace

TEST_CASE("out of memory: is empty, so that a Result of it costs what its value costs") {
    CHECK(std::is_empty_v<OutOfMemory>);
    CHECK(std::is_trivially_copyable_v<OutOfMemory>);
    CHECK(sizeof(Result<void*>) == 2 * sizeof(void*));
}

TEST_CASE("out of memory: becomes an error code that means not_enough_memory") {
    const std::error_code code = OutOfMemory{};
    CHECK(code == std::errc::not_enough_memory);
    CHECK(code.value() == ENOMEM);
    CHECK(static_cast<bool>(code));
    CHECK(code != std::errc::no_such_file_or_directory);
}

TEST_CASE("out of memory: becomes an error condition that equals not_enough_memory") {
    const std::error_condition condition = OutOfMemory{};
    CHECK(condition == std::errc::not_enough_memory);
    CHECK(condition == std::make_error_condition(std::errc::not_enough_memory));
    CHECK(std::error_code(OutOfMemory{}) == condition);
}

TEST_CASE("out of memory: converts to nothing but what looks like an error code") {
    CHECK_FALSE(std::is_convertible_v<OutOfMemory, int>);
    CHECK_FALSE(std::is_convertible_v<OutOfMemory, bool>);
    CHECK_FALSE(std::is_convertible_v<OutOfMemory, const char*>);
    CHECK(std::is_nothrow_convertible_v<OutOfMemory, std::error_code>);
}

TEST_CASE("out of memory: all are equal, and have a message") {
    CHECK(OutOfMemory{} == OutOfMemory{});
    CHECK_FALSE(OutOfMemory{} != OutOfMemory{});
    CHECK(std::string_view(OutOfMemory::message()) == "out of memory");
}

TEST_CASE("out of memory: propagates as a user's error type") {
    CHECK(*load(true) == 2);
    REQUIRE_FALSE(load(false).has_value());
    CHECK(load(false).error().kind == LoadError::Kind::out_of_memory);
}

TEST_CASE("out of memory: propagates as an error code") {
    CHECK(*load_for_system(true) == 2);
    REQUIRE_FALSE(load_for_system(false).has_value());
    CHECK(load_for_system(false).error() == std::errc::not_enough_memory);
}
