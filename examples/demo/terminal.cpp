// SPDX-License-Identifier: MIT
#include "demo/terminal.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <iterator>

namespace demo {
namespace {

std::string_view sequence_of(Colour colour) noexcept {
    switch (colour) {
        case Colour::plain:
            break;
        case Colour::bold:
            return "\033[1m";
        case Colour::dim:
            return "\033[2m";
        case Colour::red:
            return "\033[31m";
        case Colour::green:
            return "\033[32m";
        case Colour::yellow:
            return "\033[33m";
    }
    return "\033[0m";
}

}  // namespace

Terminal Terminal::of_standard_output() noexcept {
    Terminal terminal;
    const char* const no_colour = std::getenv("NO_COLOR");
    const bool colour_is_wanted = no_colour == nullptr || *no_colour == '\0';
    terminal.has_colour = isatty(STDOUT_FILENO) == 1 && colour_is_wanted;

    std::setlocale(LC_CTYPE, "");
    terminal.has_utf8 = std::string_view(nl_langinfo(CODESET)) == "UTF-8";

    constexpr std::size_t column_count_min = 60;
    constexpr std::size_t column_count_max = 80;  // Longer bars would say no more.
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        terminal.column_count =
            std::clamp(std::size_t{size.ws_col}, column_count_min, column_count_max);
    }
    return terminal;
}

void paint(fmt::memory_buffer& out, const Terminal& terminal, Colour colour,
           std::string_view text) {
    const bool painted = terminal.has_colour && colour != Colour::plain;
    if (painted) out.append(sequence_of(colour));
    out.append(text);
    if (painted) out.append(sequence_of(Colour::plain));
}

void draw_bar(fmt::memory_buffer& out, const Terminal& terminal, Colour colour, double share,
              std::size_t column_count) {
    constexpr std::string_view eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const std::size_t steps_per_column = terminal.has_utf8 ? std::size(eighths) : 1;
    const auto steps_max = static_cast<double>(column_count * steps_per_column);
    auto step_count =
        static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * steps_max));
    if (share > 0) step_count = std::max<std::size_t>(step_count, 1);

    fmt::memory_buffer bar;
    const std::size_t full_count = step_count / steps_per_column;
    const std::size_t rest = step_count % steps_per_column;
    for (std::size_t i = 0; i < full_count; ++i)
        bar.append(std::string_view(terminal.has_utf8 ? "█" : "#"));
    bar.append(eighths[rest]);
    paint(out, terminal, colour, {bar.data(), bar.size()});

    const std::size_t drawn_count = full_count + (rest == 0 ? 0 : 1);
    fmt::format_to(std::back_inserter(out), "{:{}}", "", column_count - drawn_count);
}

}  // namespace demo
