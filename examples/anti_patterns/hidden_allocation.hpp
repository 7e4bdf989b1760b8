// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/page_allocator.hpp"
#include "carbide/try.hpp"

namespace examples {

struct Config {
    carbide::OwnedSlice<char> text;
};

// [snippet:hidden_allocation_bad]
/// BAD: where does the memory come from? The signature does not tell, and nobody can choose.
inline carbide::Result<Config> load_hidden(std::string_view source) {
    auto text = CARBIDE_TRY(carbide::dupe_owned(carbide::page_allocator(), source));
    return Config{.text = std::move(text)};
}
// [/snippet:hidden_allocation_bad]

// [snippet:hidden_allocation_good]
/// GOOD: the caller says where the memory comes from.
inline carbide::Result<Config> load(carbide::Allocator allocator, std::string_view source) {
    auto text = CARBIDE_TRY(carbide::dupe_owned(allocator, source));
    return Config{.text = std::move(text)};
}
// [/snippet:hidden_allocation_good]

/// A part of a program, as a test sees it: it promises to take its memory from `allocator`.
inline carbide::Result<Config> start_hidden([[maybe_unused]] carbide::Allocator allocator) {
    return load_hidden("port=80");
}
inline carbide::Result<Config> start(carbide::Allocator allocator) {
    return load(allocator, "port=80");
}

}  // namespace examples
