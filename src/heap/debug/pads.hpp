// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace carbide::detail {

/// Canaries: the content of a pad is a function of its address, so that a pad that was copied here
/// with its block does not pass for the right one. No byte of it is 0, which is what writes one
/// behind the end of a string leave. Source of the multiplier: the golden ratio, as in D. Knuth,
/// TAOCP 3, 6.4.
class Canary {
public:
    static void write(std::uintptr_t address, std::size_t size_bytes) noexcept {
        std::size_t done = 0;
        for (; done + 8 <= size_bytes; done += 8) {
            const std::uint64_t word = word_at(address + done);
            std::memcpy(reinterpret_cast<void*>(address + done), &word, 8);
        }
        if (done < size_bytes) {
            const std::uint64_t word = word_at(address + done);
            std::memcpy(reinterpret_cast<void*>(address + done), &word, size_bytes - done);
        }
    }

    [[nodiscard]] static bool is_intact(std::uintptr_t address, std::size_t size_bytes) noexcept {
        std::size_t done = 0;
        for (; done + 8 <= size_bytes; done += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, reinterpret_cast<const void*>(address + done), 8);
            if (word != word_at(address + done)) return false;
        }
        if (done == size_bytes) return true;
        const std::uint64_t word = word_at(address + done);
        return std::memcmp(reinterpret_cast<const void*>(address + done), &word,
                           size_bytes - done) == 0;
    }

    /// What byte `index` of a pad that starts at `address` has to be.
    [[nodiscard]] static unsigned char byte_at(std::uintptr_t address, std::size_t index) noexcept {
        const std::uint64_t word = word_at(address + index / 8 * 8);
        unsigned char bytes[8];
        std::memcpy(bytes, &word, 8);
        return bytes[index % 8];
    }

private:
    static std::uint64_t word_at(std::uintptr_t address) noexcept {
        return (address * 0x9E3779B97F4A7C15U) | 0x0101010101010101U;
    }
};

}  // namespace carbide::detail
