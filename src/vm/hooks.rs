//! What an operator needs of the layer above: `%` of text, whose code lives with the methods of strings.
//! Must not know who provides it.

use super::thread::Thread;
use crate::object::{R, Value};
use std::sync::OnceLock;

/// `str % args` and `bytes % args`.
pub type Percent = fn(&mut Thread, Value, Value) -> R;

static PERCENT: OnceLock<Percent> = OnceLock::new();

/// Start-up only.
pub fn install(percent: Percent) {
    // A second start-up in one process (tests) installs the same function again.
    let _ = PERCENT.set(percent);
}

/// `x % y` for text.
pub fn percent(th: &mut Thread, x: Value, y: Value) -> R {
    match PERCENT.get() {
        Some(f) => f(th, x, y),
        None => Err(th.type_error("text formatting is not available")),
    }
}
