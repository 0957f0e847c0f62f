//! The busy word: in-place writers may meet each other, but never a structural change.
//!
//! Run: `cargo test -p mini-models`.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use mini_models::busy;
use mini_models::primitive::{AtomicU16, AtomicU64};

const ADDR: u64 = 0x40;

/// An object: loom complains if `with_mut` (a structural change) meets `with` (a write in place).
struct Object {
    lock: AtomicU16,
    body: UnsafeCell<u32>,
    busy: [AtomicU64; 2],
}

impl Object {
    fn new() -> Object {
        Object {
            lock: AtomicU16::new(busy::UNLOCKED),
            body: UnsafeCell::new(0),
            busy: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    fn try_write_in_place(&self, who: usize) -> bool {
        let entered = busy::enter(&self.busy[who], ADDR, &self.lock);
        if entered {
            self.body.with(|_| ());
            busy::leave(&self.busy[who]);
        }
        entered
    }

    fn write(&self, who: usize) {
        if !self.try_write_in_place(who) {
            busy::lock(&self.lock);
            self.body.with(|_| ());
            busy::unlock(&self.lock);
        }
    }

    fn restructure(&self) {
        busy::lock(&self.lock);
        for word in &self.busy {
            busy::wait_until_not(word, ADDR);
        }
        self.body.with_mut(|_| ());
        busy::unlock(&self.lock);
    }
}

fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(body);
}

// Loom wants few spinning threads at a time, so the writer's way over the lock has a model of its own.

#[test]
fn a_structural_change_meets_no_writer() {
    model(|| {
        let object = Arc::new(Object::new());
        let writers = [0, 1].map(|who| {
            let object = object.clone();
            thread::spawn(move || {
                object.try_write_in_place(who);
            })
        });
        object.restructure();
        writers.into_iter().for_each(|w| w.join().unwrap());
    });
}

#[test]
fn a_writer_that_came_too_late_takes_the_lock() {
    model(|| {
        let object = Arc::new(Object::new());
        let writer = {
            let object = object.clone();
            thread::spawn(move || {
                object.write(0);
                object.write(0);
            })
        };
        object.restructure();
        writer.join().unwrap();
    });
}

#[test]
fn structural_changes_do_not_meet() {
    model(|| {
        let object = Arc::new(Object::new());
        let other = {
            let object = object.clone();
            thread::spawn(move || object.restructure())
        };
        object.restructure();
        other.join().unwrap();
    });
}
