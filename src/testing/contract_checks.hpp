// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "carbide/allocator.hpp"
#include "carbide/testing/allocator_contract.hpp"
#include "testing/block.hpp"
#include "testing/random.hpp"

namespace carbide::testing {

/// One run of the kit on one handle. Every check frees what it allocates, and stops at the first
/// broken promise.
class ContractChecks {
public:
    /// `tolerant`: out of memory is no failure.
    ContractChecks(Allocator allocator, const ContractOptions& options, bool tolerant,
                   ContractReport& report) noexcept
        : allocator_(allocator), options_(options), tolerant_(tolerant), report_(report) {}

    void zero_sizes() noexcept;
    void overflowing_sizes() noexcept;
    void sizes_and_alignments() noexcept;
    void growing_and_shrinking() noexcept;
    void typed_operations() noexcept;
    void random_operations(Random random) noexcept;

    /// One request of a usual size.
    void still_serves() noexcept;

private:
    static constexpr std::size_t block_count_max = 128;

    // Each returns whether the run goes on.
    bool alloc(Block& block) noexcept;
    bool check_new(const Block& block, std::size_t from_bytes) noexcept;
    bool check_kept(const Block& block, std::size_t count, const char* operation) noexcept;
    bool resize(Block& block, std::size_t new_bytes) noexcept;
    bool remap(Block& block, std::size_t new_bytes) noexcept;
    bool realloc(Block& block, std::size_t new_bytes) noexcept;
    void free(Block& block) noexcept;

    void typed_slices() noexcept;
    void typed_copies() noexcept;
    void typed_objects() noexcept;
    template <class R>
    bool has_value(const R& result, const char* operation) noexcept;

    [[nodiscard]] bool failed() const noexcept { return !report_.passed(); }
    [[nodiscard]] unsigned char next_pattern() noexcept { return pattern_ += 37; }

    Allocator allocator_;
    const ContractOptions& options_;
    bool tolerant_;
    ContractReport& report_;
    unsigned char pattern_ = 0;
};

}  // namespace carbide::testing
