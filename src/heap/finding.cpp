// SPDX-License-Identifier: MIT
#include "carbide/finding.hpp"

namespace carbide {

std::string_view name_of(FindingKind kind) noexcept {
    switch (kind) {
        case FindingKind::leak:
            return "leak";
        case FindingKind::double_free:
            return "double-free";
        case FindingKind::interior_free:
            return "interior-free";
        case FindingKind::foreign_free:
            return "foreign-free";
        case FindingKind::wrong_size:
            return "wrong-size";
        case FindingKind::wrong_alignment:
            return "wrong-alignment";
        case FindingKind::write_before:
            return "write-before";
        case FindingKind::write_after:
            return "write-after";
        case FindingKind::write_after_free:
            return "write-after-free";
        case FindingKind::out_of_bounds_access:
            return "out-of-bounds-access";
        case FindingKind::use_after_free:
            return "use-after-free";
        case FindingKind::second_thread:
            return "second-thread";
        case FindingKind::global_allocation:
            return "global-allocation";
    }
    return "unknown";
}

}  // namespace carbide
