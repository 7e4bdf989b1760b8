// SPDX-License-Identifier: MIT
// platform::Lock, a mutex of three states over a futex.
//
// Proved, for three threads that lock it, two of them twice, and a fourth that only tries:
//   - two threads are never inside at the same time;
//   - no wake-up is lost: all threads get to their ends.
//
// A futex is a queue that the kernel keeps: waiting compares and goes to sleep in one step, waking
// takes one sleeper. It may also return for no reason, which is tried once. Spinning is left
// out: it is a number of attempts of `try_lock`, and one is modelled.
//
// Each step sees those before it. That is enough: `state` is one atomic, and so has one order. What
// is read and written inside is ordered by the acquire of the exchange or compare-exchange that
// reads the 0 which the release in `unlock` stored.
//
// broken 1: invalid end state: a waiter takes the lock as if nobody else could be waiting
// broken 2: invalid end state: unlock wakes nobody
// broken 3: assertion violated: it is looked at and taken in two steps
// broken 4: invalid end state: a thread sleeps without comparing
#define FREE 0
#define HELD 1
#define AWAITED 2

byte state = FREE;
byte inside = 0;
bool sleeps[3];
bool interrupted = false;

inline try_lock(taken) {
#if BROKEN == 3
    taken = (state == FREE);
    if :: taken -> state = HELD :: else fi
#else
    d_step { taken = (state == FREE); if :: taken -> state = HELD :: else fi }
#endif
}

inline futex_wait(self) {
#if BROKEN == 4
    sleeps[self] = true;
#else
    d_step { if :: state == AWAITED -> sleeps[self] = true :: else fi };
#endif
    if
    :: !sleeps[self]                              // Woken, or never asleep.
    :: atomic { sleeps[self] && !interrupted -> sleeps[self] = false; interrupted = true }
    fi
}

inline futex_wake_one() {
    if
    :: atomic { sleeps[0] -> sleeps[0] = false }
    :: atomic { sleeps[1] -> sleeps[1] = false }
    :: atomic { sleeps[2] -> sleeps[2] = false }
    :: atomic { !sleeps[0] && !sleeps[1] && !sleeps[2] }
    fi
}

inline lock_slowly(self, old) {
    do
    :: atomic {
#if BROKEN == 1
           old = state; state = (state == FREE -> HELD : AWAITED);
#else
           old = state; state = AWAITED;
#endif
       };
       if
       :: old == FREE -> break
       :: else -> futex_wait(self)
       fi
    od
}

inline unlock(old) {
    d_step { old = state; state = FREE };
#if BROKEN != 2
    if
    :: old == AWAITED -> futex_wake_one()
    :: else
    fi
#endif
}

inline work() {
    inside++;
    assert(inside == 1);
    inside--
}

proctype locker(byte self; byte rounds) {
    bool taken;
    byte old;
    do
    :: rounds == 0 -> break
    :: else ->
        rounds--;
        try_lock(taken);
        if
        :: !taken -> lock_slowly(self, old)
        :: else
        fi;
        work();
        unlock(old)
    od
}

proctype trier() {
    bool taken;
    byte old;
    try_lock(taken);
    if
    :: taken -> work(); unlock(old)
    :: else
    fi
}

init { atomic { run locker(0, 2); run locker(1, 2); run locker(2, 1); run trier() } }
