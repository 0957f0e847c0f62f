//! The policy as a string: `--gil`, `MINI_GIL`, `gil.set()`. Parses, prints, and tells which eval loop is needed.
//! Knows nothing of how a policy works.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A policy, as the user spells it. `FromStr` and `Display` are each other's inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicySpec {
    /// Who may be asked to stop, and when.
    pub kind: PolicyKind,
    /// Who is next.
    pub queue: QueueKind,
    /// Where a switch can happen.
    pub poll: PollKind,
}

/// When a thread may be asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// No GIL.
    Off,
    /// After so many instructions.
    Ticks(u32),
    /// When a waiter has waited so long.
    Time(Duration),
    /// Never.
    Coop,
}

/// Who is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Whom the operating system wakes.
    Os,
    /// In order of arrival.
    Fifo,
    /// Threads back from a blocking call first.
    Io,
    /// All wake and race.
    Battle,
}

/// Where a switch can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollKind {
    /// After any instruction.
    Op,
    /// At back-edges and calls.
    Edge,
}

/// The instantiation of the eval loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LoopKind {
    /// GIL off.
    Free = 0,
    /// Polls at back-edges and calls.
    Locked = 1,
    /// Counts, and may poll, at every instruction.
    Stepped = 2,
}

/// What is wrong with a spelling, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(pub String);
