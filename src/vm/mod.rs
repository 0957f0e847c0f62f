//! Runs code: frames, the eval loop, calls, attribute access, unwinding. Must not know modules of the standard library.

pub mod native;
pub mod thread;
