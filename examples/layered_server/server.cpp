// SPDX-License-Identifier: MIT
#include "layered_server/server.hpp"

#include <algorithm>

#include "carbide/defer.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/try.hpp"

namespace examples {
namespace {

// Cuts the first line off `text`.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

// Cuts the headers off `text`, and the empty line behind them.
carbide::Result<std::span<Header>> parse_headers(carbide::Allocator request,
                                                 std::string_view& text) {
    std::size_t count = 0;
    for (std::string_view rest = text; !take_line(rest).empty();) ++count;

    const std::span<Header> headers = CARBIDE_TRY(request.alloc<Header>(count));
    for (Header& header : headers) {
        const std::string_view line = take_line(text);
        const std::size_t name_end = std::min(line.find(": "), line.size());
        header = {.name = line.substr(0, name_end),
                  .value = line.substr(std::min(name_end + 2, line.size()))};
    }
    take_line(text);
    return headers;
}

carbide::Result<std::string_view> in_capitals(carbide::Allocator request, std::string_view text) {
    const std::span<char> capitals = CARBIDE_TRY(request.dupe(text));
    for (char& letter : capitals) {
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    }
    return std::string_view(capitals.data(), capitals.size());
}

}  // namespace

// [snippet:handle_request]
carbide::Result<Answer> handle_request(carbide::Allocator request, std::string_view text) {
    const std::span<Header> headers = CARBIDE_TRY(parse_headers(request, text));
    const std::string_view body = CARBIDE_TRY(in_capitals(request, text));
    return Answer{.headers = headers, .body = body};
}

Status Server::serve(std::string_view text, std::FILE* client) {
    const auto end_request = carbide::defer([&] { arena_.reset(); });  // Keeps the chunk.
    carbide::LimitAllocator budget(
        {.backing = arena_.allocator(), .limit_bytes = request_bytes_max});

    const auto answer = handle_request(budget.allocator(), text);
    if (!answer) return Status::out_of_memory;
    std::fprintf(client, "%zu headers, %.*s\n", answer->headers.size(),
                 static_cast<int>(answer->body.size()), answer->body.data());
    return Status::ok;
}
// [/snippet:handle_request]

}  // namespace examples
