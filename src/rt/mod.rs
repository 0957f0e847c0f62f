//! Threads and what they wait on: starting, joining, locks, the end of the process; and the door to system calls.
//! Must not know modules of the standard library, nor policies.

pub mod exit;
pub mod fork;
pub mod handle;
mod held_locks;
pub mod local;
pub mod lock;
pub mod processor;
pub mod rlock;
pub mod spawn;
pub mod syscall;
pub mod terminal;
pub mod wait;
