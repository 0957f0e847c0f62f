//! `coop`: a thread runs until it blocks or offers (`time.sleep(0)`); nobody can ask it to stop.

use super::policy::{Handoff, Interval, Policy};
use super::queue::Queue;
use super::spec::PollKind;

pub(super) struct Coop<Q> {
    pub poll: PollKind,
    pub queue: Q,
}

impl<Q: Fn() -> Box<dyn Queue> + Send> Policy for Coop<Q> {
    fn interval(&mut self) -> Interval {
        Interval::Never
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
