// SPDX-License-Identifier: MIT
// A library that calls back.

namespace {

[[gnu::noinline]] void plugin_inner(void (*callback)()) {
    callback();        // inner
    asm volatile("");  // No tail call, which would leave no frame.
}

}  // namespace

extern "C" [[gnu::visibility("default")]] void plugin_run(void (*callback)());

void plugin_run(void (*callback)()) {
    plugin_inner(callback);  // outer
    asm volatile("");
}
