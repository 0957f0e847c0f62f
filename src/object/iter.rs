//! Built-in iterators and dict views as data: their tags, their classes, their state words.
//! Must not know how any of them advances (`vm::iter`).

use super::error::R;
use super::header::{Kind, Slot};
use super::heap;
use super::layout::is_subclass_instance;
use super::layout::{DictView, Iter};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{subclass, types};
use std::sync::atomic::{AtomicU32, Ordering};

/// Which iterator (or view) an object is. The comments name the state words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Tag {
    /// list, index
    List,
    /// list, items left
    ListReverse,
    /// tuple, index
    Tuple,
    /// str, byte offset
    Str,
    /// As `Str`, of an ASCII string: scripts see another class.
    StrAscii,
    /// bytes, index
    Bytes,
    /// bytearray, index
    ByteArray,
    /// memoryview, index
    Memory,
    /// next, step, items left: small ints
    Range,
    /// next, step, items left: ints of any size
    LongRange,
    /// dict, position, stamp
    DictKeys,
    DictValues,
    DictItems,
    DictKeysReverse,
    DictValuesReverse,
    DictItemsReverse,
    /// set, position, length
    Set,
    /// object with `__getitem__`, index
    Sequence,
    /// object with `__getitem__`, items left
    Reversed,
    /// callable, sentinel
    Callable,
    /// iterator, count
    Enumerate,
    /// tuple of iterators, strict
    Zip,
    /// function, tuple of iterators
    Map,
    /// function or None, iterator
    Filter,
    /// The step of an asynchronous generator: generator, what is sent, stage (`vm::awaitable`)
    AsyncSend,
    /// generator, what is thrown, stage
    AsyncThrow,
    /// coroutine
    CoroutineWrapper,
    /// awaitable, default
    AnextDefault,
    /// future
    FutureIter,
    /// next, step
    Count,
    /// iterator or EMPTY once it ended, items seen, position
    Cycle,
    /// object, times left or None
    Repeat,
    /// iterator of iterables, current iterator
    Chain,
    /// iterator, items taken, next wanted, (stop or None, step)
    ISlice,
    /// test, iterator
    TakeWhile,
    /// test, iterator, whether it has begun
    DropWhile,
    /// test or None, iterator
    FilterFalse,
    /// function, iterator
    StarMap,
    /// iterator, iterator of selectors
    Compress,
    /// iterator, function or None, total or initial, stage
    Accumulate,
    /// iterator, previous item
    Pairwise,
    /// list of iterators or None, fill value, iterators left
    ZipLongest,
    /// tuple of pools, list of indices
    Product,
    /// pool, list of indices, list of cycles, length
    Permutations,
    /// pool, list of indices, length
    Combinations,
    /// as `Combinations`, items may come again
    CombinationsRepeat,
    /// iterator, list that is empty or [item, next list]
    Tee,
    /// iterator, key function or None, [key, item, wanted key, what is known, number of the group]
    GroupBy,
    /// the GroupBy, wanted key, number of the group
    Grouper,
    /// deque, position, stamp
    Deque,
    /// deque, items left, stamp
    DequeReverse,
    /// Views, not iterators: `DictView`.
    KeysView,
    ValuesView,
    ItemsView,
}

/// All tags, in order.
pub const TAGS: [Tag; 54] = {
    use Tag::*;
    [
        List,
        ListReverse,
        Tuple,
        Str,
        StrAscii,
        Bytes,
        ByteArray,
        Memory,
        Range,
        LongRange,
        DictKeys,
        DictValues,
        DictItems,
        DictKeysReverse,
        DictValuesReverse,
        DictItemsReverse,
        Set,
        Sequence,
        Reversed,
        Callable,
        Enumerate,
        Zip,
        Map,
        Filter,
        AsyncSend,
        AsyncThrow,
        CoroutineWrapper,
        AnextDefault,
        FutureIter,
        Count,
        Cycle,
        Repeat,
        Chain,
        ISlice,
        TakeWhile,
        DropWhile,
        FilterFalse,
        StarMap,
        Compress,
        Accumulate,
        Pairwise,
        ZipLongest,
        Product,
        Permutations,
        Combinations,
        CombinationsRepeat,
        Tee,
        GroupBy,
        Grouper,
        Deque,
        DequeReverse,
        KeysView,
        ValuesView,
        ItemsView,
    ]
};

impl Tag {
    /// The tag of an iterator.
    #[inline(always)]
    pub fn of(it: &Iter) -> Tag {
        TAGS.get(it.tag as usize).copied().unwrap_or(Tag::List)
    }

    /// Whether such an object can be awaited, and is driven like a coroutine.
    #[inline]
    pub fn is_awaitable(self) -> bool {
        use Tag::*;
        matches!(self, AsyncSend | AsyncThrow | CoroutineWrapper | AnextDefault | FutureIter)
    }

    /// The name of the class.
    pub const fn class_name(self) -> &'static str {
        match self {
            Tag::List => "list_iterator",
            Tag::ListReverse => "list_reverseiterator",
            Tag::Tuple => "tuple_iterator",
            Tag::Str => "str_iterator",
            Tag::StrAscii => "str_ascii_iterator",
            Tag::Bytes => "bytes_iterator",
            Tag::ByteArray => "bytearray_iterator",
            Tag::Memory => "memory_iterator",
            Tag::Range => "range_iterator",
            Tag::LongRange => "longrange_iterator",
            Tag::DictKeys => "dict_keyiterator",
            Tag::DictValues => "dict_valueiterator",
            Tag::DictItems => "dict_itemiterator",
            Tag::DictKeysReverse => "dict_reversekeyiterator",
            Tag::DictValuesReverse => "dict_reversevalueiterator",
            Tag::DictItemsReverse => "dict_reverseitemiterator",
            Tag::Set => "set_iterator",
            Tag::Sequence => "iterator",
            Tag::Reversed => "reversed",
            Tag::Callable => "callable_iterator",
            Tag::Enumerate => "enumerate",
            Tag::Zip => "zip",
            Tag::Map => "map",
            Tag::Filter => "filter",
            Tag::AsyncSend => "async_generator_asend",
            Tag::AsyncThrow => "async_generator_athrow",
            Tag::CoroutineWrapper => "coroutine_wrapper",
            Tag::AnextDefault => "anext_awaitable",
            Tag::FutureIter => "FutureIter",
            Tag::Count => "count",
            Tag::Cycle => "cycle",
            Tag::Repeat => "repeat",
            Tag::Chain => "chain",
            Tag::ISlice => "islice",
            Tag::TakeWhile => "takewhile",
            Tag::DropWhile => "dropwhile",
            Tag::FilterFalse => "filterfalse",
            Tag::StarMap => "starmap",
            Tag::Compress => "compress",
            Tag::Accumulate => "accumulate",
            Tag::Pairwise => "pairwise",
            Tag::ZipLongest => "zip_longest",
            Tag::Product => "product",
            Tag::Permutations => "permutations",
            Tag::Combinations => "combinations",
            Tag::CombinationsRepeat => "combinations_with_replacement",
            Tag::Tee => "_tee",
            Tag::GroupBy => "groupby",
            Tag::Grouper => "_grouper",
            Tag::Deque => "_deque_iterator",
            Tag::DequeReverse => "_deque_reverse_iterator",
            Tag::KeysView => "dict_keys",
            Tag::ValuesView => "dict_values",
            Tag::ItemsView => "dict_items",
        }
    }
}

static CLASS: [Slot; TAGS.len()] = [const { Slot::empty() }; TAGS.len()];
static SHAPE: [AtomicU32; TAGS.len()] = [const { AtomicU32::new(0) }; TAGS.len()];

/// Start-up only: registers the class of a tag, and its root shape.
pub fn set_class(tag: Tag, class: Value, shape: u32) {
    CLASS[tag as usize].set(class);
    SHAPE[tag as usize].store(shape, Ordering::Relaxed);
}

/// The class of a tag.
pub fn class_of(tag: Tag) -> Word {
    CLASS[tag as usize].get()
}

/// Every registered object, for the collector's roots.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    CLASS.iter().filter_map(Slot::get).for_each(&mut *visit);
    SHAPE.iter().map(|s| s.load(Ordering::Relaxed)).filter(|s| *s != 0).for_each(|s| visit(heap::expand(s)));
}

fn shape(tag: Tag, kind: Kind) -> u32 {
    match SHAPE[tag as usize].load(Ordering::Relaxed) {
        0 => types::root_shape(kind),
        id => id,
    }
}

/// `v` as a built-in iterator.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static Iter> {
    types::cast::<Iter>(v)
}

/// As `of`, if no class written in Mini may have a `__next__` of its own for it.
#[inline(always)]
pub fn plain(v: Value) -> Option<&'static Iter> {
    of(v).filter(|it| !is_subclass_instance(&it.hdr))
}

/// A new iterator; state words that are not given are EMPTY.
pub fn new(m: &mut Mutator, tag: Tag, state: &[Value]) -> R {
    filled(m, tag, shape(tag, Kind::Iter), 0, state)
}

/// As `new`, of a class that may derive from that of the tag.
pub fn new_as(m: &mut Mutator, class: Value, tag: Tag, state: &[Value]) -> R {
    match class_of(tag) {
        Some(own) if own != class => {
            let root = subclass::shape_under(m, class, own)?;
            filled(m, tag, root, 1, state).map(|made| subclass::finish(made, 1))
        }
        _ => new(m, tag, state),
    }
}

/// `extra` words lie behind the state.
fn filled(m: &mut Mutator, tag: Tag, shape: u32, extra: usize, state: &[Value]) -> R {
    let p = m.alloc_as::<Iter>(Kind::Iter, shape, extra * 8)?;
    // SAFETY: the cell is ours alone; this writes every word behind the header.
    let it = unsafe {
        (&raw mut (*p).tag).write(tag as u64);
        (&raw mut (*p).state).write([const { Slot::empty() }; 4]);
        &*p
    };
    for (i, slot) in it.state.iter().enumerate().take(state.len()) {
        slot.set_word(state.get(i).copied());
    }
    Ok(Value::from_addr(p as usize))
}

/// `v` as keys, values or items of a dict.
#[inline]
pub fn view_of(v: Value) -> Option<&'static DictView> {
    types::cast::<DictView>(v)
}

/// Keys, values or items (`what` 0, 1, 2) of a dict.
pub fn new_view(m: &mut Mutator, dict: Value, what: u64) -> R {
    let tag = match what {
        0 => Tag::KeysView,
        1 => Tag::ValuesView,
        _ => Tag::ItemsView,
    };
    let p = m.alloc_as::<DictView>(Kind::DictView, shape(tag, Kind::DictView), 0)?;
    // SAFETY: the cell is ours alone; this writes every word behind the header.
    unsafe {
        (&raw mut (*p).dict).write(Slot::new(dict));
        (&raw mut (*p).what).write(what);
    }
    Ok(Value::from_addr(p as usize))
}
