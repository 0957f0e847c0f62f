//! What this layer asks the one above about a thread that lets go: which call it goes into, and which line it is at. Knows
//! only numbers and texts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::member::Member;

/// Asked by the thread itself, while it is Running.
pub struct Witness {
    /// A number for the blocking call that the thread is about to go into: always the same for the same call; 0 if it is none
    /// that has a name.
    pub call: fn(&Member) -> usize,
    /// The name of that call.
    pub name: fn(&Member) -> String,
    /// The source line that the thread is at; see `record::place`.
    pub place: fn(&Member) -> u32,
}

static WITNESS: OnceLock<Witness> = OnceLock::new();
/// The names of blocking calls, by their numbers.
pub(super) type Names = Mutex<Option<HashMap<usize, String>>>;
pub(super) const fn no_names() -> Names {
    Mutex::new(None)
}

/// Whom to ask; the first one stays.
pub fn install(witness: Witness) {
    let _ = WITNESS.set(witness);
}

#[inline]
pub(super) fn call_of(member: &Member) -> usize {
    WITNESS.get().map_or(0, |witness| (witness.call)(member))
}

pub(super) fn place_of(member: &Member) -> u32 {
    WITNESS.get().map_or(0, |witness| (witness.place)(member))
}

/// A thread goes into a call that it has not been in before: keeps its name.
#[cold]
pub(super) fn learn(member: &Member, number: usize) {
    if let (Some(witness), true) = (WITNESS.get(), number != 0) {
        let name = (witness.name)(member);
        names().get_or_insert_default().insert(number, name);
    }
}

/// The name of a call; 0 stands for everything that has none.
pub fn call_name(number: usize) -> String {
    names().as_ref().and_then(|names| names.get(&number).cloned()).unwrap_or_else(|| "other".to_owned())
}

fn names() -> MutexGuard<'static, Option<HashMap<usize, String>>> {
    super::world::WORLD.names.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the names across a fork.
pub(super) fn lock_for_fork() -> impl Sized {
    names()
}
