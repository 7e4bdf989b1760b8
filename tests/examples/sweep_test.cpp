// SPDX-License-Identifier: MIT
// Out of memory at every request of the examples. The document has a file of its own.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <expected>
#include <filesystem>
#include <iterator>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "anti_patterns/forgotten_errdefer.hpp"
#include "anti_patterns/hidden_allocation.hpp"
#include "buffer/buffer.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "connection/connection.hpp"
#include "connection/echo_server.hpp"
#include "failing/mesh.hpp"
#include "layered_server/server.hpp"
#include "leak_report/leak_report.hpp"
#include "limited/budget.hpp"
#include "message/message.hpp"
#include "node_list/node_list.hpp"
#include "ownership/ownership.hpp"
#include "scratch/sorted_words.hpp"
#include "support/sweep_passes.hpp"

using carbide::Allocator;
using carbide::Result;
using carbide::testing::check_all_allocation_failures;
using carbide::testing::check_strong_guarantee;
using carbide::testing::Verdict;
using carbide::tests::passes;

namespace {

std::string copy_and_free(Allocator allocator, std::span<char> text) {
    std::string copy(text.begin(), text.end());
    allocator.free(text);
    return copy;
}

}  // namespace

TEST_CASE("sweep of the anti-patterns: it finds the leak, and that the better ones have none") {
    const auto leaking = check_all_allocation_failures([](Allocator allocator) -> Result<void> {
        const examples::Pair pair = CARBIDE_TRY(examples::init_leaking(allocator));
        pair.deinit(allocator);
        return {};
    });
    CHECK(leaking.verdict() == Verdict::leaked);
    CHECK(leaking.failed_runs().size() == 2);  // The second alloc: once, and with all after it.
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Result<void> {
        const examples::Pair pair = CARBIDE_TRY(examples::init(allocator));
        pair.deinit(allocator);
        return {};
    })));
    CHECK(passes(check_all_allocation_failures(examples::OwnedPair::create)));
}

TEST_CASE("sweep of the anti-patterns: a hidden allocation leaves it nothing to fail") {
    const auto hidden = check_all_allocation_failures(examples::start_hidden);
    CHECK(hidden.passed());
    CHECK(hidden.alloc_count() == 0);
    CHECK(passes(check_all_allocation_failures(examples::start)));
}

TEST_CASE("sweep of buffer, mesh and message: nothing is left, whichever allocation fails") {
    CHECK(passes(check_all_allocation_failures(examples::Buffer::create, std::size_t{1000})));
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Result<std::size_t> {
        auto buffer = CARBIDE_TRY(examples::ManualBuffer::init(allocator, 1000));
        const auto end_buffer = carbide::defer([&] { buffer.deinit(); });
        return buffer.bytes.size();
    })));
    CHECK(passes(check_all_allocation_failures(examples::Mesh::init, "cube")));
    CHECK(passes(check_all_allocation_failures(
        [](Allocator allocator, std::string_view name) -> Result<std::string> {
            const auto message = CARBIDE_TRY(examples::format_message(allocator, name));
            return copy_and_free(allocator, message);
        },
        "Ada")));
}

TEST_CASE("sweep of connection: neither memory nor a descriptor is left") {
    const auto open_descriptor_count = [] {
        const std::filesystem::directory_iterator descriptors("/proc/self/fd");
        return std::distance(begin(descriptors), end(descriptors));
    };
    const auto talk = [](Allocator allocator,
                         const sockaddr_in& address) -> examples::ConnectionResult<std::string> {
        auto connection = CARBIDE_TRY(examples::Connection::init(allocator, address));
        const auto end_connection = carbide::defer([&] { connection.deinit(); });
        CARBIDE_TRY(connection.send("hello"));
        return std::string(CARBIDE_TRY(connection.receive()));
    };
    const auto count_before = open_descriptor_count();
    {
        const examples::EchoServer server;
        CHECK(passes(check_all_allocation_failures(
            [&](Allocator allocator) -> std::expected<std::string, std::error_code> {
                const auto answer = talk(allocator, server.address());
                if (answer.has_value()) return *answer;
                return std::unexpected(
                    std::error_code(answer.error().error_number, std::generic_category()));
            })));
    }
    CHECK(open_descriptor_count() == count_before);
}

TEST_CASE("sweep of layered_server: out of memory is an answer, and nothing is left") {
    const std::string large = "a: 1\nb: 2\n\n" + std::string(1500, 'x');
    CHECK(passes(check_all_allocation_failures([&](Allocator backing) -> Result<std::string> {
        examples::Server server(backing);
        std::array<char, 4096> text{};
        std::FILE* const client = fmemopen(text.data(), text.size(), "w");
        const auto close_client = carbide::defer([&] { std::fclose(client); });
        for (const std::string_view request : {std::string_view("\nsmall"), std::string_view(large),
                                               std::string_view("a: 1\n\nsmall again")}) {
            if (server.serve(request, client) == examples::Status::out_of_memory) {
                return std::unexpected(carbide::OutOfMemory{});
            }
        }
        std::fflush(client);
        return std::string(text.data());
    })));
}

TEST_CASE("sweep of leak_report: the program says that memory was out, and frees what it has") {
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) {
        return examples::run_program(allocator, examples::Mistake::none);
    })));
    CHECK(passes(check_all_allocation_failures({.out_of_memory_code = 1}, [](Allocator backing) {
        std::FILE* const report = std::fopen("/dev/null", "w");
        const auto close_report = carbide::defer([&] { std::fclose(report); });
        return examples::run_and_report_leaks(backing, examples::Mistake::none, report);
    })));
    const auto leaking = check_all_allocation_failures([](Allocator allocator) {
        return examples::run_program(allocator, examples::Mistake::leak);
    });
    CHECK(leaking.verdict() == Verdict::leaked);
}

TEST_CASE("sweep of limited: a cache gives way to the limit, not to a failing backing") {
    CHECK(passes(check_all_allocation_failures([](Allocator backing) -> Result<std::size_t> {
        examples::Budget budget(backing, 50'000);
        const Allocator allocator = budget.limit().allocator();
        for (int count = 0; count < 4; ++count) {
            CARBIDE_TRY_LET(content, carbide::make_owned_slice<std::byte>(allocator, 10'000));
            budget.cache(std::move(content));
        }
        CARBIDE_TRY_LET(important, carbide::make_owned_slice<std::byte>(allocator, 25'000));
        return important.size() + budget.cached_count();
    })));
}

TEST_CASE("sweep of node_list: on any allocator, and a failed push changes no list") {
    const auto fill = [](Allocator allocator) -> Result<int> {
        examples::NodeList list(allocator);
        for (int value = 0; value < 20; ++value) CARBIDE_TRY(list.push_front(value));
        return list.first()->value;
    };
    CHECK(passes(check_all_allocation_failures(fill)));
    CHECK(passes(check_all_allocation_failures([&](Allocator backing) {
        carbide::PoolAllocator<examples::Node> pool({.backing = backing, .first_chunk_slots = 2});
        return fill(pool.allocator());
    })));
    CHECK(passes(check_all_allocation_failures([&](Allocator backing) {
        carbide::ArenaAllocator arena({.backing = backing, .first_chunk_bytes = 64});
        return fill(arena.allocator());
    })));
    CHECK(passes(check_strong_guarantee(
        [](Allocator allocator) { return examples::NodeList(allocator); },
        [](examples::NodeList& list, Allocator) -> Result<void> {
            CARBIDE_TRY(list.push_front(1));
            list.clear();
            return list.push_front(2);
        },
        [](const examples::NodeList& list) { return list.first() == nullptr; })));
}

TEST_CASE("sweep of ownership: a text that cannot be duplicated leaves the one before") {
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Result<std::string> {
        examples::Text text{.allocator = allocator};
        const auto end_text = carbide::defer([&] { text.deinit(); });
        text.take_ownership(CARBIDE_TRY(examples::duplicate(allocator, "first")));
        text.take_ownership(CARBIDE_TRY(examples::duplicate(allocator, "second")));
        return std::string(text.view());
    })));
    CHECK(passes(check_strong_guarantee(
        [](Allocator allocator) {
            return examples::OwnedText(examples::duplicate_owned(allocator, "first").value());
        },
        [](examples::OwnedText& text, Allocator allocator) -> Result<void> {
            text.take(CARBIDE_TRY(examples::duplicate_owned(allocator, "second")));
            return {};
        },
        [](const examples::OwnedText& text) { return std::string(text.view()); })));
}

TEST_CASE("sweep of scratch: the words that do not fit the stack are freed, too") {
    std::string text;
    for (int count = 0; count < 500; ++count) text += "pear apple ";
    CHECK(passes(check_all_allocation_failures(
        [](Allocator allocator, std::string_view words) -> Result<std::string> {
            const auto sorted = CARBIDE_TRY(examples::sorted_words(allocator, words));
            return copy_and_free(allocator, sorted);
        },
        text)));
}
