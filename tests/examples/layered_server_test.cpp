// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <ostream>
#include <string>

#include "carbide/c_allocator.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/null_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "layered_server/server.hpp"

using examples::Server;
using examples::Status;

namespace {

struct Reply {
    Status status;
    std::string text;
};

Reply serve(Server& server, std::string_view request) {
    std::array<char, 4096> text{};
    std::FILE* const client = fmemopen(text.data(), text.size(), "w");
    REQUIRE(client != nullptr);
    const Status status = server.serve(request, client);
    std::fclose(client);
    return {status, text.data()};
}

}  // namespace

TEST_CASE("example layered_server: headers are counted and the body comes back in capitals") {
    Server server(carbide::c_allocator());
    CHECK(serve(server, "a: 1\nb: 2\n\nbody").text == "2 headers, BODY\n");
    CHECK(serve(server, "\nonly a body").text == "0 headers, ONLY A BODY\n");
    CHECK(serve(server, "a: 1").text == "1 headers, \n");
    CHECK(serve(server, "").text == "0 headers, \n");
}

TEST_CASE("example layered_server: headers are cut into name and value") {
    carbide::ArenaAllocator request({.backing = carbide::c_allocator()});
    const auto answer =
        examples::handle_request(request.allocator(), "host: a.example\nodd\nempty: \n\nbody");
    REQUIRE(answer.has_value());
    REQUIRE(answer->headers.size() == 3);
    CHECK(answer->headers[0].name == "host");
    CHECK(answer->headers[0].value == "a.example");
    CHECK(answer->headers[1].name == "odd");
    CHECK(answer->headers[1].value.empty());
    CHECK(answer->headers[2].name == "empty");
    CHECK(answer->headers[2].value.empty());
    CHECK(answer->body == "BODY");
}

TEST_CASE("example layered_server: a request over its budget fails, the others go on") {
    Server server(carbide::c_allocator());
    const std::string within = "\n" + std::string(Server::request_bytes_max, 'x');
    const std::string beyond = within + "x";
    CHECK(serve(server, within).status == Status::ok);
    const Reply refused = serve(server, beyond);
    CHECK(refused.status == Status::out_of_memory);
    CHECK(refused.text.empty());
    CHECK(serve(server, within).status == Status::ok);
}

TEST_CASE("example layered_server: after a warm-up no request reaches malloc") {
    carbide::StatisticsAllocator malloc_calls({.backing = carbide::c_allocator()});
    {
        Server server(malloc_calls.allocator());
        const std::string largest = "\n" + std::string(Server::request_bytes_max, 'x');
        serve(server, largest);
        const carbide::Statistics warm = malloc_calls.statistics();
        CHECK(warm.live_count() == 1);  // What the arena keeps is one chunk.
        for (int round = 0; round < 100; ++round) {
            serve(server, largest);
            serve(server, largest + "too much");
            serve(server, "a: 1\n\nbody");
        }
        const carbide::Statistics later = malloc_calls.statistics();
        CHECK(later.alloc_count == warm.alloc_count);
        CHECK(later.free_count == warm.free_count);
        CHECK(later.resize_count == warm.resize_count);
    }
    CHECK(malloc_calls.live_count() == 0);
}

TEST_CASE("example layered_server: survives each failure of its backing") {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    carbide::FailingAllocator failing({.backing = statistics.allocator()});
    const std::string large = "a: 1\nb: 2\n\n" + std::string(1500, 'x');
    std::size_t index = 0;
    for (bool failed = true; failed; ++index) {
        failing.rearm({.alloc_index = index});
        {
            Server server(failing.allocator());
            const Status status = serve(server, large).status;
            failed = failing.has_induced_failure();
            if (!failed) CHECK(status == Status::ok);
            CHECK(serve(server, large).status == Status::ok);
        }
        CHECK(statistics.live_count() == 0);
    }
    CHECK(index > 1);
    Server without_memory(carbide::null_allocator());
    CHECK(serve(without_memory, large).status == Status::out_of_memory);
}
