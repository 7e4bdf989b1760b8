// SPDX-License-Identifier: MIT
#include "document/document.hpp"

#include <cstddef>
#include <cstring>
#include <utility>

#include "carbide/check.hpp"
#include "carbide/try.hpp"

namespace json {
namespace {

std::size_t text_bytes(const Analysis& analysis) noexcept {
    std::size_t size_bytes = 0;
    for (const KeyCount& key : analysis.keys) size_bytes += key.key.size();
    for (const PointerAnswer& answer : analysis.answers) {
        size_bytes += answer.pointer.size() + answer.json.size();
    }
    return size_bytes;
}

// Copies texts one behind the other into a block that is just large enough.
class TextBlock {
public:
    explicit TextBlock(std::span<char> free) noexcept : free_(free) {}

    std::string_view keep(std::string_view text) noexcept {
        CARBIDE_ASSERT(text.size() <= free_.size());
        if (!text.empty()) std::memcpy(free_.data(), text.data(), text.size());
        const std::string_view kept(free_.data(), text.size());
        free_ = free_.subspan(text.size());
        return kept;
    }

private:
    std::span<char> free_;
};

}  // namespace

DocumentResult<Document> Document::from_analysis(carbide::Allocator backing,
                                                 const Analysis& analysis) noexcept {
    auto keys = CARBIDE_TRY(carbide::dupe_owned(backing, analysis.keys));
    auto answers = CARBIDE_TRY(carbide::dupe_owned(backing, analysis.answers));
    auto texts = CARBIDE_TRY(carbide::make_owned_slice<char>(backing, text_bytes(analysis)));
    CARBIDE_NOTHING_FAILS_BELOW;

    TextBlock block(texts.span());
    for (KeyCount& key : keys) key.key = block.keep(key.key);
    for (PointerAnswer& answer : answers) {
        answer.pointer = block.keep(answer.pointer);
        answer.resolved = answer.pointer.substr(0, answer.resolved.size());
        answer.json = block.keep(answer.json);
    }
    return Document(analysis.counts, std::move(keys), std::move(answers), std::move(texts));
}

Document::Document(const Counts& counts, carbide::OwnedSlice<KeyCount> keys,
                   carbide::OwnedSlice<PointerAnswer> answers,
                   carbide::OwnedSlice<char> texts) noexcept
    : counts_(counts),
      keys_(std::move(keys)),
      answers_(std::move(answers)),
      texts_(std::move(texts)) {}

}  // namespace json
