// SPDX-License-Identifier: MIT
#include "carbide/recovery_scope.hpp"
#include "carbide/try.hpp"
#include "document/growing_array.hpp"
#include "document/scan.hpp"
#include "document/token.hpp"
#include "document/utf8.hpp"

namespace json {
namespace {

bool is_space(char byte) noexcept {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

bool is_word(char byte) noexcept {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

// A literal must be a whole word, so that `nullx` is one thing that nobody expected.
Token word_token(const char* at, const char* end) noexcept {
    const char* behind = at;
    while (behind != end && is_word(*behind)) ++behind;
    const std::string_view word(at, static_cast<std::size_t>(behind - at));
    TokenKind kind = TokenKind::unexpected;
    if (word == "true") kind = TokenKind::literal_true;
    if (word == "false") kind = TokenKind::literal_false;
    if (word == "null") kind = TokenKind::literal_null;
    return {kind, at, behind};
}

Token unexpected_token(const char* at, const char* end) noexcept {
    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    const std::size_t size_bytes = decode_utf8(rest).size_bytes;
    return {TokenKind::unexpected, at, at + (size_bytes == 0 ? 1 : size_bytes)};
}

class Tokenizer {
public:
    explicit Tokenizer(std::string_view source) noexcept
        : at_(source.data()), end_(source.data() + source.size()) {
        if (source.starts_with("\xEF\xBB\xBF")) at_ += 3;
    }

    Token next() noexcept {
        while (at_ != end_ && is_space(*at_)) ++at_;
        const Token token = at_ == end_ ? Token(TokenKind::end_of_file, at_, at_) : token_here();
        at_ += token.size_bytes;
        return token;
    }

    [[nodiscard]] std::string_view expected_of_malformed() const noexcept { return expected_; }

private:
    Token token_here() noexcept {
        switch (*at_) {
            case '{':
                return {TokenKind::begin_object, at_, at_ + 1};
            case '}':
                return {TokenKind::end_object, at_, at_ + 1};
            case '[':
                return {TokenKind::begin_array, at_, at_ + 1};
            case ']':
                return {TokenKind::end_array, at_, at_ + 1};
            case ':':
                return {TokenKind::colon, at_, at_ + 1};
            case ',':
                return {TokenKind::comma, at_, at_ + 1};
            case '"':
                return string_token();
            default:
                break;
        }
        if (*at_ == '-' || (*at_ >= '0' && *at_ <= '9')) return number_token();
        if (is_word(*at_)) return word_token(at_, end_);
        return unexpected_token(at_, end_);
    }

    Token string_token() noexcept {
        const Scan scan = scan_string(rest());
        const TokenKind kind = scan.has_escapes ? TokenKind::escaped_string : TokenKind::string;
        return scan.expected.empty() ? Token(kind, at_, scan.end) : malformed_token(scan);
    }

    Token number_token() noexcept {
        const Scan scan = scan_number(rest());
        return scan.expected.empty() ? Token(TokenKind::number, at_, scan.end)
                                     : malformed_token(scan);
    }

    Token malformed_token(const Scan& scan) noexcept {
        expected_ = scan.expected;
        return {TokenKind::malformed, scan.end, scan.end};
    }

    [[nodiscard]] std::string_view rest() const noexcept {
        return {at_, static_cast<std::size_t>(end_ - at_)};
    }

    const char* at_;
    const char* end_;
    std::string_view expected_;
};

bool is_last(const Token& token) noexcept { return token.kind >= TokenKind::end_of_file; }

}  // namespace

carbide::Result<Tokens> tokenize(carbide::Allocator arena, std::string_view source) noexcept {
    // A guess that most documents stay below: what is too much, `take` gives back. Where there is
    // not so much memory, there may yet be enough, so its failure is none of ours.
    constexpr std::size_t bytes_per_token_guess = 4;
    GrowingArray<Token> items(arena);
    {
        const carbide::RecoveryScope grows_from_a_few_as_well;
        static_cast<void>(items.reserve(source.size() / bytes_per_token_guess + 1));
    }

    Tokenizer tokenizer(source);
    for (;;) {
        const Token token = tokenizer.next();
        CARBIDE_TRY(items.append(token));
        if (is_last(token)) break;
    }
    const std::span<Token> taken = CARBIDE_TRY(items.take());
    return Tokens{taken, tokenizer.expected_of_malformed()};
}

void free_tokens(carbide::Allocator allocator, Tokens tokens) noexcept {
    allocator.free(tokens.items);
}

DocumentError::Found describe_token(std::string_view source, const Token& token) noexcept {
    if (token.kind == TokenKind::string || token.kind == TokenKind::escaped_string) {
        return DocumentError::Found().append("a string");
    }
    if (token.kind == TokenKind::number) return DocumentError::Found().append("a number");
    if (token.size_bytes > 0 && is_word(*token.data)) {
        constexpr std::size_t shown_bytes_max = 20;
        const std::string_view word = token.text();
        return DocumentError::Found()
            .append("'")
            .append(word.substr(0, shown_bytes_max))
            .append(word.size() > shown_bytes_max ? "...'" : "'");
    }
    return describe_character(source.substr(static_cast<std::size_t>(token.data - source.data())));
}

}  // namespace json
