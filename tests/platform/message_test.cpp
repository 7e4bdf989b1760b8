// SPDX-License-Identifier: MIT
#include "platform/message.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>
#include <string>

namespace carbide::platform {
namespace {

// What arrives in a pipe.
std::string written(Message& message) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    message.write_to(ends[1]);
    close(ends[1]);
    char text[1024];
    const ssize_t count = read(ends[0], text, sizeof text);
    CHECK(read(ends[0], text, 1) == 0);
    close(ends[0]);
    return {text, static_cast<std::size_t>(count)};
}

TEST_CASE("message: numbers are written to their last digit") {
    Message message;
    message.text("a ").number(0).text(" ").number(UINTMAX_MAX).text(" ").hexadecimal(0xBEEF);
    CHECK(message.view() == "a 0 18446744073709551615 0xbeef");
    CHECK(Message().hexadecimal(UINTMAX_MAX).view() == "0xffffffffffffffff");
}

TEST_CASE("message: it is one line, and empty again once it is written") {
    Message message;
    message.text("carbide: a line");
    CHECK(written(message) == "carbide: a line\n");
    CHECK(message.view().empty());
    message.text("another");
    CHECK(written(message) == "another\n");
    CHECK(written(message) == "\n");
}

TEST_CASE("message: too long a line is cut, and still ends as a line") {
    Message message;
    message.text(std::string(510, 'a')).text("bcd").number(12).text(std::string(1000, 'e'));
    CHECK(written(message) == std::string(510, 'a') + "b\n");
}

TEST_CASE("message: writing leaves errno as it was, even where it fails") {
    errno = EDOM;
    Message().text("to nowhere").write_to(-1);
    CHECK(errno == EDOM);
}

}  // namespace
}  // namespace carbide::platform
