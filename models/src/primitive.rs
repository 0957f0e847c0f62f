//! What `src/gil/primitive.rs` is to the real crate: atomics and waits, here loom's.
//!
//! Every word shares one bed, so a wake-up wakes more than it need; that is allowed, a lost one is a deadlock, which
//! loom reports.

use loom::lazy_static;
use loom::sync::{Condvar, Mutex};

pub use loom::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

lazy_static! {
    static ref BED: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
}

/// Sleeps while `word` holds `seen`; may return early. As in the kernel, nobody wakes between look and sleep.
pub fn wait(word: &AtomicU32, seen: u32) {
    let (lock, bed) = &*BED;
    let awake = lock.lock().unwrap();
    if word.load(Ordering::SeqCst) == seen {
        drop(bed.wait(awake).unwrap());
    }
}

/// Wakes everyone who waits on `word`.
pub fn wake_all(_word: &AtomicU32) {
    let (lock, bed) = &*BED;
    let _awake = lock.lock().unwrap();
    bed.notify_all();
}

/// Loom treats SeqCst accesses as Acquire and Release; a SeqCst fence it knows.
pub fn write_before_read() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Lets loom run somebody else.
pub fn pause() {
    loom::thread::yield_now();
}

/// A spin, each turn of which lets loom run somebody else.
pub struct Spin(());

impl Spin {
    /// A spin that has not begun.
    #[expect(clippy::new_without_default, reason = "the real one has none either")]
    pub fn new() -> Spin {
        Spin(())
    }

    /// One turn.
    pub fn turn(&self) {
        loom::thread::yield_now();
    }
}
