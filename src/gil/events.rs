//! The bits of the breaker: everything that can be asked of a running thread.

use std::ops::{BitOr, BitOrAssign};

use super::state;

/// A set of requests to one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Events(pub u32);

impl Events {
    /// Nothing.
    pub const NONE: Events = Events(0);
    /// A waiter asks for the GIL. Handled by `poll`.
    pub const GIL_REQUEST: Events = Events(1);
    /// Somebody stops the world. Handled by `poll`.
    pub const STOP_WORLD: Events = Events(state::STOP_WORLD);
    /// A signal is pending (main thread): call `signal::take_pending` until it is empty.
    pub const SIGNAL: Events = Events(1 << 2);
    /// The policy changed: compare `loop_kind()` and switch to the right loop.
    pub const MODE_CHANGE: Events = Events(1 << 3);
    /// The heap wants a collection.
    pub const COLLECT: Events = Events(1 << 4);
    /// An exception was sent to this thread.
    pub const ASYNC: Events = Events(1 << 5);
    /// The process is ending: unwind and leave.
    pub const EXIT: Events = Events(1 << 6);
    /// Tracing was switched on or off.
    pub const TRACE: Events = Events(1 << 7);

    /// What ends a wait early.
    pub const INTERRUPTS: Events = Events(Self::SIGNAL.0 | Self::ASYNC.0 | Self::EXIT.0);
    /// What `poll` hands to its caller.
    pub(super) const FOR_CALLER: Events =
        Events(Self::INTERRUPTS.0 | Self::MODE_CHANGE.0 | Self::COLLECT.0 | Self::TRACE.0);

    /// True if any of `other` is in this set.
    #[inline]
    pub const fn has(self, other: Events) -> bool {
        self.0 & other.0 != 0
    }

    /// True if there is nothing to do.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Events {
    type Output = Events;
    fn bitor(self, other: Events) -> Events {
        Events(self.0 | other.0)
    }
}

impl BitOrAssign for Events {
    fn bitor_assign(&mut self, other: Events) {
        self.0 |= other.0;
    }
}
