// SPDX-License-Identifier: MIT
#include "carbide/bump_window.hpp"

#include "carbide/check.hpp"
#include "carbide/memory_marks.hpp"

namespace carbide {
namespace {

// The words in the padding below an allocation at `address`, which is over-aligned and so at least
// 16-aligned: its low bits are free.
//
//   | ... | padding_bytes | link      |
//         ^ address - 16  ^ address - 8
//
// `link` is the address of the padded allocation before this one; its lowest bit says that the
// padding is just one granule, where there may be no room for `padding_bytes`.
constexpr std::uintptr_t short_padding = 1;
constexpr std::size_t word_bytes = sizeof(std::uintptr_t);
static_assert(word_bytes <= window_granule_bytes, "the least padding holds a link");

// Most programs run unwatched: then a padded allocation should not pay for calls that do nothing.
void store_word(std::uintptr_t address, std::uintptr_t value, bool watched) noexcept {
    auto* const word = reinterpret_cast<std::uintptr_t*>(address);
    if (watched) mark_undefined(word, word_bytes);
    *word = value;
    if (watched) mark_no_access(word, word_bytes);
}

std::uintptr_t load_word(std::uintptr_t address) noexcept {
    auto* const word = reinterpret_cast<std::uintptr_t*>(address);
    mark_defined(word, word_bytes);
    const std::uintptr_t value = *word;
    mark_no_access(word, word_bytes);
    return value;
}

std::uintptr_t address_of(const void* memory) noexcept {
    return reinterpret_cast<std::uintptr_t>(memory);
}

// Where an allocation goes in [start, limit), or 0 where it does not fit.
std::uintptr_t place(std::uintptr_t start, std::uintptr_t limit, std::size_t size_bytes,
                     std::align_val_t alignment) noexcept {
    const std::size_t free_bytes = limit - start;
    // `start` is a multiple of the granule, and so is what it lacks to a greater alignment.
    const std::size_t mask = static_cast<std::size_t>(alignment) - 1;
    const std::size_t padding_bytes = -start & mask & ~(window_granule_bytes - 1);
    // In two steps, because the sum of padding and size may overflow.
    if (padding_bytes > free_bytes) return 0;
    if (size_bytes > free_bytes - padding_bytes) return 0;
    return start + padding_bytes;
}

}  // namespace

BumpWindow::BumpWindow(Heap& heap) noexcept : heap_(heap), closed_(window_stays_closed()) {}

void BumpWindow::open(std::uintptr_t begin, std::uintptr_t limit) noexcept {
    reopen({begin, 0}, limit);
}

void BumpWindow::reopen(Position position, std::uintptr_t limit) noexcept {
    CARBIDE_ASSERT(position.cursor % window_granule_bytes == 0);
    CARBIDE_ASSERT(limit % window_granule_bytes == 0);
    CARBIDE_ASSERT(position.cursor <= limit);
    mark_no_access(reinterpret_cast<void*>(position.cursor), limit - position.cursor);
    newest_padded_ = position.newest_padded;
    set_limit(limit);
    set_cursor(position.cursor);
}

[[gnu::always_inline]] inline void BumpWindow::link_padding(std::uintptr_t address,
                                                            std::size_t padding_bytes,
                                                            bool watched) noexcept {
    CARBIDE_ASSERT(address % (2 * window_granule_bytes) == 0);
    const bool is_short = padding_bytes == window_granule_bytes;
    store_word(address - word_bytes, newest_padded_ | (is_short ? short_padding : 0), watched);
    if (!is_short) store_word(address - 2 * word_bytes, padding_bytes, watched);
    newest_padded_ = address;
}

// Two copies of one body: the one for a program that nobody watches calls nothing.
void* BumpWindow::alloc(std::size_t size_bytes, std::align_val_t alignment) noexcept {
    if (is_watched()) return alloc_watched(size_bytes, alignment);
    return take(size_bytes, alignment, false);
}

void* BumpWindow::alloc_watched(std::size_t size_bytes, std::align_val_t alignment) noexcept {
    return take(size_bytes, alignment, true);
}

[[gnu::always_inline]] inline void* BumpWindow::take(std::size_t size_bytes,
                                                     std::align_val_t alignment,
                                                     bool watched) noexcept {
    const std::uintptr_t start = cursor();
    const std::uintptr_t address = place(start, limit(), size_bytes, alignment);
    if (address == 0) return nullptr;
    if (address != start) link_padding(address, address - start, watched);
    set_cursor(address + window_bytes(size_bytes));
    auto* const memory = reinterpret_cast<void*>(address);
    if (watched) mark_undefined(memory, size_bytes);
    return memory;
}

void* BumpWindow::alloc_shared(std::size_t size_bytes, std::align_val_t alignment) noexcept {
    std::uintptr_t* const shared_cursor = closed_ ? &hidden_.cursor : &heap_.cursor;
    std::uintptr_t start = __atomic_load_n(shared_cursor, __ATOMIC_RELAXED);
    for (;;) {
        const std::uintptr_t address = place(start, limit(), size_bytes, alignment);
        if (address == 0) return nullptr;
        // Relaxed: the cursor carries no data, and each byte is handed to one thread only.
        if (__atomic_compare_exchange_n(shared_cursor, &start, address + window_bytes(size_bytes),
                                        true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            auto* const memory = reinterpret_cast<void*>(address);
            mark_undefined(memory, size_bytes);
            return memory;
        }
    }
}

bool BumpWindow::resize(void* memory, std::size_t old_bytes, std::size_t new_bytes) noexcept {
    const std::uintptr_t address = address_of(memory);
    const bool newest = address + window_bytes(old_bytes) == cursor();
    const std::size_t room_bytes = newest ? limit() - address : window_bytes(old_bytes);
    if (new_bytes > room_bytes) return false;

    if (newest) set_cursor(address + window_bytes(new_bytes));
    auto* const bytes = static_cast<std::byte*>(memory);
    if (new_bytes < old_bytes) {
        mark_no_access(bytes + new_bytes, window_bytes(old_bytes) - new_bytes);
    } else {
        mark_undefined(bytes + old_bytes, new_bytes - old_bytes);
    }
    return true;
}

void BumpWindow::free(void* memory, std::size_t size_bytes) noexcept {
    const std::uintptr_t address = address_of(memory);
    mark_no_access(memory, size_bytes);
    if (address + window_bytes(size_bytes) != cursor()) return;
    const std::size_t padding_bytes = address == newest_padded_ ? unlink_padding(address) : 0;
    set_cursor(address - padding_bytes);
}

bool BumpWindow::is_watched() const noexcept { return CARBIDE_ASAN != 0 || closed_; }

std::uintptr_t BumpWindow::cursor() const noexcept {
    return closed_ ? hidden_.cursor : heap_.cursor;
}

std::uintptr_t BumpWindow::limit() const noexcept { return closed_ ? hidden_.limit : heap_.limit; }

void BumpWindow::set_cursor(std::uintptr_t cursor) noexcept {
    CARBIDE_ASSERT(cursor <= limit());
    (closed_ ? hidden_.cursor : heap_.cursor) = cursor;
}

void BumpWindow::set_limit(std::uintptr_t limit) noexcept {
    (closed_ ? hidden_.limit : heap_.limit) = limit;
}

std::size_t BumpWindow::unlink_padding(std::uintptr_t address) noexcept {
    const std::uintptr_t link = load_word(address - word_bytes);
    newest_padded_ = link & ~short_padding;
    CARBIDE_CHECK(newest_padded_ < address, "the padding below an allocation was overwritten");
    if ((link & short_padding) != 0) return window_granule_bytes;
    return load_word(address - 2 * word_bytes);
}

}  // namespace carbide
