//! The dicts that show objects' attributes (`obj.__dict__`): the same one for as long as anybody holds it. Must not know
//! where attributes are kept.
//!
//! The table holds them weakly: a window refers to its object, and the collector takes out those that nobody has any
//! more. Every thread remembers the last one it asked for (`LookupCache`), so few questions get here.

use crate::object::mutator::Mutator;
use crate::object::{R, Value, func, heap};
use rustc_hash::FxHashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

type Windows = FxHashMap<usize, Value>;

/// Windows by the addresses of their objects.
static WINDOWS: LazyLock<Mutex<Windows>> = LazyLock::new(|| {
    heap::register_weak(bury);
    Mutex::default()
});

// No thread waits at a safepoint while it holds the lock: the collector and a fork always find it free.
fn locked() -> MutexGuard<'static, Windows> {
    WINDOWS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window on this object, which has attributes.
///
/// # Errors
/// MemoryError.
pub fn of(m: &mut Mutator, object: Value) -> R {
    if let Some(known) = locked().get(&object.addr()) {
        return Ok(*known);
    }
    let window = func::new_window(m, object)?;
    // Another thread may have been quicker.
    Ok(*locked().entry(object.addr()).or_insert(window))
}

/// The collector has marked: forgets the windows that are dead, as their objects may be.
fn bury(alive: &dyn Fn(Value) -> bool) {
    let mut windows = locked();
    windows.retain(|_, window| alive(*window));
    if windows.capacity() > 64 && windows.len() < windows.capacity() / 8 {
        windows.shrink_to_fit();
    }
}
