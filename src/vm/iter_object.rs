//! How each built-in iterator advances. Must not know how it was made.

use super::awaitable;
use super::iter::{dict_changed, set_changed};
use super::iter_tools;
use super::thread::Thread;
use crate::object::iter::{self, Tag};
use crate::object::layout::{Dict, Iter, Set};
use crate::object::mutator::Mutator;
use crate::object::num::{self, BinOp, CmpOp};
use crate::object::{Exc, Kind, R, Slot, Value, Word};
use crate::object::{
    bytearray, bytes, deque, dict, list, memoryview, set, str as text, str_index, table, tuple, types,
};
use smallvec::SmallVec;

/// A stamp that no container has: once an iterator has complained, it goes on complaining.
const NEVER: usize = 1 << 60;

/// Whether its items are tuples of its own making, which `next` can write into one that it made before.
pub fn makes_rows(it: &Iter) -> bool {
    use Tag::{Combinations, CombinationsRepeat, DictItems, Enumerate, Permutations, Zip};
    matches!(Tag::of(it), Enumerate | Zip | DictItems | Combinations | CombinationsRepeat | Permutations)
}

/// The next item of an iterator over a list, tuple, range, set or ASCII text, the shortest way. `None`: ask `next`.
#[inline(always)]
pub fn at_once(it: &Iter) -> Word {
    let [source, ..] = &it.state;
    let first = source.get()?;
    match Tag::of(it) {
        Tag::List => next_of_list(it, first),
        Tag::Tuple => indexed(it, |i| tuple::items(first).get(i).and_then(Slot::get)),
        Tag::Range => next_of_range(it, first),
        Tag::Set => element(it, set::of(first)?),
        Tag::StrAscii => {
            let [_, at, ..] = &it.state;
            let c = str_index::ascii_byte(first, at.get()?)?;
            set_count(it, 1, count(it, 1) + 1);
            Some(c)
        }
        _ => None,
    }
}

/// As `next`; a StopIteration that a function called by `map` or its like lets through is an end as well.
#[inline]
pub fn next_or_end(th: &mut Thread, it: &'static Iter, row: Word) -> R<Word> {
    match next(th, it, row) {
        Err(_) if th.pending_is(Exc::StopIteration) => {
            th.pending = None;
            Ok(None)
        }
        item => item,
    }
}

/// The next item; `None` at the end, from then on always. `row`: an item that it made and that nobody sees any more.
pub fn next(th: &mut Thread, it: &'static Iter, row: Word) -> R<Word> {
    let [source, ..] = &it.state;
    let Some(first) = source.get() else { return Ok(None) };
    let item = match Tag::of(it) {
        Tag::List => next_of_list(it, first),
        Tag::ListReverse => next_of_list_reverse(it, first),
        Tag::Tuple => indexed(it, |i| tuple::items(first).get(i).and_then(Slot::get)),
        Tag::Bytes => indexed(it, |i| {
            let byte = bytes::as_bytes(first)?.get(i)?;
            Some(Value::int_unchecked(*byte as i64))
        }),
        Tag::ByteArray => indexed(it, |i| {
            let byte = bytearray::get(bytearray::of(first)?, i)?;
            Some(Value::int_unchecked(byte as i64))
        }),
        Tag::Memory => next_of_view(th, it, first)?,
        Tag::Str | Tag::StrAscii => next_of_str(th, it, first)?,
        Tag::Range => return Ok(next_of_range(it, first)),
        Tag::LongRange => return next_of_long_range(th, it, first),
        Tag::DictKeys | Tag::DictValues | Tag::DictItems => next_of_dict(th, it, first, row)?,
        Tag::DictKeysReverse | Tag::DictValuesReverse | Tag::DictItemsReverse => {
            next_of_dict_reverse(th, it, first)?
        }
        Tag::Set => next_of_set(th, it, first)?,
        Tag::Sequence => next_of_sequence(th, it, first)?,
        Tag::Reversed => next_of_reversed(th, it, first)?,
        Tag::Callable => next_of_callable(th, it, first)?,
        Tag::Enumerate => return next_of_enumerate(th, it, first, row),
        Tag::Zip => return next_of_zip(th, it, first, row),
        Tag::Map => return next_of_map(th, it, first),
        Tag::Filter => return next_of_filter(th, it, first),
        Tag::AsyncSend | Tag::AsyncThrow | Tag::CoroutineWrapper | Tag::AnextDefault | Tag::FutureIter => {
            return awaitable::next(th, it);
        }
        Tag::KeysView | Tag::ValuesView | Tag::ItemsView => None,
        _ => iter_tools::next(th, it, first, row)?,
    };
    if item.is_none() {
        source.clear();
    }
    Ok(item)
}

#[inline(never)]
fn next_of_view(th: &mut Thread, it: &'static Iter, view: Value) -> R<Word> {
    let Some(view) = memoryview::of(view) else { return Ok(None) };
    let p = super::ops::memoryview::looking(&mut th.m, view)?;
    let i = count(it, 1);
    set_count(it, 1, i + 1);
    super::ops::memoryview::item(&mut th.m, &p, i)
}

/// State word `i` as a count.
fn count(it: &Iter, i: usize) -> usize {
    it.state.get(i).and_then(|s| s.value().as_small()).map_or(0, |n| n.max(0) as usize)
}

fn set_count(it: &Iter, i: usize, n: usize) {
    if let Some(slot) = it.state.get(i) {
        slot.set(Value::int_unchecked(n as i64));
    }
}

#[inline(always)]
fn indexed(it: &Iter, item: impl FnOnce(usize) -> Word) -> Word {
    let [_, at, ..] = &it.state;
    let i = at.value().as_small()?;
    let item = item(i as usize)?;
    at.set(Value::int_unchecked(i + 1));
    Some(item)
}

fn next_of_list(it: &Iter, source: Value) -> Word {
    indexed(it, |i| list::get(list::of(source)?, i))
}

fn next_of_list_reverse(it: &Iter, source: Value) -> Word {
    let i = count(it, 1).checked_sub(1)?;
    set_count(it, 1, i);
    list::get(list::of(source)?, i)
}

#[inline(never)]
fn next_of_str(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let next = text::view(source).and_then(|s| str_index::char_from(s, count(it, 1)));
    let Some((c, after)) = next else { return Ok(None) };
    set_count(it, 1, after);
    th.new_char(c).map(Some)
}

fn next_of_range(it: &Iter, next: Value) -> Word {
    let left = count(it, 2).checked_sub(1)?;
    let [at, step, ..] = &it.state;
    set_count(it, 2, left);
    // Behind the last item the sum may leave the small ints; it is not used then.
    at.set(Value::int_unchecked(next.as_small()?.wrapping_add(step.value().as_small()?)));
    Some(next)
}

#[inline(never)]
fn next_of_long_range(th: &mut Thread, it: &Iter, next: Value) -> R<Word> {
    let [at, step, left, _] = &it.state;
    let zero = Value::int_unchecked(0);
    if num::compare(left.value(), zero).is_none_or(|o| !CmpOp::Gt.holds(o)) {
        return Ok(None);
    }
    let fewer = num::binary(th, BinOp::Sub, left.value(), Value::int_unchecked(1))?;
    let after = num::binary(th, BinOp::Add, next, step.value())?;
    left.set(fewer.unwrap_or(zero));
    at.set(after.unwrap_or(zero));
    Ok(Some(next))
}

/// A tuple of `items`: `row` written anew, if it has that length.
#[inline]
fn row_of(th: &mut Thread, row: Word, items: &[Value]) -> R {
    match row {
        Some(row) if tuple::items(row).len() == items.len() => {
            for (i, slot) in tuple::items(row).iter().enumerate() {
                slot.set_word(items.get(i).copied());
            }
            Ok(row)
        }
        _ => th.new_tuple(items),
    }
}

/// State: the dict, the position of the next entry, the stamp, and how many deleted entries were passed over.
fn next_of_dict(th: &mut Thread, it: &Iter, source: Value, row: Word) -> R<Word> {
    let Some(d) = dict::of(source) else { return Ok(None) };
    if dict::is_plain(d) {
        let t = dict::table(d);
        let [_, at, stamp, _] = &it.state;
        if stamp.value() == Value::int_unchecked(table::live(t) as i64) {
            let from = at.value().as_small().map_or(0, |n| n as usize);
            let Some((after, key, value)) = dict::next_in_table(t, from) else { return Ok(None) };
            at.set(Value::int_unchecked(after as i64));
            if after != from + 1 {
                set_count(it, 3, count(it, 3) + after - from - 1);
            }
            // Only deleted entries can make the position greater than the number of items.
            if after > table::live(t) && after - count(it, 3) > table::live(t) {
                set_count(it, 2, NEVER);
                return Err(th.raise(Exc::RuntimeError, "dictionary keys changed during iteration"));
            }
            return part_of(th, it, (key, value), row);
        }
    }
    expect_unchanged(th, it, d)?;
    let Some((at, key, value)) = dict::next_entry(d, count(it, 1)) else { return Ok(None) };
    set_count(it, 1, at);
    part_of(th, it, (key, value), row)
}

#[inline(never)]
fn next_of_dict_reverse(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some(d) = dict::of(source) else { return Ok(None) };
    expect_unchanged(th, it, d)?;
    let Some((at, key, value)) = dict::previous_entry(d, count(it, 1)) else { return Ok(None) };
    set_count(it, 1, at);
    part_of(th, it, (key, value), None)
}

fn expect_unchanged(th: &mut Thread, it: &Iter, d: &Dict) -> R<()> {
    if dict::stamp(d) == count(it, 2) {
        return Ok(());
    }
    set_count(it, 2, NEVER);
    Err(dict_changed(th))
}

/// What an iterator over a dict shows of an item.
#[inline(always)]
fn part_of(th: &mut Thread, it: &Iter, (key, value): (Value, Value), row: Word) -> R<Word> {
    match Tag::of(it) {
        Tag::DictKeys | Tag::DictKeysReverse => Ok(Some(key)),
        Tag::DictValues | Tag::DictValuesReverse => Ok(Some(value)),
        _ => row_of(th, row, &[key, value]).map(Some),
    }
}

fn next_of_set(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some(s) = set::of(source) else { return Ok(None) };
    let [_, at, size, _] = &it.state;
    if size.value() != Value::int_unchecked(set::len(s) as i64) {
        set_count(it, 2, NEVER);
        return Err(set_changed(th));
    }
    let from = at.value().as_small().map_or(0, |n| n as usize);
    let Some((after, _, key)) = set::next_entry(s, from) else { return Ok(None) };
    at.set(Value::int_unchecked(after as i64));
    Ok(Some(key))
}

/// The next element of a set that has not changed; `None` at the end as well.
#[inline(always)]
fn element(it: &Iter, s: &Set) -> Word {
    let [_, at, size, _] = &it.state;
    if size.value() != Value::int_unchecked(set::len(s) as i64) {
        return None;
    }
    let (after, _, key) = set::next_entry(s, at.value().as_small()? as usize)?;
    at.set(Value::int_unchecked(after as i64));
    Some(key)
}

/// How many items an iterator over a built-in container still expects to give.
pub fn length_hint(m: &mut Mutator, it: &Iter) -> R {
    let [source, _, left, _] = &it.state;
    let Some(first) = source.get() else { return Ok(Value::int_unchecked(0)) };
    let at = count(it, 1);
    let left = match Tag::of(it) {
        Tag::List => list::of(first).map_or(0, list::len).saturating_sub(at),
        Tag::ListReverse => Some(at).filter(|n| *n <= list::of(first).map_or(0, list::len)).unwrap_or(0),
        Tag::Tuple => tuple::items(first).len().saturating_sub(at),
        Tag::Bytes => bytes::as_bytes(first).map_or(0, <[u8]>::len).saturating_sub(at),
        Tag::ByteArray => bytearray::of(first).map_or(0, bytearray::len).saturating_sub(at),
        Tag::Str | Tag::StrAscii => {
            text::as_str(first).and_then(|s| s.get(at..)).map_or(0, |rest| rest.chars().count())
        }
        Tag::Deque => deque::of(first).map_or(0, deque::len).saturating_sub(at),
        Tag::DequeReverse => at,
        Tag::LongRange => return Ok(left.value()),
        Tag::Range => count(it, 2),
        Tag::Set => {
            let from = |s, at: usize| set::next_entry(s, at).map(|(after, ..)| after);
            set::of(first).filter(|s| set::len(s) == count(it, 2)).map_or(0, |s| steps(at, |at| from(s, at)))
        }
        tag => dict::of(first).filter(|d| dict::stamp(d) == count(it, 2)).map_or(0, |d| {
            let backwards =
                matches!(tag, Tag::DictKeysReverse | Tag::DictValuesReverse | Tag::DictItemsReverse);
            let entry = |at| if backwards { dict::previous_entry(d, at) } else { dict::next_entry(d, at) };
            steps(at, |at| entry(at).map(|(after, ..)| after))
        }),
    };
    m.new_int(left as i64)
}

/// How many steps lead from a position to the end.
fn steps(at: usize, next: impl Fn(usize) -> Option<usize>) -> usize {
    std::iter::successors(Some(at), |at| next(*at)).count() - 1
}

/// An item of an object with `__getitem__`; IndexError and StopIteration mean that there is none.
fn item_or_end(th: &mut Thread, source: Value, i: usize) -> R<Word> {
    match th.get_item(source, Value::int_unchecked(i as i64)) {
        Ok(item) => Ok(Some(item)),
        Err(_) if th.pending_is(Exc::IndexError) || th.pending_is(Exc::StopIteration) => {
            th.pending = None;
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

#[inline(never)]
fn next_of_sequence(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let i = count(it, 1);
    let item = item_or_end(th, source, i)?;
    set_count(it, 1, i + 1);
    Ok(item)
}

#[inline(never)]
fn next_of_reversed(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some(i) = count(it, 1).checked_sub(1) else { return Ok(None) };
    let item = item_or_end(th, source, i)?;
    set_count(it, 1, i);
    Ok(item)
}

#[inline(never)]
fn next_of_callable(th: &mut Thread, it: &Iter, callable: Value) -> R<Word> {
    let [_, sentinel, ..] = &it.state;
    let sentinel = sentinel.value();
    match th.call(callable, &[]) {
        Ok(item) => Ok(if th.eq(item, sentinel)? { None } else { Some(item) }),
        Err(_) if th.pending_is(Exc::StopIteration) => {
            th.pending = None;
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// The next item of an iterator that another one is over. Whoever asks for items in a loop polls between them.
#[inline(always)]
fn next_of_source(th: &mut Thread, it: Value) -> R<Word> {
    match next_at_once(it) {
        None => th.next_item(it),
        item => Ok(item),
    }
}

/// As `at_once`, of any value.
#[inline(never)]
fn next_at_once(it: Value) -> Word {
    at_once(iter::plain(it)?)
}

#[inline(never)]
fn next_of_enumerate(th: &mut Thread, it: &Iter, source: Value, row: Word) -> R<Word> {
    let [_, number, ..] = &it.state;
    let Some(item) = next_of_source(th, source)? else { return Ok(None) };
    let n = number.value();
    let after = match n.as_small().and_then(|n| Value::small(n + 1)) {
        Some(after) => after,
        None => num::binary(th, BinOp::Add, n, Value::int_unchecked(1))?.unwrap_or(n),
    };
    number.set(after);
    row_of(th, row, &[n, item]).map(Some)
}

/// Items of several iterators. Long rows are on the malloc heap, so each item is rooted too; short ones are on the
/// native stack, where the collector sees them.
type Row = SmallVec<[Value; SHORT_ROW]>;

const SHORT_ROW: usize = 6;

#[inline(never)]
fn next_of_zip(th: &mut Thread, it: &Iter, iterators: Value, row: Word) -> R<Word> {
    let iterators = tuple::items(iterators);
    let [_, strict, ..] = &it.state;
    if let ([a, b], false) = (iterators, strict.value() == Value::TRUE) {
        let Some(x) = next_of_source(th, a.value())? else { return Ok(None) };
        let Some(y) = next_of_source(th, b.value())? else { return Ok(None) };
        return row_of(th, row, &[x, y]).map(Some);
    }
    let scope = th.scope();
    let item = zip_row(th, it, iterators, row);
    th.close(scope);
    item
}

#[inline(never)]
fn zip_row(th: &mut Thread, it: &Iter, iterators: &[Slot], old: Word) -> R<Word> {
    let [_, strict, ..] = &it.state;
    let mut row = Row::new();
    for (i, source) in iterators.iter().enumerate() {
        match th.next_item(source.value())? {
            Some(item) => {
                if iterators.len() > SHORT_ROW {
                    th.root(item);
                }
                row.push(item);
            }
            None if strict.value() == Value::TRUE => return zip_uneven(th, iterators, i),
            None => return Ok(None),
        }
    }
    if row.is_empty() { Ok(None) } else { row_of(th, old, &row).map(Some) }
}

/// `zip(strict=True)`: iterator `i` was the first to end.
fn zip_uneven(th: &mut Thread, iterators: &[Slot], i: usize) -> R<Word> {
    let plural = |n: usize| if n == 1 { " 1".to_owned() } else { format!("s 1-{n}") };
    if i > 0 {
        let others = plural(i);
        return Err(th.value_error(format!("zip() argument {} is shorter than argument{others}", i + 1)));
    }
    for (k, source) in iterators.iter().enumerate().skip(1) {
        if th.next_item(source.value())?.is_some() {
            let others = plural(k);
            return Err(th.value_error(format!("zip() argument {} is longer than argument{others}", k + 1)));
        }
    }
    Ok(None)
}

fn next_of_map(th: &mut Thread, it: &Iter, function: Value) -> R<Word> {
    let [_, iterators, ..] = &it.state;
    let sources = tuple::items(iterators.value());
    if let [one] = sources {
        let Some(item) = th.next_item(one.value())? else { return Ok(None) };
        return th.call(function, &[item]).map(Some);
    }
    let scope = th.scope();
    let item = map_row(th, function, sources);
    th.close(scope);
    item
}

fn map_row(th: &mut Thread, function: Value, sources: &[Slot]) -> R<Word> {
    let mut row = Row::new();
    for source in sources {
        let Some(item) = th.next_item(source.value())? else { return Ok(None) };
        if sources.len() > SHORT_ROW {
            th.root(item);
        }
        row.push(item);
    }
    th.call(function, &row).map(Some)
}

fn next_of_filter(th: &mut Thread, it: &Iter, function: Value) -> R<Word> {
    let [_, source, ..] = &it.state;
    let source = source.value();
    while let Some(item) = th.next_item(source)? {
        let verdict =
            if function.is_none() || is_bool_class(function) { item } else { th.call(function, &[item])? };
        if th.is_true(verdict)? {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

fn is_bool_class(function: Value) -> bool {
    function == types::class_of_kind(Kind::Bool)
}
