// SPDX-License-Identifier: MIT
#include "platform/function_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace carbide::platform {
namespace {

constexpr std::string_view anonymous = "(anonymous namespace)";

void replace_all(char* text, std::string_view longer, std::string_view shorter) noexcept {
    char* to = text;
    for (const char* from = text; *from != '\0';) {
        if (std::string_view(from).starts_with(longer)) {
            to = std::copy(shorter.begin(), shorter.end(), to);
            from += longer.size();
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

// Where the qualified name starts: behind the last space in front of the parameters that is in no
// brackets. Templates are demangled with their return type.
std::size_t name_begin(std::string_view text) noexcept {
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with(anonymous)) {
            at += anonymous.size() - 1;
        } else if (depth == 0 && rest.starts_with("operator")) {
            break;
        } else if (text[at] == '<' || text[at] == '{' || (text[at] == '(' && depth > 0)) {
            ++depth;
        } else if (text[at] == '>' || text[at] == '}' || text[at] == ')') {
            --depth;
        } else if (text[at] == '(') {
            // `decltype (...)` belongs to the return type, anything else are the parameters.
            if (!text.substr(0, at).ends_with("decltype ")) break;
            ++depth;
        } else if (depth == 0 && text[at] == ' ') {
            begin = at + 1;
        }
    }
    return begin;
}

bool is_allocator_entry(std::string_view function) noexcept {
    const std::string_view name = function.substr(0, function.find('('));
    const std::size_t entry = name.rfind("::slow_");
    return name.starts_with("carbide::") && entry != name.npos &&
           name.substr(0, entry).find("Allocator") != name.npos;
}

}  // namespace

std::string_view readable_name(char* demangled) noexcept {
    if (char* const clone = std::strstr(demangled, " [clone ")) *clone = '\0';
    replace_all(demangled, "std::__cxx11::", "std::");
    replace_all(demangled, "std::basic_string_view<char, std::char_traits<char> >",
                "std::string_view");
    replace_all(demangled, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
                "std::string");
    replace_all(demangled, "> >", ">>");
    replace_all(demangled, "> >", ">>");  // The middle one of three serves two pairs.
    const std::string_view whole = demangled;
    return whole.substr(name_begin(whole));
}

bool is_plumbing(std::string_view function) noexcept {
    for (const std::string_view prefix :
         {"carbide::detail::", "carbide::platform::", "carbide::RawOperations<",
          "carbide::Operations<", "carbide::HeapOperations<",
          "carbide::testing::detail::", "carbide::testing::Sweep::"}) {
        if (function.starts_with(prefix)) return true;
    }
    return is_allocator_entry(function);
}

bool forwards_calls(std::string_view file) noexcept {
    for (const std::string_view suffix :
         {"/bits/invoke.h", "/bits/std_function.h", "/bits/std_thread.h",
          // By file as well as by name: clang 19 mangles constraints, which g++ 12's run-time
          // library cannot read.
          "carbide/operations.hpp", "carbide/raw_operations.hpp", "carbide/heap_operations.hpp",
          "carbide/allocator.hpp"}) {
        if (file.ends_with(suffix)) return true;
    }
    const bool is_standard = file.find("/c++/") != file.npos;
    if (is_standard) return file.ends_with("/functional") || file.ends_with("/tuple");
    return file.find("carbide/testing/") != file.npos && file.ends_with(".hpp");
}

}  // namespace carbide::platform
