// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/annotations.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/poison.hpp"
#include "carbide/result.hpp"

namespace examples {

// Who frees? First said with annotations, which a reader and a checker see. Then with types, which
// the compiler enforces: prefer these.

// [snippet:duplicate]
CARBIDE_CALLER_OWNS inline carbide::Result<std::span<char>> duplicate(carbide::Allocator allocator,
                                                                      std::string_view source) {
    return allocator.dupe(source);
}

inline carbide::Result<carbide::OwnedSlice<char>> duplicate_owned(carbide::Allocator allocator,
                                                                  std::string_view source) {
    return carbide::dupe_owned(allocator, source);
}
// [/snippet:duplicate]

// [snippet:text]
struct Text {
    carbide::Allocator allocator;
    std::span<char> characters{};

    CARBIDE_VALID_UNTIL("take_ownership or deinit")
    [[nodiscard]] std::string_view view() const noexcept CARBIDE_LIFETIMEBOUND {
        return {characters.data(), characters.size()};
    }

    /// `taken` must come from `allocator`.
    void take_ownership(CARBIDE_TAKES_OWNERSHIP std::span<char> taken) noexcept {
        allocator.free(characters);
        characters = taken;
    }

    void deinit() noexcept {
        allocator.free(characters);
        carbide::poison(*this);
    }
};
// [/snippet:text]

// [snippet:owned_text]
class OwnedText {
public:
    explicit OwnedText(carbide::OwnedSlice<char> characters) noexcept
        : characters_(std::move(characters)) {}

    [[nodiscard]] std::string_view view() const noexcept CARBIDE_LIFETIMEBOUND {
        return {characters_.data(), characters_.size()};
    }

    /// The slice knows its allocator, which may be another one.
    void take(carbide::OwnedSlice<char> taken) noexcept { characters_ = std::move(taken); }

private:
    carbide::OwnedSlice<char> characters_;
};
// [/snippet:owned_text]

}  // namespace examples
