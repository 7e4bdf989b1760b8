// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// The work that is measured. All are compiled on their own, for every source of memory, so that
/// the optimizer knows nothing about the source but its type.
namespace bench {

/// 32 bytes, as a node of a syntax tree or of a list has them.
struct Node {
    Node* next;
    Node* child;
    std::int64_t value;
    std::int32_t kind;
    std::int32_t line;
};
static_assert(sizeof(Node) == 32 && alignof(Node) == 8);

template <std::size_t Alignment>
struct alignas(Alignment) AlignedNode {
    AlignedNode* next;
    AlignedNode* child;
    std::int64_t value;
    std::int32_t kind;
    std::int32_t line;
};

/// Eight bytes: enough to leave a cursor between two multiples of 16.
struct Tag {
    std::int32_t kind;
    std::int32_t line;
};

/// A list of `count` nodes, newest first; null where memory ran out.
template <class T, class Source>
T* link_nodes(Source source, std::size_t count);

/// The same with a `Tag` in front of each node, so that each but the tag needs padding.
template <class T, class Source>
T* link_tagged_nodes(Source source, std::size_t count);

/// A node of what a parser makes: a copy of the text it was made from, and where it stood.
struct TextNode {
    TextNode* next;
    char* text;
    std::int64_t text_bytes;
    std::int64_t line;
};

/// For each word a copy of it and a node.
template <class Source>
TextNode* parse_words(Source source, std::span<const std::string_view> words);

/// A buffer that doubles from 16 characters to `size_bytes_max`, one character written each time.
template <class Source>
char* grow_buffer(Source source, std::size_t size_bytes_max);

/// Replaces each node by a new one, in the given order.
template <class Source>
void replace_nodes(Source source, std::span<Node*> nodes, std::span<const std::uint32_t> order);

}  // namespace bench
