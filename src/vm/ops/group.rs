//! `except*`: what a clause takes of an exception, and what is left to raise at the end. Must not know how handlers are
//! entered.

use super::except::{matches, write_pair};
use crate::object::{Exc, Kind, R, Slot, Value, class, exc, list, shape, tuple, types};
use crate::vm::groups::{self, Wanted};
use crate::vm::thread::Thread;

/// `Op::Group`: see its meaning there.
pub(crate) fn step(th: &mut Thread, what: u8, exception: Value, with: Value, to: *mut u64) -> R<()> {
    let scope = th.scope();
    th.root(exception);
    let parts = match what {
        0 => taken(th, exception, with),
        _ => left_to_raise(th, exception, with).map(|v| (v, None)),
    };
    th.close(scope);
    let (first, second) = parts?;
    if what == 0 {
        write_pair(to, first.unwrap_or(Value::NONE), second.unwrap_or(Value::NONE));
    } else {
        super::except::write_one(to, first.unwrap_or(Value::NONE));
    }
    Ok(())
}

type Parts = (Option<Value>, Option<Value>);

/// The part of the exception that `except* kind` takes, and the rest.
fn taken(th: &mut Thread, exception: Value, kind: Value) -> R<Parts> {
    let one = [kind];
    let kinds: Vec<Value> = match types::kind_of(kind) {
        Kind::Tuple => tuple::items(kind).iter().filter_map(Slot::get).collect(),
        _ => one.to_vec(),
    };
    let of_groups = types::exc_class(Exc::BaseExceptionGroup);
    if kinds.iter().any(|k| class::cast(*k).is_some() && class::is_subclass(*k, of_groups)) {
        return Err(th.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    if exception.is_none() {
        return Ok((None, None));
    }
    if !groups::is_group(exception) {
        return match matches(th, exception, kind)? {
            true => {
                let alone = th.m.new_tuple(&[exception])?;
                Ok((Some(groups::make_plain(th, alone)?), None))
            }
            false => Ok((None, Some(exception))),
        };
    }
    groups::split(th, exception, Wanted::Class(kind))
}

/// What is raised behind the clauses: what they raised themselves, and what none of them took, put together again.
fn left_to_raise(th: &mut Thread, original: Value, left: Value) -> R<Option<Value>> {
    let left: Vec<Value> = list::of(left).map_or(Vec::new(), |l| {
        list::items(l).iter().filter_map(Slot::get).filter(|v| !v.is_none()).collect()
    });
    if left.is_empty() {
        return Ok(None);
    }
    if !groups::is_group(original) {
        return Ok(left.first().copied());
    }
    let (mut raised, mut passed_on) = (Vec::new(), Vec::new());
    for exception in left {
        match same_origin(th, exception, original)? {
            true => groups::leaves(th, exception, &mut passed_on),
            false => raised.push(exception),
        }
    }
    let rest = match passed_on.is_empty() {
        true => None,
        false => groups::split(th, original, Wanted::Leaves(&passed_on))?.0,
    };
    if raised.is_empty() {
        return Ok(rest);
    }
    raised.extend(rest);
    let raised = th.m.new_list(&raised)?;
    groups::make_plain(th, raised).map(Some)
}

/// Whether an exception is a part of the original, not one raised by a clause: then it has the same past.
fn same_origin(th: &mut Thread, exception: Value, original: Value) -> R<bool> {
    let (Some(a), Some(b)) = (exc::cast(exception), exc::cast(original)) else { return Ok(false) };
    let key = th.name("__notes__")?;
    let notes = |v: Value| shape::get(v, key).map(super::iterate::values_of);
    let same_notes = match (notes(exception), notes(original)) {
        (None, None) => true,
        (Some(a), Some(b)) => a.as_slice() == b.as_slice(),
        _ => false,
    };
    Ok(groups::is_group(exception)
        && same_notes
        && a.traceback.get() == b.traceback.get()
        && a.cause.get() == b.cause.get()
        && a.context.get() == b.context.get())
}
