// SPDX-License-Identifier: MIT
#include "heap/debug/finding_report.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <ostream>
#include <regex>
#include <string>

#include "carbide/memory_marks.hpp"
#include "platform/libbacktrace.hpp"
#include "support/child_process.hpp"
#include "support/strict_json.hpp"

// Not in detail, whose functions reports leave out.
namespace carbide {
namespace {

using detail::write_finding;
using detail::write_finding_json;
using detail::write_json_string;

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

std::string text_of(const Finding& finding, platform::Style style = {}) {
    platform::ReportText text;
    write_finding(text, finding, style);
    return std::string(text.view());
}

std::string json_of(const Finding& finding) {
    platform::ReportText text;
    write_finding_json(text, finding);
    return std::string(text.view());
}

// 48 bytes at 0x7f0000001000.
Finding finding_of(FindingKind kind) {
    return {.kind = kind,
            .allocator_name = "debug",
            .address = at(0x7f0000001000),
            .block = at(0x7f0000001000),
            .size_bytes = 48,
            .alignment_bytes = 64};
}

Finding write_at(FindingKind kind, std::ptrdiff_t offset_bytes, std::string_view found) {
    Finding finding = finding_of(kind);
    finding.offset_bytes = offset_bytes;
    finding.found_byte_count = found.copy(reinterpret_cast<char*>(finding.found_bytes), 16);
    return finding;
}

TEST_CASE("finding_report: a leak is told with size and address") {
    CHECK(text_of(finding_of(FindingKind::leak)) ==
          "carbide: leak in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  It was never freed.\n");
}

TEST_CASE("finding_report: a double free says that the second one did nothing") {
    CHECK(text_of(finding_of(FindingKind::double_free)) ==
          "carbide: double free in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  It had been freed before; the second free did nothing.\n");
}

TEST_CASE("finding_report: a free inside an allocation says how far from its start") {
    Finding finding = finding_of(FindingKind::interior_free);
    finding.address = at(0x7f0000001010);
    finding.offset_bytes = 16;
    CHECK(text_of(finding) ==
          "carbide: free of an address inside an allocation in allocator 'debug': 48 bytes at "
          "0x7f0000001000\n"
          "  The caller freed 0x7f0000001010, 16 bytes behind its start.\n"
          "  Only the start can be freed; nothing was.\n");
}

TEST_CASE("finding_report: a free of a foreign pointer names its allocator where that is known") {
    Finding finding{.kind = FindingKind::foreign_free, .allocator_name = "debug"};
    finding.address = at(0x55550010);
    CHECK(text_of(finding) ==
          "carbide: free of a foreign pointer in allocator 'debug': 0x55550010\n"
          "  This allocator never gave that address out, or took it back long ago.\n"
          "  Nothing was freed.\n");
    finding.allocator_is_over = true;
    CHECK(text_of(finding) ==
          "carbide: free of a foreign pointer in allocator 'debug': 0x55550010\n"
          "  This allocator is over: its deinit() took back all that it had given out.\n"
          "  Nothing was freed.\n");
    finding.other_allocator_name = "frame arena";
    CHECK(text_of(finding) ==
          "carbide: free of a foreign pointer in allocator 'debug': 0x55550010\n"
          "  It belongs to the allocator 'frame arena', which has to free it.\n"
          "  Nothing was freed.\n");
}

TEST_CASE("finding_report: a wrong size and a wrong alignment are told with both numbers") {
    Finding finding = finding_of(FindingKind::wrong_size);
    finding.claimed_size_bytes = 40;
    CHECK(text_of(finding) ==
          "carbide: wrong size in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  The caller freed or resized it as 40 bytes, but had asked for 48 bytes.\n"
          "  The recorded size was used.\n");
    finding = finding_of(FindingKind::wrong_alignment);
    finding.claimed_alignment_bytes = 1;
    CHECK(text_of(finding) ==
          "carbide: wrong alignment in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  The caller freed or resized it with an alignment of 1 byte, but had asked for 64 "
          "bytes.\n"
          "  The recorded alignment was used.\n");
}

TEST_CASE("finding_report: a write beside an allocation says where, and what stands there") {
    CHECK(text_of(write_at(FindingKind::write_before, -8, {"AB\0\xFF", 4})) ==
          "carbide: write in front of an allocation in allocator 'debug': 48 bytes at "
          "0x7f0000001000\n"
          "  The first byte that was overwritten stands 8 bytes in front of it.\n"
          "  Found there: 41 42 00 ff  \"AB..\"\n");
    CHECK(text_of(write_at(FindingKind::write_before, -1, "!")) ==
          "carbide: write in front of an allocation in allocator 'debug': 48 bytes at "
          "0x7f0000001000\n"
          "  The first byte that was overwritten stands 1 byte in front of it.\n"
          "  Found there: 21  \"!\"\n");
    CHECK(text_of(write_at(FindingKind::write_after, 48, {"\0", 1})) ==
          "carbide: write past the end of an allocation in allocator 'debug': 48 bytes at "
          "0x7f0000001000\n"
          "  The first byte that was overwritten stands right behind its end.\n"
          "  Found there: 00  \".\"\n");
    CHECK(text_of(write_at(FindingKind::write_after, 51, "0123456789abcdefgh")) ==
          "carbide: write past the end of an allocation in allocator 'debug': 48 bytes at "
          "0x7f0000001000\n"
          "  The first byte that was overwritten stands 3 bytes behind its end.\n"
          "  Found there, in the first 16 bytes: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  "
          "\"0123456789abcdef\"\n");
}

TEST_CASE("finding_report: a write after free says at which byte") {
    CHECK(text_of(write_at(FindingKind::write_after_free, 8, "late")) ==
          "carbide: write after free in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  It was overwritten after it had been freed, first 8 bytes behind its start.\n"
          "  Found there: 6c 61 74 65  \"late\"\n");
    CHECK(text_of(write_at(FindingKind::write_after_free, 0, "")) ==
          "carbide: write after free in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  It was overwritten after it had been freed, first at its start.\n");
}

TEST_CASE("finding_report: a wrong access is told with the address that was touched") {
    Finding finding = write_at(FindingKind::out_of_bounds_access, 49, "");
    finding.address = at(0x7f0000001031);
    CHECK(text_of(finding) ==
          "carbide: access out of bounds in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  The program read 0x7f0000001031, 1 byte behind its end.\n");
    finding = write_at(FindingKind::use_after_free, 4, "");
    finding.address = at(0x7f0000001004);
    finding.is_write = true;
    CHECK(text_of(finding) ==
          "carbide: use after free in allocator 'debug': 48 bytes at 0x7f0000001000\n"
          "  The program wrote to 0x7f0000001004, 4 bytes behind its start, after it had been "
          "freed.\n");
}

TEST_CASE("finding_report: a second thread is told with both threads and the way out") {
    Finding finding = finding_of(FindingKind::second_thread);
    finding.first_thread = 100;
    finding.second_thread = 101;
    CHECK(text_of(finding) ==
          "carbide: use by a second thread in allocator 'debug'\n"
          "  It belongs to thread 100, and thread 101 used it.\n"
          "  Construct it with 'thread_safe', or call detach_from_thread() to hand it over.\n");
}

TEST_CASE("finding_report: a global allocation is one in a scope, if that has a name") {
    const Finding named{.kind = FindingKind::global_allocation, .allocator_name = "index"};
    CHECK(text_of(named).starts_with(
        "carbide: global allocation where none is allowed, in the scope 'index': 0 bytes\n"));
}

TEST_CASE("finding_report: a global allocation needs no allocator's name") {
    const Finding finding{.kind = FindingKind::global_allocation, .size_bytes = 1'572'864};
    CHECK(text_of(finding) ==
          "carbide: global allocation where none is allowed: 1.5 MiB (1,572,864 bytes)\n"
          "  malloc or new was called inside of a NoGlobalAllocation scope, where all memory has "
          "to come\n  from the allocator that was injected.\n");
}

TEST_CASE("finding_report: colour marks the first line alone") {
    const Finding finding = finding_of(FindingKind::leak);
    CHECK(text_of(finding, {.color = true}) ==
          "\033[1;31mcarbide: leak in allocator 'debug': 48 bytes at 0x7f0000001000\033[0m\n"
          "  It was never freed.\n");
}

constexpr unsigned trace_line = __LINE__ + 2;
[[gnu::noinline]] StackTrace trace_of_this_file() {
    const StackTrace trace = StackTrace::capture(1);
    asm volatile("");  // No tail call, which would leave no frame.
    return trace;
}

std::string frame_regex() {
    if (!platform::libbacktrace::is_linked_in()) return "    #0 .*\\+0x[0-9a-f]+\n";
    return "    #0 carbide::\\(anonymous namespace\\)::trace_of_this_file\\(\\) at "
           ".*finding_report_test.cpp:" +
           std::to_string(trace_line) + "\n";
}

TEST_CASE("finding_report: each stack is told under its own heading, and an empty one not at all") {
    const StackTrace trace = trace_of_this_file();
    Finding finding = finding_of(FindingKind::double_free);
    finding.here = finding.allocated = finding.freed = trace;
    const std::string head = text_of(finding_of(FindingKind::double_free));
    const std::string frame = frame_regex();
    const std::string all = text_of(finding);
    REQUIRE(all.starts_with(head));
    CHECK(std::regex_match(
        all.substr(head.size()),
        std::regex("  here:\n" + frame + "  allocated:\n" + frame + "  first free:\n" + frame)));

    finding.kind = FindingKind::use_after_free;
    finding.here = finding.allocated = {};
    CHECK(std::regex_search(text_of(finding), std::regex("freed\\.\n  freed:\n" + frame + "$")));

    finding.kind = FindingKind::write_after;
    finding.freed = {};
    finding.here = trace;
    CHECK(std::regex_search(text_of(finding), std::regex("\n  noticed here:\n" + frame + "$")));

    finding.kind = FindingKind::second_thread;
    finding.here = {};
    finding.first_owner = trace;
    finding.first_thread = 7;
    CHECK(std::regex_search(text_of(finding),
                            std::regex("\n  first used by thread 7:\n" + frame + "$")));
}

TEST_CASE("finding_report: as JSON it is one line with what applies to its kind") {
    CHECK(json_of(finding_of(FindingKind::double_free)) ==
          R"({"kind":"double-free","allocator":"debug","address":"0x7f0000001000",)"
          R"("block":"0x7f0000001000","size_bytes":48,"alignment_bytes":64})"
          "\n");
    CHECK(json_of(write_at(FindingKind::write_before, -8, {"A\0", 2})) ==
          R"({"kind":"write-before","allocator":"debug","address":"0x7f0000001000",)"
          R"("block":"0x7f0000001000","size_bytes":48,"alignment_bytes":64,)"
          R"("offset_bytes":-8,"found":"4100"})"
          "\n");
    Finding foreign{.kind = FindingKind::foreign_free, .address = at(16)};
    CHECK(json_of(foreign) ==
          R"({"kind":"foreign-free","allocator":"","address":"0x10","block":null,)"
          R"("size_bytes":0,"alignment_bytes":0,"other_allocator":null})"
          "\n");
    foreign.allocator_is_over = true;
    CHECK(json_of(foreign).ends_with(",\"other_allocator\":null,\"allocator_is_over\":true}\n"));
    Finding claimed = finding_of(FindingKind::wrong_size);
    claimed.claimed_size_bytes = 40;
    CHECK(json_of(claimed).ends_with(",\"alignment_bytes\":64,\"claimed_size_bytes\":40}\n"));
}

TEST_CASE("finding_report: the JSON of every kind is strict JSON, with stacks as well") {
    for (unsigned char kind = 0; kind <= static_cast<unsigned char>(FindingKind::global_allocation);
         ++kind) {
        Finding finding = write_at(static_cast<FindingKind>(kind), -3, "found");
        CAPTURE(name_of(finding.kind));
        finding.other_allocator_name = "b\"\\\n";
        CHECK(tests::is_strict_json(json_of(finding)));
        finding.here = finding.allocated = finding.freed = finding.first_owner =
            StackTrace::capture();
        const std::string json = json_of(finding);
        CHECK(tests::is_strict_json(json));
        CHECK(json.contains("\"first_owner\":[{"));
        CHECK(json.find('\n') == json.size() - 1);
    }
}

// The sanitizers map memory of their own at any time, and end without it.
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
TEST_CASE(
    "finding_report: where memory is out the JSON has less, and is strict JSON all the same") {
    for (unsigned char kind = 0; kind <= static_cast<unsigned char>(FindingKind::global_allocation);
         ++kind) {
        Finding finding = write_at(static_cast<FindingKind>(kind), -3, "found");
        CAPTURE(name_of(finding.kind));
        const std::string name(3000, '"');
        finding.allocator_name = finding.other_allocator_name = name.c_str();
        finding.here = finding.allocated = StackTrace::capture();
        const auto child = tests::run_in_child([&] {
            platform::ReportText text;
            const rlimit nothing_more{};
            setrlimit(RLIMIT_AS, &nothing_more);
            write_finding_json(text, finding);
            text.write_to(STDERR_FILENO);
            _exit(0);
        });
        CHECK(tests::is_strict_json(child.stderr_text));
        CHECK(child.wrote("{\"kind\":\""));
        CHECK(child.wrote(",\"cut_by_out_of_memory\":true}\n"));
    }
}
#endif

std::string quoted(std::string_view bytes) {
    platform::ReportText text;
    write_json_string(text, bytes);
    return std::string(text.view());
}

TEST_CASE("finding_report: JSON strings hold any bytes; what is not UTF-8 is replaced") {
    constexpr const char* gone = "\"\xEF\xBF\xBD\"";
    CHECK(quoted("a\"b\\c\n\t\x01") == R"("a\"b\\c\u000a\u0009\u0001")");
    CHECK(quoted("\x7F\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") ==
          "\"\x7F\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    CHECK(quoted("\xFF") == gone);
    CHECK(quoted("\xC3") == gone);
    CHECK(quoted("\xC0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK(quoted("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    CHECK(quoted(std::string_view("\0", 1)) == "\"\\u0000\"");
}

TEST_CASE("finding_report: every string of up to two bytes, and its neighbours, is strict JSON") {
    unsigned wrong_count = 0;
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            for (const std::string_view tail : {"", "\x80", "\x80\xBF", "z"}) {
                std::string bytes{static_cast<char>(first), static_cast<char>(second)};
                bytes += tail;
                if (!tests::is_strict_json(quoted(bytes))) ++wrong_count;
            }
        }
    }
    CHECK(wrong_count == 0);
}

TEST_CASE("strict_json: the checker of these tests tells right from wrong") {
    for (const char* const right :
         {"0", "-1.5e+3", " [ ] ", "{\"a\":[1,{}],\"b\":null}", "\"\\u00e9\""}) {
        CHECK_MESSAGE(tests::is_strict_json(right), right);
    }
    for (const char* const wrong :
         {"", "01", "[1,]", "{\"a\"}", "{a:1}", "\"\n\"", "\"\\x\"", "1 2", "\"\xC0\x80\"", "\"",
          "{\"a\":1,}", "nul", "-", "1.", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\""}) {
        CHECK_MESSAGE(!tests::is_strict_json(wrong), wrong);
    }
}

}  // namespace
}  // namespace carbide
