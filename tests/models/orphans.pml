// SPDX-License-Identifier: MIT
// The child of a fork: CachingState::expect_orphans, adopt_orphans, and then threads that begin and
// end, and the destruction of the allocator.
//
// Proved, where the parent had a thread with a cache and another that was giving its cache back,
// and the child starts two threads, one of which has its thread-local variables where that of the
// parent had them:
//   - nobody gives back or frees the cache of a thread that is still there;
//   - the cache that the fork left behind is freed once: by the first slow call, if there is one;
//   - the variables of the thread that is not there are not written to;
//   - all get to their ends: destroy() does not wait for what no thread is going to finish.
//
// Left out: what is in the caches, see fork_bins.pml.
//
// Each step sees those before it. For what it leaves out: the list and `home` change under the
// registry's lock. The flag is relaxed, because it is only a reason to look under that lock.
//
// broken 1: assertion violated: whatever has another home than this thread's is an orphan
// broken 2: invalid end state: those that were giving their caches back still count
// broken 3: assertion violated: the flag is cleared in a second step, and the list has no lock
// broken 4: assertion violated: destroy() closes the bins at every home
#define MAIN 0  // The thread that forked, and caches by thread.
#define ORPHAN 3
#define CACHES 4
#define NOWHERE 255

#define UNMADE 0
#define MADE 1
#define FREED 2

byte cache[CACHES] = UNMADE;
byte home[CACHES];
bool listed[CACHES];
bool has_bins[CACHES];
bool has_orphans = false;
byte retiring = 1;
bool registry_lock = false;
bool had_slow_call = false;
byte ended = 0;

// Thread 2 lives where the parent's thread lived.
#define HOME_OF(who) (who == 2 -> ORPHAN : who)

inline lock_registry() { atomic { !registry_lock -> registry_lock = true } }
inline unlock_registry() { registry_lock = false }

inline use(who) { assert(cache[who] == MADE && has_bins[who]) }

inline retire(which) {
    atomic { assert(cache[which] == MADE); cache[which] = FREED };
    retiring--
}

inline adopt_orphans(who) {
    had_slow_call = true;
#if BROKEN == 3
    found = has_orphans;
    has_orphans = false;
#else
    atomic { found = has_orphans; has_orphans = false };
    lock_registry();
#endif
    if
    :: found ->
        for (i : 0 .. CACHES - 1) {
            taken[i] = false;
            if
#if BROKEN == 1
            :: listed[i] && home[i] != HOME_OF(who) ->
#else
            :: listed[i] && home[i] == NOWHERE ->
#endif
                taken[i] = true;
                listed[i] = false;
                retiring++
            :: else
            fi
        }
    :: else
    fi;
#if BROKEN != 3
    unlock_registry();
#endif
    if
    :: found ->
        for (i : 0 .. CACHES - 1) {
            if
            :: taken[i] -> retire(i)
            :: else
            fi
        }
    :: else
    fi
}

inline add_cache(who) {
    cache[who] = MADE;
    lock_registry();
    home[who] = HOME_OF(who);
    listed[who] = true;
    has_bins[who] = true;
    unlock_registry()
}

inline end_thread(who) {
    lock_registry();
    assert(has_bins[who] && listed[who]);
    has_bins[who] = false;
    listed[who] = false;
    retiring++;
    unlock_registry();
    retire(who)
}

inline maybe_slow_call(who) {
    if
    :: true
    :: adopt_orphans(who)
    fi
}

proctype thread(byte self) {
    byte i;
    bool found;
    bool taken[CACHES];
    add_cache(self);
    use(self);
    maybe_slow_call(self);
    use(self);
    end_thread(self);
    ended++
}

inline expect_orphans() {
    for (i : 0 .. CACHES - 1) {
        if
        :: listed[i] && i != MAIN ->
#if BROKEN != 1 && BROKEN != 4
            home[i] = NOWHERE;
#endif
            has_orphans = true
        :: else
        fi
    }
#if BROKEN != 2
    retiring = 0;
#endif
}

inline destroy() {
    lock_registry();
    for (i : 0 .. CACHES - 1) {
        taken[i] = listed[i];
        listed[i] = false;
        if
        :: taken[i] && home[i] != NOWHERE ->
            assert(home[i] != ORPHAN || BROKEN == 1);
            has_bins[i] = false
        :: else
        fi
    }
    unlock_registry();
    for (i : 0 .. CACHES - 1) {
        if
        :: taken[i] -> atomic { assert(cache[i] == MADE); cache[i] = FREED }
        :: else
        fi
    }
    retiring == 0
}

init {
    byte i;
    bool found;
    bool taken[CACHES];
    // The parent.
    atomic {
        cache[MAIN] = MADE; home[MAIN] = MAIN; listed[MAIN] = true; has_bins[MAIN] = true;
        cache[ORPHAN] = MADE; home[ORPHAN] = ORPHAN; listed[ORPHAN] = true;
        // The child.
        expect_orphans();
        run thread(1); run thread(2)
    };
    use(MAIN);
    maybe_slow_call(MAIN);
    use(MAIN);
    ended == 2;
    assert(!had_slow_call || cache[ORPHAN] == FREED);
    destroy();
    for (i : 0 .. CACHES - 1) {
        assert(cache[i] == FREED)
    }
}
