// SPDX-License-Identifier: MIT
#include "heap/debug/suppressions.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "platform/pages.hpp"
#include "platform/symbols.hpp"

namespace carbide::detail {
namespace {

constexpr std::string_view leak_prefix = "leak:";

std::string_view trimmed(std::string_view line) noexcept {
    constexpr std::string_view blanks = " \t\r\f\v";
    const std::size_t begin = line.find_first_not_of(blanks);
    if (begin == line.npos) return {};
    return line.substr(begin, line.find_last_not_of(blanks) - begin + 1);
}

// Calls `visit(line, number)` for what is neither blank nor a comment.
template <typename Visit>
void for_each_line(std::string_view content, Visit visit) noexcept {
    for (std::size_t number = 1; !content.empty(); ++number) {
        const std::size_t end = std::min(content.find('\n'), content.size());
        const std::string_view line = trimmed(content.substr(0, end));
        content.remove_prefix(std::min(end + 1, content.size()));
        if (!line.empty() && line.front() != '#') visit(line, number);
    }
}

bool is_suppression(std::string_view line) noexcept {
    return line.starts_with(leak_prefix) && line.size() > leak_prefix.size();
}

void complain(platform::ReportText& errors, const char* path, const char* reason) noexcept {
    errors.text("carbide: cannot read suppressions '")
        .text(path)
        .text("': ")
        .text(reason)
        .text("\n");
}

// What a message shows of a line that may be anything: the start, without control characters.
void write_excerpt(platform::ReportText& errors, std::string_view line) noexcept {
    constexpr std::size_t shown_bytes_max = 60;
    for (const char& letter : line.substr(0, shown_bytes_max)) {
        const bool is_control = static_cast<unsigned char>(letter) < ' ' || letter == '\x7F';
        errors.text(is_control ? "?" : std::string_view(&letter, 1));
    }
    if (line.size() > shown_bytes_max) errors.text("...");
}

// Whether `text` matches from its begin; `*` stands for any text, and what is left of `text` at
// the end may be anything unless `to_end`. Backtracks to the last star only, which is enough.
bool matches_here(std::string_view pattern, std::string_view text, bool to_end) noexcept {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = pattern.npos;
    std::size_t retry = 0;
    for (;;) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = t;
        } else if (p == pattern.size() && (!to_end || t == text.size())) {
            return true;
        } else if (p < pattern.size() && t < text.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != pattern.npos && retry < text.size()) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
}

}  // namespace

bool matches_suppression(std::string_view pattern, std::string_view text) noexcept {
    const bool from_begin = pattern.starts_with('^');
    if (from_begin) pattern.remove_prefix(1);
    const bool to_end = pattern.ends_with('$');
    if (to_end) pattern.remove_suffix(1);
    if (from_begin) return matches_here(pattern, text, to_end);
    for (std::size_t begin = 0; begin <= text.size(); ++begin) {
        if (matches_here(pattern, text.substr(begin), to_end)) return true;
    }
    return false;
}

Suppressions::~Suppressions() {
    if (entries_ != nullptr) platform::unmap_pages(entries_, mapped_bytes_);
}

void Suppressions::load(const char* path, platform::ReportText& errors) noexcept {
    if (!read_file(path, errors)) return;
    std::size_t count = 0;
    for_each_line(content_.view(), [&](std::string_view line, std::size_t number) {
        if (is_suppression(line)) {
            ++count;
            return;
        }
        errors.text("carbide: ").text(path).text(":").number(number);
        write_excerpt(errors.text(": expected 'leak:PATTERN', found '"), line);
        errors.text("'\n");
    });
    if (count == 0) return;

    mapped_bytes_ = platform::round_up_to_pages(count * sizeof(Entry));
    void* const pages = platform::map_pages(mapped_bytes_, 1);
    if (pages == nullptr) {
        complain(errors, path, strerrordesc_np(ENOMEM));
        return;
    }
    entries_ = static_cast<Entry*>(pages);
    for_each_line(content_.view(), [&](std::string_view line, std::size_t) {
        if (!is_suppression(line)) return;
        ::new (entries_ + entry_count_++) Entry{.pattern = line.substr(leak_prefix.size())};
    });
}

bool Suppressions::read_file(const char* path, platform::ReportText& errors) noexcept {
    const int kept_errno = errno;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    int error = file < 0 ? errno : 0;
    while (error == 0) {
        char part[4096];
        const ssize_t count = read(file, part, sizeof part);
        if (count == 0) break;
        if (count > 0) {
            content_.text({part, static_cast<std::size_t>(count)});
            if (content_.is_cut()) error = ENOMEM;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (file >= 0) close(file);
    if (error != 0) complain(errors, path, strerrordesc_np(error));
    errno = kept_errno;
    return error == 0;
}

std::optional<std::size_t> Suppressions::match(StackTrace trace) const noexcept {
    std::size_t found = entry_count_;
    platform::for_each_frame(trace, [&](const platform::SourceFrame& frame) {
        for (std::size_t i = 0; i < found; ++i) {
            const std::string_view pattern = entries_[i].pattern;
            if (matches_suppression(pattern, frame.function) ||
                matches_suppression(pattern, frame.file) ||
                matches_suppression(pattern, frame.module)) {
                found = i;
            }
        }
    });
    if (found == entry_count_) return std::nullopt;
    return found;
}

void Suppressions::reset_counts() noexcept {
    for (Entry& entry : entries()) {
        entry.count = 0;
        entry.size_bytes = 0;
    }
}

}  // namespace carbide::detail
