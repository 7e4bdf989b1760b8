// SPDX-License-Identifier: MIT
#include "carbide/c_allocator.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <ostream>
#include <string_view>

#include "carbide/testing/allocator_contract.hpp"

namespace carbide {
namespace {

using testing::check_allocator_contract;
using testing::check_shared_allocator;

constexpr std::align_val_t unaligned{1};

// Allocated before main, and never freed: the process-wide instance serves static constructors.
const bool early_alloc_succeeded = [] {
    const auto bytes = c_allocator().alloc<char>(10);
    if (bytes.has_value()) c_allocator().free(*bytes);
    return bytes.has_value();
}();

TEST_CASE("c: keeps the contract, at alignments up to 1 MiB") {
    CHECK(check_allocator_contract(c_allocator(), {.alignment_max = std::align_val_t{1 << 20}})
              .message() == "");
    CAllocator own("own malloc");
    CHECK(own.name() == std::string_view("own malloc"));
    CHECK(check_allocator_contract(own.allocator()).message() == "");
}

TEST_CASE("c: may be shared by threads") {
    CHECK(check_shared_allocator(c_allocator()).message() == "");
}

TEST_CASE("c: serves static constructors") { CHECK(early_alloc_succeeded); }

TEST_CASE("c: what it lends at any alignment may be freed by C") {
    for (std::size_t alignment = 1; alignment <= 65'536; alignment *= 2) {
        void* const memory = c_allocator().raw_alloc(100, std::align_val_t{alignment});
        REQUIRE(memory != nullptr);
        CHECK(malloc_usable_size(memory) >= 100);
        std::free(memory);
    }
}

TEST_CASE("c: takes back what malloc gave") {
    void* const memory = std::malloc(100);
    void* const grown = c_allocator().raw_realloc(memory, 100, 100'000, unaligned);
    CHECK(grown != nullptr);
    c_allocator().raw_free(grown, 100'000, unaligned);
}

TEST_CASE("c: growing by remap keeps the content and every alignment") {
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        const std::align_val_t aligned{alignment};
        void* memory = c_allocator().raw_alloc(50, aligned);
        std::memset(memory, 0x33, 50);
        memory = c_allocator().raw_realloc(memory, 50, 200'000, aligned);
        REQUIRE(memory != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(memory) % alignment == 0);
        for (int i = 0; i < 50; ++i) CHECK(static_cast<unsigned char*>(memory)[i] == 0x33);
        c_allocator().raw_free(memory, 200'000, aligned);
    }
}

TEST_CASE("c: resize grows into what malloc rounded up to, and no further") {
    const Allocator c = c_allocator();
    void* const memory = c.raw_alloc(100, unaligned);
    const std::size_t usable_bytes = malloc_usable_size(memory);
    CHECK_FALSE(c.raw_resize(memory, 100, usable_bytes + 1, unaligned));
    CHECK(c.raw_resize(memory, 100, 10, unaligned));
    CHECK(c.raw_resize(memory, 10, usable_bytes, unaligned));
    c.raw_free(memory, usable_bytes, unaligned);
}

TEST_CASE("c: what malloc cannot serve is out of memory, and what there is stays") {
    const Allocator c = c_allocator();
    auto* const memory = static_cast<char*>(c.raw_alloc(1, unaligned));
    *memory = 'x';
    for (const std::size_t size_bytes : {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 200}) {
        CHECK(c.raw_alloc(size_bytes, unaligned) == nullptr);
        CHECK(c.raw_alloc(size_bytes, std::align_val_t{64}) == nullptr);
        CHECK(c.raw_realloc(memory, 1, size_bytes, unaligned) == nullptr);
    }
    CHECK(*memory == 'x');
    c.raw_free(memory, 1, unaligned);
}

}  // namespace
}  // namespace carbide
