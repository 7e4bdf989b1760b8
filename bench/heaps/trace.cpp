// SPDX-License-Identifier: MIT
#include "trace.hpp"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace bench::heaps {
namespace {

[[noreturn]] void refuse(const char* path, const char* reason) {
    std::fprintf(stderr, "carbide_heap_bench_worker: cannot replay '%s': %s\n", path, reason);
    std::exit(2);
}

std::vector<unsigned char> read_file(const char* path) {
    std::FILE* const file = std::fopen(path, "rb");
    if (file == nullptr) refuse(path, "it cannot be opened");
    std::vector<unsigned char> bytes;
    unsigned char buffer[4096];
    std::size_t count = 0;
    while ((count = std::fread(buffer, 1, sizeof buffer, file)) > 0) {
        bytes.insert(bytes.end(), buffer, buffer + count);
    }
    std::fclose(file);
    return bytes;
}

class Decoder {
public:
    explicit Decoder(const char* path) : path_(path), bytes_(read_file(path)) {}

    Trace decode() {
        while (position_ < bytes_.size()) {
            const std::uint64_t number = next_number();
            if ((number & 1) == 0) {
                allocate(number >> 1);
            } else {
                free(number >> 1);
            }
        }
        for (const std::uint32_t slot : slot_of_allocation_) {
            if (slot != none) events_.push_back({slot, 0});
        }
        if (events_.empty()) refuse(path_, "it is empty");
        Trace trace{Table<TraceEvent>(events_.size()), slot_of_allocation_.size(), slot_count_};
        std::size_t i = 0;
        for (TraceEvent& event : trace.events.entries()) event = events_[i++];
        return trace;
    }

private:
    static constexpr std::uint32_t none = UINT32_MAX;

    // Seven bits a byte, the lowest first; the eighth bit says that more follow.
    std::uint64_t next_number() {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 63; shift += 7) {
            if (position_ == bytes_.size()) break;
            const unsigned char byte = bytes_[position_++];
            number |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) return number;
        }
        refuse(path_, "it ends within a number");
    }

    void allocate(std::uint64_t size_bytes) {
        if (size_bytes == 0 || size_bytes > UINT32_MAX) refuse(path_, "a size is not one");
        std::uint32_t slot = slot_count_;
        if (free_slots_.empty()) {
            ++slot_count_;
        } else {
            slot = free_slots_.back();
            free_slots_.pop_back();
        }
        slot_of_allocation_.push_back(slot);
        events_.push_back({slot, static_cast<std::uint32_t>(size_bytes)});
    }

    void free(std::uint64_t age) {
        if (age >= slot_of_allocation_.size()) refuse(path_, "what is freed was not allocated");
        std::uint32_t& slot = slot_of_allocation_[slot_of_allocation_.size() - 1 - age];
        if (slot == none) refuse(path_, "a block is freed twice");
        events_.push_back({slot, 0});
        free_slots_.push_back(slot);
        slot = none;
    }

    const char* path_;
    std::vector<unsigned char> bytes_;
    std::size_t position_ = 0;
    std::vector<TraceEvent> events_;
    std::vector<std::uint32_t> slot_of_allocation_;
    std::vector<std::uint32_t> free_slots_;
    std::uint32_t slot_count_ = 0;
};

}  // namespace

Trace load_trace(const char* path) { return Decoder(path).decode(); }

}  // namespace bench::heaps
