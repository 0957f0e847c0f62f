//! The heap of a loop's timers: what is due when. Their values lie in a list, where the collector sees them.
//! Must not know what becomes of one that is due.

use crate::object::layout::List;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, Word, list};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Cancelled timers are thrown out when they are more than this many, and more than half.
const TOO_MANY: usize = 100;

struct Entry {
    when: f64,
    /// What is due at the same time comes in the order it was asked for.
    order: u64,
    /// The place of its value in the list.
    place: u32,
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        self.when.total_cmp(&other.when).then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[derive(Default)]
struct State {
    heap: BinaryHeap<Reverse<Entry>>,
    free: Vec<u32>,
    places: u32,
    order: u64,
}

/// The timers of one loop.
#[derive(Default)]
pub struct Timers {
    state: Mutex<State>,
    cancelled: AtomicUsize,
}

fn value_at(values: &'static List, place: u32) -> Word {
    list::items(values).get(place as usize).and_then(|slot| slot.get())
}

impl Timers {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a timer; `values` is the loop's list for them.
    pub fn add(&self, m: &mut Mutator, values: &'static List, when: f64, v: Value) -> R<()> {
        let place = {
            let mut state = self.state();
            state.free.pop().unwrap_or_else(|| {
                state.places += 1;
                state.places - 1
            })
        };
        while list::len(values) <= place as usize {
            list::push(m, values, Value::NONE)?;
        }
        list::set(m, values, place as usize, v);
        let mut state = self.state();
        state.order += 1;
        let order = state.order;
        state.heap.push(Reverse(Entry { when, order, place }));
        Ok(())
    }

    /// One of them will not be needed.
    pub fn note_cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }

    /// Throws out cancelled ones if there are too many, and those that would be next.
    pub fn tidy(&self, values: &'static List, is_cancelled: impl Fn(Value) -> bool) {
        if self.cancelled.load(Relaxed) == 0 {
            return;
        }
        let mut state = self.state();
        let gone = |entry: &Entry| value_at(values, entry.place).is_none_or(&is_cancelled);
        let cancelled = self.cancelled.load(Relaxed);
        if cancelled > TOO_MANY && cancelled * 2 > state.heap.len() {
            let (dead, alive) = state.heap.drain().partition::<Vec<_>, _>(|Reverse(entry)| gone(entry));
            dead.iter().for_each(|Reverse(entry)| forget(&mut state, values, entry.place));
            state.heap = alive.into();
            self.cancelled.store(0, Relaxed);
            return;
        }
        while let Some(Reverse(entry)) = state.heap.peek()
            && gone(entry)
        {
            let place = entry.place;
            state.heap.pop();
            forget(&mut state, values, place);
            let _ = self.cancelled.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
        }
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<f64> {
        self.state().heap.peek().map(|Reverse(entry)| entry.when)
    }

    /// Takes the first one that is due before `end`.
    pub fn take_due(&self, values: &'static List, end: f64) -> Word {
        let mut state = self.state();
        let Reverse(entry) = state.heap.peek()?;
        if entry.when >= end {
            return None;
        }
        let place = entry.place;
        state.heap.pop();
        let v = value_at(values, place);
        forget(&mut state, values, place);
        v.or(Some(Value::NONE))
    }

    /// Forgets them all.
    pub fn clear(&self) {
        *self.state() = State::default();
        self.cancelled.store(0, Relaxed);
    }
}

fn forget(state: &mut State, values: &'static List, place: u32) {
    if let Some(slot) = list::items(values).get(place as usize) {
        slot.set(Value::NONE);
    }
    state.free.push(place);
}
