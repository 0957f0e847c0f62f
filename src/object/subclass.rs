//! Objects of built-in kinds whose class is written in Mini: they carry an attribute word in the last word of their cell.
//! Must not know the kinds.

use super::header::{Kind, flag};
use super::value::Value;
use super::{class, heap, trace, types};
use std::sync::atomic::Ordering;

/// The shape for an instance of `class`, and how many words it needs behind its payload.
pub fn plan(class: Value, kind: Kind) -> (u32, usize) {
    if class == types::class_of_kind(kind) {
        return (types::root_shape(kind), 0);
    }
    (heap::compress(class::root_shape(class)), 1)
}

/// Turns a fresh object with the planned extra words into an instance of a subclass.
pub fn finish(v: Value, extra: usize) -> Value {
    if extra > 0 {
        types::hdr(v).flags.fetch_or(flag::SUBCLASS, Ordering::Release);
        if let Some(word) = trace::attrs_word(v) {
            word.clear();
        }
    }
    v
}
