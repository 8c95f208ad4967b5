//! No allocation of ours between taking a command and publishing it.
//!
//! An allocator that counts for threads that ask for it. `pure` drives codec and gate alone, all
//! verdicts of all five types; `on_rcl` runs the real gate thread on a real rcl and counts while
//! commands flow (what the middleware allocates in C is not ours and not counted); `burst` shows
//! what the same thread leaves for a stop that it can no longer make itself; `stops` what it does
//! in which order when it stops, `clocks` what it does when its clocks jump, and `description` an arm
//! with new limits. `calls` sees and holds what it asks of rcl.

#![expect(unsafe_code, reason = "a counting allocator, and functions that stand before rcl's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

mod burst;
mod calls;
mod clocks;
mod description;
mod gate;
mod lanes;
mod on_rcl;
mod pure;
mod stops;
#[path = "../support/mod.rs"]
mod support;

struct Counting;

thread_local! {
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// Counts this thread from here on.
fn count_this_thread() {
    COUNTED.set(true);
}

/// Whether this is one.
fn is_counted() -> bool {
    COUNTED.get()
}

/// Allocations of counted threads so far. Each test that counts runs in a process of its own.
fn allocations() -> u64 {
    // SeqCst: read by another thread than the one counted, after what it waited for.
    ALLOCATIONS.load(Ordering::SeqCst)
}

// SAFETY: hands everything on to the system's allocator; counting touches no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Layout) -> *mut u8 {
        if COUNTED.get() {
            ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        }
        // SAFETY: as the caller promised.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, memory: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, memory) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;
