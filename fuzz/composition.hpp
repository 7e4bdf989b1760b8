// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "bytes.hpp"
#include "carbide/allocator.hpp"
#include "carbide/arena_allocator.hpp"
#include "model.hpp"

namespace fuzz {

/// What a layer has lent to the one above it, as far as it can be known.
struct Lent {
    std::optional<std::size_t> bytes;
    std::optional<std::vector<Block>> blocks;  // Where they are the model's own.
};

/// One heap of a composition.
class Layer {
public:
    Layer() = default;
    virtual ~Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;

    virtual carbide::Allocator allocator() = 0;

    /// The heap's own numbers agree with what it has lent. `stack_like` as in `Model`.
    virtual void check(const Lent&, bool /*stack_like*/) const {}

    /// What it has drawn from its backing, given what it has lent.
    [[nodiscard]] virtual Lent drawn(Lent lent) const { return lent; }

    /// Ends all that it has lent; false for a heap that cannot.
    virtual bool reset(Bytes&) { return false; }

    /// Detaches its state and goes on as a new heap with it; false for a heap that cannot. What it
    /// has lent stays valid, `allocator()` changes.
    virtual bool reattach() { return false; }

    /// Whether what it has lent need not be freed one by one.
    [[nodiscard]] virtual bool frees_all() const { return false; }

    /// For marks.
    virtual carbide::ArenaAllocator* arena() { return nullptr; }
};

/// A stack of heaps, up to four deep, as the input's bytes say.
class Composition {
public:
    explicit Composition(Bytes& bytes);
    ~Composition();
    Composition(const Composition&) = delete;
    Composition& operator=(const Composition&) = delete;

    Layer& top() noexcept { return *layers_.back(); }

    /// The numbers of every layer agree with the model.
    void check(const Model& model) const;

private:
    std::vector<std::unique_ptr<Layer>> layers_;  // Bottom first.
};

}  // namespace fuzz
