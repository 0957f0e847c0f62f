//! How the combinatoric iterators of `itertools` advance: an odometer of indices into a pool. Must not know how they were
//! made.

use super::iter_tools::{number, set, state};
use super::thread::Thread;
use crate::object::layout::{Iter, List};
use crate::object::{R, Slot, Value, Word, list, tuple};

fn index(l: &List, i: usize) -> usize {
    list::get(l, i).and_then(Value::as_small).map_or(0, |n| n.max(0) as usize)
}

fn put(th: &mut Thread, l: &'static List, i: usize, n: usize) {
    list::set(th, l, i, Value::int_unchecked(n as i64));
}

/// The numbers `from(0), from(1), ...` as a list.
fn numbers(th: &mut Thread, n: usize, from: impl Fn(usize) -> usize) -> R<Value> {
    list::from_fn(th, n, |i| Some(Value::int_unchecked(from(i) as i64))).map(list::value)
}

/// The tuple of the pool's items that the first `n` indices name; `row`, written anew, if it has that length.
fn chosen(th: &mut Thread, pool: &'static [Slot], indices: &[Slot], n: usize, row: Word) -> R<Word> {
    let item = |i: &Slot| pool.get(place(i)).and_then(Slot::get);
    if let Some(slots) = row.map(tuple::items).filter(|slots| slots.len() == n) {
        for (k, slot) in slots.iter().enumerate() {
            slot.set(indices.get(k).and_then(item).unwrap_or(Value::NONE));
        }
        return Ok(row);
    }
    let row = tuple::from_fn(th, n, |i| indices.get(i).and_then(item))?;
    Ok(Some(tuple::value(row)))
}

/// The index that a slot holds.
#[inline]
fn place(slot: &Slot) -> usize {
    slot.value().as_small().map_or(0, |n| n.max(0) as usize)
}

/// `product(*pools)`: the last index turns fastest.
pub fn product(th: &mut Thread, it: &Iter, pools: Value) -> R<Word> {
    let pools = tuple::items(pools);
    let pool = |i: usize| pools.get(i).map_or(&[][..], |p| tuple::items(p.value()));
    let at = match list::of(state(it, 1)) {
        Some(at) => {
            let mut i = pools.len();
            loop {
                let Some(place) = i.checked_sub(1) else { return Ok(None) };
                let after = index(at, place) + 1;
                if after < pool(place).len() {
                    put(th, at, place, after);
                    break;
                }
                put(th, at, place, 0);
                i = place;
            }
            at
        }
        None => {
            if (0..pools.len()).any(|i| pool(i).is_empty()) {
                return Ok(None);
            }
            let zeros = numbers(th, pools.len(), |_| 0)?;
            set(it, 1, zeros);
            let Some(at) = list::of(zeros) else { return Ok(None) };
            at
        }
    };
    let row = tuple::from_fn(th, pools.len(), |i| pool(i).get(index(at, i)).and_then(Slot::get))?;
    Ok(Some(tuple::value(row)))
}

/// `permutations(pool, r)`.
pub fn permutations(th: &mut Thread, it: &Iter, pool: Value, row: Word) -> R<Word> {
    let pool = tuple::items(pool);
    let (n, r) = (pool.len(), number(it, 3).max(0) as usize);
    if r > n {
        return Ok(None);
    }
    let (Some(at), Some(cycles)) = (list::of(state(it, 1)), list::of(state(it, 2))) else {
        let (at, cycles) = (numbers(th, n, |i| i)?, numbers(th, r, |i| n - i)?);
        set(it, 1, at);
        set(it, 2, cycles);
        return match list::of(at) {
            Some(at) => chosen(th, pool, list::items(at), r, row),
            None => Ok(None),
        };
    };
    // Nobody else knows the lists, and they never change their lengths: their slots can be written as they are.
    let indices = list::items(at);
    for (i, cycle) in list::items(cycles).iter().enumerate().rev() {
        let left = place(cycle).saturating_sub(1);
        if left == 0 {
            // Turned through: the item goes behind the others, and the place before it moves on.
            let turned = indices.get(i..).unwrap_or(&[]);
            if let Some(first) = turned.first().map(Slot::value) {
                turned.windows(2).for_each(|pair| pair[0].set(pair[1].value()));
                turned.last().into_iter().for_each(|last| last.set(first));
            }
            cycle.set(Value::int_unchecked((n - i) as i64));
            continue;
        }
        cycle.set(Value::int_unchecked(left as i64));
        if let (Some(one), Some(other)) = (indices.get(i), indices.get(n.saturating_sub(left))) {
            let held = one.value();
            one.set(other.value());
            other.set(held);
        }
        return chosen(th, pool, indices, r, row);
    }
    Ok(None)
}

/// `combinations(pool, r)`; `again`: with replacement.
pub fn combinations(th: &mut Thread, it: &Iter, (pool, again): (Value, bool), row: Word) -> R<Word> {
    let pool = tuple::items(pool);
    let (n, r) = (pool.len(), number(it, 2).max(0) as usize);
    if (!again && r > n) || (again && n == 0 && r > 0) {
        return Ok(None);
    }
    let Some(at) = list::of(state(it, 1)) else {
        let at = numbers(th, r, |i| if again { 0 } else { i })?;
        set(it, 1, at);
        return match list::of(at) {
            Some(at) => chosen(th, pool, list::items(at), r, row),
            None => Ok(None),
        };
    };
    let last = |i: usize| if again { n - 1 } else { n - r + i };
    // Nobody else knows the list, and it never changes its length: its slots can be written as they are.
    let indices = list::items(at);
    let turned = indices.iter().enumerate().rposition(|(i, slot)| place(slot) != last(i));
    let Some(turning) = turned.and_then(|turned| indices.get(turned..)) else { return Ok(None) };
    let mut value = turning.first().map_or(0, place) + 1;
    for slot in turning {
        slot.set(Value::int_unchecked(value as i64));
        value += !again as usize;
    }
    chosen(th, pool, indices, r, row)
}
