//! Runs code: frames, the eval loop, calls, attribute access, unwinding. Must not know modules of the standard library.

pub mod hashing;
pub mod iter;
pub mod iter_object;
pub mod native;
pub mod thread;
