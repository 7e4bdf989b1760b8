// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>

namespace carbide::platform {

/// Reads the encodings of DWARF. Past the end it reads zeros, and says so in `is_broken`.
class ByteReader {
public:
    ByteReader(const std::uint8_t* begin, const std::uint8_t* end) noexcept
        : at_(begin), end_(end) {}

    [[nodiscard]] const std::uint8_t* at() const noexcept { return at_; }
    [[nodiscard]] bool is_at_end() const noexcept { return at_ >= end_; }
    [[nodiscard]] bool is_broken() const noexcept { return is_broken_; }

    template <typename Number>
    Number fixed() noexcept {
        Number number{};
        if (const std::uint8_t* const bytes = take(sizeof number)) {
            std::memcpy(&number, bytes, sizeof number);
        }
        return number;
    }
    std::uint8_t byte() noexcept { return fixed<std::uint8_t>(); }

    std::uint64_t uleb128() noexcept {
        std::uint64_t number = 0;
        for (unsigned shift = 0;; shift += 7) {
            const std::uint8_t next = byte();
            if (shift < 64) number |= std::uint64_t{next & 0x7fU} << shift;
            if (next < 0x80) return number;
        }
    }

    std::int64_t sleb128() noexcept {
        std::uint64_t number = 0;
        unsigned shift = 0;
        std::uint8_t next = 0;
        do {
            next = byte();
            if (shift < 64) number |= std::uint64_t{next & 0x7fU} << shift;
            shift += 7;
        } while (next >= 0x80);
        if (shift < 64 && (next & 0x40) != 0) number |= ~std::uint64_t{0} << shift;
        return static_cast<std::int64_t>(number);
    }

    /// The next bytes, which are skipped. Null where there are fewer.
    const std::uint8_t* take(std::uint64_t byte_count) noexcept {
        if (byte_count > static_cast<std::uint64_t>(end_ - at_)) {
            is_broken_ = true;
            at_ = end_;
            return nullptr;
        }
        const std::uint8_t* const taken = at_;
        at_ += byte_count;
        return taken;
    }

private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    bool is_broken_ = false;
};

}  // namespace carbide::platform
