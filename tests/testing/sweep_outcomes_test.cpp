// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <expected>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "testing/swept_functions.hpp"

// How functions say that memory is out, or that all is well.
namespace carbide::testing {
namespace {

enum class ParseError : unsigned char { syntax, out_of_memory };

// One alloc, and a way to say that it failed.
template <class Return>
SweepReport sweep_of(Return success, Return failure, const SweepOptions& options = {}) {
    return check_all_allocation_failures(options, [&](Allocator allocator) -> Return {
        const auto slice = make_owned_slice<int>(allocator, 8);
        return slice.has_value() ? success : failure;
    });
}

TEST_CASE("sweep: every usual way to report out of memory is understood") {
    CHECK(sweep_of<bool>(true, false).passed());
    CHECK(sweep_of<int>(0, ENOMEM).passed());
    CHECK(sweep_of<int>(0, -ENOMEM).passed());
    CHECK(sweep_of<int>(0, 3).passed());
    CHECK(sweep_of<std::optional<int>>(1, std::nullopt).passed());
    CHECK(
        sweep_of<std::error_code>({}, std::make_error_code(std::errc::not_enough_memory)).passed());
    CHECK(sweep_of<std::error_code>({}, OutOfMemory()).passed());
    static constexpr int object = 0;
    CHECK(sweep_of<const int*>(&object, nullptr).passed());
    CHECK(sweep_of<std::shared_ptr<int>>(std::make_shared<int>(), nullptr).passed());
    using Expected = std::expected<int, ParseError>;
    CHECK(sweep_of<Expected>(1, std::unexpected(ParseError::out_of_memory)).passed());
    using ExpectedCode = std::expected<void, std::error_code>;
    CHECK(sweep_of<ExpectedCode>({}, std::unexpected(std::error_code(OutOfMemory()))).passed());
    using ExpectedText = std::expected<void, std::string>;
    CHECK(sweep_of<ExpectedText>({}, std::unexpected("no memory")).passed());
}

TEST_CASE("sweep: every usual way to claim success is understood") {
    CHECK(sweep_of<bool>(true, true).verdict() == Verdict::swallowed);
    CHECK(sweep_of<int>(0, 0).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::optional<int>>(1, 1).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::error_code>({}, {}).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::expected<int, ParseError>>(1, 1).verdict() == Verdict::swallowed);
    CHECK(sweep_of<std::size_t>(1, 0).verdict() == Verdict::swallowed);
    const SweepReport nothing = check_all_allocation_failures(
        [](Allocator allocator) { static_cast<void>(make_owned_slice<int>(allocator, 8)); });
    CHECK(nothing.verdict() == Verdict::swallowed);
}

TEST_CASE("sweep: with a code for out of memory every other code is a wrong result") {
    CHECK(sweep_of<int>(0, 3, {.out_of_memory_code = 3}).passed());
    CHECK(sweep_of<int>(0, 4, {.out_of_memory_code = 3}).verdict() == Verdict::wrong_result);
    const auto other = std::make_error_code(std::errc::io_error);
    CHECK(sweep_of<std::error_code>({}, other).verdict() == Verdict::wrong_result);
}

struct UserError {
    explicit UserError(OutOfMemory) noexcept : code(1) {}
    explicit UserError(int other) noexcept : code(other) {}
    int code;
    bool operator==(const UserError&) const = default;
};

TEST_CASE("sweep: an error type made from OutOfMemory tells it from its other errors") {
    using Expected = std::expected<void, UserError>;
    CHECK(sweep_of<Expected>({}, std::unexpected(UserError(OutOfMemory()))).passed());
    CHECK(sweep_of<Expected>({}, std::unexpected(UserError(2))).verdict() == Verdict::wrong_result);
}

TEST_CASE("sweep: std::bad_alloc is out of memory, and another exception a wrong result") {
    const auto throwing = [](bool right) {
        return [right](Allocator allocator) {
            const auto slice = make_owned_slice<int>(allocator, 8);
            if (slice.has_value()) return;
            if (right) throw std::bad_alloc();
            throw std::runtime_error("no slice");
        };
    };
    CHECK(check_all_allocation_failures(throwing(true)).passed());
    const SweepReport report = check_all_allocation_failures(throwing(false));
    CHECK(report.verdict() == Verdict::wrong_result);
    says(report, "exception: no slice");
}

}  // namespace
}  // namespace carbide::testing
