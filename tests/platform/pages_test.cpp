// SPDX-License-Identifier: MIT
#include "platform/pages.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "support/address_space.hpp"
#include "support/child_process.hpp"

namespace carbide::platform {
namespace {

using tests::mapped_page_count;
using tests::mapping_count;

TEST_CASE("pages: sizes are rounded up to whole pages, and to 0 where that overflows") {
    const std::size_t page = page_bytes();
    CHECK(page == static_cast<std::size_t>(getpagesize()));
    CHECK(round_up_to_pages(0) == 0);
    CHECK(round_up_to_pages(1) == page);
    CHECK(round_up_to_pages(page) == page);
    CHECK(round_up_to_pages(page + 1) == 2 * page);
    CHECK(round_up_to_pages(SIZE_MAX - page + 1) == SIZE_MAX - page + 1);
    CHECK(round_up_to_pages(SIZE_MAX - page + 2) == 0);
    CHECK(round_up_to_pages(SIZE_MAX) == 0);
}

TEST_CASE("pages: they are zero, aligned, and as many as asked for") {
    const std::size_t page = page_bytes();
    for (std::size_t alignment = 1; alignment <= 1 << 24; alignment *= 4) {
        const std::size_t before = mapped_page_count();
        auto* const pages = static_cast<unsigned char*>(map_pages(3 * page, alignment));
        const std::size_t during = mapped_page_count();
        REQUIRE(pages != nullptr);
        CHECK(during == before + 3);
        CHECK(reinterpret_cast<std::uintptr_t>(pages) % alignment == 0);
        std::size_t nonzero_count = 0;
        for (std::size_t i = 0; i < 3 * page; ++i) nonzero_count += pages[i] != 0 ? 1 : 0;
        CHECK(nonzero_count == 0);
        pages[3 * page - 1] = 1;
        unmap_pages(pages, 3 * page);
        CHECK(mapped_page_count() == before);
    }
}

TEST_CASE("pages: repeated use leaves no mapping behind") {
    const std::size_t page = page_bytes();
    const std::size_t before = mapping_count();
    for (int i = 0; i < 200; ++i) {
        void* pages = map_pages(4 * page, 16 * page);
        REQUIRE(pages != nullptr);
        REQUIRE(resize_pages(pages, 4 * page, page));
        pages = move_pages(pages, page, 9 * page);
        REQUIRE(pages != nullptr);
        unmap_pages(pages, 9 * page);
    }
    CHECK(mapping_count() < before + 20);  // A sanitizer may map some of its own.
}

TEST_CASE("pages: moving keeps what both sizes have") {
    const std::size_t page = page_bytes();
    auto* const pages = static_cast<char*>(map_pages(2 * page, 1));
    REQUIRE(pages != nullptr);
    std::strcpy(pages, "first");
    std::strcpy(pages + page, "second");
    auto* const moved = static_cast<char*>(move_pages(pages, 2 * page, 500 * page));
    REQUIRE(moved != nullptr);
    CHECK(std::strcmp(moved, "first") == 0);
    CHECK(std::strcmp(moved + page, "second") == 0);
    CHECK(moved[500 * page - 1] == 0);
    unmap_pages(moved, 500 * page);
}

TEST_CASE("pages: they grow in place only where the addresses behind them are free") {
    const std::size_t page = page_bytes();
    auto* const both = static_cast<char*>(map_pages(2 * page, 1));
    REQUIRE(both != nullptr);
    both[page] = 'x';
    CHECK_FALSE(resize_pages(both, page, 3 * page));  // As if the second page were another's.
    CHECK(both[page] == 'x');
    CHECK(resize_pages(both, 2 * page, page));
    CHECK(resize_pages(both, page, 2 * page));
    CHECK(both[page] == 0);
    CHECK(resize_pages(both, 2 * page, 2 * page));
    unmap_pages(both, 2 * page);
}

TEST_CASE("pages: what cannot be had is null, and errno stays") {
    const std::size_t page = page_bytes();
    errno = EDOM;
    CHECK(map_pages(SIZE_MAX / page * page, 1) == nullptr);
    CHECK(map_pages(std::size_t{1} << 62, 1) == nullptr);
    CHECK(map_pages(page, std::size_t{1} << 63) == nullptr);
    void* const pages = map_pages(page, 1);
    CHECK_FALSE(resize_pages(pages, page, std::size_t{1} << 62));
    CHECK(move_pages(pages, page, std::size_t{1} << 62) == nullptr);
    unmap_pages(pages, page);
    CHECK(errno == EDOM);
}

TEST_CASE("pages: unmapping what cannot be a mapping stops the program") {
    const tests::ChildResult child = tests::run_in_child(
        [] { unmap_pages(reinterpret_cast<void*>(page_bytes() + 1), page_bytes()); });
    CHECK(child.trapped());
    CHECK(child.wrote("carbide: pages were freed that are not mapped"));
}

}  // namespace
}  // namespace carbide::platform
