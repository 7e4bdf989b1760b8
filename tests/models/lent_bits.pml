// SPDX-License-Identifier: MIT
// CachingState::mark_lent: where hardened, each slot has a bit that says whether it is lent out.
//
// Proved, for two threads that free the same slot at once, while another slot of the same word is
// freed and lent again, and where the first may be lent again meanwhile:
//   - exactly one of the two frees goes through, unless the slot was lent again between them: then
//     the second is a free of that allocation, which nothing can tell;
//   - the slot is never twice in the bins;
//   - the bit of the other slot is right.
//
// Left out: which bin a slot is in; it is as good as the depot. A free that is refused stops the
// program; here it stops nothing, so that all that others may still do is tried as well.
//
// Each step sees those before it. That is enough: each bit has one order of changes, and what goes
// with a slot from thread to thread goes through the lock of a depot.
//
// broken 1: assertion violated: the bit is looked at and cleared in two steps
// broken 2: assertion violated: the word is read, changed and stored
// broken 3: assertion violated: the slot is in a bin before its bit is cleared
#define SLOT 1
#define OTHER 2

byte word = 3;
byte copies = 0;        // Of SLOT, in bins.
byte other_copies = 0;
byte freed = 0;         // Times that freeing SLOT went through.
byte lent_again = 0;
byte done = 0;

inline mark_free(which) {
#if BROKEN == 1
    was_lent = (word & which) != 0;
    word = word & ~which
#elif BROKEN == 2
    old = word;
    was_lent = (old & which) != 0;
    word = old & ~which
#else
    atomic { was_lent = (word & which) != 0; word = word & ~which }
#endif
}

inline mark_lent(which) {
#if BROKEN == 2
    old = word;
    word = old | which
#else
    atomic { assert((word & which) == 0); word = word | which }
#endif
}

proctype freeing() {
    bool was_lent;
#if BROKEN == 2
    byte old;
#endif
#if BROKEN == 3
    copies++;
    assert(copies <= 1);
#endif
    mark_free(SLOT);
    if
    :: was_lent ->
        freed++;
#if BROKEN != 3
        atomic { copies++; assert(copies <= 1) }
#endif
    :: else
    fi;
    done++
}

proctype allocating() {
#if BROKEN == 2
    byte old;
#endif
    if
    :: true
    :: atomic { copies > 0 -> copies-- };
       lent_again++;
       mark_lent(SLOT)
    :: atomic { done >= 2 && copies == 0 }  // There was nothing to lend.
    fi;
    done++
}

proctype neighbour() {
    bool was_lent;
    byte rounds = 0;
#if BROKEN == 2
    byte old;
#endif
    do
    :: rounds == 2 -> break
    :: else ->
        rounds++;
        mark_free(OTHER);
        assert(was_lent);
        atomic { other_copies++; assert(other_copies == 1) };
        atomic { assert(other_copies == 1); other_copies-- };
        mark_lent(OTHER)
    od;
    done++
}

init {
    atomic { run freeing(); run freeing(); run allocating(); run neighbour() };
    done == 4;
    assert(freed >= 1 && freed <= 1 + lent_again);
    assert(copies == freed - lent_again);
    assert(((word & SLOT) != 0) == (copies == 0));
    assert((word & OTHER) != 0)
}
