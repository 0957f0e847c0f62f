//! What operators need of the layer above: functions that `native` hands in at start-up.
//! Must not know who they are.

use super::thread::Thread;
use crate::object::num::BinOp;
use crate::object::{R, Value, Word};
use std::sync::OnceLock;

/// Operators of built-in types whose code lives with their methods.
pub struct Hooks {
    /// `str % args` and `bytes % args`.
    pub percent: fn(&mut Thread, Value, Value) -> R,
    /// `|`, `&`, `^`, `-` of sets, dicts and views; EMPTY: not between these.
    pub set_operator: fn(&mut Thread, BinOp, Value, Value) -> R<Word>,
    /// Their in-place forms; EMPTY: as the plain operator.
    pub set_in_place: fn(&mut Thread, BinOp, Value, Value) -> R<Word>,
}

static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// Start-up only.
pub fn install(hooks: Hooks) {
    // A second start-up in one process (tests) installs the same functions again.
    let _ = HOOKS.set(hooks);
}

/// `x % y` for text.
pub fn percent(th: &mut Thread, x: Value, y: Value) -> R {
    match HOOKS.get() {
        Some(h) => (h.percent)(th, x, y),
        None => Err(th.type_error("% is not available")),
    }
}

/// `x op y` for sets and dicts.
pub fn set_operator(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    HOOKS.get().map_or(Ok(None), |h| (h.set_operator)(th, op, x, y))
}

/// `x op= y` for sets and dicts.
pub fn set_in_place(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    HOOKS.get().map_or(Ok(None), |h| (h.set_in_place)(th, op, x, y))
}
