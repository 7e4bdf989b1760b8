// SPDX-License-Identifier: MIT
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "carbide/statistics_allocator.hpp"
#include "document/process_document.hpp"

/// What the tests of examples/document have in common.
namespace document_test {

/// Allocates from malloc; a test fails where something was not given back.
class CheckedMalloc {
public:
    ~CheckedMalloc() {
        CHECK(counted_.statistics().live_count() == 0);
        CHECK(counted_.statistics().current_bytes == 0);
    }
    carbide::Allocator allocator() noexcept { return counted_.allocator(); }

private:
    carbide::StatisticsAllocator counted_{{.backing = carbide::c_allocator()}};
};

/// The error message, or "good". Both ways of processing must agree, and leak nothing.
inline std::string verdict(std::string_view source, const json::DocumentOptions& options = {}) {
    CheckedMalloc malloc;
    const auto text = [](const json::DocumentResult<json::Document>& result) {
        return std::string(result.has_value() ? "good" : result.error().message().view());
    };
    const std::string arena = text(json::process_document(malloc.allocator(), source, options));
    const std::string piecewise =
        text(json::process_document_piecewise(malloc.allocator(), source, options));
    CHECK(arena == piecewise);
    return arena;
}

/// What stands at a JSON Pointer, as compact JSON; or why nothing does.
inline std::string value_at(std::string_view source, std::string_view pointer) {
    CheckedMalloc malloc;
    const std::string_view pointers[] = {pointer};
    const auto document =
        json::process_document(malloc.allocator(), source, {.pointers = pointers});
    if (!document.has_value()) return std::string(document.error().message().view());
    const json::PointerAnswer& answer = document->answers()[0];
    if (answer.outcome == json::PointerOutcome::found) return std::string(answer.json);
    return "at '" + std::string(answer.resolved) + "', " +
           std::string(json::described(answer.kind)) + ": " +
           std::string(json::reason_of(answer.outcome));
}

/// The document as compact JSON.
inline std::string compact(std::string_view source) { return value_at(source, ""); }

}  // namespace document_test
