// SPDX-License-Identifier: MIT
#include "connection/connection.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <ostream>

#include "carbide/c_allocator.hpp"
#include "carbide/check.hpp"
#include "carbide/defer.hpp"
#include "carbide/failing_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "connection/echo_server.hpp"

using examples::Connection;
using examples::EchoServer;
using examples::LoopbackPort;
using Step = examples::ConnectionError::Step;

namespace {

std::ptrdiff_t open_descriptor_count() {
    const std::filesystem::directory_iterator descriptors("/proc/self/fd");
    return std::distance(begin(descriptors), end(descriptors));
}

/// Neither memory nor a file descriptor may be left when it ends.
class LeakCheck {
public:
    LeakCheck() = default;
    LeakCheck(const LeakCheck&) = delete;
    LeakCheck& operator=(const LeakCheck&) = delete;
    ~LeakCheck() {
        CHECK(statistics_.live_count() == 0);
        CHECK(open_descriptor_count() == descriptor_count_);
    }

    carbide::Allocator allocator() noexcept { return statistics_.allocator(); }
    std::size_t alloc_count() const noexcept { return statistics_.statistics().alloc_count; }

private:
    carbide::StatisticsAllocator statistics_{{.backing = carbide::c_allocator()}};
    std::ptrdiff_t descriptor_count_ = open_descriptor_count();
};

}  // namespace

TEST_CASE("example connection: what is sent comes back, and nothing is left afterwards") {
    LeakCheck leaks;
    const EchoServer server;
    for (int round = 0; round < 3; ++round) {
        auto connection = Connection::init(leaks.allocator(), server.address());
        REQUIRE(connection.has_value());
        const auto end = carbide::defer([&] { connection->deinit(); });
        REQUIRE(connection->send("ping").has_value());
        const auto answer = connection->receive();
        REQUIRE(answer.has_value());
        CHECK(*answer == "ping");
    }
    CHECK(leaks.alloc_count() == 3);
}

TEST_CASE("example connection: without memory it is not made, and no socket is opened") {
    const EchoServer server;
    LeakCheck leaks;
    carbide::FailingAllocator failing({.backing = leaks.allocator(), .alloc_index = 0});
    const auto connection = Connection::init(failing.allocator(), server.address());
    REQUIRE(!connection.has_value());
    CHECK(connection.error().step == Step::alloc);
    CHECK(connection.error().error_number == ENOMEM);
}

TEST_CASE("example connection: without a socket its buffer is given back") {
    const LoopbackPort port;
    LeakCheck leaks;
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlimit no_more{.rlim_cur = 0, .rlim_max = limit.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &no_more) == 0);
    const auto connection = Connection::init(leaks.allocator(), port.address());
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);

    REQUIRE(!connection.has_value());
    CHECK(connection.error().step == Step::socket);
    CHECK(connection.error().error_number == EMFILE);
    CHECK(leaks.alloc_count() == 1);
}

TEST_CASE("example connection: when nobody listens, buffer and socket are given back") {
    const LoopbackPort port;
    LeakCheck leaks;
    const auto connection = Connection::init(leaks.allocator(), port.address());
    REQUIRE(!connection.has_value());
    CHECK(connection.error().step == Step::connect);
    CHECK(connection.error().error_number == ECONNREFUSED);
    CHECK(leaks.alloc_count() == 1);
}

TEST_CASE("example connection: deinit poisons it") {
    LeakCheck leaks;
    const EchoServer server;
    auto connection = Connection::init(leaks.allocator(), server.address());
    REQUIRE(connection.has_value());
    connection->deinit();
    if (carbide::checked_build) {
        std::array<unsigned char, sizeof(Connection)> object;
        std::memcpy(object.data(), &*connection, sizeof(Connection));
        for (const unsigned char byte : object) CHECK(byte == 0xAA);
    }
}
