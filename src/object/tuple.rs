//! Tuples: a fixed row of slots, written once before anybody sees it. Must not know equality or hashing of items.

use super::error::R;
use super::header::{Kind, Slot};
use super::layout::Tuple;
use super::mutator::Mutator;
use super::types;
use super::value::{Value, Word};

/// `v` as a tuple.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static Tuple> {
    types::cast::<Tuple>(v)
}

/// The value of a tuple.
#[inline(always)]
pub fn value(t: &Tuple) -> Value {
    Value::from_addr(std::ptr::from_ref(t) as usize)
}

/// The items. None of them is EMPTY.
#[inline(always)]
pub fn slots(t: &'static Tuple) -> &'static [Slot] {
    let first = std::ptr::from_ref(t).wrapping_add(1).cast::<Slot>();
    // SAFETY: `len` initialised slots lie behind the struct, and neither moves nor grows.
    unsafe { std::slice::from_raw_parts(first, t.len as usize) }
}

/// The items of a value that is a tuple; of any other value, none.
#[inline(always)]
pub fn items(v: Value) -> &'static [Slot] {
    of(v).map_or(&[], slots)
}

/// Item `i`.
#[inline(always)]
pub fn get(t: &'static Tuple, i: usize) -> Word {
    slots(t).get(i).and_then(Slot::get)
}

/// A tuple of `n` items that `item` produces, and of as many as it has if it ends early. `item` must not allocate.
pub fn from_fn(m: &mut Mutator, n: usize, item: impl FnMut(usize) -> Word) -> R<&'static Tuple> {
    from_fn_as(m, n, types::root_shape(Kind::Tuple), 0, item)
}

/// As `from_fn`, for the shape of a subclass, with `extra` EMPTY words behind the items.
pub fn from_fn_as(
    m: &mut Mutator,
    n: usize,
    shape: u32,
    extra: usize,
    mut item: impl FnMut(usize) -> Word,
) -> R<&'static Tuple> {
    let Some(bytes) = n.checked_add(extra).and_then(|n| n.checked_mul(8)) else { return Err(m.no_memory()) };
    let t = m.alloc_as::<Tuple>(Kind::Tuple, shape, bytes)?;
    // SAFETY: the cell is ours alone and has room for the struct and `n + extra` words; 0 is an EMPTY slot.
    unsafe {
        let words = t.add(1).cast::<Slot>();
        let mut len = 0;
        while len < n {
            let Some(v) = item(len) else { break };
            words.add(len).write(Slot::new(v));
            len += 1;
        }
        (len..n + extra).for_each(|i| words.add(i).write(Slot::empty()));
        (&raw mut (*t).len).write(len as u64);
        Ok(&*t)
    }
}

/// A tuple of the words of `from` that are not EMPTY.
pub fn from_slots(m: &mut Mutator, from: &[Slot]) -> R<&'static Tuple> {
    let mut rest = from.iter().filter_map(Slot::get);
    from_fn(m, from.len(), |_| rest.next())
}

/// Items that are copied faster one by one than by a call.
const FEW: usize = 6;

impl Mutator {
    /// A tuple of these items.
    #[inline]
    pub fn new_tuple(&mut self, items: &[Value]) -> R {
        let t = self.alloc::<Tuple>(size_of_val(items))?;
        // SAFETY: the cell is ours alone and has room for the struct and the items.
        unsafe {
            let slots = t.add(1).cast::<Slot>();
            if items.len() <= FEW {
                // Atomic stores, which no compiler makes a call of `memcpy`.
                items.iter().enumerate().for_each(|(i, v)| (*slots.add(i)).set(*v));
            } else {
                std::ptr::copy_nonoverlapping(items.as_ptr(), slots.cast(), items.len());
            }
            (&raw mut (*t).len).write(items.len() as u64);
            Ok(value(&*t))
        }
    }
}

/// `a + b`.
pub fn concat(m: &mut Mutator, a: &[Slot], b: &[Slot]) -> R<&'static Tuple> {
    from_fn(m, a.len() + b.len(), |i| a.get(i).or_else(|| b.get(i - a.len()))?.get())
}

/// `from * times`.
pub fn repeat(m: &mut Mutator, from: &[Slot], times: usize) -> R<&'static Tuple> {
    let Some(n) = from.len().checked_mul(times) else { return Err(m.no_memory()) };
    from_fn(m, n, |i| from.get(i % from.len())?.get())
}

/// The `count` items `start`, `start + step`, ... as a new tuple.
pub fn stepped(m: &mut Mutator, from: &[Slot], start: usize, step: isize, count: usize) -> R<&'static Tuple> {
    if let (1, Some(run)) = (step, start.checked_add(count).and_then(|end| from.get(start..end))) {
        return from_slots(m, run);
    }
    from_fn(m, count, |k| {
        let i = start.checked_add_signed(step.checked_mul(k as isize)?)?;
        from.get(i)?.get()
    })
}

/// Combines the hashes of a tuple's items, as CPython does, so that sets of tuples are laid out alike.
pub struct Hasher(u64, u64);

impl Hasher {
    const PRIMES: [u64; 3] =
        [11_400_714_785_074_694_791, 14_029_467_366_897_019_727, 2_870_177_450_012_600_261];

    pub fn new() -> Hasher {
        Hasher(Self::PRIMES[2], 0)
    }

    #[inline(always)]
    pub fn add(&mut self, hash: i64) {
        let mixed = self.0.wrapping_add((hash as u64).wrapping_mul(Self::PRIMES[1]));
        self.0 = mixed.rotate_left(31).wrapping_mul(Self::PRIMES[0]);
        self.1 += 1;
    }

    #[inline(always)]
    pub fn finish(self) -> i64 {
        let h = self.0.wrapping_add(self.1 ^ (Self::PRIMES[2] ^ 3_527_539));
        if h == u64::MAX { 1_546_275_796 } else { h as i64 }
    }
}

impl Default for Hasher {
    fn default() -> Hasher {
        Hasher::new()
    }
}
