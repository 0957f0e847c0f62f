//! `ticks:N`, as in Python 2: after N instructions let go, and take again at once.
//!
//! With `queue=os` or `battle` the thread that lets go usually wins: a waiter needs microseconds to wake up on
//! another core and finds the GIL gone. That is the signal battle; the ledger counts it as futile wake-ups.

use super::policy::{Handoff, Interval, Policy};
use super::queue::Queue;
use super::spec::PollKind;

pub(super) struct Ticks<Q> {
    pub n: u32,
    pub poll: PollKind,
    pub queue: Q,
}

impl<Q: Fn() -> Box<dyn Queue> + Send> Policy for Ticks<Q> {
    fn interval(&mut self) -> Interval {
        Interval::Ticks(i64::from(self.n))
    }

    fn poll(&self) -> PollKind {
        self.poll
    }

    fn queue(&self) -> Box<dyn Queue> {
        (self.queue)()
    }

    fn handoff(&self) -> Handoff {
        Handoff::LetGo
    }
}
