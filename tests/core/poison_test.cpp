// SPDX-License-Identifier: MIT
#include "carbide/poison.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>

using carbide::poison;

namespace {

struct Connection {
    int socket = 3;
    char* buffer = nullptr;
    double timeout_s = 1.5;

    // Nothing reads the object afterwards, so that only the promise keeps the stores alive.
    void deinit() { poison(*this); }
};

struct Empty {};

template <class T>
concept Poisonable = requires(T& object) { poison(object); };

bool all_are(const unsigned char* bytes, std::size_t count, unsigned char expected) {
    return std::all_of(bytes, bytes + count, [&](unsigned char byte) { return byte == expected; });
}

}  // namespace

TEST_CASE("poison: a checked build leaves 0xAA in every byte, any other leaves them alone") {
    alignas(Connection) std::array<unsigned char, sizeof(Connection)> storage{};
    storage.fill(0x11);
    auto* const connection = ::new (storage.data()) Connection;
    connection->deinit();
#if CARBIDE_CHECKED
    CHECK(all_are(storage.data(), storage.size(), 0xAA));
#else
    int socket = 0;
    std::memcpy(&socket, storage.data() + offsetof(Connection, socket), sizeof socket);
    CHECK(socket == 3);
#endif
}

TEST_CASE("poison: touches no byte beside the object") {
    struct {
        unsigned char before[8];
        Connection connection;
        unsigned char behind[8];
    } frame{};
    std::memset(frame.before, 0x11, sizeof frame.before);
    std::memset(frame.behind, 0x22, sizeof frame.behind);
    poison(frame.connection);
    CHECK(all_are(frame.before, sizeof frame.before, 0x11));
    CHECK(all_are(frame.behind, sizeof frame.behind, 0x22));
}

TEST_CASE("poison: the variable may be assigned to and used again") {
    Connection connection;
    connection.deinit();
    connection = Connection{.socket = 9};
    CHECK(connection.socket == 9);
    CHECK(connection.buffer == nullptr);
}

TEST_CASE("poison: an empty object shares no byte that it may overwrite") {
    struct {
        [[no_unique_address]] Empty empty;
        unsigned char value = 0x33;
    } holder;
    poison(holder.empty);
    CHECK(holder.value == 0x33);
}

TEST_CASE("poison: takes scalars and arrays, too") {
    int number = 5;
    volatile int seen = 6;
    int numbers[3] = {1, 2, 3};
    poison(number);
    poison(seen);
    poison(numbers);
    if (carbide::checked_build) {
        CHECK(static_cast<unsigned>(number) == 0xAAAAAAAAU);
        CHECK(static_cast<unsigned>(seen) == 0xAAAAAAAAU);
        CHECK(static_cast<unsigned>(numbers[2]) == 0xAAAAAAAAU);
    } else {
        CHECK(number == 5);
        CHECK(numbers[2] == 3);
    }
}

TEST_CASE("poison: refuses what has a destructor, and what is const") {
    CHECK(Poisonable<Connection>);
    CHECK_FALSE(Poisonable<std::string>);
    CHECK_FALSE(Poisonable<const Connection>);
}
