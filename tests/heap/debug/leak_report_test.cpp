// SPDX-License-Identifier: MIT
#include "heap/debug/leak_report.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <regex>
#include <string>
#include <vector>

#include "carbide/memory_marks.hpp"
#include "platform/libbacktrace.hpp"
#include "support/child_process.hpp"
#include "support/strict_json.hpp"

// Not in detail, whose functions reports leave out.
namespace carbide {
namespace {

using detail::LeakGroup;
using detail::LeakGroups;
using detail::LeakReport;
using detail::Suppressions;
using detail::write_leaks;
using detail::write_leaks_json;

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

// Never printed: only a trace that was captured has frames.
StackTrace made_up(std::uint32_t id) { return StackTrace::from_id(id); }

// A different one for each depth.
[[gnu::noinline]] StackTrace captured_at_depth(unsigned depth) {
    const StackTrace trace = depth == 0 ? StackTrace::capture(64) : captured_at_depth(depth - 1);
    asm volatile("");  // No tail call, which would leave no frame.
    return trace;
}

std::string text_of(const LeakReport& report, platform::Style style = {}) {
    platform::ReportText text;
    write_leaks(text, report, style);
    return std::string(text.view());
}

std::string json_of(const LeakReport& report) {
    platform::ReportText text;
    write_leaks_json(text, report);
    return std::string(text.view());
}

// Without the lines of frames.
std::string without_frames(const std::string& text) {
    return std::regex_replace(text, std::regex("    (#|and deeper)[^\n]*\n"), "");
}

TEST_CASE("leak_report: allocations of one stack are one group with count and bytes") {
    LeakGroups groups;
    groups.add(made_up(1), at(0x10), 100);
    groups.add(made_up(2), at(0x20), 50);
    groups.add(made_up(1), at(0x30), 11);
    CHECK(groups.count() == 3);
    CHECK(groups.size_bytes() == 161);
    const auto sorted = groups.sorted();
    REQUIRE(sorted.size() == 2);
    CHECK(sorted[0].allocated == made_up(1));
    CHECK(sorted[0].count == 2);
    CHECK(sorted[0].size_bytes == 111);
    CHECK(sorted[0].example == at(0x10));
    CHECK(sorted[0].example_size_bytes == 100);
    CHECK(sorted[1].size_bytes == 50);
}

TEST_CASE("leak_report: any number of stacks is kept apart, largest first") {
    LeakGroups groups;
    constexpr std::uint32_t stack_count = 100'000;
    for (std::uint32_t round = 0; round < 2; ++round) {
        for (std::uint32_t id = 1; id <= stack_count; ++id) groups.add(made_up(id), at(id), id);
    }
    CHECK(groups.count() == 2 * stack_count);
    const auto sorted = groups.sorted();
    REQUIRE(sorted.size() == stack_count);
    bool is_right = true;
    for (std::uint32_t i = 0; i < stack_count; ++i) {
        const std::uint32_t id = stack_count - i;
        is_right = is_right && sorted[i].allocated == made_up(id) && sorted[i].count == 2 &&
                   sorted[i].size_bytes == 2 * std::size_t{id};
    }
    CHECK(is_right);
    CHECK(groups.sorted().size() == stack_count);
}

// The sanitizers map memory of their own at any time, and end without it.
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
TEST_CASE("leak_report: where memory is out, further stacks are one group, and no byte is lost") {
    const auto child = tests::run_in_child([] {
        const rlimit nothing_more{};
        setrlimit(RLIMIT_AS, &nothing_more);
        LeakGroups groups;
        for (std::uint32_t id = 1; id <= 1000; ++id) groups.add(made_up(id), at(id), 10);
        std::size_t count = 0;
        std::size_t size_bytes = 0;
        for (const LeakGroup& group : groups.sorted()) {
            count += group.count;
            size_bytes += group.size_bytes;
        }
        const LeakGroup& first = groups.sorted()[0];
        const bool is_right = count == 1000 && size_bytes == 10'000 && groups.count() == 1000 &&
                              groups.sorted().size() == 16 && first.allocated.is_empty() &&
                              first.count == 985;
        _exit(is_right ? 0 : 1);
    });
    CHECK(child.exit_status == 0);
    CHECK(child.signal == 0);
}
#endif

TEST_CASE("leak_report: one allocation is told in singular, with its address") {
    LeakGroups groups;
    groups.add(StackTrace(), at(0x7f00), 12);
    CHECK(text_of({.allocator_name = "debug", .groups = groups}) ==
          "carbide: allocator 'debug' leaked 1 allocation, 12 bytes, from 1 place\n"
          "  12 bytes at 0x7f00, allocated:\n"
          "    (no call stack was recorded)\n");
}

TEST_CASE("leak_report: groups are told largest first, each with its stack") {
    LeakGroups groups;
    const StackTrace larger = captured_at_depth(1);
    groups.add(captured_at_depth(0), at(0x7f00), 12);
    groups.add(larger, at(0x8000), 4000);
    groups.add(larger, at(0x9000), 800);
    const std::string text = text_of({.allocator_name = "debug", .groups = groups});
    CHECK(without_frames(text) ==
          "carbide: allocator 'debug' leaked 3 allocations, 4.7 KiB (4,812 bytes), from 2 places\n"
          "  4.7 KiB (4,800 bytes) in 2 allocations, one of them 3.9 KiB (4,000 bytes) at 0x8000, "
          "allocated:\n"
          "  12 bytes at 0x7f00, allocated:\n");
    if (platform::libbacktrace::is_linked_in()) {
        INFO(text);
        CHECK(std::regex_search(
            text, std::regex("\n  12 bytes at 0x7f00, allocated:\n    #0 "
                             ".*captured_at_depth\\(unsigned int\\) at .*leak_report_test.cpp:")));
    }
    CHECK(text_of({.allocator_name = "debug", .groups = groups}) == text);
}

TEST_CASE("leak_report: what does not fit is summed up in one line") {
    LeakGroups groups;
    for (unsigned depth = 0; depth < 25; ++depth) {
        const StackTrace trace = captured_at_depth(depth);
        groups.add(trace, at(0x1000), 100 + depth);
        groups.add(trace, at(0x2000), 1000);
    }
    const std::string text = text_of({.allocator_name = "debug", .groups = groups});
    CHECK(text.ends_with("  and 5 more places: 5.4 KiB (5,510 bytes) in 10 allocations\n"));
    CHECK(
        text.starts_with("carbide: allocator 'debug' leaked 50 allocations, 27.1 KiB "
                         "(27,800 bytes), from 25 places\n"));
    const std::string short_text =
        text_of({.allocator_name = "debug", .groups = groups, .group_count_max = 24});
    CHECK(short_text.ends_with("  and 1 more place: 1.1 KiB (1,100 bytes) in 2 allocations\n"));
    CHECK_FALSE(text_of({.allocator_name = "debug", .groups = groups, .group_count_max = 25})
                    .contains(" more place"));
}

TEST_CASE("leak_report: colour marks the first line alone") {
    LeakGroups groups;
    groups.add(StackTrace(), at(0x7f00), 12);
    CHECK(text_of({.allocator_name = "debug", .groups = groups}, {.color = true})
              .starts_with("\033[1;31mcarbide: allocator 'debug' leaked 1 allocation, 12 bytes, "
                           "from 1 place\033[0m\n  12 bytes"));
    LeakGroups none;
    CHECK(text_of({.allocator_name = "debug", .groups = none}, {.color = true}) ==
          "carbide: allocator 'debug' leaked nothing\n");
}

class SuppressionFile {
public:
    explicit SuppressionFile(std::string_view content) {
        const int file = mkstemp(path_);
        REQUIRE(file >= 0);
        REQUIRE(write(file, content.data(), content.size()) ==
                static_cast<ssize_t>(content.size()));
        close(file);
    }
    ~SuppressionFile() { unlink(path_); }
    SuppressionFile(const SuppressionFile&) = delete;
    SuppressionFile& operator=(const SuppressionFile&) = delete;

    void load(Suppressions& suppressions) const {
        platform::ReportText errors;
        suppressions.load(path_, errors);
        REQUIRE(errors.view() == "");
    }

private:
    char path_[32] = "/tmp/carbide_test_XXXXXX";
};

TEST_CASE("leak_report: suppressed leaks are counted beside the others, and not with them") {
    const SuppressionFile file("leak:no_such_function\nleak:*\n");
    Suppressions suppressions;
    file.load(suppressions);
    LeakGroups groups;
    const StackTrace trace = captured_at_depth(0);
    groups.add(trace, at(0x10), 40);
    groups.add(trace, at(0x20), 56);
    groups.add(StackTrace(), at(0x7f00), 12);
    groups.suppress(suppressions);
    const LeakReport report{
        .allocator_name = "debug", .groups = groups, .suppressions = &suppressions};
    CHECK(groups.count() == 1);
    CHECK(text_of(report) ==
          "carbide: allocator 'debug' leaked 1 allocation, 12 bytes, from 1 place\n"
          "  12 bytes at 0x7f00, allocated:\n"
          "    (no call stack was recorded)\n"
          "  2 allocations (96 bytes) match suppression leak:*\n");
    CHECK(json_of(report) ==
          R"({"allocator":"debug","leaked_count":1,"leaked_bytes":12,"groups":[{"count":1,)"
          R"("size_bytes":12,"example":"0x7f00","example_size_bytes":12,"allocated":[]}],)"
          R"("omitted":{"groups":0,"count":0,"size_bytes":0},)"
          R"("suppressed":[{"pattern":"*","count":2,"size_bytes":96}]})"
          "\n");
    suppressions.reset_counts();
    CHECK_FALSE(text_of(report).contains("suppression"));
}

TEST_CASE("leak_report: where all leaks are suppressed, nothing leaked") {
    const SuppressionFile file("leak:*\n");
    Suppressions suppressions;
    file.load(suppressions);
    LeakGroups groups;
    groups.add(captured_at_depth(0), at(0x10), 40);
    groups.suppress(suppressions);
    CHECK(groups.count() == 0);
    CHECK(groups.size_bytes() == 0);
    CHECK(groups.sorted().empty());
    CHECK(text_of({.allocator_name = "debug", .groups = groups, .suppressions = &suppressions}) ==
          "carbide: allocator 'debug' leaked nothing\n"
          "  1 allocation (40 bytes) matches suppression leak:*\n");
}

TEST_CASE("leak_report: its JSON is strict, whatever the names are") {
    const SuppressionFile file("leak:*\xFF\"\\\nleak:*\n");
    Suppressions suppressions;
    file.load(suppressions);
    LeakGroups groups;
    for (unsigned depth = 0; depth < 25; ++depth) {
        groups.add(captured_at_depth(depth), at(0x1000), 100 + depth);
    }
    const LeakReport report{.allocator_name = "a\"b\\\xC0\n", .groups = groups};
    const std::string json = json_of(report);
    CHECK(tests::is_strict_json(json));
    CHECK(json.contains("\"omitted\":{\"groups\":5,\"count\":5,\"size_bytes\":510}"));
    CHECK(json.contains("\"suppressed\":[]"));
    groups.suppress(suppressions);
    suppressions.entries()[0].count = 1;
    CHECK(tests::is_strict_json(
        json_of({.allocator_name = "", .groups = groups, .suppressions = &suppressions})));
}

#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
TEST_CASE(
    "leak_report: where memory is out its JSON has fewer groups, and is strict all the same") {
    const std::string long_name(3000, '"');
    for (const char* const name : {"debug", long_name.c_str()}) {
        CAPTURE(name);
        LeakGroups groups;
        for (unsigned depth = 0; depth < 25; ++depth) {
            groups.add(captured_at_depth(depth), at(0x1000), 100 + depth);
        }
        const auto child = tests::run_in_child([&] {
            platform::ReportText text;
            const rlimit nothing_more{};
            setrlimit(RLIMIT_AS, &nothing_more);
            write_leaks_json(text, {.allocator_name = name, .groups = groups});
            text.write_to(STDERR_FILENO);
            _exit(0);
        });
        CHECK(tests::is_strict_json(child.stderr_text));
        CHECK(child.wrote("\"leaked_count\":25,\"leaked_bytes\":2800,"));
        CHECK(child.wrote("],\"cut_by_out_of_memory\":true}\n"));
    }
}
#endif

}  // namespace
}  // namespace carbide
