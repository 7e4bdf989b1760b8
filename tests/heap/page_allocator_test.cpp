// SPDX-License-Identifier: MIT
#include "carbide/page_allocator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>
#include <string_view>

#include "carbide/testing/allocator_contract.hpp"
#include "platform/pages.hpp"
#include "support/accessible.hpp"
#include "support/address_space.hpp"

namespace carbide {
namespace {

using platform::page_bytes;
using testing::check_allocator_contract;
using testing::check_shared_allocator;
using tests::mapped_page_count;

constexpr std::align_val_t unaligned{1};

bool is_aligned(const void* memory, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

TEST_CASE("page: keeps the contract, at alignments up to 1 MiB") {
    CHECK(check_allocator_contract(page_allocator(), {.alignment_max = std::align_val_t{1 << 20},
                                                      .operation_count = 500})
              .message() == "");
    PageAllocator own("own pages");
    CHECK(own.name() == std::string_view("own pages"));
    CHECK(check_allocator_contract(own.allocator(), {.operation_count = 500}).message() == "");
}

TEST_CASE("page: may be shared by threads") {
    CHECK(check_shared_allocator(page_allocator(), 4, {.operation_count = 500}).message() == "");
}

TEST_CASE("page: maps just the pages that are asked for, and unmaps all of them") {
    static_cast<void>(mapped_page_count());
    for (std::size_t alignment = 1; alignment <= 1 << 20; alignment *= 2) {
        for (const std::size_t size_bytes : {1UL, 4096UL, 4097UL, 100'000UL, 1UL << 20}) {
            const std::size_t before = mapped_page_count();
            void* const memory =
                page_allocator().raw_alloc(size_bytes, std::align_val_t{alignment});
            const std::size_t during = mapped_page_count();
            page_allocator().raw_free(memory, size_bytes, std::align_val_t{alignment});
            const std::size_t after = mapped_page_count();
            REQUIRE(memory != nullptr);
            CHECK(is_aligned(memory, std::max(alignment, page_bytes())));
            CHECK(during - before == platform::round_up_to_pages(size_bytes) / page_bytes());
            CHECK(after == before);
        }
    }
}

TEST_CASE("page: fresh pages are zero in builds that do not fill them") {
    const Allocator pages = page_allocator();
    auto* const memory = static_cast<unsigned char*>(pages.raw_alloc(10'000, unaligned));
    REQUIRE(memory != nullptr);
    const unsigned char expected = checked_build ? undefined_byte : 0;
    CHECK(std::count(memory, memory + 10'000, expected) == 10'000);
    pages.raw_free(memory, 10'000, unaligned);
}

TEST_CASE("page: growing by remap keeps content and alignment and unmaps what it leaves") {
    const Allocator pages = page_allocator();
    const std::size_t before = mapped_page_count();
    for (const std::size_t alignment : {1UL, 4096UL, 65'536UL}) {
        std::size_t size_bytes = 3000;
        const std::align_val_t aligned{alignment};
        auto* memory = static_cast<unsigned char*>(pages.raw_alloc(size_bytes, aligned));
        REQUIRE(memory != nullptr);
        std::memset(memory, 0x5C, 3000);
        for (const std::size_t new_bytes : {5000UL, 1UL << 20, 16UL << 20, 8000UL}) {
            memory = static_cast<unsigned char*>(
                pages.raw_realloc(memory, size_bytes, new_bytes, aligned));
            REQUIRE(memory != nullptr);
            size_bytes = new_bytes;
            CHECK(is_aligned(memory, alignment));
            CHECK(std::count(memory, memory + 3000, 0x5C) == 3000);
            memory[size_bytes - 1] = 1;
        }
        CHECK(mapped_page_count() - before == 2);
        pages.raw_free(memory, size_bytes, aligned);
        CHECK(mapped_page_count() == before);
    }
}

TEST_CASE("page: remap moves pages, not bytes, so that it never refuses ordinary growth") {
    const Allocator pages = page_allocator();
    void* memory = pages.raw_alloc(4096, unaligned);
    void* const moved = pages.raw_remap(memory, 4096, 64 << 20, unaligned);
    REQUIRE(moved != nullptr);
    memory = pages.raw_remap(moved, 64 << 20, 1, unaligned);
    CHECK(memory == moved);
    pages.raw_free(memory, 1, unaligned);
}

TEST_CASE("page: shrinking in place unmaps at once, growing within a page always succeeds") {
    const Allocator pages = page_allocator();
    const std::size_t before = mapped_page_count();
    void* const memory = pages.raw_alloc(100 * 4096, unaligned);
    CHECK(pages.raw_resize(memory, 100 * 4096, 1, unaligned));
    CHECK(mapped_page_count() == before + 1);
    CHECK(pages.raw_resize(memory, 1, 4096, unaligned));
    pages.raw_free(memory, 4096, unaligned);
    CHECK(mapped_page_count() == before);
}

TEST_CASE("page: failure leaves errno as it was") {
    const Allocator pages = page_allocator();
    void* const memory = pages.raw_alloc(4096, unaligned);
    errno = EXDEV;
    CHECK(pages.raw_alloc(SIZE_MAX / 2, unaligned) == nullptr);
    CHECK(pages.raw_alloc(SIZE_MAX - 4096, unaligned) == nullptr);
    CHECK(pages.raw_alloc(SIZE_MAX / 4, std::align_val_t{1 << 20}) == nullptr);
    CHECK_FALSE(pages.raw_resize(memory, 4096, SIZE_MAX / 2, unaligned));
    CHECK(pages.raw_remap(memory, 4096, SIZE_MAX / 2, unaligned) == nullptr);
    CHECK(errno == EXDEV);
    pages.raw_free(memory, 4096, unaligned);
    CHECK(errno == EXDEV);
}

#if CARBIDE_ASAN
using tests::accessible_bytes;

TEST_CASE("page: only the bytes that it lends are accessible") {
    const Allocator pages = page_allocator();
    void* const memory = pages.raw_alloc(5000, unaligned);
    CHECK(accessible_bytes(memory, 8192) == 5000);
    CHECK(pages.raw_resize(memory, 5000, 8001, unaligned));
    CHECK(accessible_bytes(memory, 8192) == 8001);
    CHECK(pages.raw_resize(memory, 8001, 10, unaligned));
    CHECK(accessible_bytes(memory, 4096) == 10);
    void* const moved = pages.raw_remap(memory, 10, 100'000, unaligned);
    REQUIRE(moved != nullptr);
    CHECK(accessible_bytes(moved, 25 * 4096) == 100'000);
    pages.raw_free(moved, 100'000, unaligned);
    CHECK(accessible_bytes(moved, 25 * 4096) == 25 * 4096);  // Whoever maps them next starts clean.
}
#endif

}  // namespace
}  // namespace carbide
