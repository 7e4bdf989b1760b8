// SPDX-License-Identifier: MIT
// UnitPool::purge_chunk and the release of chunks, which give up the lock while the kernel or the
// backing is called.
//
// Proved, for two threads that take a unit, use it and give it back, and purge afterwards or not,
// and for one that only purges, with chunks of two units:
//   - no unit that is lent out is purged, and none is lent twice;
//   - no chunk is released of which a unit is lent out or being purged, nor twice; and nobody looks
//     into one that is released;
//   - whenever nobody holds the lock, the counts are those that one gets by counting;
//   - no unit gets lost: in the end each is free.
//
// Left out: runs of several units, which units are used first, how much is retained (any purge may
// happen at any time), and the header of a chunk, which is released with it.
//
// Each step sees those before it: everything changes under the lock, but what is in the pages.
//
// broken 1: assertion violated: the units that are being purged may be taken
// broken 2: assertion violated: the units that are being purged count as free units of their chunk
// broken 3: assertion violated: a chunk is released before it is removed
// broken 4: assertion violated: what is purged stays dirty, and is purged by two at once
#define CHUNKS 2
#define UNITS 4  // Unit u is of chunk u / 2.

bool mapped[CHUNKS];  // From the backing.
bool known[CHUNKS];   // Listed in the pool.
byte chunk_free_count[CHUNKS];
bool is_free[UNITS];
bool is_dirty[UNITS];
bool is_lent[UNITS];
bool is_purged[UNITS];  // At this moment.
byte content[UNITS];
byte dirty_count = 0;
byte free_chunk_count = 0;
byte used_count = 0;
bool pool_lock = false;
byte done = 0;

inline lock_pool() { atomic { !pool_lock -> pool_lock = true } }

// Counts, as `is_valid` does, and gives up the lock. Where the model is broken, it is not about the
// counts, but about what comes of that.
inline unlock_pool() {
    atomic {
#if BROKEN == 0
        assert(dirty_count == is_dirty[0] + is_dirty[1] + is_dirty[2] + is_dirty[3]);
        assert(chunk_free_count[0] == is_free[0] + is_free[1]);
        assert(chunk_free_count[1] == is_free[2] + is_free[3]);
        assert(free_chunk_count == (chunk_free_count[0] == 2) + (chunk_free_count[1] == 2));
        assert(used_count == 2 * (known[0] + known[1]) - chunk_free_count[0] - chunk_free_count[1]);
#endif
        pool_lock = false
    }
}

inline free_unit(u, dirty) {
    assert(known[(u) / 2] && mapped[(u) / 2] && (!is_free[u] || BROKEN == 1));
    is_free[u] = true;
    if
    :: dirty -> is_dirty[u] = true; dirty_count++
    :: else
    fi;
    chunk_free_count[(u) / 2]++;
    if
    :: chunk_free_count[(u) / 2] == 2 -> free_chunk_count++
    :: else
    fi
}

inline take_unit(u) {
    if
    :: chunk_free_count[(u) / 2] == 2 -> free_chunk_count--
    :: else
    fi;
    if
    :: is_dirty[u] -> is_dirty[u] = false; dirty_count--
    :: else
    fi;
    is_free[u] = false;
    chunk_free_count[(u) / 2]--;
    used_count++;
    assert(!is_lent[u]);
    is_lent[u] = true
}

inline add_chunk(c) {
    unlock_pool();
    if
    :: atomic { !mapped[0] -> mapped[0] = true; c = 0 }
    :: atomic { !mapped[1] -> mapped[1] = true; c = 1 }
    fi;
    lock_pool();
    atomic {
        known[c] = true;
        is_free[2 * c] = true;
        is_free[2 * c + 1] = true;
        chunk_free_count[c] = 2;
        free_chunk_count++;
        unit = 2 * c
    }
}

// Any unit that is free.
inline take() {
    lock_pool();
    if
    :: is_free[0] -> unit = 0
    :: is_free[1] -> unit = 1
    :: is_free[2] -> unit = 2
    :: is_free[3] -> unit = 3
    :: !is_free[0] && !is_free[1] && !is_free[2] && !is_free[3] -> add_chunk(c)
    fi;
    atomic { take_unit(unit) };
    unlock_pool()
}

inline give() {
    lock_pool();
    atomic {
        assert(is_lent[unit]);
        is_lent[unit] = false;
        used_count--;
        free_unit(unit, true)
    };
    unlock_pool()
}

// The dirty units of one chunk.
inline purge_chunk() {
    atomic {
        if
        :: is_dirty[0] || is_dirty[1] -> c = 0
        :: is_dirty[2] || is_dirty[3] -> c = 1
        fi;
        if
        :: chunk_free_count[c] == 2 -> free_chunk_count--
        :: else
        fi;
        first = is_dirty[2 * c];
        second = is_dirty[2 * c + 1];
        count = first + second;
#if BROKEN != 1
        is_free[2 * c] = is_free[2 * c] && !first;
        is_free[2 * c + 1] = is_free[2 * c + 1] && !second;
#endif
#if BROKEN != 4
        is_dirty[2 * c] = false;
        is_dirty[2 * c + 1] = false;
        dirty_count = dirty_count - count;
#endif
#if BROKEN != 2
        chunk_free_count[c] = chunk_free_count[c] - count;
#endif
        used_count = used_count + count
    };
    unlock_pool();
    purge_pages(2 * c, first);
    purge_pages(2 * c + 1, second);
    lock_pool();
    atomic {
        used_count = used_count - count;
        if
        :: first -> free_unit(2 * c, false)
        :: else
        fi;
        if
        :: second -> free_unit(2 * c + 1, false)
        :: else
        fi
    }
}

inline purge_pages(u, wanted) {
    if
    :: wanted ->
        atomic {
            assert(mapped[(u) / 2] && !is_lent[u] && !is_purged[u]);
            is_purged[u] = true
        };
        atomic {
            assert(mapped[(u) / 2] && !is_lent[u]);
            content[u] = 0;
            is_purged[u] = false
        }
    :: else
    fi
}

inline release_chunk() {
    atomic {
        if
        :: known[0] && chunk_free_count[0] == 2 && !is_dirty[0] && !is_dirty[1] -> c = 0
        :: known[1] && chunk_free_count[1] == 2 && !is_dirty[2] && !is_dirty[3] -> c = 1
        fi
    };
#if BROKEN == 3
    unlock_pool();
    unmap();
    lock_pool();
#endif
    atomic {
        known[c] = false;
        is_free[2 * c] = false;
        is_free[2 * c + 1] = false;
        chunk_free_count[c] = 0;
        free_chunk_count--
    };
#if BROKEN != 3
    unlock_pool();
    unmap();
    lock_pool();
#endif
}

inline unmap() {
    atomic {
        assert(mapped[c]);
        assert(!is_lent[2 * c] && !is_lent[2 * c + 1]);
        assert(!is_purged[2 * c] && !is_purged[2 * c + 1]);
        mapped[c] = false
    }
}

inline purge() {
    lock_pool();
    do
    :: is_dirty[0] || is_dirty[1] || is_dirty[2] || is_dirty[3] -> purge_chunk()
    :: (known[0] && chunk_free_count[0] == 2 && !is_dirty[0] && !is_dirty[1]) ||
       (known[1] && chunk_free_count[1] == 2 && !is_dirty[2] && !is_dirty[3]) -> release_chunk()
    :: break
    od;
    unlock_pool()
}

proctype user(byte self) {
    byte unit;
    byte c;
    bool first;
    bool second;
    byte count;
    take();
    content[unit] = self;
    assert(content[unit] == self && mapped[unit / 2]);
    give();
    if
    :: true
    :: purge()
    fi;
    done++
}

proctype purger() {
    byte c;
    bool first;
    bool second;
    byte count;
    purge();
    done++
}

init {
    atomic { run user(1); run user(2); run purger() };
    done == 3;
    assert(used_count == 0);
    assert(!is_purged[0] && !is_purged[1] && !is_purged[2] && !is_purged[3]);
    assert(known[0] == mapped[0] && known[1] == mapped[1])
}
