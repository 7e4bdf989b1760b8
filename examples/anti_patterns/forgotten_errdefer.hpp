// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/try.hpp"

namespace examples {

struct Pair {
    std::span<char> a;
    std::span<char> b;

    void deinit(carbide::Allocator allocator) const noexcept {
        allocator.free(a);
        allocator.free(b);
    }
};

// [snippet:errdefer_bad]
/// BAD: `a` leaks where the second allocation fails.
inline carbide::Result<Pair> init_leaking(carbide::Allocator allocator) {
    const std::span<char> a = CARBIDE_TRY(allocator.alloc<char>(100));
    const std::span<char> b = CARBIDE_TRY(allocator.alloc<char>(100));
    return Pair{.a = a, .b = b};
}
// [/snippet:errdefer_bad]

// [snippet:errdefer_good]
/// GOOD: what was done is undone, unless the function comes to its end.
inline carbide::Result<Pair> init(carbide::Allocator allocator) {
    const std::span<char> a = CARBIDE_TRY(allocator.alloc<char>(100));
    auto free_a = carbide::errdefer([&] { allocator.free(a); });
    const std::span<char> b = CARBIDE_TRY(allocator.alloc<char>(100));
    free_a.commit();
    return Pair{.a = a, .b = b};
}
// [/snippet:errdefer_good]

// [snippet:errdefer_better]
/// BETTER: owners need no reminder.
struct OwnedPair {
    carbide::OwnedSlice<char> a;
    carbide::OwnedSlice<char> b;

    static carbide::Result<OwnedPair> create(carbide::Allocator allocator) {
        auto a = CARBIDE_TRY(carbide::make_owned_slice<char>(allocator, 100));
        auto b = CARBIDE_TRY(carbide::make_owned_slice<char>(allocator, 100));
        return OwnedPair{.a = std::move(a), .b = std::move(b)};
    }
};
// [/snippet:errdefer_better]

}  // namespace examples
