// SPDX-License-Identifier: MIT
#include "support/strict_json.hpp"

#include <cstddef>
#include <cstdint>

namespace carbide::tests {
namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool document() {
        skip_space();
        if (!value()) return false;
        skip_space();
        return rest_.empty();
    }

private:
    void skip_space() {
        while (!rest_.empty() && std::string_view(" \t\r\n").contains(rest_.front())) {
            rest_.remove_prefix(1);
        }
    }

    bool take(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    bool value() {
        if (rest_.starts_with('{')) return sequence("{", "}", true);
        if (rest_.starts_with('[')) return sequence("[", "]", false);
        if (rest_.starts_with('"')) return string();
        return take("true") || take("false") || take("null") || number();
    }

    bool sequence(std::string_view open, std::string_view close, bool has_names) {
        if (!take(open)) return false;
        skip_space();
        if (take(close)) return true;
        for (;;) {
            skip_space();
            if (has_names) {
                if (!string()) return false;
                skip_space();
                if (!take(":")) return false;
                skip_space();
            }
            if (!value()) return false;
            skip_space();
            if (take(close)) return true;
            if (!take(",")) return false;
        }
    }

    std::size_t digits() {
        std::size_t count = 0;
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            rest_.remove_prefix(1);
            ++count;
        }
        return count;
    }

    bool number() {
        take("-");
        if (!take("0") && digits() == 0) return false;
        if (take(".") && digits() == 0) return false;
        if (take("e") || take("E")) {
            if (!take("+")) take("-");
            return digits() != 0;
        }
        return true;
    }

    bool string() {
        if (!take("\"")) return false;
        while (!rest_.empty()) {
            if (take("\"")) return true;
            if (rest_.front() == '\\' ? !escape() : !code_point()) return false;
        }
        return false;
    }

    bool escape() {
        rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        const char letter = rest_.front();
        rest_.remove_prefix(1);
        if (letter != 'u') return std::string_view("\"\\/bfnrt").contains(letter);
        for (int i = 0; i < 4; ++i) {
            const std::string_view hex = "0123456789abcdefABCDEF";
            if (rest_.empty() || !hex.contains(rest_.front())) return false;
            rest_.remove_prefix(1);
        }
        return true;
    }

    bool code_point() {
        const auto first = static_cast<unsigned char>(rest_.front());
        if (first < 0x20) return false;
        const std::size_t size = first < 0x80   ? 1
                                 : first < 0xC0 ? 0
                                 : first < 0xE0 ? 2
                                 : first < 0xF0 ? 3
                                 : first < 0xF8 ? 4
                                                : 0;
        if (size == 0 || rest_.size() < size) return false;
        std::uint32_t code = size == 1 ? first : first & (0x7FU >> size);
        for (std::size_t i = 1; i < size; ++i) {
            const auto byte = static_cast<unsigned char>(rest_[i]);
            if ((byte & 0xC0) != 0x80) return false;
            code = code << 6 | (byte & 0x3F);
        }
        rest_.remove_prefix(size);
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        return code >= least[size] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    }

    std::string_view rest_;
};

}  // namespace

bool is_strict_json(std::string_view text) { return Reader(text).document(); }

}  // namespace carbide::tests
