// SPDX-License-Identifier: MIT
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/out_of_memory.hpp"
#include "carbide/result.hpp"

namespace examples {

/// What went wrong, and errno where the system said so.
struct ConnectionError {
    enum class Step { alloc, socket, connect, send, receive };

    ConnectionError(carbide::OutOfMemory) noexcept;  // NOLINT(google-explicit-constructor)
    ConnectionError(Step failed_step, int system_error) noexcept
        : step(failed_step), error_number(system_error) {}

    Step step;
    int error_number;
};

template <class T>
using ConnectionResult = carbide::Result<T, ConnectionError>;

/// A TCP connection whose end is called by hand. Trivially copyable, as `poison` wants it: of all
/// copies one is used. Where nothing speaks for an explicit end, write a destructor instead.
class Connection {
public:
    static constexpr std::size_t buffer_bytes = 4096;

    /// The caller must call `deinit`, once.
    static ConnectionResult<Connection> init(carbide::Allocator allocator,
                                             const sockaddr_in& address) noexcept;
    void deinit() noexcept;

    ConnectionResult<void> send(std::string_view text) noexcept;

    /// What has come in; nothing where the other side has closed.
    CARBIDE_VALID_UNTIL("the next receive or deinit")
    ConnectionResult<std::string_view> receive() noexcept CARBIDE_LIFETIMEBOUND;

private:
    Connection(carbide::Allocator allocator, std::span<char> buffer, int socket) noexcept
        : allocator_(allocator), buffer_(buffer), socket_(socket) {}

    carbide::Allocator allocator_;
    std::span<char> buffer_;
    int socket_;
};

}  // namespace examples
