//! Values that Rust code outside every thread keeps: classes behind static tables, a new thread's function.
//! Must not know who keeps them.

use crate::object::Value;
use std::sync::{Mutex, PoisonError};

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// Keeps `v` alive until as many calls of `forget` as there were of `keep`.
pub fn keep(v: Value) {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(v);
}

/// Ends one `keep` of `v`.
pub fn forget(v: Value) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    // What was kept last is forgotten first, mostly.
    if let Some(at) = kept.iter().rposition(|k| *k == v) {
        kept.swap_remove(at);
    }
}

/// The collector's roots of this file.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    kept.into_iter().for_each(visit);
}
