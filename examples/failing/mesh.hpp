// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "carbide/allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/try.hpp"

namespace examples {

// [snippet:mesh]
/// Needs three allocations. Whichever fails, those before it are freed by their owners.
struct Mesh {
    carbide::OwnedSlice<float> positions;
    carbide::OwnedSlice<std::uint32_t> indices;
    carbide::OwnedSlice<char> name;

    static carbide::Result<Mesh> init(carbide::Allocator allocator, std::string_view name) {
        auto positions = CARBIDE_TRY(carbide::make_owned_slice_zeroed<float>(allocator, 300));
        auto indices = CARBIDE_TRY(carbide::make_owned_slice_zeroed<std::uint32_t>(allocator, 600));
        auto owned_name = CARBIDE_TRY(carbide::dupe_owned(allocator, name));
        return Mesh{std::move(positions), std::move(indices), std::move(owned_name)};
    }
};
// [/snippet:mesh]

}  // namespace examples
