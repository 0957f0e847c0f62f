//! Keys that need no Mini code to be hashed and compared: numbers, text, None, tuples of them. Must not know tables.

use super::bytes;
use super::header::{Kind, Slot};
use super::layout::{Str, is_subclass_instance};
use super::num;
use super::str as text;
use super::tuple;
use super::types::{self, kind_of};
use super::value::{INT_MAX, INT_MIN, Value};
use std::cmp::Ordering;

/// Tuples nested deeper than this are left to the VM, which watches the stack.
const NESTING: usize = 8;

/// The other small int that CPython's modulus divides.
const LEAST_MULTIPLE: i64 = -INT_MAX;

/// The hash of a small int: the int, but for the ends of the range (CPython's modulus) and -1.
#[inline(always)]
pub fn small_hash(n: i64) -> i64 {
    if (n as u64) < INT_MAX as u64 {
        return n;
    }
    match n {
        -1 => -2,
        INT_MAX | LEAST_MULTIPLE => 0,
        INT_MIN => -2,
        _ => n,
    }
}

/// Hash of a key of a plain built-in type; `None`: ask the VM.
#[inline]
pub fn hash(v: Value) -> Option<i64> {
    if let Some(n) = v.as_small() {
        return Some(small_hash(n));
    }
    if let Some(s) = exact_str(v) {
        return Some(text::hash(s));
    }
    if let Some(items) = exact_tuple(v) {
        return hash_tuple(items, NESTING);
    }
    hash_other(v, NESTING)
}

#[inline(never)]
fn hash_other(v: Value, depth: usize) -> Option<i64> {
    if let Some(items) = exact_tuple(v) {
        return hash_tuple(items, depth.checked_sub(1)?);
    }
    match plain_kind(v)? {
        Kind::Int | Kind::Float | Kind::Bool => num::hash(v),
        Kind::None_ => Some(0xFCA8_6420),
        _ => None,
    }
}

#[inline(never)]
fn hash_tuple(items: &[Slot], depth: usize) -> Option<i64> {
    let mut hasher = tuple::Hasher::new();
    for item in items {
        let item = item.value();
        hasher.add(if let Some(n) = item.as_small() {
            small_hash(n)
        } else if let Some(s) = exact_str(item) {
            text::hash(s)
        } else {
            hash_other(item, depth)?
        });
    }
    Some(hasher.finish())
}

/// A string that is no subclass's.
#[inline(always)]
pub fn exact_str(v: Value) -> Option<&'static Str> {
    text::view(v).filter(|s| text::is_exact(s))
}

/// The items of a tuple that is no subclass's.
#[inline(always)]
fn exact_tuple(v: Value) -> Option<&'static [Slot]> {
    tuple::of(v).filter(|t| !is_subclass_instance(&t.hdr)).map(tuple::slots)
}

/// Whether two keys of plain built-in types are equal; `None`: ask the VM.
#[inline]
pub fn eq(a: Value, b: Value) -> Option<bool> {
    if a == b {
        // The same box may hold a NaN; identity comes first in containers, so it is equal to itself.
        return Some(true);
    }
    if a.is_small_int() && b.is_small_int() {
        return Some(false);
    }
    if let (Some(a), Some(b)) = (exact_str(a), exact_str(b)) {
        return Some(text::eq(a, b));
    }
    eq_plain(a, b, NESTING)
}

/// Two tuples: equal item by item. `None` as soon as an item needs Mini code.
#[inline(always)]
fn eq_tuples(a: &[Slot], b: &[Slot], depth: usize) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x.value(), y.value());
        let both_small = x.is_small_int() && y.is_small_int();
        if x != y && (both_small || !eq_item(x, y, depth)?) {
            return Some(false);
        }
    }
    Some(true)
}

fn eq_item(a: Value, b: Value, depth: usize) -> Option<bool> {
    match (exact_str(a), exact_str(b)) {
        (Some(a), Some(b)) => Some(text::eq(a, b)),
        _ => eq_plain(a, b, depth),
    }
}

#[inline(never)]
fn eq_plain(a: Value, b: Value, depth: usize) -> Option<bool> {
    if let (Some(a), Some(b)) = (exact_tuple(a), exact_tuple(b)) {
        return eq_tuples(a, b, depth.checked_sub(1)?);
    }
    let (ka, kb) = (plain_kind(a)?, plain_kind(b)?);
    match (ka, kb) {
        (Kind::Bytes, Kind::Bytes) => Some(bytes::as_bytes(a) == bytes::as_bytes(b)),
        (Kind::Int | Kind::Float | Kind::Bool, Kind::Int | Kind::Float | Kind::Bool) => {
            num::compare(a, b).map(|o| o == Some(Ordering::Equal))
        }
        _ => Some(false),
    }
}

/// The kind, if it is one of those that this file decides about and not a subclass's.
#[inline]
fn plain_kind(v: Value) -> Option<Kind> {
    let kind = kind_of(v);
    let plain = matches!(
        kind,
        Kind::Str | Kind::Bytes | Kind::Int | Kind::Float | Kind::Bool | Kind::None_ | Kind::Tuple
    );
    (plain && !(v.is_ref() && is_subclass_instance(types::hdr(v)))).then_some(kind)
}
