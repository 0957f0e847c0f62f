//! Module `_collections`: the class `deque`, and counting for `Counter`. Must not know how a deque lies in memory.

use super::support::{absent, type_name};
use super::{dict_classes, dunders};
use crate::object::deque::{self, Deque, End};
use crate::object::iter::{self, Tag};
use crate::object::mutator::Mutator;
use crate::object::num::{BinOp, CmpOp};
use crate::object::{Exc, Kind, R, Raised, Value, Word, class, dict, list, str, types};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::slicing::position;
use crate::vm::thread::Thread;
use crate::vm::{boot, hashing, type_tables};

/// The receiver.
fn this(m: &mut Mutator, args: Args) -> R<Deque> {
    let v = args.get(0);
    deque::of(v).ok_or_else(|| {
        let got = type_name(v);
        m.type_error(format!("descriptor requires a 'collections.deque' object but received a '{got}'"))
    })
}

fn construct(th: &mut Thread, args: Args) -> R {
    let v = deque::new(th, args.get(0), None)?;
    fill(th, v, args)?;
    Ok(v)
}

fn init(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    deque::clear(th, d)?;
    fill(th, args.get(0), args)
}

fn fill(th: &mut Thread, v: Value, args: Args) -> R {
    let Some(d) = deque::of(v) else { return Ok(Value::NONE) };
    let limit = match args.opt_not_none(2) {
        Some(n) if !matches!(types::kind_of(n), Kind::Int | Kind::Bool) => {
            return Err(th.type_error("an integer is required"));
        }
        Some(n) => match usize::try_from(th.index(n)?) {
            Ok(n) => Some(n),
            Err(_) => return Err(th.value_error("maxlen must be non-negative")),
        },
        None => None,
    };
    deque::set_limit(d, limit);
    if let Some(items) = args.opt(1) {
        extend_end(th, d, items, End::Right)?;
    }
    Ok(Value::NONE)
}

fn extend_end(th: &mut Thread, d: Deque, items: Value, end: End) -> R<()> {
    // A deque may be added to itself: then as it is now.
    let items = match deque::of(items) {
        Some(other) => deque::to_list(th, other)?,
        None => items,
    };
    let mut it = th.iter(items)?;
    while let Some(item) = it.next(th)? {
        deque::push(th, d, end, item)?;
    }
    Ok(())
}

fn append(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    deque::push(m, d, End::Right, args.get(1)).map(|()| Value::NONE)
}

fn appendleft(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    deque::push(m, d, End::Left, args.get(1)).map(|()| Value::NONE)
}

fn taken(m: &mut Mutator, args: Args, end: End) -> R {
    let d = this(m, args)?;
    deque::pop(m, d, end).ok_or_else(|| m.raise(Exc::IndexError, "pop from an empty deque"))
}

fn pop(m: &mut Mutator, args: Args) -> R {
    taken(m, args, End::Right)
}

fn popleft(m: &mut Mutator, args: Args) -> R {
    taken(m, args, End::Left)
}

fn extend(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    extend_end(th, d, args.get(1), End::Right).map(|()| Value::NONE)
}

fn extendleft(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    extend_end(th, d, args.get(1), End::Left).map(|()| Value::NONE)
}

fn clear(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    deque::clear(m, d).map(|()| Value::NONE)
}

fn copy(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let v = deque::new(th, types::class_of(args.get(0)), deque::limit(d))?;
    if let Some(new) = deque::of(v) {
        extend_end(th, new, args.get(0), End::Right)?;
    }
    Ok(v)
}

fn rotate(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let by = args.opt(1).map_or(Ok(1), |n| th.index(n))?;
    let n = deque::len(d) as i64;
    if n > 1 {
        deque::rotate(&th.m, d, by.rem_euclid(n) as usize);
    }
    Ok(Value::NONE)
}

fn reverse(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let now = deque::to_list(th, d)?;
    let mut items = list::snapshot(now);
    items.reverse();
    deque::replace(th, d, &items).map(|()| Value::NONE)
}

/// The first item from `start` on that equals `wanted`. Comparing may run code that changes the deque.
fn find(th: &mut Thread, d: Deque, wanted: Value, start: usize, stop: usize) -> R<Option<usize>> {
    let stamp = deque::stamp(d);
    let mut i = start;
    while let Some(item) = deque::get(&th.m, d, i).filter(|_| i < stop) {
        let same = th.eq(item, wanted)?;
        if deque::stamp(d) != stamp {
            return Err(th.raise(Exc::RuntimeError, "deque mutated during iteration"));
        }
        if same {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

fn contains(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    Ok(Value::bool(find(th, d, args.get(1), 0, usize::MAX)?.is_some()))
}

fn count(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let (mut n, mut i) = (0, 0);
    while let Some(at) = find(th, d, args.get(1), i, usize::MAX)? {
        n += 1;
        i = at + 1;
    }
    Ok(Value::int_unchecked(n))
}

fn index(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let len = deque::len(d) as i64;
    let mut bound = |i: usize, default: i64| -> R<usize> {
        let n = args.opt(i).map_or(Ok(default), |v| th.clamped_index(v))?;
        Ok((if n < 0 { n.saturating_add(len) } else { n }).clamp(0, len) as usize)
    };
    let (start, stop) = (bound(2, 0)?, bound(3, i64::MAX)?);
    if let Some(at) = find(th, d, args.get(1), start, stop)? {
        return Ok(Value::int_unchecked(at as i64));
    }
    Err(absent(th, args.get(1), "deque"))
}

/// Runs `change` on the items as a list, and puts them back.
fn edit(th: &mut Thread, d: Deque, change: impl FnOnce(&mut Vec<Value>)) -> R {
    let now = deque::to_list(th, d)?;
    let mut items = list::snapshot(now);
    change(&mut items);
    deque::replace(th, d, &items).map(|()| Value::NONE)
}

fn remove(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    match find(th, d, args.get(1), 0, usize::MAX)? {
        Some(at) => delete_at(th, d, at),
        None => Err(absent(th, args.get(1), "deque")),
    }
}

fn delete_at(th: &mut Thread, d: Deque, at: usize) -> R {
    edit(th, d, |items| {
        if at < items.len() {
            items.remove(at);
        }
    })
}

fn insert(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    if deque::limit(d).is_some_and(|limit| deque::len(d) >= limit) {
        return Err(th.raise(Exc::IndexError, "deque already at its maximum size"));
    }
    let n = deque::len(d) as i64;
    let i = th.index(args.get(1))?;
    let at = (if i < 0 { i.saturating_add(n) } else { i }).clamp(0, n) as usize;
    edit(th, d, |items| items.insert(at.min(items.len()), args.get(2)))
}

fn out_of_range(th: &mut Thread) -> Raised {
    th.raise(Exc::IndexError, "deque index out of range")
}

fn place(th: &mut Thread, d: Deque, v: Value) -> R<usize> {
    if !matches!(types::kind_of(v), Kind::Int | Kind::Bool) && th.lookup_special(v, "__index__").is_none() {
        let got = type_name(v);
        return Err(th.type_error(format!("sequence index must be integer, not '{got}'")));
    }
    let i = th.index(v)?;
    position(i, deque::len(d)).ok_or_else(|| out_of_range(th))
}

fn getitem(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let at = place(th, d, args.get(1))?;
    deque::get(&th.m, d, at).ok_or_else(|| out_of_range(th))
}

fn setitem(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let at = place(th, d, args.get(1))?;
    if deque::set(&th.m, d, at, args.get(2)) { Ok(Value::NONE) } else { Err(out_of_range(th)) }
}

fn delitem(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let at = place(th, d, args.get(1))?;
    delete_at(th, d, at)
}

fn len(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|d| Value::int_unchecked(deque::len(d) as i64))
}

fn truth(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|d| Value::bool(deque::len(d) > 0))
}

fn iterate(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    let stamp = Value::int_unchecked(deque::stamp(d) as i64);
    iter::new(m, Tag::Deque, &[args.get(0), Value::int_unchecked(0), stamp])
}

fn reversed(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    let (n, stamp) = (deque::len(d) as i64, deque::stamp(d) as i64);
    iter::new(m, Tag::DequeReverse, &[args.get(0), Value::int_unchecked(n), Value::int_unchecked(stamp)])
}

fn repr(th: &mut Thread, args: Args) -> R {
    let (d, v) = (this(th, args)?, args.get(0));
    let name = class::name(types::class_of(v));
    if th.printing.contains(&v) {
        return th.new_str("[...]");
    }
    let items = deque::to_list(th, d)?;
    let shown = th.nested(" while getting the repr of an object", |th| {
        th.printing.push(v);
        let shown = th.repr(items);
        th.printing.pop();
        shown
    })?;
    let shown = str::as_str(shown).unwrap_or("");
    let text = match deque::limit(d) {
        Some(limit) => format!("{name}({shown}, maxlen={limit})"),
        None => format!("{name}({shown})"),
    };
    th.new_str(&text)
}

fn compared(th: &mut Thread, args: Args, op: CmpOp) -> R {
    let (Some(a), Some(b)) = (deque::of(args.get(0)), deque::of(args.get(1))) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (a, b) = (deque::to_list(th, a)?, deque::to_list(th, b)?);
    th.compare(op, a, b)
}

macro_rules! comparisons {
    ($($name:ident $op:ident),*) => {
        $(fn $name(th: &mut Thread, args: Args) -> R { compared(th, args, CmpOp::$op) })*
    };
}

comparisons! { __lt__ Lt, __le__ Le, __gt__ Gt, __ge__ Ge, __eq__ Eq, __ne__ Ne }

fn hash(th: &mut Thread, args: Args) -> R {
    let exact = type_tables::class_of(&DEQUE) == Some(types::class_of(args.get(0)));
    let name = if exact { "collections.deque".to_owned() } else { type_name(args.get(0)) };
    Err(th.type_error(format!("unhashable type: '{name}'")))
}

/// What the right operand says of `+`, if its class is written in Mini and says something.
fn reflected(th: &mut Thread, args: Args) -> R<Word> {
    let Some(method) = th.lookup_override(args.get(1), "__radd__") else { return Ok(None) };
    let sum = th.call(method, &[args.get(1), args.get(0)])?;
    Ok(Some(sum).filter(|v| *v != Value::NOT_IMPLEMENTED))
}

fn add(th: &mut Thread, args: Args) -> R {
    if let Some(sum) = reflected(th, args)? {
        return Ok(sum);
    }
    if deque::of(args.get(1)).is_none() {
        let got = type_name(args.get(1));
        return Err(th.type_error(format!("can only concatenate deque (not \"{got}\") to deque")));
    }
    let v = copy(th, args)?;
    if let Some(d) = deque::of(v) {
        extend_end(th, d, args.get(1), End::Right)?;
    }
    Ok(v)
}

fn iadd(th: &mut Thread, args: Args) -> R {
    if let Some(sum) = reflected(th, args)? {
        return Ok(sum);
    }
    extend(th, args).map(|_| args.get(0))
}

fn times(th: &mut Thread, target: Value, source: Deque, n: Value) -> R {
    let n = th.index(n)?;
    let (Some(d), items) = (deque::of(target), deque::to_list(th, source)?) else { return Ok(target) };
    let all = th.binary(BinOp::Mul, items, Value::small(n).unwrap_or(Value::int_unchecked(0)))?;
    deque::clear(th, d)?;
    extend_end(th, d, all, End::Right)?;
    Ok(target)
}

fn mul(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let v = deque::new(th, types::class_of(args.get(0)), deque::limit(d))?;
    times(th, v, d, args.get(1))
}

fn imul(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    times(th, args.get(0), d, args.get(1))
}

fn maxlen(m: &mut Mutator, args: Args) -> R {
    let limit = this(m, args).map(deque::limit)?;
    Ok(limit.map_or(Value::NONE, |n| Value::int_unchecked(n as i64)))
}

fn reduce(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let items = deque::to_list(th, d)?;
    let limit = maxlen(th, args)?;
    let rest = th.new_tuple(&[items, limit])?;
    th.new_tuple(&[types::class_of(args.get(0)), rest])
}

fn with_parameter(th: &mut Thread, args: Args) -> R {
    let types = crate::vm::import::import_dotted(th, "types")?;
    th.call_method(types, "GenericAlias", &[args.get(0), args.get(1)])
}

pub(super) static DEQUE: TypeDef = TypeDef {
    name: "deque",
    kind: Kind::Host,
    doc: "A queue with two ends.",
    construct: Some(NativeDef::full("deque", "cls, iterable=, maxlen=", construct, "")),
    methods: &[
        NativeDef::full("__init__", "self, iterable=, maxlen=", init, "Take the items of an iterable."),
        NativeDef::data("append", "self, item, /", append, "Add an item at the right end."),
        NativeDef::data("appendleft", "self, item, /", appendleft, "Add an item at the left end."),
        NativeDef::data("clear", "self, /", clear, "Remove all items."),
        NativeDef::full("copy", "self, /", copy, "A new deque with the same items."),
        NativeDef::full("__copy__", "self, /", copy, "A new deque with the same items."),
        NativeDef::full("count", "self, value, /", count, "How many items equal value."),
        NativeDef::full("extend", "self, iterable, /", extend, "Add items at the right end."),
        NativeDef::full("extendleft", "self, iterable, /", extendleft, "Add items at the left end."),
        NativeDef::full("index", "self, value, start=, stop=, /", index, "Where value is."),
        NativeDef::full("insert", "self, index, item, /", insert, "Insert before an index."),
        NativeDef::data("pop", "self, /", pop, "Remove and return the rightmost item."),
        NativeDef::data("popleft", "self, /", popleft, "Remove and return the leftmost item."),
        NativeDef::full("remove", "self, value, /", remove, "Remove the first item that equals value."),
        NativeDef::full("reverse", "self, /", reverse, "Reverse in place."),
        NativeDef::full("rotate", "self, n=, /", rotate, "Move n items from the right end to the left."),
        NativeDef::data("__len__", "self, /", len, "The number of items."),
        NativeDef::data("__bool__", "self, /", truth, "Whether there are items."),
        NativeDef::data("__iter__", "self, /", iterate, "The items."),
        NativeDef::data("__reversed__", "self, /", reversed, "The items from the right."),
        NativeDef::full("__contains__", "self, value, /", contains, "Whether an item equals value."),
        NativeDef::full("__getitem__", "self, index, /", getitem, "One item."),
        NativeDef::full("__setitem__", "self, index, item, /", setitem, "Replace one item."),
        NativeDef::full("__delitem__", "self, index, /", delitem, "Remove one item."),
        NativeDef::full("__repr__", "self, /", repr, "Show the items."),
        NativeDef::full("__hash__", "self, /", hash, "There is none."),
        NativeDef::full("__add__", "self, other, /", add, "A longer deque."),
        NativeDef::full("__iadd__", "self, items, /", iadd, "Add items at the right end."),
        NativeDef::full("__mul__", "self, n, /", mul, "The items several times."),
        NativeDef::full("__rmul__", "self, n, /", mul, "The items several times."),
        NativeDef::full("__imul__", "self, n, /", imul, "The items several times, in place."),
        NativeDef::full("__reduce__", "self, /", reduce, "How to make it again."),
        NativeDef::full("__lt__", "self, other, /", __lt__, "Compare item by item."),
        NativeDef::full("__le__", "self, other, /", __le__, "Compare item by item."),
        NativeDef::full("__gt__", "self, other, /", __gt__, "Compare item by item."),
        NativeDef::full("__ge__", "self, other, /", __ge__, "Compare item by item."),
        NativeDef::full("__eq__", "self, other, /", __eq__, "Compare item by item."),
        NativeDef::full("__ne__", "self, other, /", __ne__, "Compare item by item."),
    ],
    class_methods: &[NativeDef::full(
        "__class_getitem__",
        "cls, item, /",
        with_parameter,
        "The type of its items.",
    )],
    properties: &[NativeDef::data("maxlen", "self", maxlen, "How many items there may be, or None.")],
    subclassable: true,
};

/// `_count_elements(mapping, iterable)`: adds 1 to the count of every item.
fn count_elements(th: &mut Thread, args: Args) -> R {
    let (counts, one) = (args.get(0), Value::int_unchecked(1));
    let mut it = th.iter(args.get(1))?;
    let Some(found) = dict::of(counts) else { return Err(th.type_error("a dict is required")) };
    while let Some(item) = it.next(th)? {
        let hash = th.hash_key(item)?;
        let more = match hashing::get_hashed(th, found, item, hash)? {
            Some(n) => match n.as_small().and_then(|n| Value::small(n + 1)) {
                Some(more) => more,
                None => th.binary(BinOp::Add, n, one)?,
            },
            None => one,
        };
        hashing::set_hashed(th, found, item, hash, more)?;
    }
    Ok(Value::NONE)
}

fn make_iterators(th: &mut Thread, module: Value) -> R<()> {
    for def in [&DEQUE_ITER, &DEQUE_REVERSE] {
        let class = boot::make_type(th, def, "_collections")?;
        let tag = if def.name == DEQUE_ITER.name { Tag::Deque } else { Tag::DequeReverse };
        iter::set_class(tag, class, crate::object::heap::compress(class::root_shape(class)));
        boot::add_methods(th, class, dunders::ITERATOR)?;
    }
    if let Some(class) = type_tables::class_of(&DEQUE) {
        let (name, text) = (th.m.intern("__module__")?, th.m.new_str("collections")?);
        crate::vm::attr::set_in_namespace(
            &mut th.m,
            class::cast(class).and_then(|c| c.dict.get()),
            name,
            text,
        )?;
    }
    let _ = module;
    Ok(())
}

static DEQUE_ITER: TypeDef = super::iterators::counted(Tag::Deque);
static DEQUE_REVERSE: TypeDef = super::iterators::counted(Tag::DequeReverse);

pub static MODULE: ModuleDef = ModuleDef {
    name: "_collections",
    doc: "The native half of collections.",
    functions: &[
        NativeDef::full("_count_elements", "mapping, iterable, /", count_elements, "Count the items."),
        NativeDef::full(
            "_add_methods",
            "cls, /",
            dict_classes::add_methods,
            "Give a class its native methods.",
        ),
        NativeDef::data(
            "_close",
            "cls, /",
            dict_classes::close,
            "Instances of a new class get no attributes.",
        ),
    ],
    types: &[&DEQUE],
    init: Some(make_iterators),
};
