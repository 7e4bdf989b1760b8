// SPDX-License-Identifier: MIT
#include "platform/call_frame_program.hpp"

#include <cstddef>

#include "platform/byte_reader.hpp"
#include "platform/frame_expression.hpp"

namespace carbide::platform {
namespace {

// Instructions that carry an operand in their low six bits.
enum : std::uint8_t {
    operand_mask = 0x3f,
    advance_loc = 0x40,
    offset = 0x80,
    restore = 0xc0,
};

// The others.
enum : std::uint8_t {
    nop = 0x00,
    set_loc = 0x01,
    advance_loc1 = 0x02,
    advance_loc2 = 0x03,
    advance_loc4 = 0x04,
    offset_extended = 0x05,
    restore_extended = 0x06,
    undefined = 0x07,
    same_value = 0x08,
    in_register = 0x09,
    remember_state = 0x0a,
    restore_state = 0x0b,
    def_cfa = 0x0c,
    def_cfa_register = 0x0d,
    def_cfa_offset = 0x0e,
    def_cfa_expression = 0x0f,
    expression = 0x10,
    offset_extended_sf = 0x11,
    def_cfa_sf = 0x12,
    def_cfa_offset_sf = 0x13,
    val_offset = 0x14,
    val_offset_sf = 0x15,
    val_expression = 0x16,
    gnu_window_save = 0x2d,
    gnu_args_size = 0x2e,
    gnu_negative_offset_extended = 0x2f,
};

class Machine {
public:
    Machine(const FrameDescription& description, std::uintptr_t address) noexcept
        : description_(description), address_(address), location_(description.function_begin) {}

    /// False: not understood.
    bool run(ByteRange program) noexcept {
        ByteReader reader(program.begin, program.end);
        while (!reader.is_at_end() && location_ <= address_) {
            if (!step(reader) || reader.is_broken()) return false;
        }
        return true;
    }

    void end_of_common_part() noexcept { initial_ = frame_; }
    [[nodiscard]] const CallFrame& frame() const noexcept { return frame_; }

private:
    using Place = SavedRegister::Place;

    bool step(ByteReader& reader) noexcept {
        const std::uint8_t instruction = reader.byte();
        const auto operand = static_cast<std::uint8_t>(instruction & operand_mask);
        switch (instruction & ~operand_mask) {
            case advance_loc:
                advance(operand);
                return true;
            case offset:
                save(operand, factored(reader.uleb128()));
                return true;
            case restore:
                restore_register(operand);
                return true;
            default:
                return step_location(instruction, reader);
        }
    }

    bool step_location(std::uint8_t instruction, ByteReader& reader) noexcept {
        switch (instruction) {
            case nop:
                return true;
            case set_loc:
                return false;  // In the pointer encoding; compilers do not use it.
            case advance_loc1:
                advance(reader.byte());
                return true;
            case advance_loc2:
                advance(reader.fixed<std::uint16_t>());
                return true;
            case advance_loc4:
                advance(reader.fixed<std::uint32_t>());
                return true;
            case remember_state:
                return remember();
            case restore_state:
                return recall();
            case gnu_args_size:
                reader.uleb128();
                return true;
            default:
                return step_cfa(instruction, reader);
        }
    }

    bool step_cfa(std::uint8_t instruction, ByteReader& reader) noexcept {
        switch (instruction) {
            case def_cfa:
                frame_.cfa_register = reader.uleb128();
                [[fallthrough]];
            case def_cfa_offset:
                frame_.cfa_offset = static_cast<std::int64_t>(reader.uleb128());
                break;
            case def_cfa_sf:
                frame_.cfa_register = reader.uleb128();
                [[fallthrough]];
            case def_cfa_offset_sf:
                frame_.cfa_offset = factored(reader.sleb128());
                break;
            case def_cfa_register:
                frame_.cfa_register = reader.uleb128();
                break;
            case def_cfa_expression:
                frame_.cfa_expression = block(reader);
                return true;
            default:
                return step_register(instruction, reader);
        }
        frame_.cfa_expression = {};
        return true;
    }

    bool step_register(std::uint8_t instruction, ByteReader& reader) noexcept {
        if (instruction < offset_extended) return false;
        if (instruction > val_expression && instruction != gnu_negative_offset_extended) {
            return false;
        }
        const std::uint64_t number = reader.uleb128();
        switch (instruction) {
            case offset_extended:
                save(number, factored(reader.uleb128()));
                return true;
            case offset_extended_sf:
                save(number, factored(reader.sleb128()));
                return true;
            case gnu_negative_offset_extended:
                save(number, -factored(reader.uleb128()));
                return true;
            case restore_extended:
                restore_register(number);
                return true;
            case undefined:
                set(number, {.place = Place::undefined});
                return true;
            case same_value:
                set(number, {});
                return true;
            case expression:
                set(number, {.place = Place::at_expression, .expression = block(reader)});
                return true;
            case in_register:
            case val_offset:
                reader.uleb128();
                break;
            case val_offset_sf:
                reader.sleb128();
                break;
            case val_expression:
                block(reader);
                break;
            default:
                return false;
        }
        set(number, {.place = Place::elsewhere});
        return true;
    }

    void advance(std::uint64_t units) noexcept { location_ += units * description_.code_alignment; }

    // Arithmetic of DWARF wraps.
    std::int64_t factored(std::uint64_t units) const noexcept {
        return static_cast<std::int64_t>(units *
                                         static_cast<std::uint64_t>(description_.data_alignment));
    }
    std::int64_t factored(std::int64_t units) const noexcept {
        return factored(static_cast<std::uint64_t>(units));
    }

    static ByteRange block(ByteReader& reader) noexcept {
        const std::uint64_t size_bytes = reader.uleb128();
        const std::uint8_t* const begin = reader.take(size_bytes);
        return begin == nullptr ? ByteRange{} : ByteRange{begin, begin + size_bytes};
    }

    void save(std::uint64_t number, std::int64_t offset_bytes) noexcept {
        set(number, {.place = Place::at_offset, .offset = offset_bytes});
    }
    void set(std::uint64_t number, const SavedRegister& saved) noexcept {
        if (number == frame_pointer_register) frame_.frame_pointer = saved;
        if (number == description_.return_address_register) frame_.return_address = saved;
    }
    void restore_register(std::uint64_t number) noexcept {
        set(number,
            number == frame_pointer_register ? initial_.frame_pointer : initial_.return_address);
    }

    bool remember() noexcept {
        if (remembered_count_ == remembered_count_max) return false;
        remembered_[remembered_count_++] = frame_;
        return true;
    }
    bool recall() noexcept {
        if (remembered_count_ == 0) return false;
        frame_ = remembered_[--remembered_count_];
        return true;
    }

    static constexpr unsigned remembered_count_max = 8;

    const FrameDescription& description_;
    std::uintptr_t address_;
    std::uintptr_t location_;
    CallFrame frame_;
    CallFrame initial_;
    CallFrame remembered_[remembered_count_max];
    unsigned remembered_count_ = 0;
};

}  // namespace

bool run_call_frame_program(const FrameDescription& description, std::uintptr_t address,
                            CallFrame& frame) noexcept {
    Machine machine(description, address);
    if (!machine.run(description.initial_program)) return false;
    machine.end_of_common_part();
    if (!machine.run(description.program)) return false;
    frame = machine.frame();
    return true;
}

}  // namespace carbide::platform
