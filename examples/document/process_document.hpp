// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/allocator.hpp"
#include "document/document.hpp"
#include "document/error.hpp"

namespace json {

struct DocumentOptions {
    /// Containers may be nested this deep.
    std::size_t depth_max = 512;

    /// JSON Pointers whose values the document is to tell. Needed during the call only.
    std::span<const std::string_view> pointers{};
};

/// Reads a JSON text and tells what is in it. The document lives on `backing`; everything in
/// between lives in an arena on `backing`, which is gone when the function returns.
[[nodiscard]] DocumentResult<Document> process_document(
    carbide::Allocator backing, std::string_view source,
    const DocumentOptions& options = {}) noexcept;

/// The same work without an arena: token list, values and texts are allocated one by one from
/// `backing`, and given back one by one. Here to be compared with.
[[nodiscard]] DocumentResult<Document> process_document_piecewise(
    carbide::Allocator backing, std::string_view source,
    const DocumentOptions& options = {}) noexcept;

}  // namespace json
