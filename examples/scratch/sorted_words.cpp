// SPDX-License-Identifier: MIT
#include "scratch/sorted_words.hpp"

#include <algorithm>
#include <cstddef>

#include "carbide/owned_slice.hpp"
#include "carbide/stack_fallback_allocator.hpp"
#include "carbide/try.hpp"

namespace examples {
namespace {

// Cuts the first word off `text`; nothing where there is none left.
std::string_view take_word(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

carbide::Result<carbide::OwnedSlice<std::string_view>> split(carbide::Allocator allocator,
                                                             std::string_view text) {
    std::size_t count = 0;
    for (std::string_view rest = text; !take_word(rest).empty();) ++count;
    auto words = CARBIDE_TRY(carbide::make_owned_slice<std::string_view>(allocator, count));
    for (std::string_view& word : words) word = take_word(text);
    return words;
}

carbide::Result<std::span<char>> join(carbide::Allocator allocator,
                                      std::span<const std::string_view> words) {
    std::size_t size = words.empty() ? 0 : words.size() - 1;
    for (const std::string_view word : words) size += word.size();
    const std::span<char> text = CARBIDE_TRY(allocator.alloc<char>(size));
    auto end = text.begin();
    for (const std::string_view word : words) {
        if (end != text.begin()) *end++ = ' ';
        end = std::ranges::copy(word, end).out;
    }
    return text;
}

}  // namespace

// [snippet:sorted_words]
CARBIDE_CALLER_OWNS carbide::Result<std::span<char>> sorted_words(carbide::Allocator allocator,
                                                                  std::string_view text) {
    carbide::StackFallbackAllocator<4096> scratch(allocator);  // Larger texts take from there.
    const auto words = CARBIDE_TRY(split(scratch.allocator(), text));
    std::ranges::sort(words);
    return join(allocator, words.span());  // Survives the function, so not from scratch.
}
// [/snippet:sorted_words]

}  // namespace examples
