// SPDX-License-Identifier: MIT
#include "carbide/testing/no_global_allocation.hpp"

#include <doctest/doctest.h>
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "carbide/arena_allocator.hpp"
#include "carbide/memory_marks.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/testing/test_hooks.hpp"
#include "support/child_process.hpp"

namespace carbide::testing {
namespace {

// Counts, and keeps the newest text in place, because a string would allocate.
struct Collected {
    std::size_t count = 0;
    FindingKind kind{};
    std::size_t size_bytes = 0;
    unsigned frame_count = 0;
    char text[4096] = {};

    [[nodiscard]] NoGlobalAllocation::Options options() noexcept {
        return {.on_finding = OnFinding::call,
                .callback = {[](void* context, const Finding& finding) noexcept {
                                 static_cast<Collected*>(context)->add(finding);
                             },
                             this}};
    }
    void add(const Finding& finding) noexcept {
        ++count;
        kind = finding.kind;
        size_bytes = finding.size_bytes;
        frame_count = finding.here.frame_count();
        std::snprintf(text, sizeof text, "%.*s", static_cast<int>(finding.text.size()),
                      finding.text.data());
    }
};

// Hides the memory from the optimiser, which would remove malloc and free as a pair.
void use(void* memory) noexcept { asm volatile("" : : "g"(memory) : "memory"); }

template <class F>
std::size_t findings_of(F function) {
    Collected collected;
    const NoGlobalAllocation scope(collected.options());
    function();
    CHECK(collected.count == scope.finding_count());
    return scope.finding_count();
}

TEST_CASE("no global allocation: without one there is no finding") {
    CHECK(findings_of([] {
              ArenaAllocator arena({.backing = page_allocator()});
              use(arena.allocator().must_alloc<int>(100).data());
          }) == 0);
}

TEST_CASE("no global allocation: every function of malloc's family is one") {
    CHECK(findings_of([] { free(malloc(10)); }) <= 1);  // The compiler may remove both.
    CHECK(findings_of([] {
              void* const memory = malloc(10);
              use(memory);
              free(memory);
          }) == 1);
    CHECK(findings_of([] {
              void* const memory = calloc(10, 10);
              use(memory);
              free(memory);
          }) == 1);
    CHECK(findings_of([] {
              void* memory = malloc(10);
              use(memory);
              memory = realloc(memory, 1000);
              use(memory);
              free(memory);
          }) == 2);
    CHECK(findings_of([] {
              void* const memory = reallocarray(nullptr, 10, 10);
              use(memory);
              free(memory);
          }) == 1);
}

#ifndef __SANITIZE_THREAD__
// ThreadSanitizer does not tell of these.
TEST_CASE("no global allocation: aligned functions of malloc's family are ones") {
    CHECK(findings_of([] {
              void* const memory = aligned_alloc(64, 128);
              use(memory);
              free(memory);
          }) == 1);
    CHECK(findings_of([] {
              void* const memory = memalign(64, 128);
              use(memory);
              free(memory);
          }) == 1);
    CHECK(findings_of([] {
              void* const memory = valloc(128);
              use(memory);
              free(memory);
          }) == 1);
    CHECK(findings_of([] {
              void* memory = nullptr;
              CHECK(posix_memalign(&memory, 64, 128) == 0);
              use(memory);
              free(memory);
          }) == 1);
}
#endif

TEST_CASE("no global allocation: operator new is one, plain, array, aligned and nothrow") {
    struct alignas(64) Wide {
        char bytes[64];
    };
    CHECK(findings_of([] {
              int* const number = new int;
              use(number);
              delete number;
          }) == 1);
    CHECK(findings_of([] {
              int* const numbers = new int[10];
              use(numbers);
              delete[] numbers;
          }) == 1);
    CHECK(findings_of([] {
              Wide* const wide = new Wide;
              use(wide);
              delete wide;
          }) == 1);
    CHECK(findings_of([] {
              int* const number = new (std::nothrow) int;
              use(number);
              delete number;
          }) == 1);
}

TEST_CASE("no global allocation: what libraries allocate inside is one") {
    CHECK(findings_of([] { use(std::string(1000, 'x').data()); }) == 1);
    CHECK(findings_of([] {
              const std::list<int> list{1, 2, 3};
              use(const_cast<int*>(&list.front()));
          }) == 3);
    CHECK(findings_of([] {
              char* const copy = strdup("text");
              use(copy);
              free(copy);
          }) == 1);
    CHECK(findings_of([] { use(std::make_shared<int>(1).get()); }) == 1);
}

TEST_CASE("no global allocation: a thrown exception is one") {
    const std::size_t count = findings_of([] {
        try {
            throw 1;
        } catch (int) {
        }
    });
    CHECK(count == 1);
}

TEST_CASE("no global allocation: frees of earlier memory are none") {
    auto text = std::make_unique<std::string>(1000, 'x');
    CHECK(findings_of([&] { text.reset(); }) == 0);
}

TEST_CASE("no global allocation: the finding has the size and the stack, and says so") {
    Collected collected;
    {
        const NoGlobalAllocation scope(collected.options());
        void* const memory = malloc(1234);
        use(memory);
        free(memory);
    }
    CHECK(collected.kind == FindingKind::global_allocation);
    CHECK(collected.size_bytes == 1234);
    CHECK(collected.frame_count >= 2);
    INFO(collected.text);
    CHECK(std::strstr(collected.text, "global allocation") != nullptr);
}

TEST_CASE("no global allocation: outside of the scope nothing is found") {
    Collected collected;
    {
        const NoGlobalAllocation scope(collected.options());
    }
    void* const memory = malloc(10);
    use(memory);
    free(memory);
    CHECK(collected.count == 0);
}

TEST_CASE("no global allocation: intended exceptions are none") {
    CHECK(findings_of([] {
              {
                  const GlobalAllocationAllowed log_line;
                  use(std::string(1000, 'x').data());
              }
              use(std::string(1000, 'x').data());
          }) == 1);
}

TEST_CASE("no global allocation: scopes nest, and the inner one finds") {
    Collected outer_findings;
    Collected inner_findings;
    const NoGlobalAllocation outer(outer_findings.options());
    {
        const NoGlobalAllocation inner(inner_findings.options());
        use(std::string(1000, 'x').data());
        CHECK(inner.finding_count() == 1);
        CHECK(outer.finding_count() == 0);
    }
    use(std::string(1000, 'x').data());
    CHECK(outer.finding_count() == 1);
}

std::size_t findings_of_other_thread(NoGlobalAllocation::Threads threads) {
    std::atomic<int> step = 0;
    std::thread other([&] {
        step = 1;  // Its start, which may allocate, is over.
        while (step != 2) std::this_thread::yield();
        use(std::string(1000, 'x').data());
        step = 3;
    });
    while (step != 1) std::this_thread::yield();
    Collected collected;
    auto options = collected.options();
    options.threads = threads;
    std::size_t count = 0;
    {
        const NoGlobalAllocation scope(options);
        step = 2;
        while (step != 3) std::this_thread::yield();
        count = scope.finding_count();
    }
    other.join();
    return count;
}

TEST_CASE("no global allocation: other threads count only where the scope is for all") {
    CHECK(findings_of_other_thread(NoGlobalAllocation::Threads::this_one) == 0);
    CHECK(findings_of_other_thread(NoGlobalAllocation::Threads::all) == 1);
}

TEST_CASE("no global allocation: a callback that allocates does not find itself") {
    struct Allocating {
        std::string text;
        std::size_t count = 0;
    } allocating;
    const NoGlobalAllocation scope(
        {.on_finding = OnFinding::call,
         .callback = {[](void* context, const Finding& finding) noexcept {
                          auto& self = *static_cast<Allocating*>(context);
                          self.text += std::string(finding.text) + std::string(1000, 'x');
                          ++self.count;
                      },
                      &allocating}});
    use(std::string(1000, 'x').data());
    CHECK(scope.finding_count() == 1);
    CHECK(allocating.count == 1);
}

TEST_CASE("no global allocation: without a callback it prints") {
    const auto result = tests::run_in_child([] {
        const NoGlobalAllocation scope({.name = "index"});
        use(std::string(1000, 'x').data());
    });
    CHECK(result.signal == 0);
    CHECK(result.wrote(
        "carbide: global allocation where none is allowed, in the scope 'index': 1,001 bytes\n"));
}

TEST_CASE("no global allocation: a loop is counted to its end, and not printed so often") {
    Collected collected;
    const NoGlobalAllocation scope(collected.options());
    for (int i = 0; i < 100; ++i) use(std::string(1000, 'x').data());
    CHECK(scope.finding_count() == 100);
    CHECK(collected.count == 10);
}

TEST_CASE("no global allocation: the end of a scope tells how many were not printed") {
    const auto result = tests::run_in_child([] {
        const NoGlobalAllocation scope({.report_count_max = 3, .name = "index"});
        for (int i = 0; i < 5; ++i) use(std::string(1000, 'x').data());
    });
    CHECK(result.stderr_text.ends_with(
        "\ncarbide: 5 global allocations where none is allowed, in the scope 'index', of which the "
        "first 3 were reported\n"));
    const auto few = tests::run_in_child([] {
        const NoGlobalAllocation scope({.report_count_max = 3});
        for (int i = 0; i < 3; ++i) use(std::string(1000, 'x').data());
    });
    CHECK_FALSE(few.wrote("were reported"));
}

TEST_CASE("no global allocation: it aborts where it is told to") {
    const auto result = tests::run_in_child([] {
        const NoGlobalAllocation scope({.on_finding = OnFinding::abort});
        use(std::string(1000, 'x').data());
    });
    CHECK(result.signal == SIGABRT);
    CHECK(result.wrote("global allocation"));
}

TEST_CASE("no global allocation: a running test fails of it") {
    begin_test("a test");
    {
        const NoGlobalAllocation scope;
        use(std::string(1000, 'x').data());
    }
    const TestReport report = end_test();
    CHECK_FALSE(report.passed());
    CHECK(report.first_finding() == FindingKind::global_allocation);
    CHECK(report.message().find("global allocation") != std::string::npos);
}

TEST_CASE("no global allocation: errno stays as it was") {
    const NoGlobalAllocation scope(
        {.on_finding = OnFinding::call,
         .callback = {[](void*, const Finding&) noexcept { errno = 5; }, nullptr}});
    errno = 77;
    void* const memory = malloc(10);
    use(memory);
    const int error = errno;
    free(memory);
    CHECK(error == 77);
}

TEST_CASE("no global allocation: the testing allocator is no global allocation") {
    begin_test("a test");
    const std::size_t count = findings_of([] {
        const auto numbers = allocator().alloc<int>(10);
        if (numbers.has_value()) allocator().free(*numbers);
    });
    CHECK(count == 0);
    CHECK(end_test().passed());
}

#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
// A sanitizer has its own malloc, whose manners are not ours to test.
TEST_CASE("no global allocation: malloc's family keeps its manners") {
    void* memory = &memory;
    CHECK(posix_memalign(&memory, 3, 10) == EINVAL);
    CHECK(posix_memalign(&memory, 4, 10) == EINVAL);
    CHECK(memory == &memory);
    errno = 0;
    volatile std::size_t half = SIZE_MAX / 2;
    CHECK(reallocarray(nullptr, half, 3) == nullptr);
    CHECK(errno == ENOMEM);
    CHECK(calloc(half, 3) == nullptr);
    volatile std::size_t most = SIZE_MAX;
    CHECK(pvalloc(most) == nullptr);
    void* const page = pvalloc(1);
    CHECK(malloc_usable_size(page) >= static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
    free(page);
}
#endif

}  // namespace
}  // namespace carbide::testing
