// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdio>
#include <utility>

#include "carbide/c_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "limited/budget.hpp"

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

void print(examples::Budget& budget) {
    const carbide::LimitAllocator& limit = budget.limit();
    std::printf("  %zu of %zu MiB in use, %zu contents cached\n", limit.used_bytes() / mebibyte,
                limit.limit_bytes() / mebibyte, budget.cached_count());
}

}  // namespace

int main() {
    examples::Budget budget(carbide::c_allocator(), 50 * mebibyte);
    const carbide::Allocator allocator = budget.limit().allocator();
    for (int count = 0; count < 4; ++count) {
        auto content = carbide::make_owned_slice<std::byte>(allocator, 10 * mebibyte);
        if (content) budget.cache(std::move(*content));
    }
    print(budget);

    const auto important = carbide::make_owned_slice<std::byte>(allocator, 25 * mebibyte);
    std::printf("25 MiB more: %s\n", important ? "granted" : important.error().message());
    print(budget);

    const auto too_much = carbide::make_owned_slice<std::byte>(allocator, 30 * mebibyte);
    std::printf("30 MiB more: %s\n", too_much ? "granted" : too_much.error().message());
    print(budget);
}
