//! Objects of built-in kinds whose class is written in Mini: they carry an attribute word in the last word of their cell.
//! Must not know the kinds.

use super::error::{R, Raised};
use super::header::{Kind, flag};
use super::mutator::Mutator;
use super::value::Value;
use super::{class, heap, trace, types};
use std::sync::atomic::Ordering;

/// The shape for an instance of `class`, and how many words it needs behind its payload.
/// Errors: TypeError if it is no class, or one of other objects.
pub fn plan(m: &mut Mutator, class: Value, kind: Kind) -> R<(u32, usize)> {
    if class == types::class_of_kind(kind) {
        return Ok((types::root_shape(kind), 0));
    }
    Ok((shape_of(m, class, kind)?, 1))
}

/// The shape for an instance of a class that must be one of objects of this kind: scripts may call any `__new__` with
/// whatever they like.
pub fn shape_of(m: &mut Mutator, class: Value, kind: Kind) -> R<u32> {
    match class::cast(class) {
        Some(c) if c.instance_kind == kind as u64 => Ok(heap::compress(class::root_shape(class))),
        found => Err(refuse(m, found.map(|_| class), class, kind)),
    }
}

/// As `shape_of`, where several classes share a kind: `class` must derive from `base`.
pub fn shape_under(m: &mut Mutator, class: Value, base: Value) -> R<u32> {
    match class::cast(class) {
        Some(_) if class::is_subclass(class, base) => Ok(heap::compress(class::root_shape(class))),
        found => Err(refuse_for(m, found.map(|_| class), class, base)),
    }
}

#[cold]
fn refuse(m: &mut Mutator, found: Option<Value>, given: Value, kind: Kind) -> Raised {
    refuse_for(m, found, given, types::class_of_kind(kind))
}

#[cold]
fn refuse_for(m: &mut Mutator, found: Option<Value>, given: Value, base: Value) -> Raised {
    let own = class::name(base);
    m.type_error(match found.map(class::name) {
        Some(other) => format!("{own}.__new__({other}): {other} is not a subtype of {own}"),
        None => {
            let got = class::name(types::class_of(given));
            format!("{own}.__new__(X): X is not a type object ({got})")
        }
    })
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
