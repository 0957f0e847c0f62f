//! The heap: our own non-moving mark-sweep collector. Must not know what objects do, only their layout rules.

use super::value::Value;
use crate::gil::Member;
use std::ptr::NonNull;

/// Compresses the address of a cell to 32 bits: its offset in the reserved range, in units of 16 bytes.
pub fn compress(_v: Value) -> u32 {
    0
}

/// The inverse of `compress`.
pub fn expand(_id: u32) -> Value {
    Value::NONE
}

/// Asks for a collection at the next poll.
pub fn request_collection(_member: &Member) {}

/// A thread's free gaps, one per size class.
pub struct LocalHeap {}

impl LocalHeap {
    pub fn new() -> LocalHeap {
        LocalHeap {}
    }
    /// At least `bytes` bytes, aligned to 16, not zeroed. `None` at the heap limit.
    pub fn alloc(&mut self, _bytes: usize, _member: &Member) -> Option<NonNull<u8>> {
        None
    }
}
