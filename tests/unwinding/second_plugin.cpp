// SPDX-License-Identifier: MIT
// The same functions at the same places as in first_plugin.cpp. The inner one has another frame,
// the outer one calls it from another place.

namespace {

[[gnu::noinline]] void call_inner(void (*function)(void*), void* argument) {
    char array[56];
    asm volatile("" : : "r"(array) : "memory");
    function(argument);
    asm volatile("" : : "r"(array) : "memory");
}

}  // namespace

extern "C" void plugin_call(void (*function)(void*), void* argument) {
    asm volatile("nop");
    call_inner(function, argument);
    asm volatile("" : : : "memory");
}
