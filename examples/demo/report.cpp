// SPDX-License-Identifier: MIT
#include "demo/report.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "demo/numbers.hpp"

namespace demo {
namespace {

template <class... Args>
void print(fmt::memory_buffer& out, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::string_view plural(std::size_t count) noexcept { return count == 1 ? "" : "s"; }

// Goes on in the next line where a word would not fit any more.
class Paragraph {
public:
    Paragraph(fmt::memory_buffer& out, const Terminal& terminal) noexcept
        : out_(out), terminal_(terminal) {}
    ~Paragraph() { out_.push_back('\n'); }
    Paragraph(const Paragraph&) = delete;
    Paragraph& operator=(const Paragraph&) = delete;

    void add(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(' '), text.size());
            add_word(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

private:
    void add_word(std::string_view word) {
        if (column_ != 0 && column_ + 1 + word.size() > terminal_.column_count) {
            out_.push_back('\n');
            column_ = 0;
        }
        if (column_ != 0) {
            out_.push_back(' ');
            ++column_;
        }
        out_.append(word);
        column_ += word.size();
    }

    fmt::memory_buffer& out_;
    const Terminal& terminal_;
    std::size_t column_ = 0;
};

void write_input(fmt::memory_buffer& out, const Terminal& terminal, const Findings& findings) {
    constexpr std::pair<json::ValueKind, std::string_view> kinds[] = {
        {json::ValueKind::object, "object"}, {json::ValueKind::array, "array"},
        {json::ValueKind::string, "string"}, {json::ValueKind::number, "number"},
        {json::ValueKind::true_literal, "true"}, {json::ValueKind::false_literal, "false"},
        {json::ValueKind::null, "null"}};
    const json::Counts& counts = findings.counts;

    fmt::memory_buffer text;
    print(text, "Processed {} file{} with {} of JSON: {} value{}, nested up to {} deep (",
          grouped(findings.files.size()).view(), plural(findings.files.size()),
          bytes_text(findings.source_bytes).view(), grouped(counts.values()).view(),
          plural(counts.values()), grouped(counts.depth).view());
    std::string_view separator;
    for (const auto& [kind, name] : kinds) {
        const std::size_t count = counts.of(kind);
        if (count == 0) continue;
        const bool is_literal = kind >= json::ValueKind::true_literal;
        print(text, "{}{} {}{}", separator, grouped(count).view(), name,
              is_literal ? "" : plural(count));
        separator = ", ";
    }
    print(text, ").");
    if (!findings.keys.empty()) {
        constexpr std::size_t shown_count_max = 5;
        print(text, " The most frequent of {} different key{}:",
              grouped(findings.keys.size()).view(), plural(findings.keys.size()));
        separator = " ";
        for (const json::KeyCount& key : findings.keys.first(
                 std::min(shown_count_max, findings.keys.size()))) {
            print(text, "{}{} ({})", separator, printable(key.key).view(), grouped(key.count).view());
            separator = ", ";
        }
        print(text, ".");
    }
    Paragraph(out, terminal).add({text.data(), text.size()});
}

std::string_view leak_text(const Usage& usage) noexcept {
    return usage.leaked_count == 0 ? "none" : "LEAKED";
}

void write_row(fmt::memory_buffer& out, const Terminal& terminal, std::string_view label,
               std::string_view time, const Usage& usage) {
    print(out, "  {:<26}{:>13}{:>13}{:>13}{:>9}\n", label, time,
          grouped(usage.malloc_calls).view(), bytes_text(usage.peak_bytes).view(),
          usage.leaked_count == 0 ? "none" : grouped(usage.leaked_count).view());
}

}  // namespace
}  // namespace demo
