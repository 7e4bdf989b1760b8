// SPDX-License-Identifier: MIT
#include "platform/frame_expression.hpp"

#include "platform/byte_reader.hpp"

namespace carbide::platform {
namespace {

// Operations of expressions; those with a range of numbers carry an operand in their code.
enum : std::uint8_t {
    op_deref = 0x06,
    op_const1u = 0x08,
    op_const1s = 0x09,
    op_and = 0x1a,
    op_plus = 0x22,
    op_plus_uconst = 0x23,
    op_shl = 0x24,
    op_ge = 0x2a,
    op_lit0 = 0x30,
    op_lit31 = 0x4f,
    op_breg0 = 0x70,
    op_breg31 = 0x8f,
};

/// Computes with values that may contain one register: the programs of the linker's stubs depend
/// on the address alone, and those of compilers add a number to a register and may load once.
class Evaluator {
public:
    explicit Evaluator(std::uintptr_t address) noexcept : address_(address) {}

    bool run(ByteRange expression, FrameExpression& result) noexcept {
        ByteReader reader(expression.begin, expression.end);
        while (!reader.is_at_end()) {
            if (!step(reader) || reader.is_broken()) return false;
        }
        return pop(result) && count_ == 0;
    }

private:
    using Base = FrameExpression::Base;

    bool step(ByteReader& reader) noexcept {
        const std::uint8_t operation = reader.byte();
        if (operation >= op_lit0 && operation <= op_lit31) return push(operation - op_lit0);
        if (operation >= op_breg0 && operation <= op_breg31) {
            return push_register(operation - op_breg0, reader.sleb128());
        }
        switch (operation) {
            case op_const1u:
                return push(reader.byte());
            case op_const1s:
                return push(reader.fixed<std::int8_t>());
            case op_plus_uconst:
                return push(static_cast<std::int64_t>(reader.uleb128())) && add();
            case op_plus:
                return add();
            case op_deref:
                return load();
            default:
                return combine_numbers(operation);
        }
    }

    bool push_register(std::uint64_t number, std::int64_t offset_bytes) noexcept {
        if (number == return_address_register) {
            return push(static_cast<std::int64_t>(address_) + offset_bytes);
        }
        if (number == stack_pointer_register) return push(offset_bytes, Base::stack_pointer);
        return number == frame_pointer_register && push(offset_bytes, Base::frame_pointer);
    }

    bool load() noexcept {
        if (count_ == 0) return false;
        FrameExpression& top = values_[count_ - 1];
        if (top.is_loaded || top.base == Base::none) return false;
        top.is_loaded = true;
        return true;
    }

    bool add() noexcept {
        FrameExpression left;
        FrameExpression right;
        if (!pop(right) || !pop(left)) return false;
        if (left.base != Base::none && right.base != Base::none) return false;
        if (left.is_loaded || right.is_loaded) return false;
        return push(left.offset + right.offset, left.base == Base::none ? right.base : left.base);
    }

    bool combine_numbers(std::uint8_t operation) noexcept {
        FrameExpression left;
        FrameExpression right;
        if (!pop(right) || !pop(left)) return false;
        if (left.base != Base::none || right.base != Base::none) return false;
        switch (operation) {
            case op_and:
                return push(left.offset & right.offset);
            case op_ge:
                return push(left.offset >= right.offset ? 1 : 0);
            case op_shl:
                if (right.offset < 0 || right.offset > 63) return false;
                return push(static_cast<std::int64_t>(static_cast<std::uint64_t>(left.offset)
                                                      << right.offset));
            default:
                return false;
        }
    }

    bool push(std::int64_t number, Base base = Base::none) noexcept {
        if (count_ == value_count_max) return false;
        values_[count_++] = {.base = base, .offset = number};
        return true;
    }
    bool pop(FrameExpression& value) noexcept {
        if (count_ == 0) return false;
        value = values_[--count_];
        return true;
    }

    static constexpr unsigned value_count_max = 8;

    std::uintptr_t address_;
    FrameExpression values_[value_count_max];
    unsigned count_ = 0;
};

}  // namespace

bool evaluate_frame_expression(ByteRange expression, std::uintptr_t address,
                               FrameExpression& result) noexcept {
    return Evaluator(address).run(expression, result);
}

}  // namespace carbide::platform
