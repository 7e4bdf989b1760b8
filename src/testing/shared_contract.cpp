// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "carbide/testing/allocator_contract.hpp"
#include "testing/contract_checks.hpp"

namespace carbide::testing {
namespace {

/// Where threads leave blocks for each other.
class Exchange {
public:
    Block swap(std::size_t place, Block block) {
        const std::lock_guard lock(mutex_);
        return std::exchange(blocks_[place % blocks_.size()], block);
    }

    [[nodiscard]] std::size_t size() const noexcept { return blocks_.size(); }

private:
    std::mutex mutex_;
    std::array<Block, 16> blocks_{};
};

// Whatever another thread has left is checked and freed here.
void pass_blocks_around(Allocator allocator, Exchange& exchange, const ContractOptions& options,
                        unsigned thread, ContractReport& report) {
    Random random(options.seed + thread);
    const std::size_t size_bytes_max = std::min<std::size_t>(options.size_bytes_max, 4096);
    for (std::size_t i = 0; i < options.operation_count && report.passed(); ++i) {
        const std::size_t size_bytes = random.size_up_to(size_bytes_max);
        Block block{nullptr, size_bytes, std::align_val_t{8},
                    static_cast<unsigned char>(random.next())};
        block.memory =
            static_cast<unsigned char*>(allocator.raw_alloc(size_bytes, block.alignment));
        if (block.memory == nullptr) {
            if (options.may_run_out) continue;
            return report.fail("alloc(%zu) failed in thread %u", size_bytes, thread);
        }
        block.write();
        const Block other = exchange.swap(random.next(), block);
        if (other.memory == nullptr) continue;
        if (!other.holds()) {
            return report.fail("%zu bytes from another thread changed their content",
                               other.size_bytes);
        }
        allocator.raw_free(other.memory, other.size_bytes, other.alignment);
    }
}

}  // namespace

ContractReport check_shared_allocator(Allocator allocator, unsigned thread_count,
                                      const ContractOptions& options) {
    Exchange exchange;
    std::vector<ContractReport> reports(thread_count);
    std::vector<std::thread> threads;
    threads.reserve(thread_count);
    for (unsigned thread = 0; thread < thread_count; ++thread) {
        threads.emplace_back([&, thread] {
            ContractOptions own_options = options;
            own_options.operation_count = options.operation_count / 10;
            ContractChecks checks(allocator, own_options, options.may_run_out, reports[thread]);
            checks.random_operations(Random(options.seed + thread));
            pass_blocks_around(allocator, exchange, options, thread, reports[thread]);
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t place = 0; place < exchange.size(); ++place) {
        const Block block = exchange.swap(place, {});
        if (block.memory == nullptr) continue;
        allocator.raw_free(block.memory, block.size_bytes, block.alignment);
    }
    for (ContractReport& report : reports) {
        report.add_context(" (seed %llu)", static_cast<unsigned long long>(options.seed));
        if (!report.passed()) return report;
    }
    return {};
}

}  // namespace carbide::testing
