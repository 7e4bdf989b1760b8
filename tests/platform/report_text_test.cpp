// SPDX-License-Identifier: MIT
#include "platform/report_text.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <string>
#include <thread>

#include "carbide/memory_marks.hpp"
#include "support/child_process.hpp"

namespace carbide::platform {
namespace {

std::string bytes(std::uintmax_t size_bytes) {
    return std::string(ReportText().bytes(size_bytes).view());
}

std::string grouped(std::uintmax_t value) {
    return std::string(ReportText().grouped(value).view());
}

TEST_CASE("report_text: a number of bytes is told in the unit that people think in") {
    CHECK(bytes(0) == "0 bytes");
    CHECK(bytes(1) == "1 byte");
    CHECK(bytes(1023) == "1,023 bytes");
    CHECK(bytes(1024) == "1 KiB (1,024 bytes)");
    CHECK(bytes(4812) == "4.7 KiB (4,812 bytes)");
    CHECK(bytes(1'572'864) == "1.5 MiB (1,572,864 bytes)");
    CHECK(bytes(std::uintmax_t{3} << 40) == "3 TiB (3,298,534,883,328 bytes)");
    CHECK(bytes(UINTMAX_MAX) == "16 EiB (18,446,744,073,709,551,615 bytes)");
}

TEST_CASE("report_text: rounding up reaches the next unit, never 1024 of one") {
    CHECK(bytes(1'048'575) == "1 MiB (1,048,575 bytes)");
    CHECK(bytes(1'048'500) == "1,023.9 KiB (1,048,500 bytes)");
}

TEST_CASE("report_text: thousands are set apart by commas") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(999) == "999");
    CHECK(grouped(1000) == "1,000");
    CHECK(grouped(123456) == "123,456");
    CHECK(grouped(1000000) == "1,000,000");
}

TEST_CASE("report_text: numbers, addresses and counted things are written to their last digit") {
    ReportText text;
    text.number(UINTMAX_MAX).text(" ").hexadecimal(UINTMAX_MAX).text(" ").hexadecimal(0).text(" ");
    text.address(reinterpret_cast<const void*>(std::uintptr_t{0xBEEF})).text(" ");
    text.hex_byte(0x0A).hex_byte(0xF0).text(" ").count(1, "place").text(" ").count(2000, "place");
    CHECK(text.view() ==
          "18446744073709551615 0xffffffffffffffff 0x0 0xbeef 0af0 1 place 2,000 places");
}

TEST_CASE("report_text: cells of a column end at its width, and what is wider loses nothing") {
    ReportText text;
    text.right("KiB", 9).text("\n");
    text.right_grouped(0, 9).text("\n").right_grouped(1'234'567, 9).text("\n");
    text.right_tenths(5, 9).text("\n").right_tenths(12'345, 9).text("\n");
    CHECK(text.view() ==
          "      KiB\n"
          "        0\n"
          "1,234,567\n"
          "      0.5\n"
          "  1,234.5\n");
    text.clear();
    text.right("words", 3).right("", 2).right_grouped(1000, 2).right_tenths(1000, 1);
    CHECK(text.view() == "words  1,000100.0");
    text.clear();
    CHECK(text.right_grouped(UINTMAX_MAX, 28).view() == "  18,446,744,073,709,551,615");
}

TEST_CASE("report_text: it grows, and nothing that was written changes") {
    ReportText text;
    std::string expected;
    for (unsigned i = 0; i < 100'000; ++i) {
        text.number(i).text("\n");
        expected += std::to_string(i) + "\n";
    }
    CHECK(text.view() == expected);
    text.clear();
    CHECK(text.view().empty());
    CHECK(text.text(expected).view() == expected);
    CHECK_FALSE(text.is_cut());
}

// AddressSanitizer and ThreadSanitizer map memory of their own at any time, and end without it.
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
TEST_CASE("report_text: where memory is out, the first lines are there and the end says so") {
    const auto child = tests::run_in_child([] {
        const rlimit nothing_more{};
        setrlimit(RLIMIT_AS, &nothing_more);
        ReportText text;
        text.text("carbide: first line\n");
        for (int i = 0; i < 500; ++i) text.text("another line\n");
        text.text("not to be seen");
        text.write_to(text.is_cut() ? STDERR_FILENO : -1);
    });
    constexpr std::string_view mark = "\n[the rest is missing: out of memory]\n";
    CHECK(child.stderr_text.starts_with("carbide: first line\nanother line\nanother line\n"));
    CHECK(child.stderr_text.ends_with(mark));
    CHECK(child.stderr_text.size() == 1024);
    CHECK_FALSE(child.wrote("not to be seen"));
}
#endif

std::string read_slowly(int descriptor) {
    std::string text;
    char part[30'000];
    for (;;) {
        const ssize_t count = read(descriptor, part, sizeof part);
        if (count <= 0) return text;
        text.append(part, static_cast<std::size_t>(count));
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void check_arrives_whole(int flags) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC | flags) == 0);
    // The reader waits for data also where the writer must not.
    REQUIRE(fcntl(ends[0], F_SETFL, 0) == 0);
    ReportText text;
    for (unsigned i = 0; i < 50'000; ++i) text.number(i).text("\n");
    std::string arrived;
    std::thread reader([&] { arrived = read_slowly(ends[0]); });
    errno = EDOM;
    text.write_to(ends[1]);
    const int error = errno;
    close(ends[1]);
    reader.join();
    close(ends[0]);
    CHECK(error == EDOM);
    CHECK(arrived == text.view());
}

TEST_CASE("report_text: a report that needs several writes arrives whole") {
    check_arrives_whole(0);
    check_arrives_whole(O_NONBLOCK);
}

TEST_CASE("report_text: writing says why it failed, and leaves errno as it was") {
    errno = EDOM;
    CHECK(ReportText().text("to nowhere").write_to(-1) == EBADF);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    CHECK(ReportText().text("to nowhere").write_to(full) == ENOSPC);
    close(full);
    CHECK(errno == EDOM);
}

bool has_color(const char* terminal, const char* no_color, bool on_terminal) {
    const auto child = tests::run_in_child([&] {
        terminal != nullptr ? setenv("TERM", terminal, 1) : unsetenv("TERM");
        no_color != nullptr ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR");
        const int file = on_terminal ? posix_openpt(O_RDWR | O_NOCTTY) : open("/dev/null", O_RDWR);
        _exit(file >= 0 && style_for(file).color ? 1 : 0);
    });
    return child.exit_status == 1;
}

TEST_CASE("report_text: there is colour on a terminal that can show it, unless NO_COLOR is set") {
    CHECK(has_color("xterm-256color", nullptr, true));
    CHECK(has_color("xterm", "", true));
    CHECK_FALSE(has_color("xterm", "1", true));
    CHECK_FALSE(has_color("dumb", nullptr, true));
    CHECK_FALSE(has_color(nullptr, nullptr, true));
    CHECK_FALSE(has_color("xterm", nullptr, false));
}

}  // namespace
}  // namespace carbide::platform
