//! `for` loops and unpacking: the state of a loop in four registers. Must not know iterator objects' insides.

use crate::object::{Kind, R, Slot, Value, Word, iter, list, range, str, tuple, types};
use crate::vm::iter_object;
use crate::vm::thread::Thread;

/// Begins a loop over `v`: word 0 is RANGE_STATE (then: next number, items left, step), a list or tuple (then: the
/// index), a string (then: the bytes before the next character), or an iterator object (then: EMPTY).
pub(crate) fn start(th: &mut Thread, v: Value, state: *mut u64) -> R<()> {
    if let Some((start, stop, step)) = range::of(v).and_then(range::small_parts) {
        let left = range::small_len(start, stop, step);
        put(state, [Value::RANGE_STATE.bits(), small(start).bits(), small(left).bits(), small(step).bits()]);
        return Ok(());
    }
    let walks = matches!(types::kind_of(v), Kind::List | Kind::Tuple | Kind::Str) && !is_subclass(v);
    let (source, index) = if walks { (v, small(0).bits()) } else { (th.iter_object(v)?, 0) };
    put(state, [source.bits(), index, 0, 0]);
    Ok(())
}

/// Writes the state of a loop.
#[inline]
fn put(state: *mut u64, words: [u64; 4]) {
    // SAFETY: the compiler reserves four registers for the state.
    unsafe { state.cast::<[u64; 4]>().write(words) };
}

fn is_subclass(v: Value) -> bool {
    crate::object::layout::is_subclass_instance(types::hdr(v))
}

fn small(n: i64) -> Value {
    Value::int_unchecked(n)
}

/// The next item, where the eval loop's short paths found none.
#[cold]
#[inline(never)]
pub(crate) fn next(th: &mut Thread, state: *mut u64) -> R<Word> {
    // SAFETY: the four registers of the state.
    let (source, index) = unsafe { (Value::from_bits(*state), Value::from_bits(*state.add(1))) };
    let Some(source) = source else { return Ok(None) };
    match index {
        Some(at) if let Some(text) = str::as_str(source) => next_char(th, text, at, state),
        // A list or tuple at its end; it stays there, even if the list grows again.
        Some(_) => {
            // SAFETY: as above.
            unsafe { *state = Value::NONE.bits() };
            Ok(None)
        }
        None if source.is_none() => Ok(None),
        None => {
            let plain = iter::plain(source);
            if let Some(item) = plain.and_then(iter_object::at_once) {
                return Ok(Some(item));
            }
            let Some(it) = plain.filter(|_| unpacks(th)) else { return th.next_item(source) };
            // SAFETY: as above; an iterator does not use this register.
            let spare = unsafe { &mut *state.add(2) };
            let item = iter_object::next_or_end(th, it, Value::from_bits(*spare))?;
            if iter_object::makes_rows(it) {
                *spare = item.map_or(0, Value::bits);
            }
            Ok(item)
        }
    }
}

/// Whether the `ForLoop` that is running hands its item to nothing but an `Unpack`.
fn unpacks(th: &Thread) -> bool {
    // SAFETY: `pc` stands behind the running instruction.
    unsafe { (*th.pc.sub(1)).x != 0 }
}

fn next_char(th: &mut Thread, text: &str, at: Value, state: *mut u64) -> R<Word> {
    let at = at.as_small().unwrap_or(0) as usize;
    if let Some(b) = text.as_bytes().get(at).filter(|b| b.is_ascii()) {
        // SAFETY: the registers of the state.
        unsafe { *state.add(1) = small(at as i64 + 1).bits() };
        return th.m.new_char(char::from(*b)).map(Some);
    }
    let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
        // SAFETY: the registers of the state. It stays at the end.
        unsafe { *state = Value::NONE.bits() };
        return Ok(None);
    };
    // SAFETY: as above.
    unsafe { *state.add(1) = small((at + c.len_utf8()) as i64).bits() };
    th.m.new_char(c).map(Some)
}

/// Writes exactly `count` items of `v` to registers: all, or none if there is another number of them.
#[inline(never)]
pub fn unpack(th: &mut Thread, v: Value, registers: *mut u64, count: usize) -> R<()> {
    if let Some(slots) = plain_slots(v)
        && slots.len() == count
        && copy(slots, registers)
    {
        return Ok(());
    }
    unpack_any(th, v, registers, count)
}

#[cold]
#[inline(never)]
fn unpack_any(th: &mut Thread, v: Value, registers: *mut u64, count: usize) -> R<()> {
    let items = items_of(th, v, Some(count))?;
    if items.len() != count {
        return Err(wrong_count(th, items.len(), count));
    }
    write(registers, &items);
    Ok(())
}

/// The slots of a list or tuple that is no instance of a subclass.
#[inline(always)]
fn plain_slots(v: Value) -> Option<&'static [Slot]> {
    if !v.is_ref() || is_subclass(v) {
        return None;
    }
    match types::hdr(v).kind {
        Kind::Tuple => Some(tuple::items(v)),
        Kind::List => list::of(v).map(list::items),
        _ => None,
    }
}

/// Copies slots to registers; false if one of them has just been emptied by another thread.
#[inline(always)]
fn copy(slots: &[Slot], registers: *mut u64) -> bool {
    let mut complete = true;
    for (i, slot) in slots.iter().enumerate() {
        let word = slot.bits();
        complete &= word != 0;
        // SAFETY: the compiler reserves as many registers as there are targets.
        unsafe { *registers.add(i) = word };
    }
    complete
}

fn write(registers: *mut u64, items: &[Value]) {
    for (i, v) in items.iter().enumerate() {
        // SAFETY: the compiler reserves as many registers as there are targets.
        unsafe { *registers.add(i) = v.bits() };
    }
}

#[cold]
fn wrong_count(th: &mut Thread, got: usize, want: usize) -> crate::object::Raised {
    if got < want {
        return th.value_error(format!("not enough values to unpack (expected {want}, got {got})"));
    }
    th.value_error(format!("too many values to unpack (expected {want})"))
}

/// The items of an iterable, at most one more than `limit`.
fn items_of(th: &mut Thread, v: Value, limit: Option<usize>) -> R<smallvec::SmallVec<[Value; 16]>> {
    if plain_slots(v).is_some() {
        return Ok(values_of(v));
    }
    let mut it = match th.iter(v) {
        Ok(it) => it,
        Err(raised) => {
            if th.pending_is(crate::object::Exc::TypeError) && th.lookup_special(v, "__iter__").is_none() {
                th.m.pending = None;
                let name = th.type_name(v);
                return Err(th.type_error(format!("cannot unpack non-iterable {name} object")));
            }
            return Err(raised);
        }
    };
    // Kept in a list while Mini code may run.
    let collected = th.m.new_list(&[])?;
    let scope = th.scope();
    th.root(collected);
    let mut result = Ok(());
    let mut n = 0;
    while limit.is_none_or(|limit| n <= limit) {
        match it.next(th) {
            Ok(Some(item)) => result = push(th, collected, item),
            Ok(None) => break,
            Err(raised) => result = Err(raised),
        }
        if result.is_err() {
            break;
        }
        n += 1;
    }
    th.close(scope);
    result.map(|()| values_of(collected))
}

fn push(th: &mut Thread, l: Value, item: Value) -> R<()> {
    match list::of(l) {
        Some(l) => list::push(&mut th.m, l, item),
        None => Ok(()),
    }
}

/// The items of a list or tuple as they are now.
pub fn values_of(v: Value) -> smallvec::SmallVec<[Value; 16]> {
    let slots = list::of(v).map_or_else(|| tuple::items(v), list::items);
    let mut values = smallvec::SmallVec::with_capacity(slots.len());
    values.extend(slots.iter().filter_map(Slot::get));
    values
}

/// `a, *b, c = v` with `before` and `after` plain targets.
pub fn unpack_starred(th: &mut Thread, v: Value, registers: *mut u64, before: usize, after: usize) -> R<()> {
    let items = items_of(th, v, None)?;
    if items.len() < before + after {
        let message = format!(
            "not enough values to unpack (expected at least {}, got {})",
            before + after,
            items.len()
        );
        return Err(th.value_error(message));
    }
    let tail = items.len() - after;
    let middle = th.m.new_list(&items[before..tail])?;
    write(registers, &items[..before]);
    write(registers.wrapping_add(before), &[middle]);
    write(registers.wrapping_add(before + 1), &items[tail..]);
    Ok(())
}
