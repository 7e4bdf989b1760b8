// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/result.hpp"
#include "carbide/try.hpp"

namespace examples {

// [snippet:node]
struct Node {
    carbide::Allocator allocator;
    int value;
    Node* next = nullptr;

    CARBIDE_CALLER_OWNS static carbide::Result<Node*> create(carbide::Allocator allocator,
                                                             int value) {
        return allocator.create<Node>(allocator, value);
    }

    /// Frees this node, not those behind it.
    void destroy() noexcept {
        const carbide::Allocator origin = allocator;  // `this` is gone when it is needed.
        origin.destroy(this);
    }
};
// [/snippet:node]

// [snippet:node_list]
class NodeList {
public:
    explicit NodeList(carbide::Allocator allocator) noexcept : allocator_(allocator) {}
    ~NodeList() { clear(); }
    NodeList(const NodeList&) = delete;  // The nodes have one owner.
    NodeList& operator=(const NodeList&) = delete;

    carbide::Result<void> push_front(int value) {
        Node* const node = CARBIDE_TRY(Node::create(allocator_, value));
        node->next = first_;
        first_ = node;
        return {};
    }

    void clear() noexcept {
        while (Node* const node = first_) {
            first_ = node->next;  // Read before the node is gone.
            node->destroy();
        }
    }

    [[nodiscard]] const Node* first() const noexcept CARBIDE_LIFETIMEBOUND { return first_; }

private:
    carbide::Allocator allocator_;
    Node* first_ = nullptr;
};
// [/snippet:node_list]

}  // namespace examples
