//! Signals at poll points: what arrives between two instructions of the main thread.
//! Must not know how they are caught (`gil::signal`).

use super::poll;
use super::thread::Thread;
use crate::gil::{Events, signal};
use crate::object::R;

/// Runs what is pending. SIGINT raises KeyboardInterrupt.
pub fn run_pending(th: &mut Thread) -> R<()> {
    while let Some(number) = signal::take_pending() {
        if number == libc::SIGINT {
            return Err(poll::keyboard_interrupt(th));
        }
    }
    Ok(())
}

impl Thread {
    /// After a system call was interrupted: runs pending handlers, which may raise.
    pub fn check_signals(&mut self) -> R<()> {
        let pending = self.m.member.withdraw(Events::SIGNAL | Events::ASYNC);
        if pending.has(Events::ASYNC) {
            return Err(poll::keyboard_interrupt(self));
        }
        if pending.has(Events::SIGNAL) { run_pending(self) } else { Ok(()) }
    }
}
