// SPDX-License-Identifier: MIT
// Memory that is freed twice, or with something else than its own pointer.
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "carbide/defer.hpp"
#include "carbide/try.hpp"
#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;
using enum FindingKind;
using Text = std::span<char>;

// On failure the callee frees what it was given, and the caller, who still has it, frees it, too.
// Seen: simrupt pull request 13, likwid pull request 124, pelz pull request 81.
namespace both_clean_up {

Result<void> mistake_append(Allocator allocator, Text text) {
    const auto copy = allocator.dupe(text);
    if (!copy.has_value()) allocator.free(text);
    if (!copy.has_value()) return std::unexpected(OutOfMemory{});
    allocator.free(*copy);
    return {};
}

Result<void> correct_append(Allocator allocator, Text text) {
    const Text copy = CARBIDE_TRY(allocator.dupe(text));
    allocator.free(copy);
    return {};
}

Result<void> mistake(Allocator allocator) {
    const Text text = CARBIDE_TRY(allocator.dupe("text"));
    const auto free_text = defer([&] { allocator.free(text); });
    return mistake_append(allocator, text);
}

Result<void> correct(Allocator allocator) {
    const Text text = CARBIDE_TRY(allocator.dupe("text"));
    const auto free_text = defer([&] { allocator.free(text); });
    return correct_append(allocator, text);
}

CARBIDE_MISTAKE_PAIR("a callee and its caller that both clean up free twice", swept, corrupted,
                     double_free)

}  // namespace both_clean_up

// The move copies the pointer and leaves it in the source.
namespace moved_and_kept {

struct Buffer {
    Allocator allocator;
    Text text;

    void deinit() { allocator.free(std::exchange(text, {})); }
};

void mistake(Allocator allocator) {
    Buffer source{allocator, copy_of(allocator, "text")};
    Buffer target = source;
    target.deinit();
    source.deinit();
}

void correct(Allocator allocator) {
    Buffer source{allocator, copy_of(allocator, "text")};
    Buffer target{allocator, std::exchange(source.text, {})};
    target.deinit();
    source.deinit();
}

CARBIDE_MISTAKE_PAIR("a move that leaves two owners frees twice", debugged, double_free)

}  // namespace moved_and_kept

// `close` may be called by hand and is called by the destructor, and does not note that it ran.
// Seen: libvarnam issue 29.
namespace closed_twice {

void mistake(Allocator allocator) {
    const Text buffer = copy_of(allocator, "buffer");
    const auto close = [&] { allocator.free(buffer); };
    const auto close_at_end = defer(close);
    close();
}

void correct(Allocator allocator) {
    Text buffer = copy_of(allocator, "buffer");
    const auto close = [&] { allocator.free(std::exchange(buffer, {})); };
    const auto close_at_end = defer(close);
    close();
}

CARBIDE_MISTAKE_PAIR("a close that does not note that it ran frees twice", tested, double_free)

}  // namespace closed_twice

// The rollback counts with one variable and frees with another.
namespace rollback_of_the_wrong_element {

template <class Choose>
bool fill(Allocator allocator, Choose choose) {
    std::array<Text, 3> parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto part = allocator.dupe("part");
        if (part.has_value()) {
            parts[i] = *part;
            continue;
        }
        for (std::size_t k = 0; k < i; ++k) allocator.free(parts[choose(i, k)]);
        return false;
    }
    for (const Text part : parts) allocator.free(part);
    return true;
}

bool mistake(Allocator allocator) {
    return fill(allocator, [](std::size_t i, std::size_t) { return i - 1; });
}

bool correct(Allocator allocator) {
    return fill(allocator, [](std::size_t, std::size_t k) { return k; });
}

CARBIDE_MISTAKE_PAIR("a rollback that frees one element for all frees it twice", swept, corrupted,
                     double_free)

}  // namespace rollback_of_the_wrong_element

// The error path frees all slots, although only some have been filled.
namespace undefined_slots_freed {

Result<void> mistake(Allocator allocator) {
    const std::span<Text> slots = CARBIDE_TRY(allocator.alloc<Text>(3));
    const auto free_all = defer([&] {
        for (const Text slot : slots) allocator.free(slot);
        allocator.free(slots);
    });
    for (Text& slot : slots) slot = CARBIDE_TRY(allocator.dupe("slot"));
    return {};
}

Result<void> correct(Allocator allocator) {
    const std::span<Text> slots = CARBIDE_TRY(allocator.alloc_zeroed<Text>(3));
    const auto free_all = defer([&] {
        for (const Text slot : slots) allocator.free(slot);
        allocator.free(slots);
    });
    for (Text& slot : slots) slot = CARBIDE_TRY(allocator.dupe("slot"));
    return {};
}

CARBIDE_MISTAKE_PAIR("an error path that frees slots never filled frees foreign pointers", swept,
                     corrupted, foreign_free)

}  // namespace undefined_slots_freed

// The pointer was moved past the white space, and is freed where it stands.
namespace interior_pointer {

void mistake(Allocator allocator) {
    Text line = copy_of(allocator, "  key");
    while (line.front() == ' ') line = line.subspan(1);
    allocator.free(line);
}

void correct(Allocator allocator) {
    const Text line = copy_of(allocator, "  key");
    Text rest = line;
    while (rest.front() == ' ') rest = rest.subspan(1);
    allocator.free(line);
}

// The allocation is also still there, as nothing that was passed names it.
CARBIDE_MISTAKE_PAIR("a text freed behind its leading spaces is an interior pointer", debugged,
                     interior_free, leak)

}  // namespace interior_pointer

// A default value stands where owned texts stand otherwise.
namespace default_value_freed {

void mistake(Allocator allocator) {
    static std::array<char, 7> unnamed{'u', 'n', 'n', 'a', 'm', 'e', 'd'};
    allocator.free(Text(unnamed));
}

void correct(Allocator allocator) { allocator.free(copy_of(allocator, "unnamed")); }

CARBIDE_MISTAKE_PAIR("a default value freed like an owned one is a foreign pointer", debugged,
                     foreign_free)

}  // namespace default_value_freed

// A function gets two allocators, and frees with the other one.
namespace two_allocators_mixed_up {

void mistake(Allocator request, Allocator session) { session.free(copy_of(request, "user")); }
void correct(Allocator request, Allocator) { request.free(copy_of(request, "user")); }

CARBIDE_MISTAKE_PAIR("memory of one allocator freed with another is foreign there", debugged,
                     foreign_free, leak)

}  // namespace two_allocators_mixed_up

// An object with the lifetime of the program frees its memory when the allocator is gone.
namespace freed_after_the_allocator {

void mistake(DebugAllocator& debug) {
    const Text text = copy_of(debug.allocator(), "static");
    static_cast<void>(debug.deinit());
    debug.allocator().free(text);
}

void correct(DebugAllocator& debug) {
    const Text text = copy_of(debug.allocator(), "static");
    debug.allocator().free(text);
    static_cast<void>(debug.deinit());
}

CARBIDE_MISTAKE_PAIR("memory freed after the end of its allocator leaked, and is foreign", debugged,
                     leak, foreign_free)

}  // namespace freed_after_the_allocator

}  // namespace
}  // namespace carbide::tests
