// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include "carbide/out_of_memory.hpp"

/// How a function under the failure sweep says that it ran out of memory: what it returns or
/// throws, brought to one form.
namespace carbide::testing::detail {

struct RunOutcome {
    enum class Kind : unsigned char {
        succeeded,
        out_of_memory,
        failed,       // It failed, and its type cannot say of what.
        other_error,  // It failed of something else, or so it says.
        wrong_value,  // It succeeded, and the check of its result refused.
    };

    Kind kind = Kind::succeeded;
    bool has_value = false;
    std::uint64_t value_hash = 0;  // Of a value that can be compared across runs.
    char text[120] = {};           // The value or error, for a person.

    [[nodiscard]] bool has_failed() const noexcept {
        return kind != Kind::succeeded && kind != Kind::wrong_value;
    }
};

/// Codes of functions that return an int: which one is out of memory. Without one ENOMEM is, with
/// either sign, and all others may be.
using OutOfMemoryCode = std::optional<int>;

inline std::uint64_t hash_of(const void* bytes, std::size_t size_bytes) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a.
    for (std::size_t i = 0; i < size_bytes; ++i) {
        hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001B3;
    }
    return hash;
}

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

/// A string or vector of numbers. Views are not among them: what they see may be gone.
template <class T>
concept OwnedNumbers = requires(const T& numbers) {
    typename T::allocator_type;
    requires Number<std::remove_cvref_t<decltype(*numbers.data())>>;
    { numbers.size() } -> std::convertible_to<std::size_t>;
};

/// Equal numbers have equal bytes in it. Not so as they are: 0.0 equals -0.0, and a long double has
/// bytes that mean nothing.
template <class T>
std::uint64_t hash_of_number(T number) noexcept {
    if constexpr (std::is_floating_point_v<T>) {
        if (number == 0) number = 0;
        const auto rounded = static_cast<double>(number);
        const T rest = number - static_cast<T>(rounded);
        const double parts[] = {rounded, static_cast<double>(rest)};
        return hash_of(parts, sizeof parts);
    } else {
        return hash_of(&number, sizeof number);
    }
}

template <class T>
std::uint64_t hash_of_numbers(const T* numbers, std::size_t count) noexcept {
    if constexpr (!std::is_floating_point_v<T>) {
        return hash_of(numbers, count * sizeof(T));
    } else {
        std::uint64_t hash = count;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t both[] = {hash, hash_of_number(numbers[i])};
            hash = hash_of(both, sizeof both);
        }
        return hash;
    }
}

template <class T>
void note_number(RunOutcome& outcome, T number) noexcept {
    outcome.has_value = true;
    outcome.value_hash = hash_of_number(number);
    if constexpr (std::is_floating_point_v<T>) {
        std::snprintf(outcome.text, sizeof outcome.text, "%g", static_cast<double>(number));
    } else if constexpr (std::is_enum_v<T> || std::is_signed_v<T>) {
        std::snprintf(outcome.text, sizeof outcome.text, "%lld", static_cast<long long>(number));
    } else {
        std::snprintf(outcome.text, sizeof outcome.text, "%llu",
                      static_cast<unsigned long long>(number));
    }
}

/// Notes values that mean the same in every run, which pointers do not.
template <class T>
void note_value(RunOutcome& outcome, const T& value) noexcept {
    if constexpr (Number<T>) {
        note_number(outcome, value);
    } else if constexpr (OwnedNumbers<T>) {
        const std::size_t size = value.size();
        outcome.has_value = true;
        outcome.value_hash = hash_of_numbers(value.data(), size);
        if constexpr (std::convertible_to<const T&, std::string_view>) {
            const std::string_view text(value);
            const int shown = static_cast<int>(size < 60 ? size : 60);
            // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): with its size.
            const char* const begin = text.data();
            std::snprintf(outcome.text, sizeof outcome.text, "'%.*s' (%zu characters)", shown,
                          begin, size);
        } else {
            std::snprintf(outcome.text, sizeof outcome.text, "%zu elements", size);
        }
    }
}

inline RunOutcome outcome_of_code(int code, OutOfMemoryCode out_of_memory_code) noexcept {
    using enum RunOutcome::Kind;
    RunOutcome outcome;
    std::snprintf(outcome.text, sizeof outcome.text, "code %d", code);
    if (code == 0) {
        outcome.kind = succeeded;
    } else if (out_of_memory_code.has_value()) {
        outcome.kind = code == *out_of_memory_code ? out_of_memory : other_error;
    } else {
        outcome.kind = code == ENOMEM || code == -ENOMEM ? out_of_memory : failed;
    }
    return outcome;
}

template <class E>
RunOutcome outcome_of_error(const E& error, [[maybe_unused]] OutOfMemoryCode code) noexcept {
    using enum RunOutcome::Kind;
    RunOutcome outcome;
    const auto set = [&outcome](bool is_out_of_memory) {
        outcome.kind = is_out_of_memory ? out_of_memory : other_error;
    };
    if constexpr (std::same_as<E, OutOfMemory>) {
        outcome.kind = out_of_memory;
    } else if constexpr (ErrorCodeLike<E>) {
        set(error == std::errc::not_enough_memory);
        std::snprintf(outcome.text, sizeof outcome.text, "%s:%d", error.category().name(),
                      error.value());
    } else if constexpr (requires { E::out_of_memory; }) {
        set(error == E::out_of_memory);
        if constexpr (Number<E>) note_number(outcome, error);
    } else if constexpr (requires { E(OutOfMemory{}); } && std::equality_comparable<E>) {
        set(error == E(OutOfMemory{}));
    } else if constexpr (std::same_as<E, int>) {
        outcome = outcome_of_code(error, code);
        if (!outcome.has_failed()) outcome.kind = failed;
    } else {
        outcome.kind = failed;
        if constexpr (Number<E>) note_number(outcome, error);
    }
    outcome.has_value = false;
    return outcome;
}

/// No check of the result: every value is right.
struct AnyResult {};

template <class Check, class T>
void check_value(RunOutcome& outcome, Check& check, const T& value) {
    note_value(outcome, value);
    if constexpr (!std::same_as<Check, AnyResult>) {
        if (!check(value)) outcome.kind = RunOutcome::Kind::wrong_value;
    }
}

template <class Check, class T>
RunOutcome outcome_of_result(const T& result, Check& check, OutOfMemoryCode code) {
    RunOutcome outcome;
    if constexpr (std::same_as<T, bool>) {
        outcome.kind = result ? RunOutcome::Kind::succeeded : RunOutcome::Kind::failed;
    } else if constexpr (std::same_as<T, int>) {
        outcome = outcome_of_code(result, code);
    } else if constexpr (ErrorCodeLike<T>) {
        if (result.value() != 0) outcome = outcome_of_error(result, code);
    } else if constexpr (std::is_enum_v<T>) {
        if (result != T{}) outcome = outcome_of_error(result, code);
    } else if constexpr (requires {
                             result.has_value();
                             result.error();
                         }) {
        if (!result.has_value()) return outcome_of_error(result.error(), code);
        if constexpr (!std::is_void_v<typename T::value_type>) check_value(outcome, check, *result);
    } else if constexpr (requires { result.has_value(); }) {
        if (!result.has_value()) outcome.kind = RunOutcome::Kind::failed;
        if (result.has_value()) check_value(outcome, check, *result);
    } else if constexpr (std::is_pointer_v<T> || requires {
                             static_cast<bool>(result);
                             *result;
                         }) {
        if (!static_cast<bool>(result)) outcome.kind = RunOutcome::Kind::failed;
        // Not noted: the object may have been freed by the function that returned its address.
        if constexpr (!std::same_as<Check, AnyResult>) {
            if (static_cast<bool>(result) && !check(*result)) {
                outcome.kind = RunOutcome::Kind::wrong_value;
            }
        }
    } else {
        check_value(outcome, check, result);
    }
    return outcome;
}

/// Calls `function`; what it returns lives until its outcome is known, and no longer.
template <class Check, class F>
RunOutcome run_and_classify(F&& function, Check& check, OutOfMemoryCode code) {
#ifdef __cpp_exceptions
    RunOutcome thrown;
    try {
#endif
        if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
            std::invoke(std::forward<F>(function));
            return {};
        } else {
            const auto& result = std::invoke(std::forward<F>(function));
            return outcome_of_result<Check>(result, check, code);
        }
#ifdef __cpp_exceptions
    } catch (const std::bad_alloc&) {
        thrown.kind = RunOutcome::Kind::out_of_memory;
    } catch (const std::exception& exception) {
        thrown.kind = RunOutcome::Kind::other_error;
        std::snprintf(thrown.text, sizeof thrown.text, "exception: %s", exception.what());
    } catch (...) {
        thrown.kind = RunOutcome::Kind::other_error;
        std::snprintf(thrown.text, sizeof thrown.text, "an exception of another type");
    }
    return thrown;
#endif
}

}  // namespace carbide::testing::detail
