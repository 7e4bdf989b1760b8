// SPDX-License-Identifier: MIT
// A bin, its depot, and a fork between any two stores of the thread whose bin it is. The child
// adopts the bin of that thread, which it does not have: see thread_bins.hpp, ThreadCache and
// CachingState::adopt_orphans.
//
// Proved, for any sequence of allocations and frees of three slots, by a bin of two entries:
//   - at every moment at which a fork may happen, no slot is twice among what is lent out, the
//     entries of the bin below its top, and the depot: the child lends no slot twice;
//   - of pop and push at most one slot is lost to the child, of the calls that move a batch at
//     most that batch, and between calls none.
//
// Left out: sizes, and slabs, which are behind the depot and under its lock. The fork holds that
// lock. It copies pages one after the other while the thread goes on; but a store to a page that
// was copied stops the thread until the fork has ended, so that the child has a prefix of the
// thread's stores, which is what is looked at here in one step.
//
// Stores are seen in their order here. The code sees to it with a release store of `top`; broken 1
// is what a machine, or a compiler, may make of a relaxed one. Where an entry leaves the bin, the
// order is that of the depot's lock, which the fork takes: what was stored before it is seen.
//
// broken 1: assertion violated: push stores the top before the entry
// broken 2: assertion violated: to make room, entries are given before the top is lowered
// broken 3: assertion violated: a bin is emptied before the top is lowered
// broken 4: assertion violated: refill raises the top before it takes
#define SLOTS 3
#define ENTRIES 2

byte entry[ENTRIES];
byte top = 0;
bool in_depot[SLOTS] = true;
bool lent[SLOTS];
bool depot_lock = false;
byte loss_max = 0;  // What the thread may have in its hands.
byte calls = 0;
byte done = 0;

inline lock_depot() { atomic { !depot_lock -> depot_lock = true } }
inline unlock_depot() { depot_lock = false }

// What the user does with a slot is a step of its own.
inline pop() {
    loss_max = 1;
    slot = entry[top - 1];
    top--;
    atomic { lent[slot] = true; loss_max = 0 }
}

inline push() {
    if
    :: atomic { lent[0] -> slot = 0; lent[0] = false; loss_max = 1 }
    :: atomic { lent[1] -> slot = 1; lent[1] = false; loss_max = 1 }
    :: atomic { lent[2] -> slot = 2; lent[2] = false; loss_max = 1 }
    fi;
#if BROKEN == 1
    top++;
    entry[top - 1] = slot;
#else
    entry[top] = slot;
    top++;
#endif
    loss_max = 0
}

inline take_batch() {
    slot = 0;
    count = 0;
    do
    :: slot == SLOTS || count == ENTRIES -> break
    :: else ->
        if
        :: in_depot[slot] -> in_depot[slot] = false; entry[count] = slot; count++
        :: else
        fi;
        slot++
    od
}

inline refill() {
    loss_max = ENTRIES;
#if BROKEN == 4
    top = 1;
#endif
    lock_depot();
    take_batch();
    unlock_depot();
    top = count;
    loss_max = 0
}

inline make_room() {
    loss_max = ENTRIES;
#if BROKEN != 2
    top = 0;
#endif
    lock_depot();
    in_depot[entry[0]] = true;
    unlock_depot();
    entry[0] = entry[1];
    top = 1;
    loss_max = 0
}

inline empty_bin() {
    loss_max = ENTRIES;
    count = top;
#if BROKEN != 3
    top = 0;
#endif
    lock_depot();
    do
    :: count == 0 -> break
    :: else -> count--; in_depot[entry[count]] = true
    od;
    unlock_depot();
    top = 0;
    loss_max = 0
}

proctype thread() {
    byte slot;
    byte count;
    do
    :: calls == 8 -> break
    :: calls < 8 -> calls++;
       if
       :: top > 0 -> pop()
       :: top == 0 && (in_depot[0] || in_depot[1] || in_depot[2]) -> refill()
       :: top < ENTRIES && (lent[0] || lent[1] || lent[2]) -> push()
       :: top == ENTRIES -> make_room()
       :: empty_bin()
       fi
    od;
    done++
}

proctype forking() {
    byte slot;
    byte i;
    byte places;
    byte lost = 0;
    atomic {
        !depot_lock;
        slot = 0;
        do
        :: slot == SLOTS -> break
        :: else ->
            places = in_depot[slot] + lent[slot];
            i = 0;
            do
            :: i == top -> break
            :: else -> places = places + (entry[i] == slot); i++
            od;
            assert(places <= 1);
            lost = lost + (places == 0);
            slot++
        od;
        assert(lost <= loss_max)
    };
    done++
}

init { atomic { run thread(); run forking() }; done == 2 }
