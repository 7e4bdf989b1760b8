// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdio>

#include "carbide/c_allocator.hpp"
#include "carbide/limit_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "limited/cache.hpp"

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

void print(const carbide::LimitAllocator& limit, const examples::Cache& cache) {
    std::printf("%2zu of %zu MiB in use, %zu contents cached\n", limit.used_bytes() / mebibyte,
                limit.limit_bytes() / mebibyte, cache.count());
}

}  // namespace

int main() {
    examples::Cache cache;
    // [snippet:limit]
    carbide::LimitAllocator limit({.backing = carbide::c_allocator(),
                                   .limit_bytes = 50 * mebibyte,
                                   .on_exhausted = &examples::Cache::make_room,
                                   .on_exhausted_context = &cache});
    // [/snippet:limit]
    for (int count = 0; count < 4; ++count) {
        auto content = carbide::make_owned_slice<std::byte>(limit.allocator(), 10 * mebibyte);
        if (content) cache.keep(std::move(*content));
    }
    print(limit, cache);

    const auto important = carbide::make_owned_slice<std::byte>(limit.allocator(), 25 * mebibyte);
    std::printf("25 MiB more: %s\n", important ? "granted" : important.error().message());
    print(limit, cache);

    const auto too_much = carbide::make_owned_slice<std::byte>(limit.allocator(), 30 * mebibyte);
    std::printf("30 MiB more: %s\n", too_much ? "granted" : too_much.error().message());
    print(limit, cache);
}
