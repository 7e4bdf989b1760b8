// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "carbide/result.hpp"

namespace examples {

struct Header {
    std::string_view name;
    std::string_view value;
};

/// Lives as long as the request's memory and text.
struct Answer {
    std::span<const Header> headers;
    std::string_view body;
};

/// The request is lines "name: value", an empty line and a body; the answer has the body in
/// capitals. All memory comes from `request` and nothing is freed: the layer above does it at once.
carbide::Result<Answer> handle_request(carbide::Allocator request, std::string_view text);

enum class Status { ok = 200, out_of_memory = 507 };

/// Serves one request after the other from layered memory:
///
///     backing <- arena, reset after each request <- budget of one request <- handler
class Server {
public:
    static constexpr std::size_t request_bytes_max = 2048;

    explicit Server(carbide::Allocator backing) noexcept
        : arena_({.backing = backing, .first_chunk_bytes = 128}) {}

    /// Writes the answer to `client`. A request that wants too much memory is answered that way,
    /// and disturbs no other.
    Status serve(std::string_view text, std::FILE* client);

private:
    carbide::ArenaAllocator arena_;
};

}  // namespace examples
