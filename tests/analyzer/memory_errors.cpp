// SPDX-License-Identifier: MIT
// The ownership attributes of the raw entry points make clang's analyzer follow memory through the
// handle and the typed layer. It does not follow slices, because it does not look into a span.
// expect-warning: leak of memory pointed to by 'raw'
// expect-warning: leak of memory pointed to by 'object'
// expect-warning: leak of memory pointed to by 'result.
// expect-warning: leak of memory pointed to by 'first'
// expect-warning: leak of memory pointed to by 'direct'
// expect-warning: Attempt to free released memory
// expect-warning: Use of memory after it is freed
#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/try.hpp"

constexpr std::align_val_t word{8};

int leak_of_raw_memory(carbide::Allocator allocator) {
    auto* const raw = static_cast<int*>(allocator.raw_alloc(8, word));
    if (raw == nullptr) return 0;
    *raw = 1;
    return *raw;
}

int leak_of_object(carbide::Allocator allocator) {
    const int* const object = allocator.must_create<int>(1);
    return *object;
}

int leak_of_result(carbide::Allocator allocator) {
    const carbide::Result<int*> result = allocator.create<int>(1);
    if (!result.has_value()) return 0;
    return **result;
}

// The anti-pattern: no errdefer, so the first object leaks where the second fails.
carbide::Result<int> leak_without_errdefer(carbide::Allocator allocator) {
    int* const first = CARBIDE_TRY(allocator.create<int>(1));
    int* const second = CARBIDE_TRY(allocator.create<int>(2));
    const int sum = *first + *second;
    allocator.destroy(second);
    allocator.destroy(first);
    return sum;
}

int leak_from_concrete_allocator(carbide::CAllocator& allocator) {
    const int* const direct = allocator.must_create<int>(1);
    return *direct;
}

void double_free(carbide::Allocator allocator) {
    void* const raw = allocator.raw_alloc(8, word);
    allocator.raw_free(raw, 8, word);
    allocator.raw_free(raw, 8, word);
}

int use_after_destroy(carbide::Allocator allocator) {
    int* const late = allocator.must_create<int>(1);
    allocator.destroy(late);
    return *late;
}
