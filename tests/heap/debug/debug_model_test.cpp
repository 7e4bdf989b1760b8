// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "heap/debug/findings_log.hpp"

// Random operations, and now and then a random mistake: the debug allocator must find just that,
// and its accounting must be that of a program without mistakes.
namespace carbide {
namespace {

using Options = DebugAllocator::Options;
using tests::FindingsLog;

struct Block {
    unsigned char* memory = nullptr;
    std::size_t size_bytes = 0;
    std::align_val_t alignment{1};
    unsigned char content = 0;
};

class Model {
public:
    Model(const Options& options, unsigned seed)
        : options_(options), debug_(log_.options(options)), random_(seed) {}

    void run(unsigned operation_count) {
        for (unsigned i = 0; i < operation_count; ++i) {
            switch (below(blocks_.size() < 100 ? 6 : 4)) {
                case 0:
                    free(take());
                    break;
                case 1:
                    resize();
                    break;
                case 2:
                    if (below(4) == 0) make_mistake();
                    break;
                default:
                    alloc();
                    break;
            }
            if (i % 500 == 0) check_counters();
        }
        while (!blocks_.empty()) free(take());
        check_counters();
        CHECK_FALSE(debug_.deinit());
        CHECK(log_.findings.empty());
    }

private:
    std::size_t below(std::size_t limit) {
        return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

    void alloc() {
        Block block;
        const std::size_t sizes[] = {1 + below(64), 1 + below(5000), 1 + below(90'000)};
        block.size_bytes = sizes[below(3)];
        block.alignment = std::align_val_t{std::size_t{1} << below(below(10) == 0 ? 14 : 5)};
        block.memory =
            static_cast<unsigned char*>(debug_.raw_alloc(block.size_bytes, block.alignment));
        REQUIRE(block.memory != nullptr);
        block.content = static_cast<unsigned char>(below(256));
        std::memset(block.memory, block.content, block.size_bytes);
        blocks_.push_back(block);
        total_count_ += 1;
    }

    Block take() {
        if (blocks_.empty()) alloc();
        std::swap(blocks_[below(blocks_.size())], blocks_.back());
        const Block block = blocks_.back();
        blocks_.pop_back();
        return block;
    }

    void free(const Block& block) {
        CHECK(std::all_of(block.memory, block.memory + block.size_bytes,
                          [&](unsigned char byte) { return byte == block.content; }));
        debug_.raw_free(block.memory, block.size_bytes, block.alignment);
    }

    void resize() {
        Block block = take();
        const std::size_t new_bytes = 1 + below(block.size_bytes * 2);
        if (debug_.raw_resize(block.memory, block.size_bytes, new_bytes, block.alignment)) {
            block.size_bytes = new_bytes;
            std::memset(block.memory, block.content, new_bytes);
        }
        blocks_.push_back(block);
    }

    // One mistake, and exactly its finding.
    void make_mistake() {
        REQUIRE(log_.findings.empty());
        const Block block = take();
        const std::size_t kind = below(7);
        CAPTURE(kind);
        CAPTURE(block.size_bytes);
        CAPTURE(static_cast<std::size_t>(block.alignment));
        switch (kind) {
            case 0: {  // Nothing was allocated in between, so the memory is nobody else's.
                free(block);
                debug_.raw_free(block.memory, block.size_bytes, block.alignment);
                expect(FindingKind::double_free, block);
                return;
            }
            case 1: {
                const std::size_t claimed = 1 + below(block.size_bytes * 2);
                if (claimed == block.size_bytes) break;
                debug_.raw_free(block.memory, claimed, block.alignment);
                expect(FindingKind::wrong_size, block);
                return;
            }
            case 2: {
                const std::align_val_t claimed{std::size_t{1} << below(14)};
                if (claimed == block.alignment) break;
                debug_.raw_free(block.memory, block.size_bytes, claimed);
                expect(FindingKind::wrong_alignment, block);
                return;
            }
            case 3: {
                if (block.size_bytes == 1) break;
                const std::size_t offset = 1 + below(block.size_bytes - 1);
                debug_.raw_free(block.memory + offset, block.size_bytes, block.alignment);
                expect(FindingKind::interior_free, block, static_cast<std::ptrdiff_t>(offset));
                break;
            }
            case 4:
                damage(block, -1 - static_cast<std::ptrdiff_t>(below(options_.pad_before_bytes)),
                       FindingKind::write_before);
                return;
            case 5:
                damage(
                    block,
                    static_cast<std::ptrdiff_t>(block.size_bytes + below(options_.pad_after_bytes)),
                    FindingKind::write_after);
                return;
            case 6: {
                if (options_.quarantine_bytes <= block.size_bytes) break;
                free(block);
                const std::size_t offset = below(block.size_bytes);
                block.memory[offset] ^= 0xFF;
                CHECK(debug_.check_all() == 1);
                expect(FindingKind::write_after_free, block, static_cast<std::ptrdiff_t>(offset));
                CHECK(debug_.check_all() == 0);
                return;
            }
        }
        blocks_.push_back(block);
    }

    void damage(const Block& block, std::ptrdiff_t offset, FindingKind kind) {
        block.memory[offset] ^= 0x80;
        if (below(2) == 0) {
            CHECK(debug_.check_all() == 1);
            expect(kind, block, offset);
            CHECK(debug_.check_all() == 0);
            free(block);
        } else {
            free(block);
            expect(kind, block, offset);
        }
    }

    void expect(FindingKind kind, const Block& block, std::optional<std::ptrdiff_t> offset = {}) {
        REQUIRE(log_.findings.size() == 1);
        const Finding& finding = log_.findings[0];
        CHECK(name_of(finding.kind) == name_of(kind));
        CHECK(finding.block == block.memory);
        CHECK(finding.size_bytes == block.size_bytes);
        CHECK(finding.alignment_bytes == static_cast<std::size_t>(block.alignment));
        if (offset.has_value()) CHECK(finding.offset_bytes == *offset);
        log_.findings.clear();
        log_.texts.clear();
    }

    void check_counters() {
        std::size_t bytes = 0;
        for (const Block& block : blocks_) bytes += block.size_bytes;
        CHECK(debug_.counters().current_bytes == bytes);
        CHECK(debug_.counters().current_count == blocks_.size());
        CHECK(debug_.counters().total_count == total_count_);
        CHECK(debug_.leak_count() == blocks_.size());
        CHECK(debug_.check_all() == 0);
    }

    Options options_;
    FindingsLog log_;
    DebugAllocator debug_;
    std::mt19937 random_;
    std::vector<Block> blocks_;
    std::uint64_t total_count_ = 0;
};

TEST_CASE("debug: finds each random mistake, nothing else, and keeps right accounts") {
    const Options variants[] = {
        {.stack_frame_count = 4, .fill_freed = 0xDD, .quarantine_bytes = 200'000},
        {.stack_frame_count = 0,
         .thread_safe = false,
         .fill_freed = std::nullopt,
         .pad_before_bytes = 32,
         .pad_after_bytes = 7,
         .quarantine_bytes = 0},
        {.stack_frame_count = 4, .fill_freed = 0xDD, .quarantine_bytes = 300, .never_unmap = true},
        {.stack_frame_count = 4, .quarantine_bytes = 0, .retain_metadata = true},
    };
    for (const unsigned seed : {1u, 2u, 3u}) {
        for (const Options& options : variants) {
            CAPTURE(seed);
            CAPTURE(&options - variants);
            Model(options, seed).run(3000);
        }
    }
}

}  // namespace
}  // namespace carbide
