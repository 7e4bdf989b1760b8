// SPDX-License-Identifier: MIT
#include "carbide/logging_allocator.hpp"

#include <unistd.h>

#include <cstdint>

#include "platform/message.hpp"

namespace carbide {
namespace {

using Event = LoggingAllocator::Event;
using Moment = LoggingAllocator::Moment;
using Operation = LoggingAllocator::Operation;

platform::Message& append_address(platform::Message& message, const void* memory) noexcept {
    return message.hexadecimal(reinterpret_cast<std::uintptr_t>(memory));
}

// Such as `remap(0x7f12a0 of 24 bytes, to 48 bytes, aligned to 8)`.
void append_call(platform::Message& message, const Event& event) noexcept {
    switch (event.operation) {
        case Operation::alloc:
            message.text("alloc(");
            break;
        case Operation::resize:
            message.text("resize(");
            break;
        case Operation::remap:
            message.text("remap(");
            break;
        case Operation::free:
            message.text("free(");
            break;
    }
    if (event.operation != Operation::alloc) append_address(message, event.memory).text(" of ");
    message.number(event.size_bytes).text(" bytes, ");
    if (event.operation == Operation::resize || event.operation == Operation::remap) {
        message.text("to ").number(event.new_bytes).text(" bytes, ");
    }
    message.text("aligned to ").number(static_cast<std::size_t>(event.alignment)).text(")");
}

}  // namespace

LoggingAllocator::LoggingAllocator(const Options& options) noexcept
    : HeapOperations(options.name, Sharing::shared),
      backing_(options.backing),
      sink_(options.sink),
      sink_context_(options.sink_context) {}

void LoggingAllocator::write_to_stderr(void*, const Event& event) noexcept {
    const bool is_free = event.operation == Operation::free;
    if (event.moment != (is_free ? Moment::before : Moment::after)) return;
    platform::Message message;
    message.text("carbide: ").text(event.name).text(": ");
    append_call(message, event);
    if (!is_free && !event.success) message.text(" failed");
    if (event.success && event.operation == Operation::resize) message.text(" succeeded");
    if (event.success && event.operation != Operation::resize) {
        append_address(message.text(" = "), event.new_memory);
    }
    message.write_to(STDERR_FILENO);
}

void* LoggingAllocator::slow_alloc(Heap& heap, std::size_t size_bytes,
                                   std::align_val_t alignment) noexcept {
    const LoggingAllocator& logging = self(heap);
    const Event event{.operation = Operation::alloc,
                      .size_bytes = size_bytes,
                      .alignment = alignment,
                      .name = logging.name()};
    logging.tell_before(event);
    void* const memory = logging.backing_.raw_alloc(size_bytes, alignment);
    logging.tell_after(event, memory != nullptr, memory);
    return memory;
}

bool LoggingAllocator::slow_resize(Heap& heap, void* memory, std::size_t old_bytes,
                                   std::size_t new_bytes, std::align_val_t alignment) noexcept {
    const LoggingAllocator& logging = self(heap);
    const Event event{.operation = Operation::resize,
                      .memory = memory,
                      .size_bytes = old_bytes,
                      .new_bytes = new_bytes,
                      .alignment = alignment,
                      .name = logging.name()};
    logging.tell_before(event);
    const bool resized = logging.backing_.raw_resize(memory, old_bytes, new_bytes, alignment);
    // The linter thinks of a resize to 0 bytes, which frees, and never comes here.
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
    logging.tell_after(event, resized, resized ? memory : nullptr);
    return resized;
}

void* LoggingAllocator::slow_remap(Heap& heap, void* memory, std::size_t old_bytes,
                                   std::size_t new_bytes, std::align_val_t alignment) noexcept {
    const LoggingAllocator& logging = self(heap);
    const Event event{.operation = Operation::remap,
                      .memory = memory,
                      .size_bytes = old_bytes,
                      .new_bytes = new_bytes,
                      .alignment = alignment,
                      .name = logging.name()};
    logging.tell_before(event);
    void* const moved = logging.backing_.raw_remap(memory, old_bytes, new_bytes, alignment);
    logging.tell_after(event, moved != nullptr, moved);
    return moved;
}

void LoggingAllocator::slow_free(Heap& heap, void* memory, std::size_t size_bytes,
                                 std::align_val_t alignment) noexcept {
    const LoggingAllocator& logging = self(heap);
    const Event event{.operation = Operation::free,
                      .memory = memory,
                      .size_bytes = size_bytes,
                      .alignment = alignment,
                      .name = logging.name()};
    logging.tell_before(event);
    logging.backing_.raw_free(memory, size_bytes, alignment);
    logging.tell_after(event, true, nullptr);
}

void LoggingAllocator::tell_after(Event event, bool success,
                                  const void* new_memory) const noexcept {
    event.moment = Moment::after;
    event.success = success;
    event.new_memory = new_memory;
    sink_(sink_context_, event);
}

}  // namespace carbide
