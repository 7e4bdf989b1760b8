// SPDX-License-Identifier: MIT
#include "document/write_json.hpp"

#include <cstddef>
#include <cstring>
#include <span>

#include "carbide/check.hpp"
#include "carbide/try.hpp"

namespace json {
namespace {

// Runs twice over the same tree: without a target it only counts, so that the one allocation in
// between is exact.
class Writer {
public:
    explicit Writer(char* target) noexcept : target_(target) {}

    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

    // Without recursion, because the tree may be deeper than the call stack.
    void write_tree(const Value& root) noexcept {
        const Value* value = &root;
        for (;;) {
            begin_value(*value, value == &root);
            if (value->first_child != nullptr) {
                value = value->first_child;
                continue;
            }
            end_container(*value);
            while (value != &root && value->next == nullptr) {
                value = value->parent;
                end_container(*value);
            }
            if (value == &root) return;
            put(",");
            value = value->next;
        }
    }

private:
    void begin_value(const Value& value, bool is_root) noexcept {
        if (!is_root && value.parent->kind == ValueKind::object) {
            write_string(value.key);
            put(":");
        }
        switch (value.kind) {
            case ValueKind::object:
                return put("{");
            case ValueKind::array:
                return put("[");
            case ValueKind::string:
                return write_string(value.text);
            case ValueKind::number:
                return put(value.text);
            default:
                return put(name_of(value.kind));
        }
    }

    void end_container(const Value& value) noexcept {
        if (value.kind == ValueKind::object) put("}");
        if (value.kind == ValueKind::array) put("]");
    }

    void write_string(std::string_view text) noexcept {
        put("\"");
        for (const char& byte : text) write_character(std::string_view(&byte, 1));
        put("\"");
    }

    void write_character(std::string_view byte) noexcept {
        switch (byte[0]) {
            case '"':
                return put("\\\"");
            case '\\':
                return put("\\\\");
            case '\b':
                return put("\\b");
            case '\f':
                return put("\\f");
            case '\n':
                return put("\\n");
            case '\r':
                return put("\\r");
            case '\t':
                return put("\\t");
            default:
                break;
        }
        const auto value = static_cast<unsigned char>(byte[0]);
        if (value >= 0x20) return put(byte);
        constexpr std::string_view digits = "0123456789abcdef";
        put(value < 0x10 ? "\\u000" : "\\u001");
        put(digits.substr(value & 0xFU, 1));
    }

    void put(std::string_view text) noexcept {
        if (target_ != nullptr && !text.empty()) {
            std::memcpy(target_ + size_bytes_, text.data(), text.size());
        }
        size_bytes_ += text.size();
    }

    char* target_;
    std::size_t size_bytes_ = 0;
};

}  // namespace

carbide::Result<std::string_view> write_json(carbide::Allocator arena, const Value& root) noexcept {
    Writer counter(nullptr);
    counter.write_tree(root);
    const std::span<char> text = CARBIDE_TRY(arena.alloc<char>(counter.size_bytes()));
    Writer writer(text.data());
    writer.write_tree(root);
    CARBIDE_ASSERT(writer.size_bytes() == text.size());
    return std::string_view(text.data(), text.size());
}

}  // namespace json
