//! `off`: there is no GIL, threads run in parallel. The answers only matter to whoever asks regardless.

use super::policy::{Handoff, Interval, Policy};
use super::queue::{self, Queue};
use super::spec::{PollKind, QueueKind};

pub(super) struct Off;

impl Policy for Off {
    fn interval(&mut self) -> Interval {
        Interval::Never
    }

    fn poll(&self) -> PollKind {
        PollKind::Edge
    }

    fn queue(&self) -> Box<dyn Queue> {
        queue::make(QueueKind::Os)
    }

    fn handoff(&self) -> Handoff {
        Handoff::LetGo
    }
}
