// SPDX-License-Identifier: MIT
#include "platform/stack_bounds.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <thread>

#include "platform/pages.hpp"

using namespace carbide::platform;

namespace {

std::uintptr_t here() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) & ~7UL;
}

std::uintptr_t address_of(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

// Four pages, the third of which nobody may read.
struct Pages {
    std::size_t page = page_bytes();
    char* begin = static_cast<char*>(map_pages(4 * page, page));

    Pages() { mprotect(begin + 2 * page, page, PROT_NONE); }
    ~Pages() { munmap(begin, 4 * page); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
};

}  // namespace

TEST_CASE("stack bounds: the main thread's stack is known up to the program's arguments") {
    OwnStack own;
    ReadableStack stack = ReadableStack::from(here(), own);
    CHECK(stack.is_own());
    CHECK(stack.is_known(here() + 1024));
    CHECK_FALSE(stack.can_read(UINTPTR_MAX - 7));
    CHECK_FALSE(stack.can_read(here() + (1UL << 30)));
}

TEST_CASE("stack bounds: another thread's stack is known up to its control block") {
    std::thread([] {
        OwnStack own;
        ReadableStack stack = ReadableStack::from(here(), own);
        CHECK(stack.is_own());
        CHECK(stack.is_known(here() + 128));
        CHECK(stack.is_known(static_cast<std::uintptr_t>(pthread_self()) - 8));
        CHECK_FALSE(stack.can_read(static_cast<std::uintptr_t>(pthread_self())));
    }).join();
}

TEST_CASE("stack bounds: memory behind the guard page of a thread's stack is another stack") {
    const std::size_t page = page_bytes();
    constexpr std::size_t stack_bytes = 1 << 20;
    auto* const memory = static_cast<char*>(map_pages(stack_bytes + 3 * page, page));
    mprotect(memory + 2 * page, page, PROT_NONE);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    REQUIRE(pthread_attr_setstack(&attributes, memory + 3 * page, stack_bytes) == 0);
    const auto look = [](void* place) -> void* {
        OwnStack own;
        CHECK(ReadableStack::from(here(), own).is_own());
        CHECK_FALSE(ReadableStack::from(address_of(place) + 64, own).is_own());
        CHECK(ReadableStack::from(here(), own).is_own());
        return nullptr;
    };
    pthread_t thread{};
    REQUIRE(pthread_create(&thread, &attributes, look, memory) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
    munmap(memory, stack_bytes + 3 * page);
}

TEST_CASE("stack bounds: an unknown stack ends at the first page that cannot be read") {
    const Pages pages;
    OwnStack own;
    ReadableStack stack = ReadableStack::from(address_of(pages.begin) + 64, own);
    CHECK_FALSE(stack.is_own());
    CHECK(stack.can_read(address_of(pages.begin) + 64));
    CHECK(stack.can_read(address_of(pages.begin) + 2 * pages.page - 8));
    CHECK_FALSE(stack.can_read(address_of(pages.begin) + 2 * pages.page));
    CHECK_FALSE(stack.can_read(address_of(pages.begin) + 3 * pages.page));
    CHECK_FALSE(stack.can_read(UINTPTR_MAX - 7));
}

TEST_CASE("stack bounds: the kernel tells what can be read") {
    const Pages pages;
    CHECK(is_readable(address_of(pages.begin)));
    CHECK(is_readable(address_of(pages.begin) + pages.page + 5));
    CHECK_FALSE(is_readable(address_of(pages.begin) + 2 * pages.page));
    CHECK_FALSE(is_readable(0));
    CHECK_FALSE(is_readable(UINTPTR_MAX));
}
