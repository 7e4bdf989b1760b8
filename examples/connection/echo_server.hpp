// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>

#include <thread>

namespace examples {

/// A socket bound to a free port on 127.0.0.1. Until somebody listens on it, connecting to it is
/// refused. Throws `std::system_error`.
class LoopbackPort {
public:
    LoopbackPort();
    ~LoopbackPort();
    LoopbackPort(const LoopbackPort&) = delete;
    LoopbackPort& operator=(const LoopbackPort&) = delete;

    [[nodiscard]] const sockaddr_in& address() const noexcept { return address_; }
    [[nodiscard]] int socket() const noexcept { return socket_; }

private:
    sockaddr_in address_{};  // Before the socket, whose initialiser fills it in.
    int socket_;
};

/// Sends back what it receives, to one client after the other, on a thread of its own.
class EchoServer {
public:
    EchoServer();

    /// Waits for the present client to close.
    ~EchoServer();

    [[nodiscard]] const sockaddr_in& address() const noexcept { return port_.address(); }

private:
    void run() const noexcept;

    LoopbackPort port_;
    std::thread thread_;
};

}  // namespace examples
