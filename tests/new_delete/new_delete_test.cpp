// SPDX-License-Identifier: MIT
#include "carbide/new_delete.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <locale>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "carbide/memory_marks.hpp"
#include "carbide/thread_caching_allocator.hpp"
#include "support/child_process.hpp"

namespace carbide {
namespace {

ThreadCachingAllocator& heap() noexcept { return thread_caching_allocator(); }
std::size_t lent_bytes() noexcept { return heap().statistics().lent_bytes; }
bool owns(const void* memory) noexcept { return heap().owns(memory); }

// Hides what it is from the compiler, which may leave out a `new` whose `delete` it sees.
template <class T>
T hidden(T value) noexcept {
    asm volatile("" : "+r"(value) : : "memory");
    return value;
}

// --- The operators, called by name ---------------------------------------------------------------

using Alloc = void* (*)(std::size_t, std::align_val_t);
using Free = void (*)(void*, std::size_t, std::align_val_t);

struct NamedAlloc {
    const char* name;
    Alloc call;
};
struct NamedFree {
    const char* name;
    Free call;
};

// What may be combined: two ways to allocate, three to free.
struct Family {
    bool is_aligned;
    std::array<NamedAlloc, 2> allocs;
    std::array<NamedFree, 3> frees;
};

using Align = std::align_val_t;

const Family families[] = {
    {.is_aligned = false,
     .allocs = {{{"new", [](std::size_t n, Align) { return ::operator new(n); }},
                 {"new nothrow",
                  [](std::size_t n, Align) { return ::operator new(n, std::nothrow); }}}},
     .frees = {{{"delete", [](void* p, std::size_t, Align) { ::operator delete(p); }},
                {"delete sized", [](void* p, std::size_t n, Align) { ::operator delete(p, n); }},
                {"delete nothrow",
                 [](void* p, std::size_t, Align) { ::operator delete(p, std::nothrow); }}}}},
    {.is_aligned = false,
     .allocs = {{{"new[]", [](std::size_t n, Align) { return ::operator new[](n); }},
                 {"new[] nothrow",
                  [](std::size_t n, Align) { return ::operator new[](n, std::nothrow); }}}},
     .frees = {{{"delete[]", [](void* p, std::size_t, Align) { ::operator delete[](p); }},
                {"delete[] sized",
                 [](void* p, std::size_t n, Align) { ::operator delete[](p, n); }},
                {"delete[] nothrow",
                 [](void* p, std::size_t, Align) { ::operator delete[](p, std::nothrow); }}}}},
    {.is_aligned = true,
     .allocs = {{{"new aligned", [](std::size_t n, Align a) { return ::operator new(n, a); }},
                 {"new aligned nothrow",
                  [](std::size_t n, Align a) { return ::operator new(n, a, std::nothrow); }}}},
     .frees = {{{"delete aligned", [](void* p, std::size_t, Align a) { ::operator delete(p, a); }},
                {"delete sized aligned",
                 [](void* p, std::size_t n, Align a) { ::operator delete(p, n, a); }},
                {"delete aligned nothrow",
                 [](void* p, std::size_t, Align a) { ::operator delete(p, a, std::nothrow); }}}}},
    {.is_aligned = true,
     .allocs = {{{"new[] aligned", [](std::size_t n, Align a) { return ::operator new[](n, a); }},
                 {"new[] aligned nothrow",
                  [](std::size_t n, Align a) { return ::operator new[](n, a, std::nothrow); }}}},
     .frees = {{{"delete[] aligned",
                 [](void* p, std::size_t, Align a) { ::operator delete[](p, a); }},
                {"delete[] sized aligned",
                 [](void* p, std::size_t n, Align a) { ::operator delete[](p, n, a); }},
                {"delete[] aligned nothrow",
                 [](void* p, std::size_t, Align a) { ::operator delete[](p, a, std::nothrow); }}}}},
};

constexpr std::size_t sizes_bytes[] = {0,
                                       1,
                                       15,
                                       16,
                                       17,
                                       100,
                                       128,
                                       129,
                                       1000,
                                       4096,
                                       5000,
                                       32'768,
                                       32'769,
                                       100'000,
                                       std::size_t{1} << 20,
                                       (1 << 20) + 1,
                                       std::size_t{3} << 20};

std::vector<std::size_t> alignments_of(const Family& family) {
    if (!family.is_aligned) return {__STDCPP_DEFAULT_NEW_ALIGNMENT__};
    return {1, 8, 16, 32, 64, 1024, 4096, 8192, 16'384, 32'768, std::size_t{1} << 21};
}

// Twice at once, and freed in the order in which they came.
void check_pair(const NamedAlloc& alloc, const NamedFree& free, std::size_t size_bytes,
                std::size_t alignment_bytes) {
    const Align alignment{alignment_bytes};
    const std::size_t before = lent_bytes();
    void* blocks[2];
    for (void*& block : blocks) {
        block = alloc.call(hidden(size_bytes), alignment);
        REQUIRE(block != nullptr);
        CHECK(owns(block));
        CHECK(heap().size_of(block) >= size_bytes);
        CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment_bytes == 0);
        std::memset(block, &block == blocks ? 1 : 2, size_bytes);
    }
    CHECK(blocks[0] != blocks[1]);
    const std::string_view first(static_cast<const char*>(blocks[0]), size_bytes);
    CHECK(first.find_first_not_of('\1') == std::string_view::npos);
    for (void* const block : blocks) free.call(block, size_bytes, alignment);
    CHECK(lent_bytes() == before);
}

TEST_CASE("new_delete: every form of new, freed by every form of delete, is Carbide's") {
    for (const Family& family : families) {
        const std::vector<std::size_t> alignments = alignments_of(family);
        for (const NamedAlloc& alloc : family.allocs) {
            for (const NamedFree& free : family.frees) {
                CAPTURE(alloc.name);
                CAPTURE(free.name);
                for (const std::size_t size_bytes : sizes_bytes) {
                    CAPTURE(size_bytes);
                    for (const std::size_t alignment_bytes : alignments) {
                        CAPTURE(alignment_bytes);
                        check_pair(alloc, free, size_bytes, alignment_bytes);
                    }
                }
            }
        }
        CHECK(heap().is_valid());
    }
}

TEST_CASE("new_delete: what is freed goes to the class that its size has, told or not") {
    for (const Family& family : families) {
        for (const NamedFree& free : family.frees) {
            CAPTURE(free.name);
            const Align alignment{16};
            void* const memory = family.allocs[0].call(200, alignment);
            const unsigned size_class = detail::size_class_of(200);
            const std::size_t before = heap().statistics().size_classes[size_class].lent_count;
            free.call(memory, 200, alignment);
            CHECK(heap().statistics().size_classes[size_class].lent_count == before - 1);
        }
    }
}

TEST_CASE("new_delete: deleting null does nothing") {
    for (const Family& family : families) {
        for (const NamedFree& free : family.frees) {
            const std::size_t before = lent_bytes();
            free.call(nullptr, 0, Align{64});
            free.call(nullptr, 1000, Align{64});
            CHECK(lent_bytes() == before);
        }
    }
}

TEST_CASE("new_delete: malloc stays what it was") {
    void* const memory = std::malloc(hidden(std::size_t{100}));
    CHECK_FALSE(owns(memory));
    std::free(memory);
}

// --- Out of memory -------------------------------------------------------------------------------

// More than there can be: whatever is added to it or not.
constexpr std::size_t impossible_sizes_bytes[] = {SIZE_MAX / 2, SIZE_MAX - 15, SIZE_MAX};

class Handler {
public:
    explicit Handler(std::new_handler handler) : previous_(std::set_new_handler(handler)) {}
    ~Handler() { std::set_new_handler(previous_); }
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;

private:
    std::new_handler previous_;
};

struct OfHandler : std::bad_alloc {};

int handler_calls;
void give_up_at_third() {
    if (++handler_calls == 3) std::set_new_handler(nullptr);
}
void throw_at_second() {
    if (++handler_calls == 2) throw OfHandler();
}
[[noreturn]] void throw_number() { throw 42; }

TEST_CASE("new_delete: without a handler a failure throws bad_alloc, or is null") {
    for (const Family& family : families) {
        for (const std::size_t size_bytes : impossible_sizes_bytes) {
            CAPTURE(size_bytes);
            const std::size_t before = lent_bytes();
            CHECK_THROWS_AS(family.allocs[0].call(hidden(size_bytes), Align{64}), std::bad_alloc);
            CHECK(family.allocs[1].call(hidden(size_bytes), Align{64}) == nullptr);
            CHECK(lent_bytes() == before);
        }
    }
    CHECK(heap().is_valid());
}

TEST_CASE("new_delete: the handler is called until there is none") {
    for (const Family& family : families) {
        const Handler restored(nullptr);
        handler_calls = 0;
        std::set_new_handler(give_up_at_third);
        CHECK_THROWS_AS(family.allocs[0].call(hidden(SIZE_MAX / 2), Align{64}), std::bad_alloc);
        CHECK(handler_calls == 3);
        handler_calls = 0;
        std::set_new_handler(give_up_at_third);
        CHECK(family.allocs[1].call(hidden(SIZE_MAX / 2), Align{64}) == nullptr);
        CHECK(handler_calls == 3);
    }
}

TEST_CASE("new_delete: what a handler throws passes through, and is null from a nothrow form") {
    for (const Family& family : families) {
        {
            const Handler handler(throw_at_second);
            handler_calls = 0;
            CHECK_THROWS_AS(family.allocs[0].call(hidden(SIZE_MAX / 2), Align{64}), OfHandler);
            CHECK(handler_calls == 2);
            handler_calls = 0;
            CHECK(family.allocs[1].call(hidden(SIZE_MAX / 2), Align{64}) == nullptr);
            CHECK(handler_calls == 2);
        }
        const Handler handler(throw_number);
        CHECK_THROWS_AS(family.allocs[0].call(hidden(SIZE_MAX / 2), Align{64}), int);
        CHECK(family.allocs[1].call(hidden(SIZE_MAX / 2), Align{64}) == nullptr);
    }
}

// AddressSanitizer and ThreadSanitizer map memory of their own at any time, and end without it.
#if !CARBIDE_ASAN && !defined(__SANITIZE_THREAD__)
char* ballast;
void drop_ballast() {
    delete[] ballast;
    ballast = nullptr;
    ++handler_calls;
}

std::size_t mapped_bytes() {
    std::size_t pages = 0;
    if (std::FILE* const file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST_CASE("new_delete: an allocation succeeds once the handler has made room for it") {
    for (const Family& family : families) {
        for (const NamedAlloc& alloc : family.allocs) {
            CAPTURE(alloc.name);
            const auto child = tests::run_in_child([&] {
                constexpr std::size_t wanted_bytes = std::size_t{64} << 20;
                handler_calls = 0;
                ballast = new char[wanted_bytes + (wanted_bytes >> 1)];
                const rlimit no_more{mapped_bytes() + (1 << 20), RLIM_INFINITY};
                setrlimit(RLIMIT_AS, &no_more);
                std::set_new_handler(drop_ballast);
                void* const memory = alloc.call(wanted_bytes, Align{64});
                _exit(memory != nullptr && owns(memory) && handler_calls == 1 ? 0 : 1);
            });
            CHECK(child.signal == 0);
            CHECK(child.exit_status == 0);
        }
    }
}
#endif

// --- As programs use them ------------------------------------------------------------------------

struct Counted {
    static inline int live = 0;
    static inline int until_throw = 0;  // 0: none does.
    std::array<std::byte, 40> bytes{};
    Counted() {
        if (until_throw != 0 && --until_throw == 0) throw OfHandler();
        ++live;
    }
    ~Counted() { --live; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
};
struct alignas(256) AlignedCounted : Counted {};

// An array of such has a count in front of it, and room for the alignment of its elements.
template <class T>
void check_array(std::size_t count) {
    const std::size_t before = lent_bytes();
    T* const array = hidden(new T[hidden(count)]);
    CHECK(owns(array));
    CHECK(reinterpret_cast<std::uintptr_t>(array) % alignof(T) == 0);
    CHECK(Counted::live == static_cast<int>(count));
    CHECK(lent_bytes() >= before + count * sizeof(T) + alignof(std::size_t));
    delete[] array;
    CHECK(Counted::live == 0);
    CHECK(lent_bytes() == before);
}

TEST_CASE("new_delete: arrays of what has destructors, at any alignment") {
    for (const std::size_t count : {1U, 2U, 7U, 100U, 5000U, 50'000U}) {
        CAPTURE(count);
        check_array<Counted>(count);
        check_array<AlignedCounted>(count);
    }
    CHECK_THROWS_AS(hidden(new int[hidden(SIZE_MAX / 2)]), std::bad_alloc);
    CHECK_THROWS_AS(hidden(new char[hidden(SIZE_MAX / 2)]), std::bad_alloc);
}

template <class T>
void check_throwing() {
    const std::size_t before = lent_bytes();
    Counted::until_throw = 1;
    CHECK_THROWS_AS(hidden(new T), OfHandler);
    Counted::until_throw = 1;
    CHECK_THROWS_AS(hidden(new (std::nothrow) T), OfHandler);
    Counted::until_throw = 3;
    CHECK_THROWS_AS(hidden(new T[5]), OfHandler);
    Counted::until_throw = 3;
    CHECK_THROWS_AS(hidden(new (std::nothrow) T[5]), OfHandler);
    CHECK(Counted::live == 0);
    CHECK(lent_bytes() == before);
}

TEST_CASE("new_delete: where a constructor throws, its memory goes back") {
    check_throwing<Counted>();
    check_throwing<AlignedCounted>();
}

struct Base {
    virtual ~Base() = default;
    int number = 1;
};
struct alignas(64) Derived : Base {
    std::string text = std::string(100, 'd');
};

TEST_CASE("new_delete: a virtual destructor frees the object that it belongs to") {
    const std::size_t before = lent_bytes();
    Base* const base = hidden<Base*>(new Derived);
    CHECK(owns(base));
    delete base;
    CHECK(lent_bytes() == before);
}

TEST_CASE("new_delete: containers, strings and smart pointers come from Carbide") {
    const std::size_t before = lent_bytes();
    {
        const std::string text(hidden(std::size_t{100'000}), 't');
        const HeapStatistics sums = heap().statistics();
        CHECK(owns(text.data()));
        CHECK(sums.lent_bytes == before + text.capacity() + 1);
        std::vector<std::string> texts;
        std::map<int, std::string> by_number;
        std::unordered_map<std::string, int> by_name;
        std::deque<AlignedCounted> aligned;
        for (int i = 0; i < 1000; ++i) {
            texts.emplace_back(static_cast<std::size_t>(i), 'x');
            by_number[i] = texts.back();
            by_name[texts.back()] = i;
            aligned.emplace_back();
            CHECK(owns(&by_number[i]));
            CHECK(owns(&aligned.back()));
        }
        CHECK(owns(texts.data()));
        CHECK(owns(texts.back().data()));
        CHECK(by_number[999] == std::string(999, 'x'));
        const auto shared = std::make_shared<std::array<char, 300>>();
        CHECK(owns(shared.get()));
        std::array<char, 100> captured{};
        const std::function<std::size_t()> function = [captured] { return captured.size(); };
        CHECK(function() == 100);
    }
    CHECK(lent_bytes() == before);
}

TEST_CASE("new_delete: what the C++ library's own object code allocates is Carbide's") {
    const std::size_t before = lent_bytes();
    const std::locale made(std::locale::classic(), std::locale::classic(), std::locale::ctype);
    CHECK(lent_bytes() > before);
    std::ostringstream stream;
    for (int i = 0; i < 1000; ++i) stream << i << ' ';
    CHECK(owns(stream.view().data()));
}

// --- Threads -------------------------------------------------------------------------------------

using Text = std::unique_ptr<std::string>;

class Mailbox {
public:
    void put(Text text) {
        const std::lock_guard guard(mutex_);
        texts_.push_back(std::move(text));
    }
    Text take() {
        const std::lock_guard guard(mutex_);
        if (texts_.empty()) return nullptr;
        Text first = std::move(texts_.front());
        texts_.pop_front();
        return first;
    }

private:
    std::mutex mutex_;
    std::deque<Text> texts_;
};

TEST_CASE("new_delete: threads that come and go free what others have made") {
    const std::size_t before = lent_bytes();
    {
        Mailbox mailbox;
        std::atomic<int> wrong_count = 0;
        const auto run = [&](unsigned seed) {
            for (unsigned i = 0; i < 300; ++i) {
                const std::size_t size = (seed + i) * 37 % 3000;
                mailbox.put(
                    std::make_unique<std::string>(size, static_cast<char>('a' + size % 26)));
                if (i % 3 == 0) continue;
                const Text taken = mailbox.take();
                if (taken == nullptr) continue;
                const auto letter = static_cast<char>('a' + taken->size() % 26);
                if (*taken != std::string(taken->size(), letter)) ++wrong_count;
            }
        };
        for (unsigned round = 0; round < 5; ++round) {
            std::vector<std::thread> threads;
            for (unsigned i = 0; i < 4; ++i) threads.emplace_back(run, round * 4 + i);
            for (std::thread& thread : threads) thread.join();
        }
        CHECK(wrong_count == 0);
    }
    CHECK(lent_bytes() == before);
    CHECK(heap().is_valid());
}

TEST_CASE("new_delete: a child of a program with threads may go on") {
    std::atomic<bool> is_done = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            while (!is_done.load()) {
                std::vector<std::string> texts;
                for (std::size_t size = 0; size < 100; ++size) texts.emplace_back(size * 20, 'x');
            }
        });
    }
    for (int i = 0; i < 20; ++i) {
        const pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            alarm(60);
            std::map<int, std::string> texts;
            for (int size = 0; size < 500; ++size) {
                texts[size] = std::string(static_cast<std::size_t>(size) * 20, 'y');
            }
            texts.clear();
            _exit(owns(&texts[0]) && heap().is_valid() ? 0 : 1);
        }
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
    }
    is_done.store(true);
    for (std::thread& thread : threads) thread.join();
}

TEST_CASE("new_delete: deleting what new did not give stops the program and says so") {
    const auto child = tests::run_in_child([] {
        void* const foreign = hidden(std::malloc(100));
        ::operator delete(foreign);
    });
    CHECK(child.trapped());
    CHECK(child.wrote("allocator 'thread caching': a pointer was freed that is not lent out"));
}

}  // namespace
}  // namespace carbide
