// SPDX-License-Identifier: MIT
#include "connection/connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "carbide/defer.hpp"
#include "carbide/poison.hpp"
#include "carbide/try.hpp"

namespace examples {
namespace {

using Step = ConnectionError::Step;

std::unexpected<ConnectionError> failed(Step step) noexcept {
    return std::unexpected(ConnectionError(step, errno));
}

ConnectionResult<int> open_socket() noexcept {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return failed(Step::socket);
    return socket;
}

ConnectionResult<void> connect_socket(int socket, const sockaddr_in& address) noexcept {
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket, generic, sizeof address) != 0) return failed(Step::connect);
    return {};
}

}  // namespace

ConnectionError::ConnectionError(carbide::OutOfMemory) noexcept
    : step(Step::alloc), error_number(ENOMEM) {}

// [snippet:connection]
ConnectionResult<Connection> Connection::init(carbide::Allocator allocator,
                                              const sockaddr_in& address) noexcept {
    const std::span<char> buffer = CARBIDE_TRY(allocator.alloc<char>(buffer_bytes));
    auto free_buffer = carbide::errdefer([&] { allocator.free(buffer); });

    const int socket = CARBIDE_TRY(open_socket());
    auto close_socket = carbide::errdefer([&] { ::close(socket); });

    CARBIDE_TRY(connect_socket(socket, address));

    CARBIDE_NOTHING_FAILS_BELOW;
    carbide::commit(free_buffer, close_socket);
    return Connection(allocator, buffer, socket);
}

void Connection::deinit() noexcept {
    ::close(socket_);
    allocator_.free(buffer_);
    carbide::poison(*this);
}
// [/snippet:connection]

ConnectionResult<void> Connection::send(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t sent_bytes = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent_bytes < 0) return failed(Step::send);
        text.remove_prefix(static_cast<std::size_t>(sent_bytes));
    }
    return {};
}

ConnectionResult<std::string_view> Connection::receive() noexcept {
    const ssize_t received_bytes = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (received_bytes < 0) return failed(Step::receive);
    return std::string_view(buffer_.data(), static_cast<std::size_t>(received_bytes));
}

}  // namespace examples
