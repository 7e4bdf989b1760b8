// SPDX-License-Identifier: MIT
#include "carbide/annotations.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "carbide/c_allocator.hpp"

// The three functions of the ownership pattern. That the attributes reach clang's syntax tree is
// tests/analyzer's test; here, that they stand wherever they are meant to, on any compiler.
namespace {

class Store {
public:
    explicit Store(carbide::Allocator allocator) noexcept : allocator_(allocator) {}
    ~Store() { allocator_.free(data_); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    CARBIDE_VALID_UNTIL("the next take_ownership")
    [[nodiscard]] std::span<const char> view() const noexcept CARBIDE_LIFETIMEBOUND {
        return data_;
    }

    void take_ownership(CARBIDE_TAKES_OWNERSHIP std::span<char> data) noexcept {
        allocator_.free(data_);
        data_ = data;
    }

private:
    carbide::Allocator allocator_;
    std::span<char> data_;
};

CARBIDE_CALLER_OWNS carbide::Result<std::span<char>> duplicate(carbide::Allocator allocator,
                                                               std::string_view source) {
    return allocator.dupe(source);
}

const char& first(const Store& store CARBIDE_LIFETIMEBOUND) { return store.view()[0]; }

}  // namespace

TEST_CASE("annotations: change nothing about what the code does") {
    const carbide::Allocator allocator = carbide::c_allocator();
    Store store(allocator);
    CHECK(store.view().empty());
    store.take_ownership(duplicate(allocator, "one").value());
    store.take_ownership(duplicate(allocator, "two").value());
    CHECK(std::string_view(store.view().data(), store.view().size()) == "two");
    CHECK(first(store) == 't');
}

TEST_CASE("annotations: are attributes on clang and nothing elsewhere") {
#define CARBIDE_TEST_TEXT(...) #__VA_ARGS__
#define CARBIDE_TEST_EXPANDED(...) CARBIDE_TEST_TEXT(__VA_ARGS__)
    constexpr std::string_view until{CARBIDE_TEST_EXPANDED(CARBIDE_VALID_UNTIL("deinit"))};
#ifdef __clang__
    CHECK(until == R"([[clang::annotate("carbide::valid_until", "deinit")]])");
#else
    CHECK(until.empty());
#endif
}
