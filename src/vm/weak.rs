//! Weak references: words that a collection empties when what they name dies, and the callbacks it leaves to be run.
//! Must not know how scripts see them (`native::weakref`).
//!
//! The world stands still while words are emptied, and threads stop only at polls: whoever has read a word holds a strong
//! reference on its native stack before the next collection can begin.

use super::thread::Thread;
use crate::object::layout::Host;
use crate::object::{R, Value, Word, heap, types};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

/// What a weak reference owns in Rust: the word, which the collector does not follow.
pub struct WeakWord(Arc<AtomicU64>);

impl WeakWord {
    /// The object, if it is still alive.
    pub fn get(&self) -> Word {
        Value::from_bits(self.0.load(Relaxed))
    }

    /// Forgets the object.
    pub fn clear(&self) {
        self.0.store(0, Relaxed);
    }
}

/// A weak reference that is watched: the Host object that has it, and its word.
struct Watched {
    host: Value,
    word: Arc<AtomicU64>,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());
/// Callbacks of references whose objects have died.
static PENDING: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static ANY_PENDING: AtomicBool = AtomicBool::new(false);
/// How many collections have emptied words.
static DEATHS: AtomicU64 = AtomicU64::new(0);
static HOOK: Once = Once::new();

fn locked<T>(mutex: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A word that names `target`, to be owned by a Host object.
pub fn word(target: Value) -> WeakWord {
    WeakWord(Arc::new(AtomicU64::new(target.bits())))
}

/// From now on a collection empties the word of this Host object when its target dies, and runs what is in the object's
/// first value slot.
pub fn watch(host: Value, word: &WeakWord) {
    HOOK.call_once(|| heap::register_weak(bury));
    locked(&WATCHED).push(Watched { host, word: word.0.clone() });
}

/// How many watched words name the object.
pub fn count(target: Value) -> usize {
    locked(&WATCHED).iter().filter(|watched| watched.word.load(Relaxed) == target.bits()).count()
}

/// Changes whenever words have been emptied.
pub fn deaths() -> u64 {
    DEATHS.load(Relaxed)
}

/// The collector has marked: empties the words of the dead.
fn bury(alive: &dyn Fn(Value) -> bool) {
    let mut died = false;
    let mut pending = locked(&PENDING);
    locked(&WATCHED).retain(|watched| {
        if !alive(watched.host) {
            return false;
        }
        let Some(target) = Value::from_bits(watched.word.load(Relaxed)) else { return false };
        if alive(target) {
            return true;
        }
        watched.word.store(0, Relaxed);
        died = true;
        let host = types::cast::<Host>(watched.host);
        pending.extend(host.and_then(|h| h.extra[0].get()));
        false
    });
    if died {
        DEATHS.fetch_add(1, Relaxed);
    }
    ANY_PENDING.store(!pending.is_empty(), Relaxed);
}

/// The collector's roots of this file.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    locked(&PENDING).iter().copied().for_each(visit);
}

/// Runs the callbacks that collections have left.
pub fn run_pending(th: &mut Thread) -> R<()> {
    while ANY_PENDING.load(Relaxed) {
        let callback = {
            let mut pending = locked(&PENDING);
            let callback = pending.pop();
            ANY_PENDING.store(!pending.is_empty(), Relaxed);
            callback
        };
        if let Some(callback) = callback {
            th.call(callback, &[])?;
        }
    }
    Ok(())
}
