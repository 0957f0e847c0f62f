//! The type `bytes`: its constructor and its table of methods. The methods are in `bytes_*.rs` and `codecs.rs`.

use super::bytes_args::this;
use super::codecs::Codec;
use super::str::{decode as decode_named, names};
use super::text_args::type_name;
use super::{bytes_case as case, bytes_search as search, bytes_split as split, codecs};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, bytes, int, str, subclass, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::bytearray::as_bytes_object;
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;

/// `bytes(source=b'', encoding, errors)`; the class comes first.
fn construct(th: &mut Thread, args: Args) -> R {
    let made = from_arguments(th, args, "bytes")?;
    let (shape, extra) = subclass::plan(&mut th.m, args.get(0), Kind::Bytes)?;
    if extra == 0 && types::class_of(made) == args.get(0) {
        return Ok(made);
    }
    let made = th.new_bytes_as(&[bytes::as_bytes(made).unwrap_or(&[])], shape, extra)?;
    Ok(subclass::finish(made, extra))
}

/// The bytes that the arguments of the constructor of `bytes` or `bytearray` stand for.
pub fn from_arguments(th: &mut Thread, args: Args, class: &'static str) -> R {
    let source = args.opt(1);
    if args.opt(2).is_some() || args.opt(3).is_some() {
        return encoded(th, args, class);
    }
    let Some(v) = source else { return th.new_bytes(&[]) };
    if class == "bytes" && th.lookup_override(v, "__bytes__").is_some() {
        return asked_for(th, v);
    }
    if bytes::as_bytes(v).is_some() {
        return Ok(v);
    }
    match types::kind_of(v) {
        Kind::Str => Err(th.type_error("string argument without an encoding")),
        Kind::Int | Kind::Bool => zeros(th, v),
        Kind::ByteArray | Kind::MemoryView => as_bytes_object(&mut th.m, v),
        _ => from_object(th, v, class),
    }
}

fn encoded(m: &mut Mutator, args: Args, class: &'static str) -> R {
    let (encoding, errors) = names(m, args.opt(2), args.opt(3), class)?;
    let Some(text) = args.opt(1).and_then(str::as_str) else {
        let what = if args.opt(2).is_some() { "encoding" } else { "errors" };
        return Err(m.type_error(format!("{what} without a string argument")));
    };
    if args.opt(2).is_none() {
        return Err(m.type_error("string argument without an encoding"));
    }
    let codec = Codec::find(m, encoding)?;
    let bytes = codecs::encode(m, text, codec, errors)?;
    m.new_bytes(&bytes)
}

fn zeros(m: &mut Mutator, v: Value) -> R {
    match int::as_i64(v) {
        None => Err(m.raise(Exc::OverflowError, "cannot fit 'int' into an index-sized integer")),
        Some(n) if n < 0 => Err(m.value_error("negative count")),
        Some(n) => {
            m.room_for(n as usize)?;
            let zeros = super::support::zeroed(m, n as usize)?;
            m.new_bytes(&zeros)
        }
    }
}

/// What `__bytes__` of an object returns.
pub fn asked_for(th: &mut Thread, v: Value) -> R {
    let made = th.call_method(v, "__bytes__", &[])?;
    if types::kind_of(made) == Kind::Bytes {
        return Ok(made);
    }
    Err(th.type_error(format!("__bytes__ returned non-bytes (type {})", type_name(made))))
}

/// From an iterable of ints, or a size that `__index__` tells.
fn from_object(th: &mut Thread, v: Value, class: &str) -> R {
    if th.lookup_special(v, "__buffer__").is_some() {
        return bytes_object(th, v);
    }
    if th.lookup_override(v, "__index__").is_some() {
        match th.index(v) {
            Ok(n) => {
                let n = th.new_int(n)?;
                return zeros(th, n);
            }
            // It may still be iterable.
            Err(_) if th.pending_is(Exc::TypeError) => th.pending = None,
            Err(raised) => return Err(raised),
        }
    }
    let mut items = match th.iter(v) {
        Ok(items) => items,
        Err(raised) => {
            // Also where it is `__iter__` that has raised it.
            if !th.pending_is(Exc::TypeError) {
                return Err(raised);
            }
            th.pending = None;
            return Err(th.type_error(format!("cannot convert '{}' object to {class}", type_name(v))));
        }
    };
    th.ask_length(v)?;
    let mut out = Vec::new();
    while let Some(item) = items.next(th)? {
        match u8::try_from(clipped(th, item)?) {
            Ok(b) => out.push(b),
            Err(_) => {
                let what = if class == "bytes" { "bytes" } else { "byte" };
                return Err(th.value_error(format!("{what} must be in range(0, 256)")));
            }
        }
    }
    th.new_bytes(&out)
}

/// An item that is to be a byte, as an int; of one that is far from it, another that is none.
pub fn clipped(th: &mut Thread, item: Value) -> R<i64> {
    match int::as_i64(item) {
        Some(n) => Ok(n),
        None if types::kind_of(item) == Kind::Int => Ok(-1),
        None => th.index(item),
    }
}

fn fromhex(th: &mut Thread, args: Args) -> R {
    let made = case::fromhex(&mut th.m, args)?;
    let class = args.get(0);
    if class == types::class_of_kind(Kind::Bytes) { Ok(made) } else { th.call(class, &[made]) }
}

fn as_bytes_method(m: &mut Mutator, args: Args) -> R {
    m.new_bytes(this(args))
}

pub fn decode(m: &mut Mutator, args: Args) -> R {
    let names = names(m, args.opt(1), args.opt(2), "decode")?;
    decode_named(m, this(args), names)
}

pub static TYPE: TypeDef = TypeDef {
    name: "bytes",
    kind: Kind::Bytes,
    doc: "Immutable bytes.",
    construct: Some(NativeDef::full(
        "bytes",
        "cls, source=, encoding=, errors=",
        construct,
        "Bytes of an object.",
    )),
    methods: &[
        NativeDef::data("__bytes__", "self, /", as_bytes_method, "The same bytes."),
        NativeDef::data(
            "capitalize",
            "self, /",
            case::capitalize,
            "First letter upper case, the rest lower case.",
        ),
        NativeDef::indexed("center", 1, "self, width, fillchar=, /", split::center, "Centered in a width."),
        NativeDef::indexed(
            "count",
            1,
            "self, sub, start=, end=, /",
            search::count,
            "Number of places where sub is found.",
        ),
        NativeDef::data("decode", "self, encoding=, errors=", decode, "The bytes as text."),
        NativeDef::indexed(
            "endswith",
            2,
            "self, suffix, start=, end=, /",
            search::endswith,
            "Whether they end so.",
        ),
        NativeDef::indexed("expandtabs", 1, "self, tabsize=", split::expandtabs, "Tabs replaced by spaces."),
        NativeDef::indexed(
            "find",
            1,
            "self, sub, start=, end=, /",
            search::find,
            "Index of the first sub, or -1.",
        ),
        NativeDef::indexed("hex", 2, "self, sep=, bytes_per_sep=", case::hex, "As hexadecimal digits."),
        NativeDef::indexed(
            "index",
            1,
            "self, sub, start=, end=, /",
            search::index,
            "As find, but raises ValueError.",
        ),
        NativeDef::data("isalnum", "self, /", case::isalnum, "Whether all are ASCII letters or digits."),
        NativeDef::data("isalpha", "self, /", case::isalpha, "Whether all are ASCII letters."),
        NativeDef::data("isascii", "self, /", case::isascii, "Whether all are ASCII."),
        NativeDef::data("isdigit", "self, /", case::isdigit, "Whether all are ASCII digits."),
        NativeDef::data("islower", "self, /", case::islower, "Whether all letters are lower case."),
        NativeDef::data("isspace", "self, /", case::isspace, "Whether all are white space."),
        NativeDef::data("istitle", "self, /", case::istitle, "Whether words begin with capitals."),
        NativeDef::data("isupper", "self, /", case::isupper, "Whether all letters are upper case."),
        NativeDef::full(
            "join",
            "self, iterable, /",
            split::join,
            "The bytes of an iterable, these between them.",
        ),
        NativeDef::indexed("ljust", 1, "self, width, fillchar=, /", split::ljust, "Left in a width."),
        NativeDef::data("lower", "self, /", case::lower, "In lower case."),
        NativeDef::data("lstrip", "self, bytes=, /", split::lstrip, "Without leading white space or bytes."),
        NativeDef::data(
            "partition",
            "self, sep, /",
            search::partition,
            "Before, sep, and after its first place.",
        ),
        NativeDef::data("removeprefix", "self, prefix, /", search::removeprefix, "Without a prefix."),
        NativeDef::data("removesuffix", "self, suffix, /", search::removesuffix, "Without a suffix."),
        NativeDef::indexed(
            "replace",
            3,
            "self, old, new, count=, /",
            search::replace,
            "old replaced by new.",
        ),
        NativeDef::indexed(
            "rfind",
            1,
            "self, sub, start=, end=, /",
            search::rfind,
            "Index of the last sub, or -1.",
        ),
        NativeDef::indexed(
            "rindex",
            1,
            "self, sub, start=, end=, /",
            search::rindex,
            "As rfind, but raises ValueError.",
        ),
        NativeDef::indexed("rjust", 1, "self, width, fillchar=, /", split::rjust, "Right in a width."),
        NativeDef::data(
            "rpartition",
            "self, sep, /",
            search::rpartition,
            "Before, sep, and after its last place.",
        ),
        NativeDef::indexed(
            "rsplit",
            2,
            "self, sep=, maxsplit=",
            split::rsplit,
            "Pieces between separators, from the right.",
        ),
        NativeDef::data("rstrip", "self, bytes=, /", split::rstrip, "Without trailing white space or bytes."),
        NativeDef::indexed("split", 2, "self, sep=, maxsplit=", split::split, "Pieces between separators."),
        NativeDef::indexed("splitlines", 1, "self, keepends=", split::splitlines, "Lines."),
        NativeDef::indexed(
            "startswith",
            2,
            "self, prefix, start=, end=, /",
            search::startswith,
            "Whether they start so.",
        ),
        NativeDef::data(
            "strip",
            "self, bytes=, /",
            split::strip,
            "Without white space or bytes at both ends.",
        ),
        NativeDef::data("swapcase", "self, /", case::swapcase, "Upper case for lower and lower for upper."),
        NativeDef::data("title", "self, /", case::title, "Words beginning with capitals."),
        NativeDef::data(
            "translate",
            "self, table, /, delete=",
            case::translate,
            "Bytes replaced by a table.",
        ),
        NativeDef::data("upper", "self, /", case::upper, "In upper case."),
        NativeDef::indexed("zfill", 1, "self, width, /", split::zfill, "Zeros on the left, behind a sign."),
    ],
    class_methods: &[
        NativeDef::full("fromhex", "cls, string, /", fromhex, "Bytes from hexadecimal digits."),
        NativeDef::data("maketrans", "cls, frm, to, /", case::maketrans, "A table for translate."),
    ],
    properties: &[],
    subclassable: true,
};
