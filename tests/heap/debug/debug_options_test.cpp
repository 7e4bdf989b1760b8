// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/debug_allocator.hpp"
#include "heap/debug/findings_log.hpp"
#include "support/child_process.hpp"

// What the options change that is not a check: where reports go, what is kept, what ends a program.
namespace carbide {
namespace {

using Options = DebugAllocator::Options;
using tests::FindingsLog;

// A file of its own, removed at the end.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& content = "") {
        const int opened = mkstemp(path_);
        REQUIRE(opened >= 0);
        close(opened);
        std::ofstream(path_) << content;
    }
    ~TemporaryFile() { std::remove(path_); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] const char* path() const { return path_; }
    [[nodiscard]] std::string content() const {
        std::ifstream file(path_);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    char path_[32] = "/tmp/carbide_test_XXXXXX";
};

std::string without_addresses(const std::string& text) {
    return std::regex_replace(text, std::regex("0x[0-9a-f]+"), "ADDRESS");
}

// Reports without stacks: those are looked at elsewhere.
std::string stderr_of(Options options, const std::function<void(DebugAllocator&)>& body) {
    options.stack_frame_count = 0;
    options.mark_for_checkers = false;
    const tests::ChildResult child = tests::run_in_child([&] {
        DebugAllocator debug(options);
        body(debug);
    });
    CHECK(child.signal == 0);
    return without_addresses(child.stderr_text);
}

void leak(DebugAllocator& debug) { static_cast<void>(debug.allocator().must_alloc<char>(48)); }

constexpr const char* leak_report =
    "carbide: allocator 'debug' leaked 1 allocation, 48 bytes, from 1 place\n"
    "  48 bytes at ADDRESS, allocated:\n"
    "    (no call stack was recorded)\n";

TEST_CASE("debug options: reports are appended to a file, and standard error stays clean") {
    const TemporaryFile file("first line\n");
    const auto stderr_text = stderr_of({.report_path = file.path()}, leak);
    CHECK(stderr_text == "");
    CHECK(without_addresses(file.content()) == std::string("first line\n") + leak_report);
}

TEST_CASE("debug options: where the file cannot be written the report is not lost") {
    const auto stderr_text = stderr_of({.report_path = "/nonexistent/reports"}, leak);
    CHECK(stderr_text ==
          std::string("carbide: allocator 'debug': cannot write reports to "
                      "'/nonexistent/reports': No such file or directory; they go to standard "
                      "error\n") +
              leak_report);
}

TEST_CASE("debug options: where the disk is full the report is not lost") {
    const auto stderr_text = stderr_of({.report_path = "/dev/full"}, leak);
    CHECK(stderr_text ==
          std::string("carbide: allocator 'debug': cannot write to the report file: No space left "
                      "on device; this report goes to standard error\n") +
              leak_report);
}

FindingKind first_kind(const FindingsLog& log) {
    REQUIRE_FALSE(log.findings.empty());
    return log.findings.front().kind;
}

[[gnu::noinline]] void leak_that_is_known(Allocator allocator) {
    static_cast<void>(allocator.must_alloc<char>(10));
    asm volatile("" : : : "memory");
}

TEST_CASE("debug options: suppressed leaks are no leaks, others are") {
    const TemporaryFile file("# known\nleak:leak_that_is_known\n");
    FindingsLog log;
    DebugAllocator debug(log.options({.stack_frame_count = 16, .suppressions_path = file.path()}));
    leak_that_is_known(debug.allocator());
    CHECK(debug.leak_count() == 0);
    CHECK(debug.report_leaks() == 0);
    leak(debug);
    CHECK(debug.report_leaks() == 1);
    REQUIRE(log.texts.size() == 1);
    CHECK(
        log.texts[0].find("1 allocation (10 bytes) matches suppression leak:leak_that_is_known") !=
        std::string::npos);
    CHECK(debug.deinit());
}

TEST_CASE("debug options: a malformed suppression is told with its line, and the others count") {
    const TemporaryFile file("leak:nothing\nlaek:typo\n");
    const auto child = tests::run_in_child(
        [&] { DebugAllocator debug({.stack_frame_count = 1, .suppressions_path = file.path()}); });
    CHECK(child.stderr_text == std::string("carbide: ") + file.path() +
                                   ":2: expected 'leak:PATTERN', found 'laek:typo'\n");
    const auto absent = tests::run_in_child([&] {
        DebugAllocator debug({.stack_frame_count = 1, .suppressions_path = "/nonexistent/file"});
    });
    CHECK(absent.stderr_text ==
          "carbide: cannot read suppressions '/nonexistent/file': No such file or directory\n");
}

TEST_CASE("debug options: a leak report as JSON is one line") {
    const auto text = stderr_of({}, [](DebugAllocator& debug) {
        leak(debug);
        debug.report_leaks(DebugAllocator::Format::json);
        _exit(0);
    });
    CHECK(text == R"({"allocator":"debug","leaked_count":1,"leaked_bytes":48,"groups":[{"count":1,)"
                  R"("size_bytes":48,"example":"ADDRESS","example_size_bytes":48,"allocated":[]}],)"
                  R"("omitted":{"groups":0,"count":0,"size_bytes":0},"suppressed":[]})"
                  "\n");
}

TEST_CASE("debug options: with a report_format of JSON findings and leaks are objects a line") {
    const auto text =
        stderr_of({.report_format = DebugAllocator::Format::json}, [](DebugAllocator& debug) {
            debug.allocator().raw_free(debug.allocator().must_alloc<char>(48).data(), 20,
                                       std::align_val_t{1});
            leak(debug);
        });
    const auto lines = std::count(text.begin(), text.end(), '\n');
    CHECK(lines == 2);
    CHECK(text.starts_with(R"({"kind":"wrong-size","allocator":"debug","address":"ADDRESS",)"));
    CHECK(text.find("\n{\"allocator\":\"debug\",\"leaked_count\":1,") != std::string::npos);
    CHECK(text.ends_with("\"suppressed\":[]}\n"));
}

TEST_CASE("debug options: the log has a line per operation") {
    const auto text =
        stderr_of({.limit_bytes = 100, .verbose_log = true}, [](DebugAllocator& debug) {
            const auto block = debug.allocator().must_alloc<int>(4);
            static_cast<void>(debug.allocator().alloc<int>(1000));
            static_cast<void>(debug.allocator().resize(block, 3));
            debug.allocator().free(block.first(3));
        });
    CHECK(text ==
          "carbide: debug: alloc 16 bytes aligned to 4 at ADDRESS\n"
          "carbide: debug: alloc 4000 bytes aligned to 4: out of memory\n"
          "carbide: debug: resize 12 bytes aligned to 4 at ADDRESS\n"
          "carbide: debug: free 12 bytes aligned to 4 at ADDRESS\n");
}

TEST_CASE("debug options: a finding may end the program, and so may leaks in the end") {
    const auto finding = tests::run_in_child([] {
        DebugAllocator debug({.on_finding = OnFinding::abort});
        int local = 0;
        debug.raw_free(&local, 4, std::align_val_t{4});
        std::fputs("went on", stderr);
    });
    CHECK(finding.signal == SIGABRT);
    CHECK(finding.wrote("free of a foreign pointer"));
    CHECK_FALSE(finding.wrote("went on"));
    const auto leaked = tests::run_in_child([] {
        DebugAllocator debug({.on_finding = OnFinding::abort});
        leak(debug);
        debug.report_leaks();
        std::fputs("went on", stderr);
    });
    CHECK(leaked.signal == SIGABRT);
    CHECK(leaked.wrote("went on"));
}

TEST_CASE("debug options: a callback may use other allocators, and gets the text") {
    static std::string seen;
    seen.clear();
    DebugAllocator other;
    DebugAllocator debug(
        {.on_finding = OnFinding::call,
         .callback = {.call =
                          [](void* context, const Finding& finding) noexcept {
                              auto& allocator = *static_cast<DebugAllocator*>(context);
                              allocator.allocator().free(allocator.allocator().must_alloc<char>(9));
                              seen = finding.text;
                          },
                      .context = &other}});
    int local = 0;
    debug.raw_free(&local, 4, std::align_val_t{4});
    CHECK(seen.starts_with("carbide: free of a foreign pointer in allocator 'debug': "));
}

// How often a first free is remembered while `count` more large allocations come and go.
FindingKind kind_of_late_double_free(const Options& options, unsigned count) {
    FindingsLog log;
    DebugAllocator debug(log.options(options));
    void* const first = debug.raw_alloc(300'000, std::align_val_t{16});
    std::vector<void*> blocks;
    // Other addresses: what is used again is forgotten.
    for (unsigned i = 0; i < count; ++i) {
        blocks.push_back(debug.raw_alloc(100'000, std::align_val_t{16}));
    }
    debug.raw_free(first, 300'000, std::align_val_t{16});
    for (void* const block : blocks) debug.raw_free(block, 100'000, std::align_val_t{16});
    debug.raw_free(first, 300'000, std::align_val_t{16});
    return first_kind(log);
}

TEST_CASE("debug options: the latest 256 chunks are remembered, and with retain_metadata all") {
    const Options forgetful{.quarantine_bytes = 0};
    const Options retaining{.quarantine_bytes = 0, .retain_metadata = true};
    CHECK(kind_of_late_double_free(forgetful, 200) == FindingKind::double_free);
    CHECK(kind_of_late_double_free(forgetful, 300) == FindingKind::foreign_free);
    CHECK(kind_of_late_double_free(retaining, 300) == FindingKind::double_free);
}

TEST_CASE("debug options: with never_unmap late writes to large allocations are found") {
    FindingsLog log;
    DebugAllocator debug(log.options({.fill_freed = 0xDD, .never_unmap = true}));
    auto* const block =
        static_cast<unsigned char*>(debug.raw_alloc(1'000'000, std::align_val_t{16}));
    debug.raw_free(block, 1'000'000, std::align_val_t{16});
    CHECK(block[999'999] == 0xDD);
    block[999'999] = 1;
    CHECK(debug.check_all() == 1);
    CHECK(first_kind(log) == FindingKind::write_after_free);
    CHECK(log.findings[0].offset_bytes == 999'999);
}

#if !defined(__SANITIZE_ADDRESS__)  // It reports the fault itself.

// Frees a large allocation that cannot be written to. Whether that went well.
bool frees_without_a_fill(const Options& options) {
    const auto child = tests::run_in_child([&] {
        FindingsLog log;
        DebugAllocator debug(log.options(options));
        constexpr std::size_t size_bytes = std::size_t{4} << 20;
        auto* const block =
            static_cast<std::byte*>(debug.raw_alloc(size_bytes, std::align_val_t{4096}));
        // Without the pages of the pads and their neighbours.
        if (mprotect(block + 4096, size_bytes - 8192, PROT_READ) != 0) std::abort();
        debug.raw_free(block, size_bytes, std::align_val_t{4096});
        if (!log.findings.empty()) std::abort();
        _exit(0);
    });
    CHECK((child.signal == 0 || child.signal == SIGSEGV));
    return child.signal == 0;
}

TEST_CASE("debug options: what is unmapped by its free is not filled before, all else is") {
    CHECK(frees_without_a_fill({.fill_freed = 0xDD, .quarantine_bytes = 0}));
    CHECK(frees_without_a_fill({.fill_freed = 0xDD, .quarantine_bytes = 1000}));
    CHECK_FALSE(frees_without_a_fill({.fill_freed = 0xDD, .quarantine_bytes = 8 << 20}));
    CHECK_FALSE(
        frees_without_a_fill({.fill_freed = 0xDD, .quarantine_bytes = 0, .never_unmap = true}));
    CAllocator unknown;
    CHECK_FALSE(frees_without_a_fill(
        {.backing = unknown.allocator(), .fill_freed = 0xDD, .quarantine_bytes = 0}));
}
#endif

[[gnu::noinline]] bool resize_here(Allocator allocator, std::span<char> block, std::size_t size) {
    const bool resized = allocator.resize(block, size);
    asm volatile("" : : : "memory");
    return resized;
}

TEST_CASE("debug options: a resize renews the stack only where that is asked for") {
    for (const bool refresh : {false, true}) {
        FindingsLog log;
        DebugAllocator debug(log.options({.refresh_trace_on_resize = refresh}));
        const auto block = debug.allocator().must_alloc<char>(100);
        REQUIRE(resize_here(debug.allocator(), block, 90));
        debug.report_leaks();
        REQUIRE(log.texts.size() == 1);
        CHECK((log.texts[0].find("resize_here") != std::string::npos) == refresh);
        debug.allocator().free(block.first(90));
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // They need address space.

TEST_CASE("debug options: without memory for its bookkeeping it says so, and fails cleanly") {
    const auto child = tests::run_in_child([] {
        const rlimit none{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_AS, &none);
        DebugAllocator debug({.name = "starved"});
        if (debug.allocator().alloc<char>(1).has_value()) std::abort();
        if (debug.deinit() || debug.check_all() != 0 || debug.leak_count() != 0) std::abort();
    });
    CHECK(child.signal == 0);
    CHECK(child.stderr_text ==
          "carbide: DebugAllocator 'starved': no memory for its bookkeeping; every allocation will "
          "fail\n");
}

TEST_CASE("debug options: findings are told, shortened, where all memory is out") {
    const auto child = tests::run_in_child([] {
        DebugAllocator debug({.fill_freed = std::nullopt, .quarantine_bytes = 0});
        const auto block = debug.allocator().must_alloc<char>(48);
        const rlimit none{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
        setrlimit(RLIMIT_AS, &none);
        while (debug.allocator().alloc<char>(1000).has_value()) {
        }
        debug.allocator().free(block);
        debug.allocator().free(block);
        _exit(0);
    });
    CHECK(child.signal == 0);
    CHECK(child.wrote("carbide: double free in allocator 'debug': 48 bytes at 0x"));
}

#endif

}  // namespace
}  // namespace carbide
