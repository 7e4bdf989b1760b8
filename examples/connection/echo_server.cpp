// SPDX-License-Identifier: MIT
#include "connection/echo_server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace examples {
namespace {

// A bound socket, or -1 and errno.
int bind_to_free_port(sockaddr_in& address) noexcept {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return -1;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t address_bytes = sizeof address;
    if (::bind(socket, generic, address_bytes) == 0 &&
        ::getsockname(socket, generic, &address_bytes) == 0) {
        return socket;
    }
    const int error = errno;
    ::close(socket);
    errno = error;
    return -1;
}

void echo(int client) noexcept {
    char bytes[512];
    for (;;) {
        const ssize_t received_bytes = ::recv(client, bytes, sizeof bytes, 0);
        if (received_bytes <= 0) return;
        const auto size_bytes = static_cast<std::size_t>(received_bytes);
        if (::send(client, bytes, size_bytes, MSG_NOSIGNAL) != received_bytes) return;
    }
}

}  // namespace

LoopbackPort::LoopbackPort() : socket_(bind_to_free_port(address_)) {
    if (socket_ < 0) throw std::system_error(errno, std::generic_category(), "bind");
}

LoopbackPort::~LoopbackPort() { ::close(socket_); }

EchoServer::EchoServer() {
    if (::listen(port_.socket(), 8) != 0) {
        throw std::system_error(errno, std::generic_category(), "listen");
    }
    thread_ = std::thread([this] { run(); });
}

EchoServer::~EchoServer() {
    ::shutdown(port_.socket(), SHUT_RDWR);  // Ends the wait in accept.
    thread_.join();
}

void EchoServer::run() const noexcept {
    for (;;) {
        const int client = ::accept4(port_.socket(), nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        echo(client);
        ::close(client);
    }
}

}  // namespace examples
