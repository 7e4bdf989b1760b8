// SPDX-License-Identifier: MIT
#include "platform/eh_frame.hpp"

#include <limits>

#include "platform/byte_reader.hpp"

namespace carbide::platform {
namespace {

// The only form that linkers write: counts of 4 bytes, a sorted table of offsets from the header.
//
//   | version | 3 encodings | offset of .eh_frame | entry count | entries: function, description
struct Header {
    std::uint8_t version;
    std::uint8_t section_encoding;
    std::uint8_t count_encoding;
    std::uint8_t table_encoding;
    std::int32_t section_offset;
    std::uint32_t entry_count;
};
static_assert(sizeof(Header) == 12, "as in the file");

struct Entry {
    std::int32_t function_offset;
    std::int32_t description_offset;
};
static_assert(sizeof(Entry) == 8, "as in the file");

// Pointer encodings: a format in the low half, what it is relative to in the high half.
constexpr std::uint8_t format_mask = 0x0f;
constexpr std::uint8_t format_absolute = 0x00;
constexpr std::uint8_t format_unsigned_4 = 0x03;
constexpr std::uint8_t format_signed_4 = 0x0b;
constexpr std::uint8_t format_signed_8 = 0x0c;
constexpr std::uint8_t relative_mask = 0x70;
constexpr std::uint8_t relative_to_place = 0x10;
constexpr std::uint8_t table_encoding = 0x3b;  // Relative to the header, signed, 4 bytes.

constexpr std::uint32_t length_of_64_bit_dwarf = 0xffffffff;

bool is_known_form(const Header& header) noexcept {
    const std::uint8_t section_format = header.section_encoding & format_mask;
    return header.version == 1 && header.table_encoding == table_encoding &&
           header.count_encoding == format_unsigned_4 &&
           (section_format == format_unsigned_4 || section_format == format_signed_4);
}

const Entry* entries_of(const Header& header) noexcept {
    return reinterpret_cast<const Entry*>(&header + 1);
}

// Of the last function that begins at or below the address. Null: none does.
const std::uint8_t* find_entry(const Header& header, std::uintptr_t address) noexcept {
    const auto base = reinterpret_cast<std::uintptr_t>(&header);
    const auto offset = static_cast<std::int64_t>(address - base);
    const Entry* const entries = entries_of(header);
    std::uint32_t begin = 0;
    std::uint32_t end = header.entry_count;
    while (begin < end) {
        const std::uint32_t middle = begin + (end - begin) / 2;
        if (entries[middle].function_offset <= offset) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    if (begin == 0) return nullptr;
    return reinterpret_cast<const std::uint8_t*>(&header) + entries[begin - 1].description_offset;
}

// A record from its length on. Broken where its form is not known.
ByteReader open_record(const std::uint8_t* record) noexcept {
    std::uint32_t size_bytes = 0;
    std::memcpy(&size_bytes, record, sizeof size_bytes);
    if (size_bytes == length_of_64_bit_dwarf) size_bytes = 0;
    const std::uint8_t* const begin = record + sizeof size_bytes;
    return {begin, begin + size_bytes};
}

// False: an encoding that is not known.
bool read_pointer(ByteReader& reader, std::uint8_t encoding, std::uintptr_t& value) noexcept {
    const auto place = reinterpret_cast<std::uintptr_t>(reader.at());
    switch (encoding & format_mask) {
        case format_absolute:
        case format_signed_8:
            value = reader.fixed<std::uint64_t>();
            break;
        case format_unsigned_4:
            value = reader.fixed<std::uint32_t>();
            break;
        case format_signed_4:
            value = static_cast<std::uintptr_t>(std::int64_t{reader.fixed<std::int32_t>()});
            break;
        default:
            return false;
    }
    const std::uint8_t relative = encoding & relative_mask;
    if (relative == relative_to_place) value += place;
    return relative == 0 || relative == relative_to_place;
}

struct CommonEntry {
    std::uint8_t pointer_encoding = format_absolute;
    bool has_augmentation_data = false;
};

bool skip_personality(ByteReader& reader) noexcept {
    const std::uint8_t encoding = reader.byte();
    std::uintptr_t personality = 0;
    return read_pointer(reader, encoding, personality);
}

// The letters say what the data are: z, then any of R, P, L, S, B.
bool read_augmentation(ByteReader& reader, const char* letters, CommonEntry& common,
                       FrameDescription& description) noexcept {
    if (*letters == '\0') return true;
    if (*letters != 'z') return false;
    common.has_augmentation_data = true;
    const std::uint64_t data_bytes = reader.uleb128();
    const std::uint8_t* const data = reader.at();
    if (reader.take(data_bytes) == nullptr) return false;
    ByteReader data_reader(data, data + data_bytes);
    for (++letters; *letters != '\0'; ++letters) {
        switch (*letters) {
            case 'R':
                common.pointer_encoding = data_reader.byte();
                break;
            case 'L':
                static_cast<void>(data_reader.byte());
                break;
            case 'S':
                description.is_signal_frame = true;
                break;
            case 'P':
                if (!skip_personality(data_reader)) return false;
                break;
            case 'B':
                break;
            default:
                return false;
        }
    }
    return !data_reader.is_broken();
}

bool read_common_entry(const std::uint8_t* record, CommonEntry& common,
                       FrameDescription& description) noexcept {
    ByteReader reader = open_record(record);
    const auto id = reader.fixed<std::uint32_t>();
    const std::uint8_t version = reader.byte();
    if (reader.is_broken() || id != 0 || (version != 1 && version != 3)) return false;
    const auto* const letters = reinterpret_cast<const char*>(reader.at());
    while (reader.byte() != 0) {
    }
    description.code_alignment = reader.uleb128();
    description.data_alignment = reader.sleb128();
    description.return_address_register = version == 1 ? reader.byte() : reader.uleb128();
    if (reader.is_broken()) return false;
    if (!read_augmentation(reader, letters, common, description)) return false;
    const std::uint8_t* const program = reader.at();
    const ByteReader whole = open_record(record);
    std::uint32_t size_bytes = 0;
    std::memcpy(&size_bytes, record, sizeof size_bytes);
    description.initial_program = {program, whole.at() + size_bytes};
    return true;
}

}  // namespace

bool find_frame_description(const void* eh_frame_hdr, std::uintptr_t address,
                            FrameDescription& description) noexcept {
    if (eh_frame_hdr == nullptr) return false;
    const auto& header = *static_cast<const Header*>(eh_frame_hdr);
    if (!is_known_form(header)) return false;
    const std::uint8_t* const record = find_entry(header, address);
    if (record == nullptr) return false;

    ByteReader reader = open_record(record);
    const std::uint8_t* const common_place = reader.at();
    const auto common_distance = reader.fixed<std::uint32_t>();
    if (reader.is_broken() || common_distance == 0) return false;
    CommonEntry common;
    description = {};
    if (!read_common_entry(common_place - common_distance, common, description)) return false;

    std::uintptr_t function_bytes = 0;
    const std::uint8_t size_encoding = common.pointer_encoding & format_mask;
    if (!read_pointer(reader, common.pointer_encoding, description.function_begin) ||
        !read_pointer(reader, size_encoding, function_bytes)) {
        return false;
    }
    description.function_end = description.function_begin + function_bytes;
    if (common.has_augmentation_data) reader.take(reader.uleb128());
    std::uint32_t size_bytes = 0;
    std::memcpy(&size_bytes, record, sizeof size_bytes);
    description.program = {reader.at(), record + sizeof size_bytes + size_bytes};
    return !reader.is_broken() && address >= description.function_begin &&
           address < description.function_end;
}

std::uint64_t eh_frame_fingerprint(const void* eh_frame_hdr) noexcept {
    constexpr std::uint32_t sample_count = 16;
    constexpr std::uint32_t sample_bytes_max = 64;
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
    if (eh_frame_hdr == nullptr) return 0;
    const auto& header = *static_cast<const Header*>(eh_frame_hdr);
    if (!is_known_form(header)) return 1;
    std::uint64_t hash = header.entry_count;
    const std::uint32_t step = header.entry_count / sample_count + 1;
    for (std::uint32_t i = 0; i < header.entry_count; i += step) {
        const Entry& entry = entries_of(header)[i];
        hash = (hash ^ static_cast<std::uint32_t>(entry.function_offset)) * odd;
        ByteReader description =
            open_record(reinterpret_cast<const std::uint8_t*>(&header) + entry.description_offset);
        for (std::uint32_t k = 0; k < sample_bytes_max && !description.is_at_end(); k += 4) {
            hash = (hash ^ description.fixed<std::uint32_t>()) * odd;
            hash ^= hash >> 32;
        }
    }
    return hash;
}

}  // namespace carbide::platform
