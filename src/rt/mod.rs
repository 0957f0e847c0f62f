//! Threads and what they wait on: starting, joining, locks, the end of the process; and the door to system calls.
//! Must not know modules of the standard library, nor policies.

pub mod control;
pub mod exit;
pub mod fork;
pub mod handle;
mod held_locks;
pub mod local;
pub mod lock;
pub mod machine;
pub mod message;
pub mod pipes;
pub mod poll;
pub mod processor;
pub mod program;
pub mod reactor;
pub mod resolve;
pub mod rlock;
pub mod shared_lock;
pub mod signals;
pub mod socket;
pub mod spawn;
pub mod syscall;
pub mod terminal;
pub mod uring;
pub mod wait;
pub mod waits;
