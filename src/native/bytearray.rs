//! The type `bytearray`. What it has in common with `bytes` is done by the methods of `bytes`, on what it holds at the time
//! of the call; here is what changes it. Must not know how its buffer grows.

use super::bytes as bytes_type;
use super::text_args::type_name;
use super::{bytes_case as case, bytes_search as search, bytes_split as split};
use crate::object::header::Kind;
use crate::object::layout::ByteArray;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, Word, bytearray, bytes, list, subclass, tuple, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::bytearray::{as_bytes_object, byte, bytes_of_iterable, contents, may_resize};
use crate::vm::ops::memoryview;
use crate::vm::slicing::position;
use crate::vm::thread::Thread;
use smallvec::SmallVec;

/// The receiver.
fn this(m: &mut Mutator, args: Args) -> R<&'static ByteArray> {
    let v = args.get(0);
    bytearray::of(v).ok_or_else(|| {
        let got = type_name(v);
        m.type_error(format!("descriptor requires a 'bytearray' object but received a '{got}'"))
    })
}

fn construct(th: &mut Thread, args: Args) -> R {
    let (shape, extra) = subclass::plan(&mut th.m, args.get(0), Kind::ByteArray)?;
    let source = source(th, args)?;
    let v = bytearray::new_as(&mut th.m, &source, shape, extra)?;
    Ok(subclass::finish(v, extra))
}

fn init(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    if bytearray::len(b) > 0 {
        may_resize(th, b)?;
    }
    let source = source(th, args)?;
    bytearray::replace(&mut th.m, b, &source)?;
    Ok(Value::NONE)
}

/// The bytes that the arguments of the constructor stand for.
fn source(th: &mut Thread, args: Args) -> R<Vec<u8>> {
    if let Some(now) =
        args.opt(1).filter(|_| args.opt(2).is_none() && args.opt(3).is_none()).and_then(contents)
    {
        return Ok(now);
    }
    let made = bytes_type::from_arguments(th, args, "bytearray")?;
    Ok(bytes::as_bytes(made).unwrap_or(&[]).to_vec())
}

/// A copy of the arguments in which bytearrays have become bytes. It lies on the native stack, where the collector looks.
fn as_bytes_arguments(m: &mut Mutator, args: Args) -> R<SmallVec<[Word; 8]>> {
    (0..args.len()).map(|i| args.opt(i).map(|v| as_bytes_object(m, v)).transpose()).collect()
}

/// A result of a method of `bytes` as one of `bytearray`: all bytes in it become bytearrays.
fn as_bytearrays(m: &mut Mutator, v: Value) -> R {
    if let Some(bytes) = bytes::as_bytes(v) {
        return m.new_bytearray(bytes);
    }
    if let Some(l) = list::of(v) {
        for (i, item) in list::snapshot(v).into_iter().enumerate() {
            let item = as_bytearrays(m, item)?;
            list::set(m, l, i, item);
        }
    } else if tuple::of(v).is_some() {
        let parts: R<SmallVec<[Value; 4]>> =
            tuple::items(v).iter().map(|part| as_bytearrays(m, part.value())).collect();
        return m.new_tuple(&parts?);
    }
    Ok(v)
}

macro_rules! methods_of_bytes {
    ($($name:ident = $method:path),* $(,)?) => { $(
        fn $name(m: &mut Mutator, args: Args) -> R {
            let args = as_bytes_arguments(m, args)?;
            let made = $method(m, Args(&args))?;
            as_bytearrays(m, made)
        }
    )* };
}

methods_of_bytes! {
    capitalize = case::capitalize, center = split::center, count = search::count, endswith = search::endswith,
    expandtabs = split::expandtabs, find = search::find, hex = case::hex, index = search::index,
    isalnum = case::isalnum, isalpha = case::isalpha, isascii = case::isascii, isdigit = case::isdigit,
    islower = case::islower, isspace = case::isspace, istitle = case::istitle, isupper = case::isupper,
    ljust = split::ljust, lower = case::lower, lstrip = split::lstrip, partition = search::partition,
    removeprefix = search::removeprefix, removesuffix = search::removesuffix, replace = search::replace,
    rfind = search::rfind, rindex = search::rindex, rjust = split::rjust, rpartition = search::rpartition,
    rsplit = split::rsplit, rstrip = split::rstrip, split_at = split::split, splitlines = split::splitlines,
    startswith = search::startswith, strip = split::strip, swapcase = case::swapcase, title = case::title,
    translate = case::translate, upper = case::upper, zfill = split::zfill, fromhex = case::fromhex,
    decode = bytes_type::decode,
}

fn class_fromhex(th: &mut Thread, args: Args) -> R {
    let made = fromhex(&mut th.m, args)?;
    let class = args.get(0);
    if class == types::class_of_kind(Kind::ByteArray) { Ok(made) } else { th.call(class, &[made]) }
}

fn join(th: &mut Thread, args: Args) -> R {
    let glue = as_bytes_object(&mut th.m, args.get(0))?;
    let made = split::join(th, Args(&[Some(glue), args.opt(1)]))?;
    as_bytearrays(&mut th.m, made)
}

fn append(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    let byte = byte(th, args.get(1))?;
    may_resize(th, b)?;
    bytearray::push(&mut th.m, b, byte)?;
    Ok(Value::NONE)
}

fn extend(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    let v = args.get(1);
    let more = match contents(v) {
        Some(more) => more,
        None => match memoryview::seen(th, v)? {
            Some(shown) => shown.bytes(),
            None => extension(th, v)?,
        },
    };
    if !more.is_empty() {
        may_resize(th, b)?;
    }
    bytearray::splice(&mut th.m, b, usize::MAX, usize::MAX, &more)?;
    Ok(Value::NONE)
}

fn extension(th: &mut Thread, v: Value) -> R<Vec<u8>> {
    let iterable = th.lookup_special(v, "__iter__").or_else(|| th.lookup_special(v, "__getitem__"));
    if iterable.is_none() {
        let name = type_name(v);
        return Err(th.type_error(format!("can't extend bytearray with {name}")));
    }
    bytes_of_iterable(th, v)
}

fn insert(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    let i = th.index(args.get(1))?;
    let byte = byte(th, args.get(2))?;
    may_resize(th, b)?;
    let len = bytearray::len(b) as i64;
    let at = (if i < 0 { i.saturating_add(len).max(0) } else { i.min(len) }) as usize;
    bytearray::splice(&mut th.m, b, at, at, &[byte])?;
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    let i = args.opt(1).map_or(Ok(-1), |v| th.index(v))?;
    if position(i, bytearray::len(b)).is_some() {
        may_resize(th, b)?;
    }
    let taken = position(i, bytearray::len(b)).and_then(|i| bytearray::remove_at(&mut th.m, b, i));
    match taken {
        Some(byte) => Ok(Value::int_unchecked(byte as i64)),
        None => {
            let empty = bytearray::len(b) == 0;
            let message = if empty { "pop from empty bytearray" } else { "pop index out of range" };
            Err(th.raise(Exc::IndexError, message))
        }
    }
}

fn remove(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    let wanted = byte(th, args.get(1))?;
    let at = bytearray::snapshot(b).iter().position(|byte| *byte == wanted);
    if at.is_some() {
        may_resize(th, b)?;
    }
    match at.and_then(|i| bytearray::remove_at(&mut th.m, b, i)) {
        Some(_) => Ok(Value::NONE),
        None => Err(th.value_error("value not found in bytearray")),
    }
}

fn clear(th: &mut Thread, args: Args) -> R {
    let b = this(&mut th.m, args)?;
    if bytearray::len(b) > 0 {
        may_resize(th, b)?;
    }
    bytearray::replace(&mut th.m, b, &[])?;
    Ok(Value::NONE)
}

fn reverse(m: &mut Mutator, args: Args) -> R {
    let b = this(m, args)?;
    let mut bytes = bytearray::snapshot(b);
    bytes.reverse();
    bytearray::replace(m, b, &bytes)?;
    Ok(Value::NONE)
}

fn copy(m: &mut Mutator, args: Args) -> R {
    let b = this(m, args)?;
    m.new_bytearray(&bytearray::snapshot(b))
}

/// A method whose work `bytes` does.
const fn shared(name: &'static str, params: &'static str, run: fn(&mut Mutator, Args) -> R) -> NativeDef {
    NativeDef::data(name, params, run, "As the method of bytes.")
}

/// As `shared`, for what takes numbers from argument `from` on.
const fn indexed(
    name: &'static str,
    from: usize,
    params: &'static str,
    run: fn(&mut Mutator, Args) -> R,
) -> NativeDef {
    NativeDef::indexed(name, from, params, run, "As the method of bytes.")
}

/// `bytearray`.
pub static TYPE: TypeDef = TypeDef {
    name: "bytearray",
    kind: Kind::ByteArray,
    doc: "Bytes that can change.",
    construct: Some(NativeDef::full(
        "bytearray",
        "cls, source=, encoding=, errors=",
        construct,
        "Bytes of an object.",
    )),
    methods: &[
        NativeDef::full("__init__", "self, source=, encoding=, errors=", init, "Fills it anew."),
        NativeDef::full("append", "self, item, /", append, "Adds a byte at the end."),
        shared("capitalize", "self, /", capitalize),
        indexed("center", 1, "self, width, fillchar=, /", center),
        NativeDef::full("clear", "self, /", clear, "Removes all bytes."),
        NativeDef::data("copy", "self, /", copy, "A new bytearray of the same bytes."),
        indexed("count", 1, "self, sub, start=, end=, /", count),
        shared("decode", "self, encoding=, errors=", decode),
        indexed("endswith", 2, "self, suffix, start=, end=, /", endswith),
        indexed("expandtabs", 1, "self, tabsize=", expandtabs),
        NativeDef::full("extend", "self, iterable_of_ints, /", extend, "Adds bytes at the end."),
        indexed("find", 1, "self, sub, start=, end=, /", find),
        indexed("hex", 2, "self, sep=, bytes_per_sep=", hex),
        indexed("index", 1, "self, sub, start=, end=, /", index),
        NativeDef::full("insert", "self, index, item, /", insert, "Adds a byte before index."),
        shared("isalnum", "self, /", isalnum),
        shared("isalpha", "self, /", isalpha),
        shared("isascii", "self, /", isascii),
        shared("isdigit", "self, /", isdigit),
        shared("islower", "self, /", islower),
        shared("isspace", "self, /", isspace),
        shared("istitle", "self, /", istitle),
        shared("isupper", "self, /", isupper),
        NativeDef::full("join", "self, iterable, /", join, "The bytes of an iterable, these between them."),
        indexed("ljust", 1, "self, width, fillchar=, /", ljust),
        shared("lower", "self, /", lower),
        shared("lstrip", "self, bytes=, /", lstrip),
        shared("partition", "self, sep, /", partition),
        NativeDef::full("pop", "self, index=, /", pop, "Removes and returns a byte, the last by default."),
        NativeDef::full("remove", "self, value, /", remove, "Removes the first byte equal to value."),
        shared("removeprefix", "self, prefix, /", removeprefix),
        shared("removesuffix", "self, suffix, /", removesuffix),
        indexed("replace", 3, "self, old, new, count=, /", replace),
        NativeDef::data("reverse", "self, /", reverse, "Turns the bytes round."),
        indexed("rfind", 1, "self, sub, start=, end=, /", rfind),
        indexed("rindex", 1, "self, sub, start=, end=, /", rindex),
        indexed("rjust", 1, "self, width, fillchar=, /", rjust),
        shared("rpartition", "self, sep, /", rpartition),
        indexed("rsplit", 2, "self, sep=, maxsplit=", rsplit),
        shared("rstrip", "self, bytes=, /", rstrip),
        indexed("split", 2, "self, sep=, maxsplit=", split_at),
        indexed("splitlines", 1, "self, keepends=", splitlines),
        indexed("startswith", 2, "self, prefix, start=, end=, /", startswith),
        shared("strip", "self, bytes=, /", strip),
        shared("swapcase", "self, /", swapcase),
        shared("title", "self, /", title),
        shared("translate", "self, table, /, delete=", translate),
        shared("upper", "self, /", upper),
        indexed("zfill", 1, "self, width, /", zfill),
    ],
    class_methods: &[
        NativeDef::full("fromhex", "cls, string, /", class_fromhex, "As the method of bytes."),
        NativeDef::data("maketrans", "cls, frm, to, /", case::maketrans, "A table for translate."),
    ],
    properties: &[],
    subclassable: true,
};
