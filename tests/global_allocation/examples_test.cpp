// SPDX-License-Identifier: MIT
// The examples take all their memory from the allocator that they are given.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>

#include "anti_patterns/forgotten_errdefer.hpp"
#include "anti_patterns/hidden_allocation.hpp"
#include "buffer/buffer.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/pool_allocator.hpp"
#include "carbide/testing/no_global_allocation.hpp"
#include "connection/connection.hpp"
#include "connection/echo_server.hpp"
#include "document/process_document.hpp"
#include "failing/mesh.hpp"
#include "layered_server/server.hpp"
#include "limited/budget.hpp"
#include "message/message.hpp"
#include "node_list/node_list.hpp"
#include "ownership/ownership.hpp"
#include "scratch/sorted_words.hpp"

using carbide::Allocator;

namespace {

/// What `work(allocator)` takes from malloc or new, which is printed, and whether it succeeds.
struct Outcome {
    std::size_t global_count = 0;
    bool success = false;

    friend bool operator==(const Outcome&, const Outcome&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
        return out << outcome.global_count << " global allocations, "
                   << (outcome.success ? "success" : "failure");
    }
};
constexpr Outcome clean_success{.global_count = 0, .success = true};
constexpr Outcome clean_failure{.global_count = 0, .success = false};

template <class Work>
Outcome outcome_of(Work work, Allocator allocator) {
    const carbide::testing::NoGlobalAllocation only_the_given;
    const bool success = work(allocator);
    return {only_the_given.finding_count(), success};
}

/// With memory, and without: what is done where there is none must not need any, either.
template <class Work>
void check_takes_only_the_given(Work work) {
    carbide::ArenaAllocator arena({.backing = carbide::page_allocator()});
    CHECK(outcome_of(work, arena.allocator()) == clean_success);
    CHECK(outcome_of(work, carbide::null_allocator()) == clean_failure);
}

bool fill(Allocator allocator) {
    examples::NodeList list(allocator);
    for (int value = 0; value < 1000; ++value) {
        if (!list.push_front(value)) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("no global allocation: document, whatever the source, takes from the given allocator") {
    static constexpr std::string_view source =
        R"({"a": [1, 2.5, "text", "\u00e9\n"], "b": {"c": null, "a": true}, "": []})";
    static constexpr std::string_view pointers[] = {"", "/a/2", "/b/c", "/nowhere"};
    for (const auto process : {json::process_document, json::process_document_piecewise}) {
        check_takes_only_the_given([&](Allocator backing) {
            return process(backing, source, {.pointers = pointers}).has_value();
        });
        carbide::ArenaAllocator arena({.backing = carbide::page_allocator()});
        const auto cut_off = [&](Allocator backing) {
            const auto document = process(backing, source.substr(0, 20), {});
            return document.has_value() || document.error().message().view().empty();
        };
        CHECK(outcome_of(cut_off, arena.allocator()) == clean_failure);
    }
}

TEST_CASE("no global allocation: connection takes its buffer from the given allocator") {
    const examples::EchoServer server;
    check_takes_only_the_given([&](Allocator allocator) {
        auto connection = examples::Connection::init(allocator, server.address());
        if (!connection.has_value()) return false;
        const bool sent = connection->send("ping").has_value();
        const auto answer = connection->receive();
        const bool same = answer.has_value() && *answer == "ping";
        connection->deinit();
        return sent && same;
    });
}

TEST_CASE("no global allocation: layered_server serves from its backing") {
    std::array<char, 4096> text{};
    std::array<char, 4096> stream_buffer{};
    std::FILE* const client = fmemopen(text.data(), text.size(), "w");
    REQUIRE(client != nullptr);
    std::setvbuf(client, stream_buffer.data(), _IOFBF, stream_buffer.size());
    check_takes_only_the_given([&](Allocator backing) {
        examples::Server server(backing);
        for (int round = 0; round < 3; ++round) {
            if (server.serve("a: 1\nb: 2\n\nbody", client) != examples::Status::ok) return false;
        }
        return true;
    });
    std::fclose(client);
    CHECK(std::string_view(text.data()).starts_with("2 headers, BODY\n"));
}

TEST_CASE("no global allocation: node_list lives on any allocator") {
    check_takes_only_the_given(fill);
    check_takes_only_the_given([](Allocator backing) {
        carbide::PoolAllocator<examples::Node> pool({.backing = backing});
        return fill(pool.allocator());
    });
}

TEST_CASE("no global allocation: buffer, mesh, message and pairs") {
    check_takes_only_the_given(
        [](Allocator allocator) { return examples::Buffer::create(allocator, 1000).has_value(); });
    check_takes_only_the_given(
        [](Allocator allocator) { return examples::Mesh::init(allocator, "cube").has_value(); });
    check_takes_only_the_given(
        [](Allocator allocator) { return examples::format_message(allocator, "Ada").has_value(); });
    check_takes_only_the_given(
        [](Allocator allocator) { return examples::OwnedPair::create(allocator).has_value(); });
    check_takes_only_the_given(
        [](Allocator allocator) { return examples::start(allocator).has_value(); });
}

TEST_CASE("no global allocation: scratch, ownership and limited") {
    check_takes_only_the_given([](Allocator allocator) {
        return examples::sorted_words(allocator, "pear apple fig").has_value();
    });
    check_takes_only_the_given([](Allocator allocator) {
        auto first = examples::duplicate_owned(allocator, "first");
        if (!first.has_value()) return false;
        examples::OwnedText text(std::move(*first));
        auto second = examples::duplicate_owned(allocator, "second");
        if (!second.has_value()) return false;
        text.take(std::move(*second));
        return text.view() == "second";
    });
    check_takes_only_the_given([](Allocator backing) {
        examples::Budget budget(backing, 5000);
        for (int count = 0; count < 10; ++count) {
            auto content = carbide::make_owned_slice<std::byte>(budget.limit().allocator(), 1000);
            if (!content.has_value()) return false;
            budget.cache(std::move(*content));
        }
        return budget.cached_count() == 5;
    });
}
