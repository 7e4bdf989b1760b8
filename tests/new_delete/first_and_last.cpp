// SPDX-License-Identifier: MIT
// Allocates and frees wherever a program can run code: in static constructors and destructors, at
// exit, and in destructors of thread-local objects and of pthread keys.
#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carbide/new_delete.hpp"
#include "carbide/thread_caching_allocator.hpp"

namespace {

void say(std::string_view text) {
    static_cast<void>(!write(STDOUT_FILENO, text.data(), text.size()));
}

void require(bool holds, std::string_view place) {
    if (holds) return;
    say("wrong: ");
    say(place);
    say("\n");
    std::abort();
}

// All that lives until its end: some of what is freed there was made elsewhere.
class Holder {
public:
    explicit Holder(std::string_view place) : place_(place) {
        for (unsigned i = 0; i < 100; ++i) texts_.emplace_back(20 + i * 10, 'x');
        check();
    }
    ~Holder() {
        check();
        texts_.clear();
        for (unsigned i = 0; i < 100; ++i) texts_.emplace_back(40'000 + i, 'y');
        check();
        texts_ = {};
        if (is_last_) say("the last destructor has run\n");
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    void make_last() { is_last_ = true; }

private:
    void check() const {
        const carbide::ThreadCachingAllocator& allocator = carbide::thread_caching_allocator();
        require(allocator.owns(texts_.data()), place_);
        for (const std::string& text : texts_) require(allocator.owns(text.data()), place_);
    }

    std::string_view place_;
    std::vector<std::string> texts_;
    bool is_last_ = false;
};

// Before everything else that the program has, and so destroyed behind it.
[[gnu::init_priority(101)]] Holder first("the first static object");

Holder later("a later static object");
thread_local std::unique_ptr<Holder> of_thread;

pthread_key_t key;

void end_key(void* memory) {
    delete static_cast<Holder*>(memory);
    const Holder in_key_destructor("destructor of a key");
}

void run_thread(std::unique_ptr<Holder> handed_over) {
    of_thread = std::move(handed_over);
    require(pthread_setspecific(key, new Holder("value of a key")) == 0, "pthread_setspecific");
    const Holder local("thread");
}

void at_exit() {
    const Holder local("at exit");
    std::thread(run_thread, std::make_unique<Holder>("handed over at exit")).join();
}

}  // namespace

int main() {
    first.make_last();
    require(std::atexit(at_exit) == 0, "atexit");
    static Holder of_function("a static object of a function");
    of_thread = std::make_unique<Holder>("thread-local object of the main thread");
    require(pthread_key_create(&key, end_key) == 0, "pthread_key_create");
    for (int i = 0; i < 20; ++i) {
        std::thread one(run_thread, std::make_unique<Holder>("handed over"));
        std::thread two(run_thread, std::make_unique<Holder>("handed over"));
        one.join();
        two.join();
    }
    require(carbide::thread_caching_allocator().is_valid(), "is_valid");
}
