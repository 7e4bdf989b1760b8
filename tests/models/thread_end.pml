// SPDX-License-Identifier: MIT
// The end of threads (end_thread, CachingState::leave, retire) while their allocator is destroyed
// (CachingState::destroy), and a fork at any moment.
//
// Proved, for two threads and one that also forks, each of which makes a cache, uses the allocator,
// and ends, before, during or after its destruction, which begins once all have used it:
//   - nobody touches the state or a cache that was freed, or variables of a thread that is gone;
//   - nothing is freed twice, and in the end everything is;
//   - nobody waits for ever; nor does the thread that forked, when it ends in the child.
//
// Left out: what is in a cache; giving it back is to lock a depot. That all have used it before is
// the contract of the destructor. Where a thread yields until the count is 0, it waits here.
//
// Each step sees those before it. For what it leaves out: all but `retiring` changes under the
// registry's lock or belongs to one thread. The count is raised under that lock, which the
// destroyer takes before it looks; it is lowered with release and read with acquire, so that what
// a thread did before is done when its cache no longer counts.
//
// broken 1: assertion violated: a cache counts as on its way only once the lock is given up
// broken 2: assertion violated: the destroyer does not wait
// broken 3: assertion violated: the count is lowered before the cache is freed
// broken 4: assertion violated: a thread looks for its bins before it takes the lock
// broken 5: assertion violated: the state leaves the registry first, and its bins are closed later
#define THREADS 3
#define FORKER 2

#define UNMADE 0
#define MADE 1
#define FREED 2

byte state = MADE;
byte cache[THREADS] = UNMADE;
bool listed[THREADS];
bool has_bins[THREADS];  // A thread-local variable of each.
bool gone[THREADS];      // Those variables.
byte retiring = 0;
bool registered = true;
bool registry_lock = false;
bool depot_lock = false;
byte used = 0;
byte done = 0;

inline lock_registry() { atomic { !registry_lock -> registry_lock = true } }
inline unlock_registry() { registry_lock = false }

inline add_cache(self) {
    cache[self] = MADE;
    lock_registry();
    listed[self] = true;
    has_bins[self] = true;
    unlock_registry()
}

inline retire(self) {
    assert(state == MADE && cache[self] == MADE);
    atomic { !depot_lock -> depot_lock = true };
    assert(state == MADE && cache[self] == MADE);
    depot_lock = false;
#if BROKEN == 3
    atomic { assert(state == MADE); retiring-- };
#endif
    atomic { assert(state == MADE && cache[self] == MADE); cache[self] = FREED };
#if BROKEN != 3
    atomic { assert(state == MADE); retiring-- }
#endif
}

inline end_thread(self) {
#if BROKEN == 4
    has = has_bins[self];
    lock_registry();
#else
    lock_registry();
    has = has_bins[self];
#endif
    if
    :: !has -> unlock_registry()
    :: else ->
        has_bins[self] = false;
        assert(state == MADE && cache[self] == MADE && listed[self]);
        listed[self] = false;
#if BROKEN == 1
        unlock_registry();
        retiring++;
#else
        retiring++;
        unlock_registry();
#endif
        retire(self)
    fi;
    gone[self] = true
}

proctype thread(byte self) {
    bool has;
    add_cache(self);
    used++;
    end_thread(self);
    done++
}

proctype forking() {
    bool has;
    bool locked = false;
    add_cache(FORKER);
    used++;
    if
    :: true
    :: lock_registry();
       if
       :: registered -> locked = true; atomic { !depot_lock -> depot_lock = true }
       :: else
       fi;
       // The child ends this thread, if it has bins, and then takes the depot's lock: it must be
       // the fork that held it.
       assert(!has_bins[FORKER] || locked || !depot_lock);
       if
       :: locked -> depot_lock = false
       :: else
       fi;
       unlock_registry()
    fi;
    end_thread(FORKER);
    done++
}

proctype destroyer() {
    byte i;
    bool taken[THREADS];
    used == THREADS;
    lock_registry();
    registered = false;
#if BROKEN == 5
    unlock_registry();
    lock_registry();
#endif
    for (i : 0 .. THREADS - 1) {
        if
        :: listed[i] ->
            taken[i] = true;
            listed[i] = false;
            assert(!gone[i]);
            has_bins[i] = false
        :: else
        fi
    }
    unlock_registry();
    for (i : 0 .. THREADS - 1) {
        if
        :: taken[i] -> atomic { assert(cache[i] == MADE); cache[i] = FREED }
        :: else
        fi
    }
#if BROKEN != 2
    retiring == 0;
#endif
    assert(!depot_lock);
    state = FREED;
    done++
}

init {
    byte i;
    atomic { run thread(0); run thread(1); run forking(); run destroyer() };
    done == THREADS + 1;
    assert(state == FREED && retiring == 0);
    for (i : 0 .. THREADS - 1) {
        assert(cache[i] == FREED && !listed[i] && !has_bins[i])
    }
}
