//! Runs code: frames, the eval loop, calls, attribute access, unwinding. Must not know modules of the standard library.

pub mod compare_containers;
pub mod container_ops;
pub mod container_repr;
pub mod hashing;
pub mod iter;
pub mod iter_object;
pub mod native;
pub mod set_ops;
pub mod slicing;
pub mod sort;
pub mod thread;
