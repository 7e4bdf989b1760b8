// SPDX-License-Identifier: MIT
// Out of memory at every request of the parts of ./dev demo that are no library of their own.
#include <doctest/doctest.h>

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>

#include "carbide/c_allocator.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "demo/source_file.cpp"  // NOLINT(bugprone-suspicious-include)
#include "demo/summary.cpp"      // NOLINT(bugprone-suspicious-include)
#include "document/process_document.hpp"
#include "support/sweep_passes.hpp"

using carbide::Allocator;
using carbide::testing::check_all_allocation_failures;
using carbide::tests::passes;

TEST_CASE("sweep of the demo: a summary gives back its keys and their texts") {
    std::string source = "{";
    for (int number = 0; number < 40; ++number) {
        source += "\"key " + std::to_string(number % 20) + "\":" + std::to_string(number) + ",";
    }
    source.back() = '}';
    const auto document = json::process_document(carbide::c_allocator(), source);
    REQUIRE(document.has_value());
    CHECK(passes(
        check_all_allocation_failures([&](Allocator backing) -> carbide::Result<std::size_t> {
            demo::Summary summary(backing);
            for (int round = 0; round < 20; ++round) CARBIDE_TRY(summary.add(*document));
            return CARBIDE_TRY(summary.keys()).size();
        })));
}

TEST_CASE("sweep of the demo: reading a file says that memory was out, and keeps nothing") {
    for (const char* const path : {__FILE__, "/proc/version"}) {
        CHECK(passes(check_all_allocation_failures(
            [](Allocator backing, const char* file) -> std::expected<bool, std::error_code> {
                const auto content = demo::read_file(backing, file);
                if (content.has_value()) return !content->empty();
                return std::unexpected(
                    std::error_code(content.error().error_number, std::generic_category()));
            },
            path)));
    }
}
