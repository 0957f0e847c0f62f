//! What a native makes of a generator's items one after the other, where that needs no Mini code: a sum of numbers, a list.
//! The eval loop adds an item at the generator's `yield` and goes on behind it at once: nothing is suspended, nothing
//! resumed. Must not know frames. An item that needs more is refused: the native gets it as if it had asked for one.

use super::thread::Thread;
use crate::object::layout::List;
use crate::object::num::CmpOp;
use crate::object::{Value, list};

/// What is being made. That of the innermost native is a root of its thread, those further out are on the native stack.
#[derive(Clone, Copy)]
pub enum Fold {
    /// Nothing: every item is refused.
    Nothing,
    Sum(Value),
    /// Ends with the first item that is not true.
    All,
    /// Ends with the first item that is not false.
    Any,
    /// The item that this comparison with every one before it holds for.
    Best(CmpOp, Value),
    /// Appended to by nobody else while the generator is between two items.
    List(&'static List),
}

impl Fold {
    /// The sum or the best item so far.
    pub fn value(&self) -> Option<Value> {
        match self {
            Fold::Sum(value) | Fold::Best(_, value) => Some(*value),
            _ => None,
        }
    }

    /// What the collector must keep.
    pub(super) fn root(&self) -> Option<Value> {
        match self {
            Fold::List(l) => Some(Value::from_addr(std::ptr::from_ref(*l).addr())),
            _ => self.value(),
        }
    }
}

/// Adds an item to what the innermost native is making. False: it was refused, and nothing was done.
#[inline(never)]
pub(super) fn takes(th: &mut Thread, item: Value) -> bool {
    match th.fold {
        Fold::Nothing => false,
        Fold::Sum(total) => {
            let sum = plain_sum(total, item);
            if let Some(sum) = sum {
                th.fold = Fold::Sum(sum);
            }
            sum.is_some()
        }
        Fold::All => plain_truth(item) == Some(true),
        Fold::Any => plain_truth(item) == Some(false),
        Fold::Best(better, best) => {
            let wins = plain_order(better, item, best);
            if wins == Some(true) {
                th.fold = Fold::Best(better, item);
            }
            wins.is_some()
        }
        Fold::List(l) => appends(th, l, item),
    }
}

#[inline(never)]
fn appends(th: &mut Thread, l: &'static List, item: Value) -> bool {
    let done = list::push(&mut th.m, l, item).is_ok();
    if !done {
        // The native will meet the same lack of memory, and raise.
        th.m.pending = None;
    }
    done
}

/// The sum of two small ints, if it is small, or of two inline floats, if it is inline.
#[inline]
pub fn plain_sum(a: Value, b: Value) -> Option<Value> {
    if let (Some(a), Some(b)) = (a.as_small(), b.as_small()) {
        return Value::small(a + b);
    }
    let floats = a.is_inline_float() && b.is_inline_float();
    if floats { Value::inline_float(a.float_unchecked() + b.float_unchecked()) } else { None }
}

/// Whether `better` holds for two small ints or two inline floats.
#[inline]
pub fn plain_order(better: CmpOp, a: Value, b: Value) -> Option<bool> {
    if let (Some(a), Some(b)) = (a.as_small(), b.as_small()) {
        return Some(better.holds(Some(a.cmp(&b))));
    }
    let floats = a.is_inline_float() && b.is_inline_float();
    floats.then(|| better.holds(a.float_unchecked().partial_cmp(&b.float_unchecked())))
}

#[inline]
fn plain_truth(v: Value) -> Option<bool> {
    match v {
        Value::TRUE => Some(true),
        Value::FALSE | Value::NONE => Some(false),
        _ => v.as_small().map(|n| n != 0),
    }
}
