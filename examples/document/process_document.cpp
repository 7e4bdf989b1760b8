// SPDX-License-Identifier: MIT
#include "document/process_document.hpp"

#include "carbide/arena_allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/try.hpp"
#include "document/analyze.hpp"
#include "document/json_pointer.hpp"
#include "document/parse.hpp"
#include "document/token.hpp"

namespace json {
namespace {

// The token list makes the first chunk fit the document. More of that size, but not too large,
// leave less unused than ones that double.
carbide::ArenaAllocator::Options arena_options(carbide::Allocator backing) noexcept {
    return {.backing = backing, .growth_percent = 100, .chunk_bytes_max = std::size_t{1} << 20};
}

DocumentResult<void> check_pointers(std::span<const std::string_view> pointers) noexcept {
    for (std::size_t i = 0; i < pointers.size(); ++i) {
        const std::string_view expected = check_pointer(pointers[i]);
        if (!expected.empty()) {
            return std::unexpected(DocumentError::malformed_pointer(i, expected));
        }
    }
    return {};
}

}  // namespace

// [snippet:process_document]
DocumentResult<Document> process_document(carbide::Allocator backing, std::string_view source,
                                          const DocumentOptions& options) noexcept {
    CARBIDE_TRY(check_pointers(options.pointers));

    carbide::ArenaAllocator arena(arena_options(backing));
    const carbide::Allocator scratch = arena.allocator();
    const Tokens tokens = CARBIDE_TRY(tokenize(scratch, source));
    const Value* const root = CARBIDE_TRY(parse(scratch, source, tokens, options.depth_max));
    const Analysis analysis = CARBIDE_TRY(analyze(scratch, *root, options.pointers));

    return Document::from_analysis(backing, analysis);  // Outlives the arena.
}
// [/snippet:process_document]

DocumentResult<Document> process_document_piecewise(carbide::Allocator backing,
                                                    std::string_view source,
                                                    const DocumentOptions& options) noexcept {
    CARBIDE_TRY(check_pointers(options.pointers));

    const Tokens tokens = CARBIDE_TRY(tokenize(backing, source));
    const auto free_all_tokens = carbide::defer([&] { free_tokens(backing, tokens); });
    Value* const root = CARBIDE_TRY(parse(backing, source, tokens, options.depth_max));
    const auto free_all_values = carbide::defer([&] { free_tree(backing, root); });
    const Analysis analysis = CARBIDE_TRY(analyze(backing, *root, options.pointers));
    const auto free_the_analysis = carbide::defer([&] { free_analysis(backing, analysis); });

    return Document::from_analysis(backing, analysis);
}

}  // namespace json
