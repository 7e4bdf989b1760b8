// SPDX-License-Identifier: MIT
// ThreadCachingAllocator::ready_state, CachingState::create, and what a fork finds of them.
//
// Proved, for three threads that use an allocator for the first time at once, while a fourth forks
// at any moment, and where the backing may be out of memory for one of them:
//   - all who get a state get the same one, and it is not destroyed;
//   - a state that lost is destroyed, once, and its creator alone has used it;
//   - what the registry holds is never destroyed, nor not yet constructed, when a fork locks it;
//   - the child's first use of the allocator comes to its end.
//
// Left out: what is in a state. `pthread_atfork` and the key of thread ends are not made here but
// when the library is loaded; broken 4 is how it would be with a function's static variable, whose
// guard the child inherits as it is.
//
// Each step sees those before it. For what it leaves out: `state_` is published by a
// compare-exchange (release) after the constructor, and read with acquire, by the failed
// compare-exchange as well (acq_rel fails with acquire); so whoever has the pointer sees what is
// behind it. The registry is under its lock.
//
// broken 1: assertion violated: the pointer is stored, not compared and exchanged
// broken 2: assertion violated: the loser goes on with its own
// broken 3: assertion violated: the loser is destroyed while it is registered
// broken 4: invalid end state: a static variable of a function is made at the first use
#define NONE 255
#define THREADS 3

#define UNMADE 0
#define MADE 1
#define DESTROYED 2

byte condition[THREADS] = UNMADE;  // Of the state that each thread makes.
bool registered[THREADS];
bool in_use[THREADS];  // By a thread that is not its creator.
byte published = NONE;
bool registry_lock = false;
bool has_failed = false;
byte done = 0;

// Broken 4.
byte guard = 0;  // 1: somebody is making it. 2: made.
byte guard_of_child = 0;

inline lock_registry() { atomic { !registry_lock -> registry_lock = true } }
inline unlock_registry() { registry_lock = false }

inline make_static(a_guard) {
#if BROKEN == 4
    if
    :: atomic { a_guard == 0 -> a_guard = 1 };
       a_guard = 2
    :: a_guard == 2
    fi
#else
    skip
#endif
}

inline use(got) {
    assert(condition[got] == MADE);
    assert(got == published);
    if
    :: got != self -> in_use[got] = true
    :: else
    fi
}

proctype user(byte self) {
    byte current;
    current = published;
    if
    :: current != NONE -> use(current)
    :: else ->
        if
        :: atomic { !has_failed -> has_failed = true };  // Out of memory.
           current = published;
           if
           :: current != NONE -> use(current)
           :: else
           fi
        :: condition[self] = MADE;
           make_static(guard);
           lock_registry();
           registered[self] = true;
           unlock_registry();
#if BROKEN == 1
           if
           :: published == NONE -> published = self; current = NONE
           :: else -> current = published
           fi;
#else
           d_step {
               current = published;
               if :: current == NONE -> published = self :: else fi
           };
#endif
           if
           :: current == NONE -> assert(condition[self] == MADE && published == self)
           :: else ->
#if BROKEN == 2
               assert(condition[self] == MADE && published == self);
#endif
#if BROKEN == 3
               condition[self] = DESTROYED;
#endif
               lock_registry();
               registered[self] = false;
               unlock_registry();
               assert(!in_use[self] && published != self);
#if BROKEN != 3
               assert(condition[self] == MADE);
               condition[self] = DESTROYED;
#endif
               use(current)
           fi
        fi
    fi;
    done++
}

// Its child has what is there while it holds the lock, and no thread but its own.
proctype forker() {
    byte i;
    byte of_child;
    lock_registry();
    for (i : 0 .. THREADS - 1) {
        assert(!registered[i] || condition[i] == MADE)
    };
    atomic { of_child = published; guard_of_child = guard };
    unlock_registry();
    // In the child.
    if
    :: of_child != NONE -> assert(condition[of_child] == MADE)
    :: else -> make_static(guard_of_child)
    fi
}

init {
    byte i;
    atomic { run user(0); run user(1); run user(2); run forker() };
    done == THREADS;
    for (i : 0 .. THREADS - 1) {
        assert(condition[i] != MADE || i == published);
        assert(registered[i] == (i == published))
    }
}
