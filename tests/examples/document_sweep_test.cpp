// SPDX-License-Identifier: MIT
// Out of memory at every request of examples/document: each step alone, then all of them.
#include <doctest/doctest.h>

#include <cstddef>
#include <expected>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carbide/c_allocator.hpp"
#include "carbide/defer.hpp"
#include "carbide/testing/allocation_failures.hpp"
#include "carbide/try.hpp"
#include "document/analyze.hpp"
#include "document/growing_array.hpp"
#include "document/key_table.hpp"
#include "document/parse.hpp"
#include "document/process_document.hpp"
#include "document/token.hpp"
#include "document/write_json.hpp"
#include "support/sweep_passes.hpp"

using carbide::Allocator;
using carbide::Result;
using carbide::testing::check_all_allocation_failures;
using carbide::testing::check_strong_guarantee;
using carbide::testing::SweepOptions;
using carbide::tests::passes;

namespace {

using Kind = json::DocumentError::Kind;

/// By kind, because another error than out of memory is a wrong result.
template <class T>
using Outcome = std::expected<T, Kind>;

constexpr std::string_view small_source =
    R"({"languages":[{"name":"Zazaki","speakers":3.0e6,"scripts":["Latn"]},)"
    R"({"name":"\u00c6nglisc","speakers":null,"scripts":["Latn","Runr"],"":{}}],"e\n":true})";

constexpr std::string_view pointers[] = {"", "/languages/1/name", "/languages/0/scripts", "/x"};

std::string summary_of(const json::Document& document) {
    std::string text = std::to_string(document.counts().values());
    for (const json::KeyCount& key : document.keys()) {
        text += " " + std::string(key.key) + ":" + std::to_string(key.count);
    }
    for (const json::PointerAnswer& answer : document.answers()) {
        text += " " + std::string(answer.resolved) + "=" + std::string(answer.json);
    }
    return text;
}

using Process = json::DocumentResult<json::Document> (*)(Allocator, std::string_view,
                                                         const json::DocumentOptions&) noexcept;

carbide::testing::SweepReport sweep(Process process, std::string_view source,
                                    const SweepOptions& options = {}) {
    return check_all_allocation_failures(options, [&](Allocator backing) -> Outcome<std::string> {
        const auto document = process(backing, source, {.pointers = pointers});
        if (!document.has_value()) return std::unexpected(document.error().kind);
        return summary_of(*document);
    });
}

std::string content_of(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// What parse makes of a source, on memory that is freed piece by piece.
struct Tree {
    Tree(Allocator tree_allocator, std::string_view source) : allocator(tree_allocator) {
        const auto tokens = json::tokenize(allocator, source);
        REQUIRE(tokens.has_value());
        const auto parsed = json::parse(allocator, source, *tokens, 100);
        json::free_tokens(allocator, *tokens);
        REQUIRE(parsed.has_value());
        root = *parsed;
    }
    ~Tree() { json::free_tree(allocator, root); }
    Tree(const Tree&) = delete;  // Two would free the same memory.
    Tree& operator=(const Tree&) = delete;

    Allocator allocator;
    json::Value* root = nullptr;
};

}  // namespace

TEST_CASE("sweep of document: tokens and tree are freed whichever of them cannot be had") {
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Outcome<std::size_t> {
        const auto tokens = json::tokenize(allocator, small_source);
        if (!tokens.has_value()) return std::unexpected(Kind::out_of_memory);
        const auto free_all_tokens = carbide::defer([&] { json::free_tokens(allocator, *tokens); });
        const auto root = json::parse(allocator, small_source, *tokens, 100);
        if (!root.has_value()) return std::unexpected(root.error().kind);
        json::free_tree(allocator, *root);
        return tokens->items.size();
    })));
}

TEST_CASE("sweep of document: a source with a mistake is told as out of memory, or as it is") {
    for (const std::string_view source : {R"({"a": [1, "text", ]})", R"({"a": "x", "b": [tru)"}) {
        const auto report = check_all_allocation_failures([&](Allocator backing) -> Outcome<void> {
            const auto document = json::process_document_piecewise(backing, source);
            CHECK_FALSE(document.has_value());
            if (document.error().kind == Kind::syntax) return {};
            return std::unexpected(document.error().kind);
        });
        CHECK(passes(report));
    }
}

TEST_CASE("sweep of document: writing and analyzing leave the tree and nothing else") {
    const auto make = [](Allocator allocator) { return Tree(allocator, small_source); };
    const auto as_json = [](const Tree& tree) {
        std::string text;
        for (json::TreeWalk walk(*tree.root); walk.value() != nullptr; walk.advance()) {
            text += std::string(walk.value()->key) + "=" + std::string(walk.value()->text) + ";";
        }
        return text;
    };
    CHECK(passes(check_strong_guarantee(
        make,
        [](Tree& tree, Allocator allocator) -> Result<std::string> {
            const std::string_view text = CARBIDE_TRY(json::write_json(allocator, *tree.root));
            const std::string copy(text);
            allocator.free(std::span(text));
            return copy;
        },
        as_json)));
    CHECK(passes(check_strong_guarantee(
        make,
        [](Tree& tree, Allocator allocator) -> Result<std::size_t> {
            const json::Analysis analysis =
                CARBIDE_TRY(json::analyze(allocator, *tree.root, pointers));
            json::free_analysis(allocator, analysis);
            return analysis.counts.members;
        },
        as_json)));
}

TEST_CASE(
    "sweep of document: a growing array keeps its elements where it cannot grow or be taken") {
    using Array = json::GrowingArray<int>;
    const auto snapshot = [](const Array& array) {
        return std::vector<int>(array.items().begin(), array.items().end());
    };
    struct Filled : Array {
        explicit Filled(Allocator allocator) : Array(allocator) {
            for (int number = 0; number < 16; ++number) CHECK(append(number).has_value());
        }
    };
    const auto make = [](Allocator allocator) { return Filled(allocator); };
    CHECK(passes(check_strong_guarantee(
        make, [](Array& array, Allocator) { return array.append(16); }, snapshot)));
    CHECK(passes(check_strong_guarantee(
        make, [](Array& array, Allocator) { return array.reserve(1000); }, snapshot)));
    CHECK(passes(check_all_allocation_failures([](Allocator allocator) -> Result<std::size_t> {
        Array array(allocator);
        for (int number = 0; number < 100; ++number) CARBIDE_TRY(array.append(number));
        const std::span<int> taken = CARBIDE_TRY(array.take());
        allocator.free(taken);
        return taken.size();
    })));
}

TEST_CASE("sweep of document: a key table that cannot grow counts as before") {
    json::Value object{.kind = json::ValueKind::object};
    std::vector<std::string> names;
    for (int number = 0; number < 25; ++number) names.push_back("key " + std::to_string(number));
    const auto member = [&](std::size_t number) {
        return json::Value{.kind = json::ValueKind::null, .key = names[number], .parent = &object};
    };
    // 24 keys are three quarters of 32 slots: one more makes it grow.
    CHECK(passes(check_strong_guarantee(
        [&](Allocator allocator) {
            json::KeyTable table(allocator);
            for (std::size_t i = 0; i < 24; ++i) CHECK(table.add_member(member(i)).has_value());
            return table;
        },
        [&](json::KeyTable& table, Allocator) { return table.add_member(member(24)); },
        [](const json::KeyTable& table) {
            std::vector<std::string> keys;
            const auto sorted = table.sorted(carbide::c_allocator());
            REQUIRE(sorted.has_value());
            for (const json::KeyCount& key : *sorted) keys.emplace_back(key.key);
            carbide::c_allocator().free(*sorted);
            return keys;
        })));
}

TEST_CASE("sweep of document: processing gives everything back, in an arena and piece by piece") {
    CHECK(passes(sweep(json::process_document, small_source)));
    CHECK(passes(sweep(json::process_document_piecewise, small_source)));
}

TEST_CASE("sweep of document: the same for a real file") {
    const std::string source = content_of("/usr/share/iso-codes/json/iso_3166-3.json");
    if (source.empty()) {
        MESSAGE("iso-codes is not installed");
        return;
    }
    CHECK(passes(sweep(json::process_document, source, {.sample_count = 40})));
    CHECK(passes(sweep(json::process_document_piecewise, source, {.sample_count = 40})));
}
