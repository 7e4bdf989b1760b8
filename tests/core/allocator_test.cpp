// SPDX-License-Identifier: MIT
#include "carbide/allocator.hpp"

#include <doctest/doctest.h>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "carbide/c_allocator.hpp"
#include "carbide/try.hpp"
#include "support/bump_heap.hpp"
#include "support/recording_heap.hpp"

using carbide::Allocator;
using carbide::Result;
using carbide::tests::BumpHeap;
using carbide::tests::RecordingHeap;

namespace {

// Allocator injection, as a user writes it.
class Buffer {
public:
    static Result<Buffer> init(Allocator allocator, std::size_t size) {
        const std::span<char> data = CARBIDE_TRY(allocator.alloc<char>(size));
        return Buffer(allocator, data);
    }
    void deinit() { allocator_.free(data_); }
    [[nodiscard]] std::span<char> data() const { return data_; }

private:
    Buffer(Allocator allocator, std::span<char> data) : allocator_(allocator), data_(data) {}

    Allocator allocator_;
    std::span<char> data_;
};

}  // namespace

TEST_CASE("allocator: is one pointer that copies as such") {
    CHECK(sizeof(Allocator) == sizeof(void*));
    CHECK(std::is_trivially_copyable_v<Allocator>);
    CHECK(std::is_nothrow_copy_constructible_v<Allocator>);
    CHECK_FALSE(std::is_default_constructible_v<Allocator>);
    CHECK_FALSE(std::equality_comparable<Allocator>);
}

TEST_CASE("allocator: copies of a handle reach the same allocator") {
    RecordingHeap heap("one of them");
    const Allocator first = heap.allocator();
    const Allocator second = first;
    CHECK(std::string_view(second.name()) == "one of them");
    CHECK(&first.heap() == &second.heap());
    second.destroy(first.must_create<int>(1));
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("allocator: the same function runs on any allocator, and says out of memory for each") {
    BumpHeap<64> small;
    RecordingHeap recording;
    for (const Allocator allocator :
         {small.allocator(), recording.allocator(), carbide::c_allocator()}) {
        Result<Buffer> buffer = Buffer::init(allocator, 64);
        REQUIRE(buffer.has_value());
        std::memset(buffer->data().data(), 'x', 64);
        buffer->deinit();
        CHECK_FALSE(Buffer::init(allocator, SIZE_MAX / 2 + 1).has_value());
    }
    CHECK_FALSE(Buffer::init(small.allocator(), 65).has_value());
    CHECK(small.used_bytes() == 0);
    CHECK(recording.live.empty());
    CHECK(recording.mistake.empty());
}

TEST_CASE("allocator: the slow path is the one in the table") {
    RecordingHeap heap;
    heap.can_resize = true;
    heap.can_remap = true;
    const Allocator allocator = heap.allocator();
    void* memory = allocator.raw_alloc(10, std::align_val_t{1});
    CHECK(heap.alloc_count == 1);
    CHECK(allocator.raw_resize(memory, 10, 20, std::align_val_t{1}));
    CHECK(heap.resize_count == 1);
    memory = allocator.raw_remap(memory, 20, 30, std::align_val_t{1});
    CHECK(heap.remap_count == 1);
    allocator.raw_free(memory, 30, std::align_val_t{1});
    CHECK(heap.free_count == 1);
    CHECK(heap.mistake.empty());
}
