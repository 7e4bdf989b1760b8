// SPDX-License-Identifier: MIT
#include "heap/debug/suppressions.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ostream>
#include <string>

#include "platform/libbacktrace.hpp"

// Not in detail, whose functions reports leave out.
namespace carbide {
namespace {

using detail::matches_suppression;
using detail::Suppressions;

/// A file with that content, gone with the object.
class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view content) {
        const int file = mkstemp(path_);
        REQUIRE(file >= 0);
        REQUIRE(write(file, content.data(), content.size()) ==
                static_cast<ssize_t>(content.size()));
        close(file);
    }
    ~TemporaryFile() { unlink(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] const char* path() const { return path_; }

private:
    char path_[32] = "/tmp/carbide_test_XXXXXX";
};

/// What `load` makes of a file: patterns in brackets, then errors with the path as FILE.
std::string loaded(std::string_view content) {
    const TemporaryFile file(content);
    Suppressions suppressions;
    platform::ReportText errors;
    suppressions.load(file.path(), errors);
    std::string result;
    for (const Suppressions::Entry& entry : suppressions.entries()) {
        result += "[" + std::string(entry.pattern) + "]";
    }
    std::string text(errors.view());
    for (std::size_t at; (at = text.find(file.path())) != std::string::npos;) {
        text.replace(at, std::string_view(file.path()).size(), "FILE");
    }
    return result + text;
}

TEST_CASE("suppressions: comments, blank lines and blanks around a line mean nothing") {
    CHECK(loaded("") == "");
    CHECK(loaded("# a comment\n\n  \t\n  # another\n") == "");
    CHECK(loaded("leak:one\n  leak:two \t\r\nleak:three # four") == "[one][two][three # four]");
}

TEST_CASE("suppressions: a malformed line is named with its number, and the others count") {
    CHECK(loaded("leak:one\n\nleek:two\nleak:\nleak:three\nrace:four\n") ==
          "[one][three]"
          "carbide: FILE:3: expected 'leak:PATTERN', found 'leek:two'\n"
          "carbide: FILE:4: expected 'leak:PATTERN', found 'leak:'\n"
          "carbide: FILE:6: expected 'leak:PATTERN', found 'race:four'\n");
}

TEST_CASE("suppressions: a malformed line is shown in part, and without control characters") {
    CHECK(loaded("a\033[31m\x7F" + std::string(100, 'b')) ==
          "carbide: FILE:1: expected 'leak:PATTERN', found 'a?[31m?" + std::string(53, 'b') +
              "...'\n");
}

TEST_CASE("suppressions: many lines are read, however the reads are cut") {
    std::string content;
    std::string expected;
    for (int i = 0; i < 20'000; ++i) {
        content += "leak:pattern_" + std::to_string(i) + "\n";
        expected += "[pattern_" + std::to_string(i) + "]";
    }
    CHECK(loaded(content) == expected);
}

TEST_CASE("suppressions: a file that cannot be read is named with the reason") {
    const auto errors_for = [](const char* path) {
        Suppressions suppressions;
        platform::ReportText errors;
        errno = EDOM;
        suppressions.load(path, errors);
        CHECK(errno == EDOM);
        CHECK(suppressions.entries().empty());
        CHECK_FALSE(suppressions.match(StackTrace::capture()).has_value());
        return std::string(errors.view());
    };
    CHECK(errors_for("/nonexistent/file") ==
          "carbide: cannot read suppressions '/nonexistent/file': No such file or directory\n");
    CHECK(errors_for("/tmp") == "carbide: cannot read suppressions '/tmp': Is a directory\n");
}

TEST_CASE("suppressions: a pattern matches as LeakSanitizer's do") {
    struct Case {
        const char* pattern;
        const char* text;
        bool matches;
    };
    constexpr Case cases[] = {
        {"foo", "foo", true},
        {"foo", "a::foo(int)", true},
        {"foo", "fo", false},
        {"foo", "", false},
        {"foo", "FOO", false},
        {"^foo", "foobar", true},
        {"^foo", "a foo", false},
        {"foo$", "a foo", true},
        {"foo$", "foobar", false},
        {"^foo$", "foo", true},
        {"^foo$", "foofoo", false},
        {"foo$", "foofoo", true},
        {"a*c", "abbbc", true},
        {"a*c", "ac", true},
        {"a*c", "acb", true},
        {"a*c$", "acbc", true},
        {"a*c$", "acb", false},
        {"^*c", "abc", true},
        {"*", "", true},
        {"*", "anything", true},
        {"a**b", "a-b", true},
        {"a*b*c", "a b a c", true},
        {"a*b*c", "a c b", false},
        {"^a*b$", "aXbYb", true},
        {"ab*ab$", "ab ac ab", true},
        {"lib*.so", "/usr/lib/libfoo.so.6", true},
        {"^", "", true},
        {"$", "x", true},
        {"^$", "", true},
        {"^$", "x", false},
        {"a$b", "a$b", true},
        {"a^b", "a^b", true},
    };
    for (const Case& each : cases) {
        CAPTURE(each.pattern);
        CAPTURE(each.text);
        CHECK(matches_suppression(each.pattern, each.text) == each.matches);
    }
}

TEST_CASE("suppressions: many stars take no exponential time") {
    std::string pattern;
    for (int i = 0; i < 50; ++i) pattern += "a*";
    CHECK_FALSE(matches_suppression(pattern + "b", std::string(2'000, 'a')));
}

[[gnu::noinline]] StackTrace leaking_function() {
    const StackTrace trace = StackTrace::capture(2);
    asm volatile("");  // No tail call, which would leave no frame.
    return trace;
}

[[gnu::noinline]] StackTrace calling_function() {
    const StackTrace trace = leaking_function();
    asm volatile("");
    return trace;
}

std::optional<std::size_t> match_in(std::string_view content, StackTrace trace) {
    const TemporaryFile file(content);
    Suppressions suppressions;
    platform::ReportText errors;
    suppressions.load(file.path(), errors);
    CHECK(errors.view() == "");
    return suppressions.match(trace);
}

TEST_CASE("suppressions: function, source file and module of every frame are looked at") {
    const StackTrace trace = calling_function();
    CHECK_FALSE(match_in("leak:no_such_name\n", trace).has_value());
    CHECK(match_in("leak:no_such_name\nleak:^*\n", trace) == 1);
    CHECK(match_in("leak:*\nleak:*", trace) == 0);
    CHECK_FALSE(match_in("leak:*", StackTrace()).has_value());
    if (platform::libbacktrace::is_linked_in()) {
        CHECK(match_in("leak:leaking_function\n", trace) == 0);
        CHECK(match_in("leak:calling_function()$\n", trace) == 0);
        CHECK(match_in("leak:suppressions_test.cpp$\n", trace) == 0);
        CHECK(match_in("leak:calling_function\nleak:leaking_function", trace) == 0);
    }
    char program[4096];
    const ssize_t size = readlink("/proc/self/exe", program, sizeof program);
    REQUIRE(size > 0);
    const std::string_view path(program, static_cast<std::size_t>(size));
    const std::string name(path.substr(path.rfind('/') + 1));
    CHECK(match_in("leak:" + name + "$", trace) == 0);
}

}  // namespace
}  // namespace carbide
