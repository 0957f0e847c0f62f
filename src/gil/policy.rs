//! What a policy is: four answers. One file per policy; the world asks and acts.
//! Knows no member's state and no waiting.
//!
//! To add one: a file like `time.rs`, a `PolicyKind` with its spelling in `spec.rs`, a line in `make`.

use std::time::Duration;

use super::queue::{self, Queue};
use super::spec::{PolicyKind, PolicySpec, PollKind};
use super::{coop, off, ticks, time};

/// When a thread may be asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Only when it blocks or offers.
    Never,
    /// After so many instructions of its own; asked anew for every slice.
    Ticks(i64),
    /// When a waiter has waited so long for it.
    After(Duration),
}

/// What letting go means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handoff {
    /// Another thread has it next: the one that lets go stands back until then.
    HandOver,
    /// It lets go and takes again at once; the others may be faster.
    LetGo,
}

/// The four questions, and whether there is a GIL at all.
pub trait Policy: Send {
    /// When may a thread be asked to stop? Asked when the policy comes into force and at the end of every slice
    /// of ticks, so a policy may answer differently each time (a seeded scheduler does).
    fn interval(&mut self) -> Interval;

    /// At which points can it stop?
    fn poll(&self) -> PollKind;

    /// Who runs next? A fresh queue, to be used until the policy changes.
    fn queue(&self) -> Box<dyn Queue>;

    /// Does it hand over, or merely let go?
    fn handoff(&self) -> Handoff;
}

/// The policy of a spelling.
pub(super) fn make(spec: PolicySpec) -> Box<dyn Policy> {
    let queue = move || queue::make(spec.queue);
    match spec.kind {
        PolicyKind::Off => Box::new(off::Off),
        PolicyKind::Ticks(n) => Box::new(ticks::Ticks { n, poll: spec.poll, queue }),
        PolicyKind::Time(interval) => Box::new(time::Time { interval, poll: spec.poll, queue }),
        PolicyKind::Coop => Box::new(coop::Coop { poll: spec.poll, queue }),
    }
}
