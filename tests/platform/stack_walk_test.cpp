// SPDX-License-Identifier: MIT
#include "platform/stack_walk.hpp"

#include <alloca.h>
#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>

#include "carbide/memory_marks.hpp"
#include "platform/traces.hpp"
#include "support/child_process.hpp"
#include "support/stack_oracle.hpp"

using namespace carbide;
using carbide::tests::stack_differences;

namespace {

std::string differences;

// Keeps a call from becoming a jump, and a variable where it is.
template <typename T>
void keep(T& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

[[gnu::noinline]] void compare() {
    differences += stack_differences();
    keep(differences);
}

[[gnu::noinline]] void recurse(unsigned depth) {
    if (depth == 0) {
        compare();
    } else {
        recurse(depth - 1);
    }
    keep(depth);
}

// A frame whose size is known at run time only.
[[gnu::noinline]] void recurse_with_alloca(std::size_t size_bytes) {
    auto* const memory = static_cast<char*>(alloca(size_bytes));
    std::memset(memory, 1, size_bytes);
    keep(*memory);
    if (size_bytes < 300) {
        recurse_with_alloca(size_bytes + 50);
    } else {
        compare();
    }
    keep(*memory);
}

[[gnu::noinline]] void recurse_with_alignment(std::size_t size_bytes) {
    alignas(128) char aligned[128];
    auto* const memory = static_cast<char*>(alloca(size_bytes));
    keep(aligned);
    keep(*memory);
    if (size_bytes < 300) {
        recurse_with_alignment(size_bytes + 50);
    } else {
        compare();
    }
    keep(aligned);
}

// More than the cache of rules has room for.
[[gnu::noinline]] void call_with_large_frame() {
    char large[5 << 20];
    keep(large);
    compare();
    keep(large);
}

int compare_ints(const void* left, const void* right) {
    compare();
    return *static_cast<const int*>(left) - *static_cast<const int*>(right);
}

[[gnu::noinline]] void throw_from(unsigned depth) {
    if (depth == 0) {
        compare();
        throw std::runtime_error("expected");
    }
    throw_from(depth - 1);
    keep(depth);
}

std::jmp_buf jump_target;

[[gnu::noinline]] void jump_from(unsigned depth) {
    if (depth == 0) {
        compare();
        if (differences.empty()) std::longjmp(jump_target, 1);
        return;
    }
    jump_from(depth - 1);
    keep(depth);
}

[[gnu::noinline]] void be_jumped_over(unsigned depth) {
    if (setjmp(jump_target) == 0) jump_from(depth);
}

}  // namespace

TEST_CASE("stack walk: agrees with the compiler's unwinder at every depth up to the limit") {
    differences.clear();
    for (unsigned depth = 0; depth < 80; ++depth) recurse(depth);
    CHECK(differences == "");
}

TEST_CASE("stack walk: passes frames whose size is known at run time only") {
    differences.clear();
    recurse_with_alloca(1);
    CHECK(differences == "");
}

TEST_CASE("stack walk: passes frames that align the stack") {
    differences.clear();
    recurse_with_alignment(1);
    CHECK(differences == "");
}

TEST_CASE("stack walk: passes a frame that is too large for the cache of rules") {
    differences.clear();
    call_with_large_frame();
    CHECK(differences == "");
}

TEST_CASE("stack walk: passes the C library, which has no frame pointers") {
    differences.clear();
    int numbers[] = {3, 1, 2, 9, 8, 7};
    std::qsort(numbers, std::size(numbers), sizeof numbers[0], compare_ints);
    const int wanted = 7;
    CHECK(std::bsearch(&wanted, numbers, std::size(numbers), sizeof numbers[0], compare_ints) !=
          nullptr);
    CHECK(differences == "");
}

TEST_CASE("stack walk: passes a std::function") {
    differences.clear();
    int captured = 1;
    const std::function<void(int)> function = [&](int depth) {
        recurse(static_cast<unsigned>(depth + captured));
        keep(captured);
    };
    function(3);
    CHECK(differences == "");
}

TEST_CASE("stack walk: is right after an exception has passed remembered frames") {
    differences.clear();
    for (unsigned depth = 1; depth < 20; ++depth) {
        recurse(depth);
        CHECK_THROWS_AS(throw_from(depth), std::runtime_error);
        recurse(depth);
    }
    CHECK(differences == "");
}

TEST_CASE("stack walk: is right after a longjmp out of remembered frames") {
    differences.clear();
    for (unsigned depth = 1; depth < 20; ++depth) {
        recurse(depth);
        be_jumped_over(depth);
        recurse(depth);
    }
    CHECK(differences == "");
}

TEST_CASE("stack walk: agrees with the compiler's unwinder on another thread") {
    differences.clear();
    std::thread([] {
        for (unsigned depth = 0; depth < 40; ++depth) recurse(depth);
        recurse_with_alloca(1);
    }).join();
    CHECK(differences == "");
}

TEST_CASE("stack walk: goes on in the child after fork") {
    differences.clear();
    recurse(5);
    const tests::ChildResult child = tests::run_in_child([] {
        recurse(5);
        recurse(6);
        std::thread([] { recurse(7); }).join();
        std::fputs(differences.c_str(), stderr);
    });
    CHECK(child.signal == 0);
    CHECK(child.stderr_text == "");
    CHECK(differences == "");
}

// Their stacks are none that the sanitizers know.
#if !defined(__SANITIZE_THREAD__) && !CARBIDE_ASAN

namespace {

ucontext_t main_context;
ucontext_t coroutine_context;

void run_coroutine() {
    recurse(3);
    recurse(3);
    swapcontext(&coroutine_context, &main_context);
    recurse(9);
}

[[gnu::noinline]] void run_on_stack_of(std::size_t stack_bytes) {
    constexpr std::size_t mapped_bytes = 256 << 10;
    void* const stack =
        mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(getcontext(&coroutine_context) == 0);
    coroutine_context.uc_stack.ss_sp = stack;
    coroutine_context.uc_stack.ss_size = stack_bytes;
    coroutine_context.uc_link = &main_context;
    makecontext(&coroutine_context, run_coroutine, 0);
    swapcontext(&main_context, &coroutine_context);
    recurse(4);
    swapcontext(&main_context, &coroutine_context);
    munmap(stack, mapped_bytes);
}

}  // namespace

TEST_CASE("stack walk: agrees with the compiler's unwinder in a coroutine") {
    differences.clear();
    // Each one's stack is at the same place as the last one's, and shorter.
    for (const std::size_t stack_bytes : {256UL << 10, 128UL << 10, 64UL << 10}) {
        run_on_stack_of(stack_bytes);
    }
    CHECK(differences == "");
}

#endif

// ThreadSanitizer calls handlers from frames of its own, at times of its own.
#ifndef __SANITIZE_THREAD__

namespace {

void compare_in_handler(int) { recurse(2); }

void install(int flags) {
    struct sigaction action = {};
    action.sa_handler = compare_in_handler;
    action.sa_flags = flags;
    REQUIRE(sigaction(SIGUSR1, &action, nullptr) == 0);
}

[[gnu::noinline]] void be_interrupted(unsigned depth) {
    if (depth == 0) {
        std::raise(SIGUSR1);
    } else {
        be_interrupted(depth - 1);
    }
    keep(depth);
}

}  // namespace

TEST_CASE("stack walk: passes a signal handler") {
    differences.clear();
    install(0);
    be_interrupted(4);
    be_interrupted(5);
    std::signal(SIGUSR1, SIG_DFL);
    CHECK(differences == "");
}

TEST_CASE("stack walk: gets from a signal handler's own stack to the interrupted one") {
    differences.clear();
    constexpr std::size_t stack_bytes = 512 << 10;
    void* const memory =
        mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const stack_t handler_stack{.ss_sp = memory, .ss_flags = 0, .ss_size = stack_bytes};
    stack_t old_stack;
    REQUIRE(sigaltstack(&handler_stack, &old_stack) == 0);
    install(SA_ONSTACK);
    be_interrupted(4);
    be_interrupted(5);
    std::thread([] { be_interrupted(6); }).join();
    std::signal(SIGUSR1, SIG_DFL);
    REQUIRE(sigaltstack(&old_stack, nullptr) == 0);
    munmap(memory, stack_bytes);
    CHECK(differences == "");
}

#endif

// Assembly that says nothing about itself: first with a frame pointer, then without, and last with
// nonsense in its place.
#ifdef __x86_64__

extern "C" void carbide_test_call_with_frame_pointer(void (*function)());
extern "C" void carbide_test_call_without_frame_pointer(void (*function)());
extern "C" void carbide_test_call_with_nonsense(void (*function)(), std::uintptr_t frame_pointer);

asm(R"(
    .pushsection .text
    .type carbide_test_call_with_frame_pointer, @function
carbide_test_call_with_frame_pointer:
    push %rbp
    mov %rsp, %rbp
    call *%rdi
    pop %rbp
    ret
    .size carbide_test_call_with_frame_pointer, . - carbide_test_call_with_frame_pointer

    .type carbide_test_call_without_frame_pointer, @function
carbide_test_call_without_frame_pointer:
    sub $24, %rsp
    call *%rdi
    add $24, %rsp
    ret
    .size carbide_test_call_without_frame_pointer, . - carbide_test_call_without_frame_pointer

    .type carbide_test_call_with_nonsense, @function
carbide_test_call_with_nonsense:
    push %rbp
    mov %rsi, %rbp
    call *%rdi
    pop %rbp
    ret
    .size carbide_test_call_with_nonsense, . - carbide_test_call_with_nonsense
    .popsection
)");

namespace {

std::vector<std::uintptr_t> seen_frames;

[[gnu::noinline]] void look() {
    for (int i = 0; i < 2; ++i) {
        seen_frames = tests::frames_of(
            platform::capture_trace(platform::caller_point(), StackTrace::frame_count_max));
    }
    keep(seen_frames);
}

// Where `caller` is, in frames above `look`; 0: it is not there.
std::size_t frames_up_to(std::uintptr_t caller, std::size_t size_bytes) {
    for (std::size_t i = 0; i < seen_frames.size(); ++i) {
        if (seen_frames[i] - caller < size_bytes) return i;
    }
    return 0;
}

[[gnu::noinline]] std::vector<std::uintptr_t> call_with_frame_pointer() {
    carbide_test_call_with_frame_pointer(look);
    return tests::oracle_frames();
}

}  // namespace

TEST_CASE("stack walk: passes code without call-frame information by its frame pointer") {
    const std::vector<std::uintptr_t> callers = call_with_frame_pointer();
    REQUIRE(seen_frames.size() == callers.size() + 2);
    CHECK(frames_up_to(reinterpret_cast<std::uintptr_t>(&carbide_test_call_with_frame_pointer),
                       16) == 0);
    CHECK(frames_up_to(reinterpret_cast<std::uintptr_t>(&call_with_frame_pointer), 4096) == 1);
    CHECK(std::equal(callers.begin() + 1, callers.end(), seen_frames.begin() + 3));
}

TEST_CASE("stack walk: finds only callers where code without information has no frame pointer") {
    const std::vector<std::uintptr_t> callers = tests::oracle_frames();
    carbide_test_call_without_frame_pointer(look);
    REQUIRE(seen_frames.size() >= 1);
    const auto known = std::find(callers.begin(), callers.end(), seen_frames.back());
    CHECK((seen_frames.size() <= 2 || known != callers.end()));
}

TEST_CASE("stack walk: ends where a frame pointer leads off the stack") {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::uintptr_t nonsense[] = {0,
                                       1,
                                       8,
                                       4096,
                                       here - (1 << 20),
                                       here + 1,
                                       here | 7,
                                       UINTPTR_MAX,
                                       UINTPTR_MAX - 7,
                                       UINTPTR_MAX - 15,
                                       std::uintptr_t{1} << 47,
                                       reinterpret_cast<std::uintptr_t>(&seen_frames)};
    for (const std::uintptr_t frame_pointer : nonsense) {
        CAPTURE(frame_pointer);
        carbide_test_call_with_nonsense(look, frame_pointer);
        CHECK(seen_frames.size() == 1);
        std::thread(carbide_test_call_with_nonsense, look, frame_pointer).join();
        CHECK(seen_frames.size() == 1);
    }
}

#endif
