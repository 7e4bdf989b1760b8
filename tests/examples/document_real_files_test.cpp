// SPDX-License-Identifier: MIT
// The pipeline on the files of Debian's iso-codes, where they are installed, against a counter
// that knows nothing of parsing.
#include "document/process_document.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "examples/document_support.hpp"

namespace {

constexpr std::string_view folder = "/usr/share/iso-codes/json";

// Counts what stands outside of strings in a file that is known to be good.
struct NaiveCounts {
    std::size_t objects = 0, arrays = 0, members = 0, strings = 0, literals = 0, depth = 0;

    explicit NaiveCounts(std::string_view text) {
        std::size_t quoted = 0, open = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const char byte = text[i];
            if (byte == '"') {
                ++quoted;
                for (++i; text[i] != '"'; ++i) i += text[i] == '\\' ? 1U : 0U;
                continue;
            }
            objects += byte == '{' ? 1 : 0;
            arrays += byte == '[' ? 1 : 0;
            members += byte == ':' ? 1 : 0;
            if (byte == '{' || byte == '[') depth = std::max(depth, ++open);
            if (byte == '}' || byte == ']') --open;
            const bool begins_word = i == 0 || text[i - 1] == ' ' || text[i - 1] == ':' ||
                                     text[i - 1] == '[' || text[i - 1] == ',';
            if (begins_word && (byte == 't' || byte == 'f' || byte == 'n')) ++literals;
        }
        strings = quoted - members;
    }
};

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("document: the counts of real files are those of a naive counter") {
    if (!std::filesystem::is_directory(folder)) {
        MESSAGE("iso-codes is not installed");
        return;
    }
    using json::ValueKind;
    std::size_t file_count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string source = content_of(entry.path());
        CAPTURE(entry.path().string());
        document_test::CheckedMalloc malloc;
        const auto document = json::process_document(malloc.allocator(), source);
        const auto piecewise = json::process_document_piecewise(malloc.allocator(), source);
        REQUIRE(document.has_value());
        REQUIRE(piecewise.has_value());
        const json::Counts& counts = document->counts();
        CHECK(counts == piecewise->counts());

        const NaiveCounts expected(source);
        CHECK(counts.of(ValueKind::object) == expected.objects);
        CHECK(counts.of(ValueKind::array) == expected.arrays);
        CHECK(counts.of(ValueKind::string) == expected.strings);
        CHECK(counts.of(ValueKind::true_literal) + counts.of(ValueKind::false_literal) +
                  counts.of(ValueKind::null) ==
              expected.literals);
        CHECK(counts.members == expected.members);
        CHECK(counts.depth == expected.depth);

        std::size_t key_sum = 0;
        for (const json::KeyCount& key : document->keys()) key_sum += key.count;
        CHECK(key_sum == counts.members);
        ++file_count;
    }
    CHECK(file_count > 0);
}

TEST_CASE("document: compact JSON of a real file is a document with the same content") {
    const std::string source = content_of(std::filesystem::path(folder) / "iso_3166-1.json");
    if (source.empty()) return;  // The case above says why.
    const std::string once = document_test::compact(source);
    CHECK(once.size() < source.size());
    CHECK(document_test::compact(once) == once);
    CHECK(document_test::value_at(once, "/3166-1/0") ==
          document_test::value_at(source, "/3166-1/0"));
}
