// SPDX-License-Identifier: MIT
#include <cstring>
#include <string_view>

#include "testing/contract_checks.hpp"

namespace carbide::testing {
namespace {

struct Counted {
    int* alive;
    int value;

    Counted(int& counter, int initial) noexcept : alive(&counter), value(initial) { ++*alive; }
    ~Counted() { --*alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
};

constexpr std::string_view text = "twelve bytes";

}  // namespace

// The largest request is 128 bytes: an allocator for smaller ones is checked by the raw
// operations alone.
void ContractChecks::typed_operations() noexcept {
    if (options_.size_bytes_max < 128) return;
    typed_slices();
    if (!failed()) typed_copies();
    if (!failed()) typed_objects();
}

void ContractChecks::typed_slices() noexcept {
    const auto numbers = allocator_.alloc<std::uint32_t>(10);
    if (!has_value(numbers, "alloc<uint32_t>(10)")) return;
    if (numbers->size() != 10) return report_.fail("alloc<uint32_t>(10) has another size");
    allocator_.free(*numbers);

    const auto zeroed = allocator_.alloc_zeroed<unsigned char>(100);
    if (!has_value(zeroed, "alloc_zeroed<unsigned char>(100)")) return;
    for (const unsigned char byte : *zeroed) {
        if (byte != 0) return report_.fail("alloc_zeroed left a byte that is not 0");
    }
    allocator_.free(*zeroed);

    if (options_.alignment_max >= std::align_val_t{64}) {
        const auto aligned = allocator_.alloc_aligned<float, 64>(16);
        if (!has_value(aligned, "alloc_aligned<float, 64>(16)")) return;
        if (reinterpret_cast<std::uintptr_t>(aligned->data()) % 64 != 0) {
            return report_.fail("alloc_aligned<float, 64> returned less alignment");
        }
        allocator_.free(*aligned);
    }

    const auto empty = allocator_.alloc<std::uint64_t>(0);
    if (!empty.has_value()) return report_.fail("alloc<uint64_t>(0) failed");
    if (empty->data() == nullptr) return report_.fail("alloc<uint64_t>(0) returned null");
    allocator_.free(*empty);
}

void ContractChecks::typed_copies() noexcept {
    const auto copy = allocator_.dupe(text);
    if (!has_value(copy, "dupe")) return;
    if (std::string_view(copy->data(), copy->size()) != text) {
        return report_.fail("dupe returned another text");
    }
    const auto grown = allocator_.realloc(*copy, 2 * text.size());
    if (!grown.has_value()) {
        allocator_.free(*copy);
        if (!tolerant_) report_.fail("realloc of a slice failed");
        return;
    }
    if (std::string_view(grown->data(), text.size()) != text) {
        return report_.fail("realloc of a slice lost its content");
    }
    allocator_.free(*grown);

    const auto c_text = allocator_.dupe_z(text);
    if (!has_value(c_text, "dupe_z")) return;
    if (std::strlen(c_text->c_str()) != text.size()) {
        return report_.fail("dupe_z returned a text of another length");
    }
    allocator_.free(*c_text);
}

void ContractChecks::typed_objects() noexcept {
    int alive = 0;
    const auto first = allocator_.create<Counted>(alive, 1);
    if (!has_value(first, "create")) return;
    const auto second = allocator_.create<Counted>(alive, 2);
    if (second.has_value()) {
        if (alive != 2) report_.fail("create ran %d constructors instead of 2", alive);
        if ((*first)->value != 1) report_.fail("a second create changed the first object");
        allocator_.destroy(*second);
    } else if (!tolerant_) {
        report_.fail("create of a second object failed");
    }
    allocator_.destroy(*first);
    if (alive != 0) report_.fail("destroy ran no destructor");
    allocator_.destroy(static_cast<Counted*>(nullptr));
}

template <class R>
bool ContractChecks::has_value(const R& result, const char* operation) noexcept {
    if (result.has_value()) return true;
    if (!tolerant_) report_.fail("%s failed", operation);
    return false;
}

}  // namespace carbide::testing
