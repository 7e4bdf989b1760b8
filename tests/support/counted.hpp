// SPDX-License-Identifier: MIT
#pragma once

namespace carbide::tests {

/// Counts its living objects. Reset `live` at the start of a test.
struct Counted {
    static inline int live = 0;

    int value = 0;

    explicit Counted(int initial = 0) noexcept : value(initial) { ++live; }
    Counted(const Counted& other) noexcept : value(other.value) { ++live; }
    Counted(Counted&& other) noexcept : value(other.value) {
        other.value = -1;
        ++live;
    }
    Counted& operator=(const Counted&) = default;
    ~Counted() { --live; }
};

/// Throws from its constructor.
struct Throwing {
    Throwing() { throw 1; }
};

}  // namespace carbide::tests
