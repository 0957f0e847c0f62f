//! The classes of the built-in iterators, and `iter`, `next`, `len`.

use super::reduce;
use super::text_args::type_name;
use crate::object::error::Exc;
use crate::object::header::Kind;
use crate::object::iter::{self, Tag};
use crate::object::layout::Iter;
use crate::object::mutator::Mutator;
use crate::object::{R, Raised, Value, types};
use crate::vm::iter_object;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::test;
use crate::vm::thread::Thread;
use smallvec::SmallVec;

fn new_enumerate(th: &mut Thread, args: Args) -> R {
    let Some(iterable) = args.opt(1) else {
        return Err(th.type_error("enumerate() missing required argument 'iterable'"));
    };
    let start = match args.opt(2) {
        None => Value::int_unchecked(0),
        Some(v) if types::kind_of(v) == Kind::Int => v,
        Some(v) => {
            let n = th.index(v)?;
            th.new_int(n)?
        }
    };
    let it = th.iter_object(iterable)?;
    iter::new_as(th, args.get(0), Tag::Enumerate, &[it, start])
}

/// The iterators of several iterables, as a tuple.
fn iterators(th: &mut Thread, iterables: impl Iterator<Item = Value>) -> R {
    let scope = th.scope();
    let all = rooted_iterators(th, iterables);
    th.close(scope);
    th.new_tuple(&all?)
}

fn rooted_iterators(th: &mut Thread, iterables: impl Iterator<Item = Value>) -> R<SmallVec<[Value; 4]>> {
    let mut all = SmallVec::new();
    for iterable in iterables {
        let it = th.iter_object(iterable)?;
        th.root(it);
        all.push(it);
    }
    Ok(all)
}

fn new_zip(th: &mut Thread, args: Args) -> R {
    let strict = args.opt(1).map_or(Ok(false), |v| th.is_true(v))?;
    let sources = iterators(th, args.rest(2).iter().flatten().copied())?;
    iter::new_as(th, args.get(0), Tag::Zip, &[sources, Value::bool(strict)])
}

fn new_map(th: &mut Thread, args: Args) -> R {
    let Some((Some(function), iterables)) = args.rest(1).split_first().filter(|(_, rest)| !rest.is_empty())
    else {
        return Err(th.type_error("map() must have at least two arguments."));
    };
    let sources = iterators(th, iterables.iter().flatten().copied())?;
    iter::new_as(th, args.get(0), Tag::Map, &[*function, sources])
}

fn new_filter(th: &mut Thread, args: Args) -> R {
    let it = th.iter_object(args.get(2))?;
    iter::new_as(th, args.get(0), Tag::Filter, &[args.get(1), it])
}

fn not_reversible(m: &mut Mutator, v: Value) -> Raised {
    let name = type_name(v);
    m.type_error(format!("'{name}' object is not reversible"))
}

fn new_reversed(th: &mut Thread, args: Args) -> R {
    let v = args.get(1);
    if let Some(method) = th.lookup_special(v, "__reversed__") {
        if method.is_none() {
            return Err(not_reversible(th, v));
        }
        return th.call(method, &[v]);
    }
    let sequence = match types::kind_of(v) {
        Kind::Tuple | Kind::Str | Kind::Bytes | Kind::ByteArray => true,
        Kind::Dict | Kind::Set | Kind::FrozenSet | Kind::Class => false,
        _ => {
            let indexed = th.lookup_special(v, "__getitem__").is_some();
            if indexed && th.lookup_special(v, "__len__").is_none() {
                let name = type_name(v);
                return Err(th.type_error(format!("object of type '{name}' has no len()")));
            }
            indexed
        }
    };
    if !sequence {
        return Err(not_reversible(th, v));
    }
    let n = th.len(v)?;
    iter::new_as(th, args.get(0), Tag::Reversed, &[v, Value::int_unchecked(n as i64)])
}

pub const fn class(tag: Tag, construct: Option<NativeDef>, doc: &'static str) -> TypeDef {
    let subclassable = construct.is_some();
    TypeDef {
        name: tag.class_name(),
        kind: Kind::Iter,
        doc,
        construct,
        methods: &[],
        class_methods: &[],
        properties: &[],
        subclassable,
    }
}

/// A class that no name refers to.
pub const fn unnamed(tag: Tag) -> TypeDef {
    class(tag, None, "A built-in iterator.")
}

/// The class of an iterator over a container, which knows how much is left.
pub const fn counted(tag: Tag) -> TypeDef {
    TypeDef { methods: LENGTH_HINT, ..unnamed(tag) }
}

fn length_hint(m: &mut Mutator, args: Args) -> R {
    match types::cast::<Iter>(args.get(0)) {
        Some(it) => iter_object::length_hint(m, it),
        None => Ok(Value::int_unchecked(0)),
    }
}

const LENGTH_HINT: &[NativeDef] =
    &[NativeDef::data("__length_hint__", "self, /", length_hint, "How many items are to be expected.")];

/// The iterator classes, by tag.
pub static ITER_TYPES: [(Tag, TypeDef); 24] = [
    (Tag::List, counted(Tag::List)),
    (Tag::ListReverse, counted(Tag::ListReverse)),
    (Tag::Tuple, counted(Tag::Tuple)),
    (Tag::Str, counted(Tag::Str)),
    (Tag::StrAscii, counted(Tag::StrAscii)),
    (Tag::Bytes, counted(Tag::Bytes)),
    (Tag::ByteArray, counted(Tag::ByteArray)),
    (Tag::Memory, unnamed(Tag::Memory)),
    (Tag::Range, counted(Tag::Range)),
    (Tag::LongRange, counted(Tag::LongRange)),
    (Tag::DictKeys, counted(Tag::DictKeys)),
    (Tag::DictValues, counted(Tag::DictValues)),
    (Tag::DictItems, counted(Tag::DictItems)),
    (Tag::DictKeysReverse, counted(Tag::DictKeysReverse)),
    (Tag::DictValuesReverse, counted(Tag::DictValuesReverse)),
    (Tag::DictItemsReverse, counted(Tag::DictItemsReverse)),
    (Tag::Set, counted(Tag::Set)),
    (Tag::Sequence, unnamed(Tag::Sequence)),
    (Tag::Callable, unnamed(Tag::Callable)),
    (
        Tag::Reversed,
        class(
            Tag::Reversed,
            Some(NativeDef::full("reversed", "cls, sequence, /", new_reversed, "Items from the end.")),
            "Items of a sequence from the end.",
        ),
    ),
    (
        Tag::Enumerate,
        class(
            Tag::Enumerate,
            Some(NativeDef::full(
                "enumerate",
                "cls, iterable=, start=",
                new_enumerate,
                "Items with their numbers.",
            )),
            "Items with their numbers.",
        ),
    ),
    (
        Tag::Zip,
        class(
            Tag::Zip,
            Some(NativeDef::full("zip", "cls, *iterables, strict=", new_zip, "Items side by side.")),
            "Items of several iterables side by side.",
        ),
    ),
    (
        Tag::Map,
        class(
            Tag::Map,
            Some(NativeDef::full("map", "cls, *args", new_map, "Results of a function.")),
            "Results of a function, item by item.",
        ),
    ),
    (
        Tag::Filter,
        class(
            Tag::Filter,
            Some(NativeDef::full(
                "filter",
                "cls, function, iterable, /",
                new_filter,
                "Items that pass a test.",
            )),
            "Items that pass a test.",
        ),
    ),
];

/// The iterator classes that are built-in names.
pub const NAMED: [Tag; 5] = [Tag::Enumerate, Tag::Filter, Tag::Map, Tag::Reversed, Tag::Zip];

fn iter_builtin(th: &mut Thread, args: Args) -> R {
    let Some(sentinel) = args.opt(1) else { return th.iter_object(args.get(0)) };
    let callable = args.get(0);
    let kind = types::kind_of(callable);
    let code = matches!(kind, Kind::Function | Kind::Native | Kind::BoundMethod | Kind::Class);
    if !code && th.lookup_special(callable, "__call__").is_none() {
        return Err(th.type_error("iter(v, w): v must be callable"));
    }
    iter::new(th, Tag::Callable, &[callable, sentinel])
}

fn next_builtin(th: &mut Thread, args: Args) -> R {
    let it = args.get(0);
    let plain = iter::plain(it).is_some();
    if (plain || types::kind_of(it) == Kind::Generator) && args.opt(1).is_some() {
        return th.next_item(it).map(|item| item.or_else(|| args.opt(1)).unwrap_or(Value::NONE));
    }
    if plain {
        let item = th.next_or_stop(it)?;
        return item.ok_or_else(|| th.raise_with(Exc::StopIteration, &[]));
    }
    let Some(method) = th.lookup_special(it, "__next__") else {
        let name = type_name(it);
        return Err(th.type_error(format!("'{name}' object is not an iterator")));
    };
    match (th.call(method, &[it]), args.opt(1)) {
        (Err(_), Some(default)) if th.pending_is(Exc::StopIteration) => {
            th.pending = None;
            Ok(default)
        }
        (result, _) => result,
    }
}

fn settle_len(th: &mut Thread, answer: Value) -> R {
    let n = th.checked_len(answer)?;
    th.new_int(n as i64)
}

fn len_builtin(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    match test::plain_len(v) {
        // Fewer items than there are small ints.
        Some(n) => Ok(Value::int_unchecked(n as i64)),
        None => {
            let n = th.len(v)?;
            th.new_int(n as i64)
        }
    }
}

/// Built-in functions about iterables. (The classes of `NAMED` are built-in names too.)
pub static ITER_BUILTINS: &[NativeDef] = &[
    NativeDef::full("iter", "object, sentinel=, /", iter_builtin, "An iterator over object."),
    NativeDef::resumes("next", "iterator, default=, /", 1, next_builtin, "The next item."),
    NativeDef::asks("len", "obj, /", ("__len__", settle_len), len_builtin, "The number of items."),
    NativeDef::full("sorted", "iterable, /, *, key=, reverse=", reduce::sorted, "A new sorted list."),
    NativeDef::full("min", "*args, key=, default=", reduce::min, "The smallest item."),
    NativeDef::full("max", "*args, key=, default=", reduce::max, "The largest item."),
    NativeDef::full("sum", "iterable, /, start=", reduce::sum, "The sum of start and the items."),
    NativeDef::full("any", "iterable, /", reduce::any, "Whether any item is true."),
    NativeDef::full("all", "iterable, /", reduce::all, "Whether all items are true."),
];
