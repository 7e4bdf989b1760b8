// SPDX-License-Identifier: MIT
// Code that gives back what it took, in every way that the library offers, gets no report.
#include <utility>

#include "carbide/arena_allocator.hpp"
#include "carbide/c_allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/owned.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/try.hpp"

constexpr std::align_val_t word{8};

int raw(carbide::Allocator allocator) {
    auto* const memory = static_cast<int*>(allocator.raw_alloc(8, word));
    if (memory == nullptr) return 0;
    *memory = 1;
    const int value = *memory;
    allocator.raw_free(memory, 8, word);
    return value;
}

int deferred(carbide::Allocator allocator) {
    int* const object = allocator.must_create<int>(1);
    const auto destroy = carbide::defer([&] { allocator.destroy(object); });
    return *object;
}

carbide::Result<int> undone(carbide::Allocator allocator) {
    int* const first = CARBIDE_TRY(allocator.create<int>(1));
    const auto destroy_first = carbide::defer([&] { allocator.destroy(first); });
    int* const second = CARBIDE_TRY(allocator.create<int>(2));
    const auto destroy_second = carbide::defer([&] { allocator.destroy(second); });
    return *first + *second;
}

carbide::Result<int*> handed_to_caller(carbide::Allocator allocator) {
    int* const first = CARBIDE_TRY(allocator.create<int>(1));
    auto destroy_first = carbide::errdefer([&] { allocator.destroy(first); });
    int* const second = CARBIDE_TRY(allocator.create<int>(2));
    allocator.destroy(second);
    CARBIDE_NOTHING_FAILS_BELOW;
    destroy_first.commit();
    return first;
}

carbide::Result<int> owned(carbide::Allocator allocator) {
    const auto object = CARBIDE_TRY(carbide::make_owned<int>(allocator, 1));
    auto other = CARBIDE_TRY(carbide::make_owned<int>(allocator, 2));
    const carbide::Owned<int> moved = std::move(other);
    return *object + *moved;
}

carbide::Result<carbide::Owned<int>> owned_by_caller(carbide::Allocator allocator) {
    return carbide::make_owned<int>(allocator, 1);
}

int released(carbide::Owned<int> object) {
    const carbide::Allocator allocator = object.allocator();
    int* const plain = object.release();
    if (plain == nullptr) return 0;
    const int value = *plain;
    allocator.destroy(plain);
    return value;
}

struct Node {
    int value;
    Node* next;
};

void stored(carbide::Allocator allocator, Node& list) {
    list.next = allocator.must_create<Node>(1, list.next);
}
