// SPDX-License-Identifier: MIT
#include "composition.hpp"

#include <cstdint>
#include <utility>

#include "layers.hpp"

namespace fuzz {
namespace {

std::unique_ptr<Layer> make_bottom(Bytes& bytes) {
    switch (bytes.below(8)) {
        case 0:
            return std::make_unique<Pages>();
        case 1:
        case 2:
            return std::make_unique<FixedBuffer>(bytes);
        case 3:
            return std::make_unique<Null>();
        default:
            return std::make_unique<Malloc>();
    }
}

std::unique_ptr<Layer> make_layer(carbide::Allocator backing, Bytes& bytes) {
    // Bytes that no input of the corpus has here, so that each still means what it meant when it
    // was found; and few, because a chunk of 4 MiB takes time.
    const std::uint8_t kind = bytes.next();
    if (kind >= 192 && kind < 212) return std::make_unique<ThreadCaching>(backing, bytes);
    switch (kind % 14) {
        case 0:
        case 1:
        case 2:
            return std::make_unique<Arena>(backing, bytes);
        case 3:
            return std::make_unique<StackFallback<64>>(backing);
        case 4:
            return std::make_unique<StackFallback<4096>>(backing);
        case 5:
            return std::make_unique<Pool<Small>>(backing, bytes);
        case 6:
            return std::make_unique<Pool<Aligned>>(backing, bytes);
        case 7:
            return std::make_unique<Limit>(backing, bytes);
        case 8:
            return std::make_unique<Failing>(backing, bytes);
        case 9:
            return std::make_unique<Statistics>(backing);
        case 10:
            return std::make_unique<Logging>(backing);
        case 11:
        case 12:
            return std::make_unique<Debug>(backing, bytes);
        default:
            return std::make_unique<Locked>(backing);
    }
}

}  // namespace

Composition::Composition(Bytes& bytes) {
    layers_.push_back(make_bottom(bytes));
    for (std::size_t more = bytes.below(4); more > 0; --more) {
        layers_.push_back(make_layer(layers_.back()->allocator(), bytes));
    }
    // What a pool's preheating has claimed may now come under a lock.
    for (const auto& layer : layers_) {
        carbide::Heap& heap = layer->allocator().heap();
        if (heap.owner != carbide::Heap::owner_shared) heap.owner = carbide::Heap::owner_unclaimed;
    }
}

Composition::~Composition() {
    while (!layers_.empty()) {
        layers_.pop_back();  // Each before its backing, to which it gives everything back.
        if (!layers_.empty()) layers_.back()->check({0, std::vector<Block>{}}, false);
    }
}

void Composition::check(const Model& model) const {
    Lent lent{model.live_bytes(), model.blocks()};
    std::erase_if(*lent.blocks, [](const Block& block) { return block.size_bytes == 0; });
    bool stack_like = model.is_stack_like();
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
        (*layer)->check(lent, stack_like);
        lent = (*layer)->drawn(std::move(lent));
        if (!lent.blocks.has_value()) stack_like = false;
    }
}

}  // namespace fuzz
