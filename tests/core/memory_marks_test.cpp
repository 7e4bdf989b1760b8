// SPDX-License-Identifier: MIT
#include "carbide/memory_marks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>

#include "support/child_process.hpp"

#if CARBIDE_ASAN
extern "C" int __asan_address_is_poisoned(const volatile void*);
extern "C" void* __asan_region_is_poisoned(void*, std::size_t);
#endif

TEST_CASE("memory marks: never change the bytes") {
    alignas(8) unsigned char bytes[32];
    std::memset(bytes, 0x5A, sizeof bytes);
    carbide::mark_no_access(bytes, sizeof bytes);
    carbide::mark_defined(bytes, sizeof bytes);
    for (const unsigned char byte : bytes) CHECK(byte == 0x5A);
    carbide::mark_no_access_inline(bytes, sizeof bytes);
    carbide::mark_undefined_inline(bytes, sizeof bytes);
    carbide::mark_defined(bytes, sizeof bytes);
    for (const unsigned char byte : bytes) CHECK(byte == 0x5A);
}

TEST_CASE("memory marks: zero bytes are nothing to mark") {
    alignas(8) unsigned char byte = 1;
    carbide::mark_no_access(&byte, 0);
    carbide::mark_no_access(nullptr, 0);
    carbide::mark_undefined(nullptr, 0);
    carbide::mark_no_access_inline(&byte, 0);
    CHECK(byte == 1);
}

#if CARBIDE_ASAN
TEST_CASE("memory marks: AddressSanitizer knows them to the byte") {
    alignas(8) unsigned char bytes[32] = {};
    carbide::mark_no_access(bytes, sizeof bytes);
    CHECK(__asan_address_is_poisoned(bytes) == 1);
    CHECK(__asan_address_is_poisoned(bytes + 31) == 1);
    carbide::mark_undefined(bytes, 13);
    CHECK(__asan_region_is_poisoned(bytes, 13) == nullptr);
    CHECK(__asan_region_is_poisoned(bytes, 14) == bytes + 13);
    carbide::mark_no_access_inline(bytes, 16);
    CHECK(__asan_address_is_poisoned(bytes) == 1);
    carbide::mark_undefined_inline(bytes, 32);
    CHECK(__asan_region_is_poisoned(bytes, 32) == nullptr);
}

TEST_CASE("memory marks: the window stays open where the library has AddressSanitizer itself") {
    CHECK_FALSE(carbide::window_stays_closed());
}

TEST_CASE("memory marks: a forbidden access ends the program with a report") {
    const auto result = carbide::tests::run_in_child([] {
        alignas(8) volatile unsigned char bytes[8] = {};
        carbide::mark_no_access(bytes, sizeof bytes);
        bytes[3] = 1;
    });
    CHECK((result.exit_status != 0 || result.signal != 0));
    CHECK(result.wrote("ERROR: AddressSanitizer: use-after-poison"));
}
#else
TEST_CASE("memory marks: the inlined forms do nothing without AddressSanitizer") {
    const auto result = carbide::tests::run_in_child([] {
        alignas(8) volatile unsigned char bytes[8] = {};
        carbide::mark_no_access_inline(const_cast<unsigned char*>(bytes), sizeof bytes);
        bytes[3] = 1;
    });
    CHECK(result.signal == 0);
    CHECK(result.exit_status == 0);
}
#endif
