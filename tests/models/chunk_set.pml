// SPDX-License-Identifier: MIT
// ChunkSet: insert, erase and contains, without a lock; with what UnitPool does around them.
//
// Proved, for two threads that each make a chunk, release it, and make another, while a third asks
// about both addresses at any time:
//   - one leaf wins, the other is destroyed once, and nobody looks into it;
//   - no bit is lost: while a chunk is there, `contains` says so;
//   - no bit is left: once all chunks are released, none is set;
//   - where `contains` says so without the asking thread owning anything there, the chunk has had
//     its header written.
//
// Left out: chunks and leaves by number; both chunks are in one word of one leaf. The backing lends
// any address that is not lent, as mmap does.
//
// Each step sees those before it. For what it leaves out: the leaf is zeroed before the
// compare-exchange that publishes it (release), and read with acquire, by the failed
// compare-exchange as well. The bit is set with release after the header was written, and read with
// acquire. Setting and clearing are read-modify-writes of one word, so none is lost. That the bit
// of an address is cleared before the next owner of that address sets it is up to the system:
// munmap comes before the mmap that returns the same address.
//
// broken 1: assertion violated: a leaf is stored, not compared and exchanged
// broken 2: assertion violated: a bit is set by a load and a store
// broken 3: assertion violated: a chunk is released before its bit is cleared
// broken 4: assertion violated: the bit is set before the header is written
#define NONE 255

#define UNMADE 0
#define MADE 1
#define DESTROYED 2

byte place = NONE;
byte leaf[2] = UNMADE;  // That each thread makes.
byte word = 0;          // Of whichever leaf won.
bool mapped[2];
bool has_header[2];
byte done = 0;

inline alloc_chunk() {
    if
    :: atomic { !mapped[0] -> mapped[0] = true; chunk = 0 }
    :: atomic { !mapped[1] -> mapped[1] = true; chunk = 1 }
    fi
}

inline insert() {
    found = place;
    if
    :: found == NONE ->
        leaf[self] = MADE;
#if BROKEN == 1
        place = self;
        found = NONE;
#else
        atomic { found = place; if :: found == NONE -> place = self :: else fi };
#endif
        if
        :: found == NONE -> found = self
        :: else -> atomic { assert(leaf[self] == MADE); leaf[self] = DESTROYED }
        fi
    :: else
    fi;
    assert(leaf[found] == MADE && found == place);
#if BROKEN == 2
    old = word;
    word = old | (1 << chunk)
#else
    word = word | (1 << chunk)
#endif
}

inline erase() { assert(leaf[place] == MADE); word = word & ~(1 << chunk) }

inline release() {
    atomic { has_header[chunk] = false; mapped[chunk] = false }
}

proctype pool(byte self) {
    byte chunk;
    byte found;
    byte rounds = 0;
#if BROKEN == 2
    byte old;
#endif
    do
    :: rounds == 2 -> break
    :: else ->
        rounds++;
        alloc_chunk();
#if BROKEN == 4
        insert();
        has_header[chunk] = true;
#else
        has_header[chunk] = true;
        insert();
#endif
        found = place;
        assert(found != NONE && leaf[found] == MADE);
        assert((word >> chunk) & 1);
#if BROKEN == 3
        release();
        erase()
#else
        erase();
        release()
#endif
    od;
    done++
}

proctype asker() {
    byte found;
    byte chunk;
    if
    :: chunk = 0
    :: chunk = 1
    fi;
    found = place;
    if
    :: found != NONE ->
        assert(leaf[found] == MADE);
        atomic { assert(!((word >> chunk) & 1) || has_header[chunk]) }
    :: else
    fi;
    done++
}

init {
    atomic { run pool(0); run pool(1); run asker() };
    done == 3;
    assert(word == 0);
    assert(leaf[0] != MADE || place == 0);
    assert(leaf[1] != MADE || place == 1)
}
