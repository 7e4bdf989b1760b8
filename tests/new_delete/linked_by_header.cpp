// SPDX-License-Identifier: MIT
// Calls neither `new` nor `delete` itself, so nothing but the header makes the linker take them out
// of the archive. Ends with 0 where the C++ library's own calls come to Carbide.
#include <locale>

#include "carbide/new_delete.hpp"
#include "carbide/thread_caching_allocator.hpp"

int main() {
    const std::locale& classic = std::locale::classic();
    const std::size_t before = carbide::thread_caching_allocator().statistics().lent_bytes;
    const std::locale made(classic, classic, std::locale::ctype);  // In the library's object code.
    const std::size_t after = carbide::thread_caching_allocator().statistics().lent_bytes;
    return after > before ? 0 : 1;
}
