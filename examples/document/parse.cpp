// SPDX-License-Identifier: MIT
#include "document/parse.hpp"

#include <utility>

#include "carbide/check.hpp"
#include "carbide/defer.hpp"
#include "carbide/try.hpp"
#include "document/scan.hpp"

namespace json {
namespace {

// What stands between the quotes.
std::string_view inside_of(const Token& string_token) noexcept {
    const std::string_view text = string_token.text();
    return text.substr(1, text.size() - 2);
}

CARBIDE_CALLER_OWNS carbide::Result<std::string_view> copy_string(carbide::Allocator arena,
                                                                  const Token& token) noexcept {
    const std::string_view inside = inside_of(token);
    const bool escaped = token.kind == TokenKind::escaped_string;
    if (!escaped) {
        const std::span<char> copy = CARBIDE_TRY(arena.dupe(inside));
        return std::string_view(copy.data(), copy.size());
    }
    const std::span<char> decoded = CARBIDE_TRY(arena.alloc<char>(decoded_bytes(inside)));
    decode_string(inside, decoded.data());
    return std::string_view(decoded.data(), decoded.size());
}

// Needs no stack but the tree itself: `open_` is the innermost container that has not ended, and
// its parents are those around it.
class Parser {
public:
    Parser(carbide::Allocator arena, std::string_view source, const Tokens& tokens,
           std::size_t depth_max) noexcept
        : arena_(arena), source_(source), tokens_(tokens), depth_max_(depth_max) {}

    DocumentResult<Value*> run() noexcept {
        auto undo = carbide::errdefer([this] { free_tree(arena_, root_); });
        CARBIDE_TRY(parse_value("a JSON value", nullptr));
        while (open_ != nullptr) CARBIDE_TRY(parse_next_child());
        if (token().kind != TokenKind::end_of_file) {
            return error("end of file after the JSON value");
        }
        undo.commit();
        return root_;
    }

private:
    // One child of the innermost container, or its end.
    DocumentResult<void> parse_next_child() noexcept {
        const bool is_object = open_->kind == ValueKind::object;
        const bool is_first = open_->first_child == nullptr;
        if (token().kind == (is_object ? TokenKind::end_object : TokenKind::end_array)) {
            close_container();
            return {};
        }
        if (!is_first) {
            if (token().kind != TokenKind::comma) {
                return error(is_object ? "',' or '}' after a member"
                                       : "',' or ']' after an element");
            }
            advance();
        }
        if (is_object) return parse_member(is_first);
        return parse_value(is_first ? "a JSON value or ']'" : "a JSON value after ','", nullptr);
    }

    DocumentResult<void> parse_member(bool is_first) noexcept {
        const Token key = token();
        if (key.kind != TokenKind::string && key.kind != TokenKind::escaped_string) {
            return error(is_first ? "a member name in double quotes or '}'"
                                  : "a member name in double quotes after ','");
        }
        advance();
        if (token().kind != TokenKind::colon) return error("':' after a member name");
        advance();
        return parse_value("a JSON value after ':'", &key);
    }

    // `key` is null where the value is no member.
    DocumentResult<void> parse_value(std::string_view expected, const Token* key) noexcept {
        switch (token().kind) {
            case TokenKind::begin_object:
                return open_container(ValueKind::object, key);
            case TokenKind::begin_array:
                return open_container(ValueKind::array, key);
            case TokenKind::string:
            case TokenKind::escaped_string:
                return add_leaf(ValueKind::string, key);
            case TokenKind::number:
                return add_leaf(ValueKind::number, key);
            case TokenKind::literal_true:
                return add_leaf(ValueKind::true_literal, key);
            case TokenKind::literal_false:
                return add_leaf(ValueKind::false_literal, key);
            case TokenKind::literal_null:
                return add_leaf(ValueKind::null, key);
            default:
                return error(expected);
        }
    }

    DocumentResult<void> add_leaf(ValueKind kind, const Token* key) noexcept {
        Value* const value = CARBIDE_TRY(add_value(kind, key));
        if (kind == ValueKind::string) {
            value->text = CARBIDE_TRY(copy_string(arena_, token()));
        } else if (kind == ValueKind::number) {
            const std::span<char> copy = CARBIDE_TRY(arena_.dupe(token().text()));
            value->text = {copy.data(), copy.size()};
        }
        advance();
        return {};
    }

    DocumentResult<void> open_container(ValueKind kind, const Token* key) noexcept {
        if (depth_ == depth_max_) {
            return std::unexpected(
                DocumentError::too_deep(position_of(source_, token().data), depth_max_));
        }
        open_ = CARBIDE_TRY(add_value(kind, key));
        link_ = &open_->first_child;
        ++depth_;
        advance();
        return {};
    }

    void close_container() noexcept {
        CARBIDE_ASSERT(depth_ > 0);
        link_ = &open_->next;
        open_ = open_->parent;
        --depth_;
        advance();
    }

    // The value becomes part of the tree before it gets its texts: then whatever fails from there
    // on is cleaned up in one place, with the tree.
    DocumentResult<Value*> add_value(ValueKind kind, const Token* key) noexcept {
        Value* const value = CARBIDE_TRY(arena_.create<Value>(kind));
        value->parent = open_;
        *link_ = value;
        link_ = &value->next;
        if (key != nullptr) value->key = CARBIDE_TRY(copy_string(arena_, *key));
        return value;
    }

    std::unexpected<DocumentError> error(std::string_view expected) const noexcept {
        const bool malformed = token().kind == TokenKind::malformed;
        return std::unexpected(
            DocumentError::syntax(position_of(source_, token().data),
                                  malformed ? tokens_.expected_of_malformed : expected,
                                  describe_token(source_, token())));
    }

    // The last token is never passed: nothing takes it for part of a value.
    [[nodiscard]] const Token& token() const noexcept { return tokens_.items[index_]; }
    void advance() noexcept { ++index_; }

    carbide::Allocator arena_;
    std::string_view source_;
    const Tokens& tokens_;
    std::size_t depth_max_;

    std::size_t index_ = 0;
    std::size_t depth_ = 0;
    Value* root_ = nullptr;
    Value* open_ = nullptr;
    Value** link_ = &root_;  // Where the next value is to be hung.
};

}  // namespace

DocumentResult<Value*> parse(carbide::Allocator arena, std::string_view source,
                             const Tokens& tokens, std::size_t depth_max) noexcept {
    return Parser(arena, source, tokens, depth_max).run();
}

}  // namespace json
