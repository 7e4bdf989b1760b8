// SPDX-License-Identifier: MIT
#include "workloads.hpp"

#include <cstring>

#include "sources.hpp"

// NOLINTBEGIN(misc-unused-using-decls): the explicit instantiations use them.
using carbide::Allocator;
using carbide::ArenaAllocator;
using carbide::PoolAllocator;
using std::pmr::memory_resource;
// NOLINTEND(misc-unused-using-decls)

namespace bench {

// NOLINTBEGIN(clang-analyzer-unix.Malloc, clang-analyzer-cplusplus.NewDeleteLeaks): where memory
// runs out the round is over, and what it made ends with its source.

template <class T, class Source>
[[gnu::noinline]] T* link_nodes(Source source, std::size_t count) {
    T* newest = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
        const auto line = static_cast<std::int32_t>(i);
        T* const node = create<T>(source, newest, nullptr, std::int64_t{line}, line, 0);
        if (node == nullptr) return nullptr;
        newest = node;
    }
    return newest;
}

template <class T, class Source>
[[gnu::noinline]] T* link_tagged_nodes(Source source, std::size_t count) {
    T* newest = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
        const auto line = static_cast<std::int32_t>(i);
        if (create<Tag>(source, line, line) == nullptr) return nullptr;
        T* const node = create<T>(source, newest, nullptr, std::int64_t{line}, line, 0);
        if (node == nullptr) return nullptr;
        newest = node;
    }
    return newest;
}

template <class Source>
[[gnu::noinline]] TextNode* parse_words(Source source, std::span<const std::string_view> words) {
    TextNode* newest = nullptr;
    std::int64_t line = 0;
    for (const std::string_view word : words) {
        char* const text = alloc_chars(source, word.size());
        if (text == nullptr) return nullptr;
        std::memcpy(text, word.data(), word.size());
        const auto text_bytes = static_cast<std::int64_t>(word.size());
        TextNode* const node = create<TextNode>(source, newest, text, text_bytes, line++);
        if (node == nullptr) return nullptr;
        newest = node;
    }
    return newest;
}

template <class Source>
[[gnu::noinline]] char* grow_buffer(Source source, std::size_t size_bytes_max) {
    std::size_t size_bytes = 16;
    char* buffer = alloc_chars(source, size_bytes);
    while (buffer != nullptr && size_bytes < size_bytes_max) {
        buffer[size_bytes - 1] = 'x';
        buffer = realloc_chars(source, buffer, size_bytes, 2 * size_bytes);
        size_bytes *= 2;
    }
    return buffer;
}

template <class Source>
[[gnu::noinline]] void replace_nodes(Source source, std::span<Node*> nodes,
                                     std::span<const std::uint32_t> order) {
    for (const std::uint32_t index : order) {
        destroy(source, nodes[index]);
        nodes[index] = create<Node>(source, nullptr, nullptr, std::int64_t{index}, 0, 0);
    }
}

// NOLINTEND(clang-analyzer-unix.Malloc, clang-analyzer-cplusplus.NewDeleteLeaks)

template Node* link_nodes(Allocator, std::size_t);
template Node* link_nodes(ArenaAllocator&, std::size_t);
template Node* link_nodes(HandWrittenBump&, std::size_t);
template Node* link_nodes(memory_resource&, std::size_t);
template Node* link_nodes(Malloc, std::size_t);

template AlignedNode<16>* link_nodes(Allocator, std::size_t);
template AlignedNode<16>* link_nodes(HandWrittenBump&, std::size_t);
template AlignedNode<16>* link_nodes(memory_resource&, std::size_t);
template AlignedNode<64>* link_nodes(Allocator, std::size_t);
template AlignedNode<64>* link_nodes(HandWrittenBump&, std::size_t);
template AlignedNode<64>* link_nodes(memory_resource&, std::size_t);

template AlignedNode<16>* link_tagged_nodes(Allocator, std::size_t);
template AlignedNode<16>* link_tagged_nodes(HandWrittenBump&, std::size_t);
template AlignedNode<16>* link_tagged_nodes(memory_resource&, std::size_t);

template TextNode* parse_words(Allocator, std::span<const std::string_view>);
template TextNode* parse_words(HandWrittenBump&, std::span<const std::string_view>);
template TextNode* parse_words(memory_resource&, std::span<const std::string_view>);
template TextNode* parse_words(Malloc, std::span<const std::string_view>);

template char* grow_buffer(Allocator, std::size_t);
template char* grow_buffer(memory_resource&, std::size_t);
template char* grow_buffer(Malloc, std::size_t);

template void replace_nodes(Allocator, std::span<Node*>, std::span<const std::uint32_t>);
template void replace_nodes(PoolAllocator<Node>&, std::span<Node*>, std::span<const std::uint32_t>);
template void replace_nodes(memory_resource&, std::span<Node*>, std::span<const std::uint32_t>);
template void replace_nodes(Malloc, std::span<Node*>, std::span<const std::uint32_t>);

}  // namespace bench
