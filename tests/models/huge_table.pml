// SPDX-License-Identifier: MIT
// HugeTable, and CachingState::alloc_huge, free_huge and remap around it. The table has a lock, but
// the backing is called without it, and may lend an address again as soon as it was given back.
//
// Proved, for two threads that each map, move and unmap an allocation, with three addresses:
//   - an entry is added only where there is none for the address, and taken out by its owner;
//   - between calls, each allocation has its entry, with its owner and its size;
//   - what is reserved is enough, and in the end nothing is in the table or reserved.
//
// Left out: how the table is searched and how it grows, which is under its lock. An entry is the
// owner and the size. A move may fail, or stay where it is.
//
// Each step sees those before it: the table is under its lock, and mappings are the system's.
//
// broken 1: assertion violated: memory is given back before its entry is taken out
// broken 2: assertion violated: an entry is replaced once the memory has moved
// broken 3: assertion violated: a move gives up the room of its entry
#define ADDRESSES 3
#define NOBODY 0

bool mapped[ADDRESSES];
byte owner[ADDRESSES] = NOBODY;  // The table.
byte size[ADDRESSES];
byte entry_count = 0;
byte reserved_count = 0;  // Entries, and those that are reserved.
byte done = 0;

inline reserve() { reserved_count++ }
inline unreserve() { reserved_count-- }

inline insert(address, bytes) {
    atomic {
        assert(owner[address] == NOBODY);
        assert(entry_count < reserved_count);
        owner[address] = self;
        size[address] = bytes;
        entry_count++
    }
}

inline take_out(address, bytes) {
    atomic {
        assert(owner[address] == self && size[address] == bytes);
        owner[address] = NOBODY;
        entry_count--
    }
}

inline map() {
    if
    :: atomic { !mapped[0] -> mapped[0] = true; at = 0 }
    :: atomic { !mapped[1] -> mapped[1] = true; at = 1 }
    :: atomic { !mapped[2] -> mapped[2] = true; at = 2 }
    fi
}

inline unmap() { mapped[at] = false }

// The old address is given back in the same step.
inline move() {
    old = at;
    if
    :: true
    :: atomic { !mapped[0] -> mapped[at] = false; mapped[0] = true; at = 0 }
    :: atomic { !mapped[1] -> mapped[at] = false; mapped[1] = true; at = 1 }
    :: atomic { !mapped[2] -> mapped[at] = false; mapped[2] = true; at = 2 }
    fi
}

inline remap() {
#if BROKEN == 2
    move();
    take_out(old, 1);
#else
    take_out(at, 1);
#if BROKEN == 3
    unreserve();
#endif
    move();
#endif
    if
    :: bytes_now = 2
    :: old == at  // It has failed.
    fi;
    insert(at, bytes_now)
#if BROKEN == 3
    ; reserve()
#endif
}

proctype thread(byte self) {
    byte at;
    byte old;
    byte bytes_now = 1;
    reserve();
    map();
    insert(at, 1);
    assert(owner[at] == self);
    if
    :: true
    :: remap()
    fi;
    assert(owner[at] == self && size[at] == bytes_now && mapped[at]);
#if BROKEN == 1
    unmap();
    take_out(at, bytes_now);
    unreserve();
#else
    take_out(at, bytes_now);
    unreserve();
    unmap();
#endif
    done++
}

init {
    atomic { run thread(1); run thread(2) };
    done == 2;
    assert(entry_count == 0 && reserved_count == 0);
    assert(owner[0] == NOBODY && owner[1] == NOBODY && owner[2] == NOBODY)
}
