//! `threading.local`: an object whose attributes each thread has for itself. Must not know how attributes are looked up
//! otherwise.
//!
//! The host object's first value slot holds a dict from thread number to that thread's attributes, the second one the
//! arguments it was made with. Thread numbers are never used twice, so what an ended thread left behind is never
//! mistaken for another's; it is swept out when the dict has grown.

use crate::gil;
use crate::object::layout::Host;
use crate::object::{R, Value, Word, dict, types};
use crate::vm::thread::Thread;

/// So many threads' attributes may be kept before those of ended threads are looked for.
const SWEEP_FROM: usize = 16;

/// What a host object of this class owns in Rust: nothing.
pub struct Local;

fn host(local: Value) -> Option<&'static Host> {
    types::cast::<Host>(local)
}

/// The calling thread's attributes, if it has any yet.
pub fn attributes(th: &mut Thread, local: Value) -> R<Word> {
    let Some(all) = host(local).and_then(|h| h.extra[0].get()) else { return Ok(None) };
    let key = Value::int_unchecked(th.m.member.id() as i64);
    th.dict_get(all, key)
}

/// Gives the calling thread a dict for its attributes.
pub fn begin(th: &mut Thread, local: Value) -> R {
    let own = th.m.new_dict()?;
    let Some(h) = host(local) else { return Ok(own) };
    let all = match h.extra[0].get() {
        Some(all) => all,
        None => {
            let fresh = th.m.new_dict()?;
            h.extra[0].set_if_empty(fresh).err().unwrap_or(fresh)
        }
    };
    if dict::of(all).is_some_and(|d| dict::len(d) >= SWEEP_FROM) {
        sweep(th, all)?;
    }
    let key = Value::int_unchecked(th.m.member.id() as i64);
    th.dict_set(all, key, own)?;
    Ok(own)
}

/// The arguments it was made with: a tuple of a tuple and a dict.
pub fn arguments(local: Value) -> Word {
    host(local).and_then(|h| h.extra[1].get())
}

/// Start of its life only.
pub fn set_arguments(local: Value, args: Value) {
    if let Some(h) = host(local) {
        h.extra[1].set(args);
    }
}

/// Drops the attributes of threads that have ended, if at least half of them have.
fn sweep(th: &mut Thread, all: Value) -> R<()> {
    let mut living = Vec::new();
    gil::for_each_member(|member| living.push(member.id() as i64));
    let Some(d) = dict::of(all).filter(|d| dict::len(d) >= 2 * living.len()) else { return Ok(()) };
    let mut dead = Vec::new();
    let mut at = 0;
    while let Some((next, key, _)) = dict::next_entry(d, at) {
        at = next;
        dead.extend(key.as_small().filter(|id| !living.contains(id)));
    }
    for id in dead {
        th.dict_del(all, Value::int_unchecked(id))?;
    }
    Ok(())
}
