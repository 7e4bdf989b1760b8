// SPDX-License-Identifier: MIT
// The alignment must come back with the memory: a slice loses it nowhere on the way to free.
// expect-error(gcc): could not convert .* from 'AlignedSlice<[^>]*64>' to 'AlignedSlice<[^>]*16>'
// expect-error(clang): no known conversion from 'AlignedSlice<[^>]*64>' to 'AlignedSlice<[^>]*16>'
// expect-error(gcc): no matching function for call to 'carbide::OwnedSlice<std::byte>::OwnedSlice
// expect-error(clang): no matching constructor for initialization of 'const
// carbide::OwnedSlice<std::byte>' expect-error(gcc): no matching function for call to .*resize
// expect-error(clang): no matching member function for call to 'resize'
#include <cstddef>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"

#ifdef CARBIDE_TEST_CORRECT
using Page64 = carbide::AlignedSlice<std::byte, 64>;
#endif
using Page16 = carbide::AlignedSlice<std::byte, 16>;

void give_back(carbide::Allocator allocator, Page16 page) { allocator.free(page); }

bool use(carbide::Allocator allocator) {
#ifdef CARBIDE_TEST_CORRECT
    const Page64 page = allocator.alloc_aligned<std::byte, 64>(100).value();
    allocator.free(page);
    give_back(allocator, allocator.alloc_aligned<std::byte, 16>(100).value());
    const carbide::OwnedSlice<std::byte> owner(allocator.must_alloc<std::byte>(100), allocator);
    return owner.size() == 100;
#else
    give_back(allocator, allocator.alloc_aligned<std::byte, 64>(100).value());
    const auto page = allocator.alloc_aligned<std::byte, 64>(100).value();
    const carbide::OwnedSlice<std::byte> owner(page, allocator);
    return allocator.resize(page, 50);
#endif
}
