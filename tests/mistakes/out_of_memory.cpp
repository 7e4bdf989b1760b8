// SPDX-License-Identifier: MIT
// Out of memory that is not reported, or reported as something else, or not survived.
#include <array>
#include <cerrno>
#include <cstddef>
#include <expected>
#include <span>

#include "carbide/arena_allocator.hpp"
#include "carbide/owned_slice.hpp"
#include "carbide/recovery_scope.hpp"
#include "carbide/try.hpp"
#include "mistakes/tools.hpp"

namespace carbide::tests {
namespace {

using enum testing::Verdict;
using Text = std::span<char>;

// The failure becomes a default, and the caller believes that this is what the file says.
namespace failure_becomes_a_default {

Result<std::size_t> mistake(Allocator allocator) {
    const auto value = dupe_owned(allocator, "value of the option");
    if (!value.has_value()) return 0;
    return value->size();
}

Result<std::size_t> correct(Allocator allocator) {
    const auto value = CARBIDE_TRY(dupe_owned(allocator, "value of the option"));
    return value.size();
}

CARBIDE_MISTAKE_PAIR("a default value in place of the error swallows it", swept, swallowed)

}  // namespace failure_becomes_a_default

// The cleanup has a result, too, which is stored over the one that counts.
namespace error_overwritten_by_cleanup {

int close_file() { return 0; }

int mistake(Allocator allocator) {
    int code = 0;
    const auto line = make_owned_slice<char>(allocator, 80);
    if (!line.has_value()) code = ENOMEM;
    code = close_file();
    return code;
}

int correct(Allocator allocator) {
    int code = 0;
    const auto line = make_owned_slice<char>(allocator, 80);
    if (!line.has_value()) code = ENOMEM;
    const int close_code = close_file();
    return code != 0 ? code : close_code;
}

CARBIDE_MISTAKE_PAIR("a cleanup whose result replaces the error swallows it", swept, swallowed)

}  // namespace error_overwritten_by_cleanup

// The loop ends where memory does, and returns as many elements as it has.
namespace loop_ended_by_failure {

Result<std::size_t> mistake(Allocator allocator) {
    std::size_t count = 0;
    while (count < 3 && make_owned_slice<char>(allocator, 8).has_value()) ++count;
    return count;
}

Result<std::size_t> correct(Allocator allocator) {
    std::size_t count = 0;
    for (; count < 3; ++count) static_cast<void>(CARBIDE_TRY(make_owned_slice<char>(allocator, 8)));
    return count;
}

CARBIDE_MISTAKE_PAIR("a loop that ends where memory does swallows the error", swept, swallowed)

}  // namespace loop_ended_by_failure

// What comes from an arena is freed with it, and so nobody looks whether it came.
namespace arena_result_ignored {

Result<void> mistake(Allocator allocator) {
    ArenaAllocator arena({.backing = allocator});
    for (int i = 0; i < 4; ++i) static_cast<void>(arena.allocator().alloc<char>(3000));
    return {};
}

// That the arena itself asks for less where the backing has not enough is no mistake.
Result<void> correct(Allocator allocator) {
    ArenaAllocator arena({.backing = allocator});
    for (int i = 0; i < 4; ++i) static_cast<void>(CARBIDE_TRY(arena.allocator().alloc<char>(3000)));
    return {};
}

CARBIDE_MISTAKE_PAIR("a request to an arena that nobody looks at swallows the error", swept,
                     swallowed)

}  // namespace arena_result_ignored

// Every failure of a step is called a syntax error, so that the user looks into a correct file.
namespace called_a_syntax_error {

enum class ParseError : unsigned char { syntax, out_of_memory };

std::expected<void, ParseError> mistake(Allocator allocator) {
    const auto token = make_owned_slice<char>(allocator, 8);
    if (!token.has_value()) return std::unexpected(ParseError::syntax);
    return {};
}

std::expected<void, ParseError> correct(Allocator allocator) {
    const auto token = make_owned_slice<char>(allocator, 8);
    if (!token.has_value()) return std::unexpected(ParseError::out_of_memory);
    return {};
}

CARBIDE_MISTAKE_PAIR("out of memory called a syntax error is a wrong result", swept, wrong_result)

}  // namespace called_a_syntax_error

// The way without a cache is meant to be slower, and finds something else.
namespace fallback_differs {

Result<int> sum(Allocator allocator, int last_without_cache) {
    const RecoveryScope works_without_a_cache;
    const auto cache = make_owned_slice<int>(allocator, 8);
    const int last = opaque(cache.has_value() ? 4 : last_without_cache);
    int result = 0;
    for (int i = 1; i <= last; ++i) result += i;
    return result;
}

Result<int> mistake(Allocator allocator) { return sum(allocator, 3); }
Result<int> correct(Allocator allocator) { return sum(allocator, 4); }

CARBIDE_MISTAKE_PAIR("a fallback that computes something else is a wrong result", swept,
                     wrong_result)

}  // namespace fallback_differs

// A buffer remembers across calls how large it had to be, so that each call asks for other sizes.
namespace size_remembered_across_calls {

Result<void> fill(Allocator allocator, std::size_t& size) {
    for (;; size *= 2) {
        CARBIDE_TRY_LET(buffer, make_owned_slice<char>(allocator, size));
        if (buffer.size() >= 32) return {};
    }
}

Result<void> mistake(Allocator allocator) {
    static std::size_t size = 8;
    return fill(allocator, size);
}

Result<void> correct(Allocator allocator) {
    std::size_t size = 8;
    return fill(allocator, size);
}

CARBIDE_MISTAKE_PAIR("a size remembered across calls is not deterministic", swept,
                     non_deterministic)

}  // namespace size_remembered_across_calls

// A hash seeded by the time, or by an address, decides how often a table is rebuilt.
namespace seeded_by_the_time {

unsigned time_now() {
    static unsigned ticks = 0;
    return ++ticks;
}

Result<void> fill(Allocator allocator, unsigned seed) {
    const unsigned rebuild_count = 1 + seed % 2;
    for (unsigned i = 0; i < rebuild_count; ++i) {
        static_cast<void>(CARBIDE_TRY(make_owned_slice_zeroed<int>(allocator, 16)));
    }
    return {};
}

Result<void> mistake(Allocator allocator) { return fill(allocator, time_now()); }
Result<void> correct(Allocator allocator) { return fill(allocator, 1); }

CARBIDE_MISTAKE_PAIR("a seed from the clock is not deterministic", swept, non_deterministic)

}  // namespace seeded_by_the_time

// The result is used before anybody looks whether there is one.
// Seen: bindfs issue 149, levelcache issue 4.
namespace result_not_looked_at {

bool mistake(Allocator allocator) {
    void* const memory = allocator.raw_alloc(16, std::align_val_t{1});
    static_cast<volatile char*>(memory)[0] = 'x';
    allocator.raw_free(memory, 16, std::align_val_t{1});
    return true;
}

bool correct(Allocator allocator) {
    void* const memory = allocator.raw_alloc(16, std::align_val_t{1});
    if (memory == nullptr) return false;
    static_cast<volatile char*>(memory)[0] = 'x';
    allocator.raw_free(memory, 16, std::align_val_t{1});
    return true;
}

CARBIDE_MISTAKE_PAIR("a result that is used unseen crashes", swept_in_children, crashed)

}  // namespace result_not_looked_at

// The message about the failure is allocated itself, which works only where memory is out for once.
namespace handler_that_allocates {

Result<void> mistake(Allocator allocator) {
    const auto line = make_owned_slice<char>(allocator, 80);
    if (line.has_value()) return {};
    void* const message = allocator.raw_alloc(32, std::align_val_t{1});
    static_cast<volatile char*>(message)[0] = '!';
    allocator.raw_free(message, 32, std::align_val_t{1});
    return std::unexpected(OutOfMemory{});
}

Result<void> correct(Allocator allocator) {
    std::array<volatile char, 32> message;
    const auto line = make_owned_slice<char>(allocator, 80);
    if (line.has_value()) return {};
    message[0] = '!';
    return std::unexpected(OutOfMemory{});
}

CARBIDE_MISTAKE_PAIR("a handler of the failure that allocates crashes", swept_in_children, crashed)

}  // namespace handler_that_allocates

// A library decides that nobody can go on without this memory.
namespace library_aborts {

Result<void> mistake(Allocator allocator) {
    allocator.free(allocator.must_alloc<char>(80));
    return {};
}

Result<void> correct(Allocator allocator) {
    allocator.free(CARBIDE_TRY(allocator.alloc<char>(80)));
    return {};
}

CARBIDE_MISTAKE_PAIR("a library that aborts is a crash", swept_in_children, crashed)

}  // namespace library_aborts

// It asks again until there is memory, which there never is.
namespace retried_for_ever {

bool mistake(Allocator allocator) {
    const RecoveryScope others_may_free;
    while (!make_owned_slice<char>(allocator, 80).has_value()) {
    }
    return true;
}

bool correct(Allocator allocator) {
    const RecoveryScope others_may_free;
    for (int i = 0; i < 3; ++i) {
        if (make_owned_slice<char>(allocator, 80).has_value()) return true;
    }
    return false;
}

CARBIDE_MISTAKE_PAIR("a request that is repeated for ever hangs", swept_in_children, hung)

}  // namespace retried_for_ever

}  // namespace
}  // namespace carbide::tests
