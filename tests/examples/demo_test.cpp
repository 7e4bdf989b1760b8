// SPDX-License-Identifier: MIT
// Runs the demo as a user does: the real binary, on files in a folder of its own.
#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "examples/document_support.hpp"

namespace {

namespace fs = std::filesystem;

struct Outcome {
    int exit_status = -1;
    std::string out;
    std::string err;
};

// A folder that is gone at the end, and the demo run in it.
class DemoFolder {
public:
    DemoFolder() {
        std::string pattern = (fs::temp_directory_path() / "carbide-demo-XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~DemoFolder() { fs::remove_all(path_); }
    DemoFolder(const DemoFolder&) = delete;
    DemoFolder& operator=(const DemoFolder&) = delete;

    void write(std::string_view name, std::string_view content) const {
        std::ofstream(path_ / name, std::ios::binary) << content;
    }

    struct Setting {
        std::string_view locale = "C.UTF-8";
        std::string_view out_path = ".out";
    };

    // `arguments` are words for the shell.
    [[nodiscard]] Outcome run(std::string_view arguments, const Setting& setting) const {
        const std::string command =
            "cd '" + path_.string() + "' && LC_ALL=" + std::string(setting.locale) + " '" +
            CARBIDE_TEST_PROGRAMS_DIR "/carbide_demo' " + std::string(arguments) + " >" +
            std::string(setting.out_path) + " 2>.err";
        const int status = std::system(command.c_str());
        return {.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                .out = read(".out"),
                .err = read(".err")};
    }
    [[nodiscard]] Outcome run(std::string_view arguments) const { return run(arguments, {}); }

private:
    [[nodiscard]] std::string read(std::string_view name) const {
        std::ifstream file(path_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    fs::path path_;
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

constexpr std::string_view small_json = R"({"list": [{"name": "a"}, {"name": "b"}], "n": -1.5})";

}  // namespace

TEST_CASE("demo: the report shows the three ways, and that nothing leaks") {
    const DemoFolder folder;
    folder.write("small.json", small_json);
    const Outcome outcome = folder.run("--rounds 1 small.json");
    CHECK(outcome.exit_status == 0);
    CHECK(outcome.err.empty());
    CHECK(contains(outcome.out, "input     1 file, 51 bytes of JSON"));
    CHECK(contains(outcome.out, "values    7, nested 3 deep"));
    CHECK(contains(outcome.out, "3 objects, 1 array, 2 strings, 1 number"));
    CHECK(contains(outcome.out, "top keys  name 2, list 1, n 1"));
    CHECK(contains(outcome.out, "malloc, piece by piece"));
    CHECK(contains(outcome.out, "an arena per document"));
    CHECK(contains(outcome.out, "out of memory, and everything was given back"));
    CHECK(!contains(outcome.out, "NOT"));
    CHECK(contains(outcome.out, "█"));
    CHECK(!contains(outcome.out, "\033"));  // No colour into a file.
}

TEST_CASE("demo: no line is wider than 80 columns, with UTF-8 or without") {
    const DemoFolder folder;
    folder.write("wide.json", R"({"a very long key that says very little about anything": [true],
        "another long key that nobody will ever want to read": [{"x": 0, "y": 0, "z": 0}]})");
    for (const std::string_view locale : {"C.UTF-8", "C"}) {
        const Outcome outcome = folder.run("--rounds 1 wide.json", {.locale = locale});
        CHECK(outcome.exit_status == 0);
        CHECK(contains(outcome.out, locale == "C" ? "####" : "████"));
        std::size_t column = 0;
        for (const char byte : outcome.out) {
            const bool is_ascii = static_cast<unsigned char>(byte) < 0x80;
            if (locale == "C") REQUIRE(is_ascii);
            if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) ++column;
            if (byte == '\n') column = 0;
            REQUIRE(column <= 80);
        }
    }
}

TEST_CASE("demo: --json prints an object that says the same") {
    const DemoFolder folder;
    folder.write("small.json", small_json);
    const Outcome outcome = folder.run("--json --rounds 2 small.json");
    CHECK(outcome.exit_status == 0);
    const auto at = [&](std::string_view pointer) {
        return document_test::value_at(outcome.out, pointer);
    };
    CHECK(at("/files") == "[\"small.json\"]");
    CHECK(at("/values") == "7");
    CHECK(at("/by_kind/object") == "3");
    CHECK(at("/keys") == R"({"name":2,"list":1,"n":1})");
    CHECK(at("/rounds") == "2");
    CHECK(at("/malloc/leaked_count") == "0");
    CHECK(at("/arena/leaked_bytes") == "0");
    CHECK(at("/limited/error") == "\"out of memory\"");
    CHECK(at("/limited/leaked_count") == "0");
    CHECK(at("/limited/stopped_in") == "\"small.json\"");
}

TEST_CASE("demo: --pointer prints the value in each file, or why there is none") {
    const DemoFolder folder;
    folder.write("one.json", small_json);
    folder.write("two.json", "[10, 20]");
    const Outcome outcome = folder.run("--pointer /list/1 --pointer /1 one.json two.json");
    CHECK(outcome.exit_status == 0);
    CHECK(outcome.out ==
          "one.json: {\"name\":\"b\"}\n"
          "one.json: not found: the document is an object; it has no member of that name\n"
          "two.json: not found: the document is an array; an index is 0 or a number without "
          "leading zeros\n"
          "two.json: 20\n");
    const Outcome malformed = folder.run("--pointer list one.json");
    CHECK(malformed.exit_status == 2);
    CHECK(malformed.err == "carbide: 'list' is no JSON Pointer: expected '/' at its beginning\n");
}

TEST_CASE("demo: every bad file gets its own line, and nothing is measured then") {
    const DemoFolder folder;
    folder.write("good.json", small_json);
    folder.write("empty.json", "");
    folder.write("binary.json", std::string_view("\x7F"
                                                 "ELF\0\0",
                                                 6));
    folder.write("cut.json", R"({"list": [{"na)");
    folder.write("wrong.json", "[1,\n 2,\n]");
    const Outcome outcome =
        folder.run("empty.json missing.json good.json . binary.json cut.json wrong.json");
    CHECK(outcome.exit_status == 1);
    CHECK(outcome.out.empty());
    CHECK(outcome.err ==
          "carbide: empty.json: line 1, column 1: expected a JSON value, found end of file\n"
          "carbide: cannot read 'missing.json': No such file or directory\n"
          "carbide: cannot read '.': Is a directory\n"
          "carbide: binary.json: line 1, column 1: expected a JSON value, found U+007F\n"
          "carbide: cut.json: line 1, column 15: expected '\"' at the end of the string, found end "
          "of file\n"
          "carbide: wrong.json: line 3, column 1: expected a JSON value after ',', found ']'\n");
}

TEST_CASE("demo: wrong usage is exit status two, and asking for help is none") {
    const DemoFolder folder;
    const Outcome none = folder.run("");
    CHECK(none.exit_status == 2);
    CHECK(none.out.empty());
    CHECK(contains(none.err, "carbide: FILE is required\nusage: "));
    CHECK(folder.run("--nonsense x.json").exit_status == 2);
    CHECK(folder.run("--rounds 0 x.json").exit_status == 2);
    CHECK(folder.run("--rounds many x.json").exit_status == 2);
    const Outcome help = folder.run("--help");
    CHECK(help.exit_status == 0);
    CHECK(contains(help.out, "--pointer"));
}

TEST_CASE("demo: a pipe is read like a file, and a full disk is an error") {
    const DemoFolder folder;
    folder.write("two.json", "[10, 20]");
    CHECK(folder.run("--pointer /1 /dev/stdin < two.json").out == "/dev/stdin: 20\n");
    const Outcome full = folder.run("--pointer /1 two.json", {.out_path = "/dev/full"});
    CHECK(full.exit_status == 1);
    CHECK(full.err == "carbide: cannot write to standard output: No space left on device\n");
}
