// SPDX-License-Identifier: MIT
#include "carbide/owned.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "carbide/try.hpp"
#include "support/child_process.hpp"
#include "support/counted.hpp"
#include "support/recording_heap.hpp"

using carbide::Allocator;
using carbide::make_owned;
using carbide::OutOfMemory;
using carbide::Owned;
using carbide::Result;
using carbide::tests::Counted;
using carbide::tests::RecordingHeap;

namespace {

struct Base {
    int base = 1;
};
struct Derived : Base {
    int derived = 2;
};

// Owned may be a member of the type it owns.
struct Node {
    int value;
    Owned<Node> next;
};

}  // namespace

TEST_CASE("owned: the object lives as long as its owner") {
    Counted::live = 0;
    RecordingHeap heap;
    {
        const Result<Owned<Counted>> owner = make_owned<Counted>(heap.allocator(), 7);
        REQUIRE(owner.has_value());
        CHECK(static_cast<bool>(*owner));
        CHECK((*owner)->value == 7);
        CHECK((**owner).value == 7);
        CHECK(owner->get()->value == 7);
        CHECK(Counted::live == 1);
        CHECK(heap.live.size() == 1);
    }
    CHECK(Counted::live == 0);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned: is two words") { CHECK(sizeof(Owned<Node>) == 2 * sizeof(void*)); }

TEST_CASE("owned: make_owned says out of memory and constructs nothing") {
    Counted::live = 0;
    RecordingHeap heap;
    heap.can_alloc = false;
    const Result<Owned<Counted>> owner = make_owned<Counted>(heap.allocator());
    REQUIRE_FALSE(owner.has_value());
    CHECK(owner.error() == OutOfMemory{});
    CHECK(Counted::live == 0);
    CHECK(heap.free_count == 0);
}

TEST_CASE("owned: a constructor that throws leaves nothing allocated") {
    RecordingHeap heap;
    CHECK_THROWS_AS(static_cast<void>(make_owned<carbide::tests::Throwing>(heap.allocator())), int);
    CHECK(heap.alloc_count == 1);
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned: make_owned is noexcept just where the constructor is") {
    RecordingHeap heap;
    CHECK(noexcept(make_owned<Counted>(heap.allocator(), 1)));
    CHECK_FALSE(noexcept(make_owned<carbide::tests::Throwing>(heap.allocator())));
}

TEST_CASE("owned: make_owned forwards arguments without a copy") {
    RecordingHeap heap;
    auto text = std::make_unique<std::string>("moved");
    const auto owner = make_owned<std::unique_ptr<std::string>>(heap.allocator(), std::move(text));
    REQUIRE(owner.has_value());
    CHECK(text == nullptr);
    CHECK(***owner == "moved");
}

TEST_CASE("owned: moving leaves the source empty, with a handle that still allocates") {
    Counted::live = 0;
    RecordingHeap heap("first");
    Owned<Counted> source(heap.allocator().must_create<Counted>(1), heap.allocator());
    const Owned<Counted> target = std::move(source);

    CHECK(target->value == 1);
    CHECK(source.get() == nullptr);  // NOLINT(bugprone-use-after-move): the state is defined.
    CHECK(source == nullptr);
    CHECK_FALSE(static_cast<bool>(source));
    CHECK(source.allocator().name() == std::string("first"));
    source = Owned<Counted>(source.allocator().must_create<Counted>(2), source.allocator());
    CHECK(source->value == 2);
    CHECK(Counted::live == 2);
}

TEST_CASE("owned: assignment destroys the old object and brings the allocator along") {
    Counted::live = 0;
    RecordingHeap first("first");
    RecordingHeap second("second");
    Owned<Counted> target(first.allocator().must_create<Counted>(1), first.allocator());
    Owned<Counted> source(second.allocator().must_create<Counted>(2), second.allocator());
    target = std::move(source);

    CHECK(target->value == 2);
    CHECK(target.allocator().name() == std::string("second"));
    CHECK(Counted::live == 1);
    CHECK(first.live.empty());
    target.reset();
    CHECK(second.live.empty());
    CHECK(first.mistake.empty());
    CHECK(second.mistake.empty());
}

TEST_CASE("owned: assignment to itself keeps the object") {
    Counted::live = 0;
    RecordingHeap heap;
    Owned<Counted> owner(heap.allocator().must_create<Counted>(3), heap.allocator());
    Owned<Counted>& same = owner;
    owner = std::move(same);
    REQUIRE(owner != nullptr);
    CHECK(owner->value == 3);
    CHECK(Counted::live == 1);
}

TEST_CASE("owned: release hands over, and the owner frees nothing more") {
    Counted::live = 0;
    RecordingHeap heap;
    Counted* object = nullptr;
    {
        Owned<Counted> owner(heap.allocator().must_create<Counted>(), heap.allocator());
        object = owner.release();
        CHECK(owner == nullptr);
    }
    CHECK(Counted::live == 1);
    heap.allocator().destroy(object);
    CHECK(Counted::live == 0);
}

TEST_CASE("owned: reset destroys at once, and once") {
    Counted::live = 0;
    RecordingHeap heap;
    Owned<Counted> owner(heap.allocator().must_create<Counted>(), heap.allocator());
    owner.reset();
    CHECK(Counted::live == 0);
    CHECK(owner == nullptr);
    owner.reset();
    CHECK(heap.free_count == 1);
}

TEST_CASE("owned: an owner of nothing frees nothing") {
    RecordingHeap heap;
    {
        const Owned<Counted> empty(heap.allocator());
        const Owned<Counted> adopted_null(static_cast<Counted*>(nullptr), heap.allocator());
        CHECK(empty == nullptr);
        CHECK(adopted_null == nullptr);
    }
    CHECK(heap.call_count() == 0);
}

TEST_CASE("owned: an owner of a const object destroys it like any other") {
    Counted::live = 0;
    RecordingHeap heap;
    {
        const auto made = make_owned<const Counted>(heap.allocator(), 5);
        Owned<Counted> changeable(heap.allocator().must_create<Counted>(6), heap.allocator());
        const Owned<const Counted> frozen = std::move(changeable);
        REQUIRE(made.has_value());
        CHECK((*made)->value == 5);
        CHECK(frozen->value == 6);
        CHECK(std::is_same_v<decltype(*frozen), const Counted&>);
    }
    CHECK(Counted::live == 0);
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned: adding const is the only conversion") {
    CHECK(std::is_convertible_v<Owned<Base>, Owned<const Base>>);
    CHECK_FALSE(std::is_constructible_v<Owned<Base>, Owned<const Base>>);
    CHECK_FALSE(std::is_constructible_v<Owned<Base>, Owned<Derived>>);
    CHECK_FALSE(std::is_constructible_v<Owned<Base>, Derived*, Allocator>);
    CHECK_FALSE(std::is_constructible_v<Owned<Base>, const Base*, Allocator>);
    CHECK_FALSE(std::is_assignable_v<Owned<Base>&, Owned<Derived>>);
    CHECK_FALSE(std::is_copy_constructible_v<Owned<Base>>);
    CHECK_FALSE(std::is_copy_assignable_v<Owned<Base>>);
    CHECK(std::is_nothrow_move_constructible_v<Owned<Base>>);
    CHECK(std::is_nothrow_move_assignable_v<Owned<Base>>);
}

TEST_CASE("owned: the type of the object is deduced where it is adopted") {
    RecordingHeap heap;
    const Owned owner(heap.allocator().must_create<const Derived>(), heap.allocator());
    CHECK(std::is_same_v<decltype(owner), const Owned<const Derived>>);
    CHECK(owner->derived == 2);
}

TEST_CASE("owned: swap exchanges objects and allocators") {
    RecordingHeap first("first");
    RecordingHeap second("second");
    Owned<int> left(first.allocator().must_create<int>(1), first.allocator());
    Owned<int> right(second.allocator());
    swap(left, right);
    CHECK(left == nullptr);
    CHECK(*right == 1);
    CHECK(left.allocator().name() == std::string("second"));
    CHECK(right.allocator().name() == std::string("first"));
}

TEST_CASE("owned: a list of owners goes when its head goes") {
    RecordingHeap heap;
    const Allocator allocator = heap.allocator();
    const auto build = [&]() -> Result<Owned<Node>> {
        auto last = CARBIDE_TRY(make_owned<Node>(allocator, 3, Owned<Node>(allocator)));
        auto middle = CARBIDE_TRY(make_owned<Node>(allocator, 2, std::move(last)));
        return make_owned<Node>(allocator, 1, std::move(middle));
    };
    {
        const auto list = build();
        REQUIRE(list.has_value());
        CHECK((*list)->next->next->value == 3);
        CHECK(heap.live.size() == 3);
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

TEST_CASE("owned: an over-aligned object goes back with its alignment") {
    struct alignas(128) Wide {
        char byte = 'w';
    };
    RecordingHeap heap;
    {
        const auto owner = make_owned<Wide>(heap.allocator());
        REQUIRE(owner.has_value());
        CHECK(reinterpret_cast<std::uintptr_t>(owner->get()) % 128 == 0);
        CHECK(heap.newest == RecordingHeap::Lent{128, 128});
    }
    CHECK(heap.live.empty());
    CHECK(heap.mistake.empty());
}

#if CARBIDE_CHECKED
TEST_CASE("owned: a checked build names the dereference of an owner of nothing") {
    const auto result = carbide::tests::run_in_child([] {
        RecordingHeap heap;
        const Owned<int> empty(heap.allocator());
        static_cast<void>(*empty);
    });
    CHECK(result.trapped());
    CHECK(result.wrote("carbide: an Owned that owns nothing was dereferenced"));
}
#endif
