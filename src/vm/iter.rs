//! Iteration from Rust: over any iterable, with short paths for the built-in containers.
//! Must not know what scripts call iterators (`object::iter` names them) nor how a `for` statement keeps its state.
//!
//! With the GIL off several threads may advance one iterator: then an item may come twice or be left out, as the state
//! words are read and written one by one.

use super::fold::Fold;
use super::iter_object;
use super::poll;
use super::thread::Thread;
use crate::object::iter::{self, Tag};
use crate::object::{Exc, Kind, R, Raised, Slot, Value, Word};
use crate::object::{
    bytes, class, dict, func, generator, list, memoryview, range, set, str as text, str_index, tuple, types,
};

/// How the items of an iterable are found.
#[derive(Clone, Copy)]
enum How {
    List,
    Tuple,
    Range,
    Str,
    Bytes,
    DictKeys,
    Set,
    Generator,
    /// An iterator object.
    Iterator,
}

/// An iteration in progress. Lives on the native stack, where the collector sees `source`.
pub struct VmIter {
    how: How,
    source: Value,
    /// The next position; of a range, the next number.
    at: i64,
    /// Stamp of a dict or set; step of a range.
    aux: i64,
    /// Of a range: items left.
    left: i64,
}

/// Whether a class written in Mini replaces `__iter__` of this object.
fn overrides_iter(th: &mut Thread, v: Value) -> bool {
    v.is_ref()
        && !class::is_untouched(v, class::trait_bits::ITER)
        && th.lookup_override(v, "__iter__").is_some()
}

impl VmIter {
    /// The next item; `None` at the end.
    #[inline]
    pub fn next(&mut self, th: &mut Thread) -> R<Word> {
        let at = self.at as usize;
        match self.how {
            How::List => {
                let item = list::of(self.source).and_then(|l| list::get(l, at));
                self.at += item.is_some() as i64;
                Ok(item)
            }
            How::Tuple => {
                self.at += 1;
                Ok(tuple::items(self.source).get(at).and_then(Slot::get))
            }
            How::Range => {
                if self.left <= 0 {
                    return Ok(None);
                }
                poll::poll_in_native(th)?;
                let item = self.at;
                self.left -= 1;
                self.at += self.aux;
                Ok(Some(Value::int_unchecked(item)))
            }
            How::Generator => match generator::of(self.source) {
                Some(g) => th.next_of_generator(g),
                None => Ok(None),
            },
            How::Iterator => th.next_item(self.source),
            _ => self.next_slow(th, at),
        }
    }

    /// The next item that cannot be added to `fold`. Which of those before it have been is the iterable's affair.
    #[inline]
    pub fn next_after_fold(&mut self, th: &mut Thread, fold: &mut Fold) -> R<Word> {
        match generator::of(self.source) {
            Some(g) if matches!(self.how, How::Generator) => th.next_after_fold(g, fold),
            _ => self.next(th),
        }
    }

    fn next_slow(&mut self, th: &mut Thread, at: usize) -> R<Word> {
        match self.how {
            How::Str => {
                let next = text::view(self.source).and_then(|s| str_index::char_from(s, at));
                let Some((c, after)) = next else { return Ok(None) };
                self.at = after as i64;
                th.new_char(c).map(Some)
            }
            How::Bytes => {
                self.at += 1;
                let byte = bytes::as_bytes(self.source).and_then(|b| b.get(at).copied());
                Ok(byte.map(|b| Value::int_unchecked(b as i64)))
            }
            How::DictKeys => {
                let Some(d) = dict::of(self.source) else { return Ok(None) };
                if dict::stamp(d) as i64 != self.aux {
                    return Err(dict_changed(th));
                }
                let Some((after, key, _)) = dict::next_entry(d, at) else { return Ok(None) };
                self.at = after as i64;
                Ok(Some(key))
            }
            How::Set => {
                let Some(s) = set::of(self.source) else { return Ok(None) };
                if set::len(s) as i64 != self.aux {
                    return Err(set_changed(th));
                }
                let Some((after, _, key)) = set::next_entry(s, at) else { return Ok(None) };
                self.at = after as i64;
                Ok(Some(key))
            }
            _ => Ok(None),
        }
    }

    /// How many items are to be expected; a guess for making room.
    pub fn size_hint(&self) -> usize {
        match self.how {
            How::List => list::of(self.source).map_or(0, list::len),
            How::Tuple => tuple::items(self.source).len(),
            How::Range => self.left.clamp(0, 1 << 24) as usize,
            How::DictKeys | How::Set => self.aux.max(0) as usize,
            How::Bytes => bytes::as_bytes(self.source).map_or(0, <[u8]>::len),
            How::Str | How::Generator | How::Iterator => 0,
        }
    }
}

pub(super) fn dict_changed(th: &mut Thread) -> Raised {
    th.raise(Exc::RuntimeError, "dictionary changed size during iteration")
}

pub(super) fn set_changed(th: &mut Thread) -> Raised {
    th.raise(Exc::RuntimeError, "Set changed size during iteration")
}

impl Thread {
    /// Begins an iteration over `v`.
    #[inline]
    pub fn iter(&mut self, v: Value) -> R<VmIter> {
        let plain = |how, aux| VmIter { how, source: v, at: 0, aux, left: 0 };
        let kind = types::kind_of(v);
        if overrides_iter(self, v) {
            return self.iter_object(v).map(iterator);
        }
        Ok(match kind {
            Kind::List => plain(How::List, 0),
            Kind::Tuple => plain(How::Tuple, 0),
            Kind::Generator => plain(How::Generator, 0),
            Kind::Str => plain(How::Str, 0),
            Kind::Bytes => plain(How::Bytes, 0),
            Kind::Dict => plain(How::DictKeys, dict::of(v).map_or(0, dict::stamp) as i64),
            Kind::Set | Kind::FrozenSet => plain(How::Set, set::of(v).map_or(0, set::len) as i64),
            Kind::Range => match range::of(v).and_then(range::small_parts) {
                Some((start, stop, step)) => {
                    let left = range::small_len(start, stop, step);
                    VmIter { how: How::Range, source: v, at: start, aux: step, left }
                }
                None => iterator(self.iter_object(v)?),
            },
            _ => iterator(self.iter_object(v)?),
        })
    }

    /// `iter(v)`: an iterator object.
    pub fn iter_object(&mut self, v: Value) -> R {
        let kind = types::kind_of(v);
        if !overrides_iter(self, v) {
            if matches!(kind, Kind::Iter | Kind::Generator) {
                return Ok(v);
            }
            if let Some(it) = builtin_iterator(self, kind, v)? {
                return Ok(it);
            }
        }
        if let Some(method) = self.lookup_special(v, "__iter__") {
            if method.is_none() {
                return Err(not_iterable(self, v));
            }
            let it = self.call(method, &[v])?;
            if types::kind_of(it) != Kind::Iter && self.lookup_special(it, "__next__").is_none() {
                let name = self.type_name(it);
                return Err(self.type_error(format!("iter() returned non-iterator of type '{name}'")));
            }
            return Ok(it);
        }
        if self.has_items(v) {
            return iter::new(self, Tag::Sequence, &[v, Value::int_unchecked(0)]);
        }
        Err(not_iterable(self, v))
    }

    /// `iter(v)` as the built-in type has it, whatever a subclass says.
    pub fn iter_builtin(&mut self, v: Value) -> R {
        let kind = types::kind_of(v);
        if kind == Kind::Iter {
            return Ok(v);
        }
        match builtin_iterator(self, kind, v)? {
            Some(it) => Ok(it),
            None => Err(not_iterable(self, v)),
        }
    }

    /// The next item of an iterator object; `None` at the end. A StopIteration that a function called by `map` or its
    /// like lets through is an end as well.
    #[inline]
    pub fn next_item(&mut self, it: Value) -> R<Word> {
        poll::poll_in_native(self)?;
        if let Some(state) = iter::plain(it) {
            if let Some(item) = iter_object::at_once(state) {
                return Ok(Some(item));
            }
            return iter_object::next_or_end(self, state, None);
        }
        self.next_or_stop(it)
    }

    /// As `next_item`, but a StopIteration that a built-in iterator got from a function stays one.
    pub fn next_or_stop(&mut self, it: Value) -> R<Word> {
        if let Some(state) = iter::plain(it) {
            return iter_object::next(self, state, None);
        }
        if types::kind_of(it) == Kind::Generator
            && let Some(g) = generator::of(it)
        {
            return self.next_of_generator(g);
        }
        let Some(method) = self.lookup_special(it, "__next__") else {
            let name = self.type_name(it);
            return Err(self.type_error(format!("'{name}' object is not an iterator")));
        };
        match self.call(method, &[it]) {
            Ok(item) => Ok(Some(item)),
            Err(raised) if self.pending_is(Exc::StopIteration) => {
                let _ = raised;
                self.pending = None;
                Ok(None)
            }
            Err(raised) => Err(raised),
        }
    }

    /// All items of an iterable as a new list.
    pub fn collect(&mut self, iterable: Value) -> R {
        if let Some(l) = list::of(iterable).filter(|_| !overrides_iter(self, iterable)) {
            return list::from_slots(self, list::items(l)).map(list::value);
        }
        let mut it = self.iter(iterable)?;
        self.ask_length(iterable)?;
        let out = self.new_list_with_capacity(it.size_hint())?;
        self.extend_list(out, &mut it)?;
        Ok(out)
    }

    /// Calls `__len__` or `__length_hint__` of an iterable that a list is made of. Nothing is made as long as they say, but
    /// scripts see that they are asked, what they raise, and that there is no room for so much.
    pub fn ask_length(&mut self, iterable: Value) -> R<()> {
        if let Some(method) = self.lookup_override(iterable, "__len__") {
            match self.len_by(method, iterable) {
                Err(_) if self.pending_is(Exc::TypeError) => self.pending = None,
                length => return self.check_room(length?),
            }
        }
        let Some(method) = self.lookup_override(iterable, "__length_hint__") else { return Ok(()) };
        let hint = match self.call(method, &[iterable]) {
            Err(_) if self.pending_is(Exc::TypeError) => {
                self.pending = None;
                return Ok(());
            }
            hint => hint?,
        };
        if hint == Value::NOT_IMPLEMENTED {
            return Ok(());
        }
        if !matches!(types::kind_of(hint), Kind::Int | Kind::Bool) {
            let name = self.type_name(hint);
            return Err(self.type_error(format!("__length_hint__ must be an integer, not {name}")));
        }
        match crate::object::int::is_negative(hint) {
            true => Err(self.value_error("__length_hint__() should return >= 0")),
            false => match crate::object::int::as_i64(hint).and_then(|n| usize::try_from(n).ok()) {
                Some(n) => self.check_room(n),
                None => Err(self.raise(Exc::OverflowError, "Python int too large to convert to C ssize_t")),
            },
        }
    }

    /// MemoryError if a list could not have so many items.
    fn check_room(&mut self, items: usize) -> R<()> {
        match items > crate::object::heap::limit() / size_of::<Value>() {
            true => Err(self.m.no_memory()),
            false => Ok(()),
        }
    }

    /// Appends the rest of an iteration to a list.
    pub fn extend_list(&mut self, out: Value, it: &mut VmIter) -> R<()> {
        let Some(out) = list::of(out) else { return Ok(()) };
        let mut fold = Fold::List(out);
        while let Some(item) = it.next_after_fold(self, &mut fold)? {
            list::push(self, out, item)?;
        }
        Ok(())
    }
}

fn iterator(it: Value) -> VmIter {
    VmIter { how: How::Iterator, source: it, at: 0, aux: 0, left: 0 }
}

impl Thread {
    /// Whether `v` can be gone through by the numbers of its items.
    pub fn has_items(&mut self, v: Value) -> bool {
        let kind = types::kind_of(v);
        // What natives look up by a key, as a match does its groups, are no items.
        let by_key = |item| kind == Kind::Host && types::kind_of(item) == Kind::Native;
        kind != Kind::Class && self.lookup_special(v, "__getitem__").is_some_and(|item| !by_key(item))
    }
}

fn not_iterable(th: &mut Thread, v: Value) -> Raised {
    let name = th.type_name(v);
    th.type_error(format!("'{name}' object is not iterable"))
}

/// The iterator of a built-in container.
fn builtin_iterator(th: &mut Thread, kind: Kind, v: Value) -> R<Word> {
    let zero = Value::int_unchecked(0);
    let count = |n: usize| Value::int_unchecked(n as i64);
    let it = match kind {
        Kind::List => iter::new(th, Tag::List, &[v, zero]),
        Kind::Tuple => iter::new(th, Tag::Tuple, &[v, zero]),
        Kind::Str if text::view(v).is_some_and(text::is_ascii) => iter::new(th, Tag::StrAscii, &[v, zero]),
        Kind::Str => iter::new(th, Tag::Str, &[v, zero]),
        Kind::Bytes => iter::new(th, Tag::Bytes, &[v, zero]),
        Kind::ByteArray => iter::new(th, Tag::ByteArray, &[v, zero]),
        Kind::MemoryView => {
            if let Some(view) = memoryview::of(v) {
                super::ops::memoryview::looking(&mut th.m, view)?;
            }
            iter::new(th, Tag::Memory, &[v, zero])
        }
        Kind::Set | Kind::FrozenSet => {
            let n = set::of(v).map_or(0, set::len);
            iter::new(th, Tag::Set, &[v, zero, count(n)])
        }
        Kind::Dict => {
            let stamp = dict::of(v).map_or(0, dict::stamp);
            iter::new(th, Tag::DictKeys, &[v, zero, count(stamp)])
        }
        Kind::DictView => return view_iterator(th, v),
        Kind::MappingProxy => {
            let d = func::proxied(v).unwrap_or(Value::NONE);
            return builtin_iterator(th, types::kind_of(d), d);
        }
        Kind::Range => return range_iterator(th, v),
        _ => return Ok(None),
    };
    it.map(Some)
}

fn view_iterator(th: &mut Thread, v: Value) -> R<Word> {
    let Some(view) = iter::view_of(v) else { return Ok(None) };
    let tag = match view.what {
        0 => Tag::DictKeys,
        1 => Tag::DictValues,
        _ => Tag::DictItems,
    };
    let d = view.dict.value();
    let stamp = dict::of(d).map_or(0, dict::stamp);
    iter::new(th, tag, &[d, Value::int_unchecked(0), Value::int_unchecked(stamp as i64)]).map(Some)
}

/// The iterator of a range.
pub fn range_iterator(th: &mut Thread, v: Value) -> R<Word> {
    let Some(r) = range::of(v) else { return Ok(None) };
    let [start, _, step] = range::parts(r);
    let n = range::len(th, r)?;
    let small = range::small_parts(r).is_some() && n.is_small_int();
    let tag = if small { Tag::Range } else { Tag::LongRange };
    iter::new(th, tag, &[start, step, n]).map(Some)
}
