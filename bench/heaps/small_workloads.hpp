// SPDX-License-Identifier: MIT
#pragma once

#include "measure.hpp"

/// Workloads whose sizes are constants where memory is asked for.
namespace bench::heaps {

inline constexpr std::size_t pair_bytes = 64;
inline constexpr std::size_t pair_depth = 16;
inline constexpr std::size_t node_count = 1'000;

struct Node {
    Node* next;
    std::uint64_t values[3];
};
static_assert(sizeof(Node) == 32);

/// 16 blocks of 64 bytes, and back in the opposite order.
template <class Source>
[[gnu::noinline]] void repeat_pairs(Source source, std::uint64_t operation_count) {
    for (std::uint64_t i = 0; i < operation_count; i += pair_depth) {
        std::byte* blocks[pair_depth];
        for (std::byte*& block : blocks) {
            block = source.alloc(pair_bytes);
            block[0] = std::byte{1};
        }
        for (std::size_t depth = pair_depth; depth-- > 0;) source.free(blocks[depth], pair_bytes);
    }
}

template <class Source>
[[gnu::noinline]] void repeat_nodes(Source source, std::uint64_t operation_count) {
    for (std::uint64_t i = 0; i < operation_count; i += node_count) {
        Node* first = nullptr;
        for (std::size_t n = 0; n < node_count; ++n) {
            first = ::new (source.alloc(sizeof(Node))) Node{first, {i, n, 0}};
        }
        while (first != nullptr) {
            Node* const next = first->next;
            source.free(reinterpret_cast<std::byte*>(first), sizeof(Node));
            first = next;
        }
    }
}

struct Nothing {};

template <class Source>
Measurement pairs(Source source, const Job& job) {
    return on_threads(
        job,
        [&](std::uint64_t) {
            repeat_pairs(source, 100'000);
            return Nothing{};
        },
        [&](Nothing) { repeat_pairs(source, job.operation_count); }, [](Nothing) {});
}

template <class Source>
Measurement nodes(Source source, const Job& job) {
    return on_threads(
        job,
        [&](std::uint64_t) {
            repeat_nodes(source, 100'000);
            return Nothing{};
        },
        [&](Nothing) { repeat_nodes(source, job.operation_count); }, [](Nothing) {});
}

}  // namespace bench::heaps
