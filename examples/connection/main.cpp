// SPDX-License-Identifier: MIT
#include <cstdio>
#include <cstring>

#include "carbide/c_allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/statistics_allocator.hpp"
#include "carbide/try.hpp"
#include "connection/connection.hpp"
#include "connection/echo_server.hpp"

namespace {

using examples::Connection;
using examples::ConnectionResult;

// [snippet:use_connection]
ConnectionResult<void> talk(carbide::Allocator allocator, const sockaddr_in& address) {
    Connection connection = CARBIDE_TRY(Connection::init(allocator, address));
    const auto end_connection = carbide::defer([&] { connection.deinit(); });

    CARBIDE_TRY(connection.send("hello"));
    const std::string_view answer = CARBIDE_TRY(connection.receive());
    std::printf("received: %.*s\n", static_cast<int>(answer.size()), answer.data());
    return {};
}
// [/snippet:use_connection]

void report(const ConnectionResult<void>& result) {
    if (!result) std::printf("failed: %s\n", std::strerror(result.error().error_number));
}

}  // namespace

int main() {
    carbide::StatisticsAllocator statistics({.backing = carbide::c_allocator()});
    const examples::EchoServer server;
    report(talk(statistics.allocator(), server.address()));

    const examples::LoopbackPort nobody_listens;
    report(talk(statistics.allocator(), nobody_listens.address()));
    std::printf("leaked: %zu allocations\n", statistics.live_count());
}
