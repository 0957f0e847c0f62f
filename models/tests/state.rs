//! Attach, detach and stop-the-world: nobody touches the heap while the world is stopped, no wake-up of the stopper
//! is lost, everyone comes back; and the same while the GIL is switched on under running threads.
//!
//! Run: `cargo test -p mini-models`.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, Notify};
use loom::thread;
use mini_models::primitive::{AtomicU32, Ordering, wait, wake_all};
use mini_models::state::{STOP_WORLD, Slot, State};

/// The owner word: nobody, no GIL, or the stopper; a member's number is its index.
const FREE: u32 = 100;
const OFF: u32 = 101;
const STOPPER: u32 = 102;

struct World {
    slots: Vec<Slot>,
    owner: AtomicU32,
    /// Stands for the futex word on which the stopper sleeps: loom reports a deadlock if a wake-up is lost.
    progress: Notify,
    /// `with`: a running thread; `with_mut`: the stopper.
    heap: UnsafeCell<u32>,
    /// `with_mut`: whoever runs under the GIL.
    guarded: UnsafeCell<u32>,
}

impl World {
    fn new(states: &[State], owner: u32) -> Arc<World> {
        Arc::new(World {
            slots: states.iter().map(|s| Slot::new(*s)).collect(),
            owner: AtomicU32::new(owner),
            progress: Notify::new(),
            heap: UnsafeCell::new(0),
            guarded: UnsafeCell::new(0),
        })
    }

    fn leave(&self, me: usize) {
        if self.slots[me].leave() {
            self.progress.notify();
        }
    }

    fn touch_heap(&self) {
        self.heap.with(|_| ());
    }

    fn poll(&self, me: usize) {
        if self.slots[me].breaker().load(Ordering::Relaxed) & STOP_WORLD != 0 {
            self.leave(me);
            self.slots[me].enter();
        }
    }

    fn stop(&self, work: impl FnOnce()) {
        self.slots.iter().for_each(Slot::stop);
        while !self.slots.iter().all(Slot::try_park) {
            self.progress.wait();
        }
        self.heap.with_mut(|_| ());
        work();
        self.slots.iter().for_each(Slot::resume);
    }

    fn free_gil(&self) {
        self.owner.store(FREE, Ordering::SeqCst);
        wake_all(&self.owner);
    }

    /// As `world.rs` comes back: by the GIL if there is one, else by the state alone, looked at twice.
    fn come_back(&self, me: usize) -> bool {
        loop {
            if self.owner.load(Ordering::SeqCst) != OFF {
                match self.owner.compare_exchange(FREE, me as u32, Ordering::SeqCst, Ordering::SeqCst) {
                    Ok(_) => {
                        self.slots[me].enter();
                        return true;
                    }
                    Err(OFF) => {}
                    Err(holder) => wait(&self.owner, holder),
                }
            } else if self.slots[me].try_enter() {
                if self.owner.load(Ordering::SeqCst) == OFF {
                    return false;
                }
                self.leave(me);
            } else {
                self.slots[me].wait_while_stopped();
            }
        }
    }
}

fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(body);
}

#[test]
fn a_thread_in_a_blocking_call_cannot_come_back_into_a_stopped_world() {
    model(|| {
        let world = World::new(&[State::Running], OFF);
        let member = {
            let world = world.clone();
            thread::spawn(move || {
                world.touch_heap();
                world.leave(0);
                world.slots[0].enter();
                world.touch_heap();
                world.leave(0);
            })
        };
        world.stop(|| ());
        member.join().unwrap();
    });
}

#[test]
fn running_threads_stand_still_at_their_polls() {
    model(|| {
        let world = World::new(&[State::Running, State::Detached], OFF);
        let members = [0, 1].map(|me| {
            let world = world.clone();
            thread::spawn(move || {
                if me == 1 {
                    world.slots[me].enter();
                }
                world.touch_heap();
                world.poll(me);
                world.touch_heap();
                world.leave(me);
            })
        });
        world.stop(|| ());
        members.into_iter().for_each(|m| m.join().unwrap());
    });
}

#[test]
fn two_stops_in_a_row_let_everyone_go_on() {
    model(|| {
        let world = World::new(&[State::Running], OFF);
        let member = {
            let world = world.clone();
            thread::spawn(move || {
                world.touch_heap();
                world.poll(0);
                world.touch_heap();
                world.leave(0);
            })
        };
        world.stop(|| ());
        world.stop(|| ());
        member.join().unwrap();
        assert_eq!(world.slots[0].state(), State::Detached);
    });
}

#[test]
fn switching_the_gil_on_leaves_one_running() {
    model(|| {
        let world = World::new(&[State::Detached, State::Detached], OFF);
        let members = [0, 1].map(|me| {
            let world = world.clone();
            thread::spawn(move || {
                let with_gil = world.come_back(me);
                world.touch_heap();
                if with_gil {
                    world.guarded.with_mut(|_| ());
                } else {
                    assert_eq!(world.owner.load(Ordering::SeqCst), OFF, "runs without the GIL that there is");
                }
                world.leave(me);
                if with_gil {
                    world.free_gil();
                }
            })
        });
        world.stop(|| world.owner.store(STOPPER, Ordering::SeqCst));
        // The stopper is Running, and alone, until it lets go.
        world.guarded.with_mut(|_| ());
        world.free_gil();
        members.into_iter().for_each(|m| m.join().unwrap());
    });
}
