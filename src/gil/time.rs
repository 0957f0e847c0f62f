//! `time:DURATION`, as in Python 3.2 and later: a waiter that has waited so long asks, the holder hands over.
//!
//! The waiter keeps the time, so a thread that is alone pays nothing. A thread that comes back from a blocking call
//! waits a whole interval too: the convoy effect (`queue=io` is the answer to it).

use std::time::Duration;

use super::policy::{Handoff, Interval, Policy};
use super::queue::Queue;
use super::spec::PollKind;

pub(super) struct Time<Q> {
    pub interval: Duration,
    pub poll: PollKind,
    pub queue: Q,
}

impl<Q: Fn() -> Box<dyn Queue> + Send> Policy for Time<Q> {
    fn interval(&mut self) -> Interval {
        Interval::After(self.interval)
    }

    fn poll(&self) -> PollKind {
        self.poll
    }

    fn queue(&self) -> Box<dyn Queue> {
        (self.queue)()
    }

    fn handoff(&self) -> Handoff {
        Handoff::HandOver
    }
}
