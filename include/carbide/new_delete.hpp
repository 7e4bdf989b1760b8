// SPDX-License-Identifier: MIT
#pragma once

/// Makes `new` and `delete` of the whole program allocate from `thread_caching_allocator()`.
///
/// Use it in programs that want the speed of that allocator and inject none. Link
/// `carbide::new_delete` and include this header in one source file: that is all. Avoid it in
/// libraries, because a program can replace its operators only once: one that links this must not
/// define its own. Prefer to inject: a caller that knows size and type is faster still.
///
/// Memory         `thread_caching_allocator()`, in every form of `new` and `delete`: of arrays,
///                sized, aligned, nothrow, and what they combine to. malloc stays what it was.
/// Out of memory  The new-handler is called as long as there is one, then `std::bad_alloc`; null
///                from nothrow forms, whatever a handler throws.
/// Threads        Any number; from the first static constructor to the last destructor, and in
///                destructors of thread-local objects. A child after fork may go on.
/// Cost           A call more than the allocator itself. A `delete` that is told no size, as in the
///                C++ library's own object code, looks it up.
/// Checkers       It takes precedence over the operators of AddressSanitizer and ThreadSanitizer
///                and works with both, but finds less than they: no stacks of allocations, no use
///                after a slot was lent again. Their leak check neither reports what came from
///                `new` nor looks into it, and so reports what malloc gave and only an object from
///                `new` knows. Leave the library out of such builds, unless it is under test.
///                Valgrind's memcheck puts its own `new` in front of every other.
namespace carbide::detail {

// Defined beside the operators. A linker takes an object out of an archive only for a name that is
// missing, and where only the C++ library calls `new`, it brings its own.
extern const char new_delete_is_linked;
[[gnu::used]] inline const char* const new_delete_reference = &new_delete_is_linked;

}  // namespace carbide::detail
