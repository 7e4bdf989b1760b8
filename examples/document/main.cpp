// SPDX-License-Identifier: MIT
// Pattern 2: everything in between lives in an arena, the result on the caller's allocator.
#include <cstdio>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "document/process_document.hpp"

namespace {

constexpr std::string_view source = R"({
  "languages": [
    {"name": "Zazaki", "speakers": 3.0e6, "scripts": ["Latn"]},
    {"name": "\u00c6nglisc", "speakers": null, "scripts": ["Latn", "Runr"]}
  ]
})";

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_document(const json::Document& document) {
    const json::Counts& counts = document.counts();
    std::printf("%zu values, %zu levels deep\n", counts.values(), counts.depth);
    for (const json::KeyCount& key : document.keys()) {
        print(key.key);
        std::printf(": %zu\n", key.count);
    }
    for (const json::PointerAnswer& answer : document.answers()) {
        print(answer.pointer);
        print(" = ");
        print(answer.outcome == json::PointerOutcome::found ? answer.json
                                                            : json::reason_of(answer.outcome));
        print("\n");
    }
}

void process(std::string_view text) {
    const std::string_view pointers[] = {"/languages/1/name", "/languages/0/scripts",
                                         "/languages/7"};
    const auto document =
        json::process_document(carbide::c_allocator(), text, {.pointers = pointers});
    if (document.has_value()) {
        print_document(*document);
    } else {
        print(document.error().message().view());
        print("\n");
    }
}

}  // namespace

int main() {
    process(source);
    process(source.substr(0, source.size() - 4));  // Without its end.
}
