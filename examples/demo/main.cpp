// SPDX-License-Identifier: MIT
// Runs the document pipeline of examples/document on JSON files: on plain malloc, on an arena per
// document, and under a limit that is too small. `./dev demo` builds and runs it.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "carbide/c_allocator.hpp"
#include "demo/measure.hpp"
#include "demo/report.hpp"
#include "demo/source_file.hpp"
#include "demo/summary.hpp"
#include "demo/terminal.hpp"
#include "document/json_pointer.hpp"
#include "document/process_document.hpp"

namespace demo {
namespace {

enum ExitStatus : int { success = 0, bad_input = 1, bad_usage = 2 };

struct Arguments {
    std::vector<std::string> paths;
    std::vector<std::string> pointers;
    std::size_t round_count = 0;
    bool as_json = false;
};

template <class... Args>
void complain(fmt::format_string<Args...> format, Args&&... args) {
    fmt::memory_buffer line;
    line.append(std::string_view("carbide: "));
    fmt::format_to(std::back_inserter(line), format, std::forward<Args>(args)...);
    line.push_back('\n');
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool write_out(const fmt::memory_buffer& out) {
    const bool written = std::fwrite(out.data(), 1, out.size(), stdout) == out.size();
    if (written && std::fflush(stdout) == 0) return true;
    complain("cannot write to standard output: {}", std::strerror(errno));
    return false;
}

// Reads every file and processes it once, so that each bad one is named before any work is done.
bool read_files(const Arguments& arguments, const json::DocumentOptions& options,
                std::vector<SourceFile>& files, Summary& summary) {
    bool all_good = true;
    for (const std::string& path : arguments.paths) {
        auto content = read_file(carbide::c_allocator(), path.c_str());
        if (!content.has_value()) {
            complain("cannot read '{}': {}", path, std::strerror(content.error().error_number));
            all_good = false;
            continue;
        }
        const SourceFile& file = files.emplace_back(SourceFile{path, *std::move(content)});
        const auto document = json::process_document(carbide::c_allocator(), file.text(), options);
        if (!document.has_value()) {
            complain("{}: {}", path, document.error().message().view());
            all_good = false;
        } else if (!summary.add(*document).has_value()) {
            complain("{}: {}", path, carbide::OutOfMemory::message());
            all_good = false;
        }
    }
    return all_good;
}

// Prints what stands at the pointers, file by file.
void write_answers(fmt::memory_buffer& out, std::span<const SourceFile> files,
                   const json::DocumentOptions& options) {
    for (const SourceFile& file : files) {
        const auto document = json::process_document(carbide::c_allocator(), file.text(), options);
        if (!document.has_value()) continue;  // Out of memory now; every file was good before.
        for (const json::PointerAnswer& answer : document->answers()) {
            write_answer(out, file.path, answer);
        }
    }
}

carbide::Result<void> measure_and_write(fmt::memory_buffer& out, const Arguments& arguments,
                                        std::span<const SourceFile> files, Summary& summary) {
    const json::DocumentOptions options;
    Findings findings;
    findings.files = files;
    findings.counts = summary.counts();
    for (const SourceFile& file : files) findings.source_bytes += file.content.size();
    findings.keys = CARBIDE_TRY(summary.keys());
    findings.piecewise = measure_usage(json::process_document_piecewise, files, options);
    findings.arena = measure_usage(json::process_document, files, options);
    findings.limited = run_limited(files, options, findings.arena.peak_bytes / 4);
    findings.times =
        CARBIDE_TRY(measure_times(carbide::c_allocator(), files, options, arguments.round_count));
    if (arguments.as_json) return write_json_report(out, carbide::c_allocator(), findings);
    write_report(out, Terminal::of_standard_output(), findings);
    return {};
}

int run(const Arguments& arguments) {
    const std::vector<std::string_view> pointers(arguments.pointers.begin(),
                                                 arguments.pointers.end());
    for (const std::string_view pointer : pointers) {
        const std::string_view expected = json::check_pointer(pointer);
        if (expected.empty()) continue;
        complain("'{}' is no JSON Pointer: expected {}", pointer, expected);
        return bad_usage;
    }

    const json::DocumentOptions options{.pointers = pointers};
    std::vector<SourceFile> files;
    Summary summary(carbide::c_allocator());
    if (!read_files(arguments, options, files, summary)) return bad_input;

    fmt::memory_buffer out;
    if (!pointers.empty()) {
        write_answers(out, files, options);
    } else if (!measure_and_write(out, arguments, files, summary).has_value()) {
        complain("{}", carbide::OutOfMemory::message());
        return bad_input;
    }
    return write_out(out) ? success : bad_input;
}

int parse_and_run(int argument_count, char** argument_values) {
    Arguments arguments;
    CLI::App app(
        "Runs one JSON pipeline on plain malloc, on an arena per document, and under a "
        "limit\nthat is too small; shows time, allocations, peak memory and leaks.",
        "carbide_demo");
    app.add_option("FILE", arguments.paths, "JSON files")->required();
    app.add_option("--pointer", arguments.pointers,
                   "Only print what stands in each file at this JSON Pointer (/a/0); repeatable")
        ->allow_extra_args(false);
    app.add_option("--rounds", arguments.round_count, "Rounds to time (default: about a second)")
        ->check(CLI::Range(1, 100'000));
    app.add_flag("--json", arguments.as_json, "Print one JSON object instead of the report");
    try {
        app.parse(argument_count, argument_values);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help.
        complain("{}", error.what());
        std::fputs("usage: carbide_demo [--json] [--rounds N] [--pointer POINTER] FILE...\n",
                   stderr);
        return bad_usage;
    }
    return run(arguments);
}

}  // namespace
}  // namespace demo

int main(int argument_count, char** argument_values) {
    try {
        return demo::parse_and_run(argument_count, argument_values);
    } catch (const std::exception& exception) {
        std::fprintf(stderr, "carbide: %s\n", exception.what());
        return 1;
    }
}
