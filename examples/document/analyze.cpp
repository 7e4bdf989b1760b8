// SPDX-License-Identifier: MIT
#include "document/analyze.hpp"

#include <algorithm>
#include <numeric>

#include "carbide/defer.hpp"
#include "carbide/try.hpp"
#include "document/write_json.hpp"

namespace json {
namespace {

bool is_container(const Value& value) noexcept {
    return value.kind == ValueKind::object || value.kind == ValueKind::array;
}

carbide::Result<void> count_members(const Value& object, KeyTable& keys, Counts& counts) noexcept {
    for (const Value* member = object.first_child; member != nullptr; member = member->next) {
        CARBIDE_TRY(keys.add_member(*member));
        ++counts.members;
    }
    return {};
}

carbide::Result<Counts> count_values(const Value& root, KeyTable& keys) noexcept {
    Counts counts;
    for (TreeWalk walk(root); walk.value() != nullptr; walk.advance()) {
        const Value& value = *walk.value();
        ++counts.by_kind[static_cast<std::size_t>(value.kind)];
        if (is_container(value)) counts.depth = std::max(counts.depth, walk.depth() + 1);
        if (value.kind == ValueKind::object) CARBIDE_TRY(count_members(value, keys, counts));
    }
    counts.duplicate_members = keys.duplicate_count();
    return counts;
}

carbide::Result<PointerAnswer> answer(carbide::Allocator arena, const Value& root,
                                      std::string_view pointer) noexcept {
    const PointerTarget target = resolve_pointer(root, pointer);
    std::string_view json;
    if (target.outcome == PointerOutcome::found) {
        json = CARBIDE_TRY(write_json(arena, *target.value));
    }
    return PointerAnswer{target.outcome, target.value->kind, pointer, target.resolved, json};
}

void free_answers(carbide::Allocator allocator, std::span<PointerAnswer> answers) noexcept {
    for (const PointerAnswer& answer : answers) {
        allocator.free(std::span<const char>(answer.json));
    }
    allocator.free(answers);
}

CARBIDE_CALLER_OWNS carbide::Result<std::span<PointerAnswer>> answer_all(
    carbide::Allocator arena, const Value& root,
    std::span<const std::string_view> pointers) noexcept {
    const auto answers = CARBIDE_TRY(arena.alloc<PointerAnswer>(pointers.size()));
    std::fill(answers.begin(), answers.end(), PointerAnswer{});
    auto undo = carbide::errdefer([&] { free_answers(arena, answers); });
    for (std::size_t i = 0; i < pointers.size(); ++i) {
        answers[i] = CARBIDE_TRY(answer(arena, root, pointers[i]));
    }
    undo.commit();
    return answers;
}

}  // namespace

std::size_t Counts::values() const noexcept {
    return std::accumulate(by_kind.begin(), by_kind.end(), std::size_t{0});
}

carbide::Result<Analysis> analyze(carbide::Allocator arena, const Value& root,
                                  std::span<const std::string_view> pointers) noexcept {
    KeyTable keys(arena);
    const Counts counts = CARBIDE_TRY(count_values(root, keys));
    const std::span<KeyCount> sorted = CARBIDE_TRY(keys.sorted(arena));
    auto undo = carbide::errdefer([&] { arena.free(sorted); });
    const std::span<PointerAnswer> answers = CARBIDE_TRY(answer_all(arena, root, pointers));
    undo.commit();
    return Analysis{counts, sorted, answers};
}

void free_analysis(carbide::Allocator allocator, Analysis analysis) noexcept {
    allocator.free(analysis.keys);
    free_answers(allocator, analysis.answers);
}

}  // namespace json
