// SPDX-License-Identifier: MIT
#include <cstdio>
#include <string_view>

#include "carbide/c_allocator.hpp"
#include "leak_report/leak_report.hpp"

int main(int argument_count, char** arguments) {
    using enum examples::Mistake;
    const bool leaks = argument_count == 2 && std::string_view(arguments[1]) == "--leak";
    if (argument_count > 1 && !leaks) {
        std::fputs("usage: example_leak_report [--leak]\n", stderr);
        return 2;
    }
    return examples::run_and_report_leaks(carbide::c_allocator(), leaks ? leak : none, stdout);
}
