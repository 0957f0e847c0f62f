//! The type `str`: its constructor and its table of methods. The methods are in `str_*.rs` and `codecs.rs`.

use super::codecs::{self, Codec};
use super::text_args::{text, this, type_name};
use super::{
    str_case as case, str_format, str_pad as pad, str_search as search, str_split as split, str_translate,
};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::{R, Word, bytes, str, subclass, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// `str(object='', encoding='utf-8', errors='strict')`; the class comes first.
fn construct(th: &mut Thread, args: Args) -> R {
    let made = if args.opt(2).is_some() || args.opt(3).is_some() {
        decoded(th, args)?
    } else {
        match args.opt(1) {
            Some(v) => th.str(v)?,
            None => th.empty_str()?,
        }
    };
    let class = args.get(0);
    if class == types::class_of_kind(Kind::Str) {
        return Ok(made);
    }
    let shape = subclass::shape_of(&mut th.m, class, Kind::Str)?;
    th.new_str_subclass(shape, str::as_str(made).unwrap_or(""))
}

fn decoded(m: &mut Mutator, args: Args) -> R {
    let names = names(m, args.opt(2), args.opt(3), "str")?;
    let Some(v) = args.opt(1) else { return m.empty_str() };
    if str::as_str(v).is_some() {
        return Err(m.type_error("decoding str is not supported"));
    }
    let Some(bytes) = bytes::as_bytes(crate::vm::ops::bytearray::as_bytes_object(m, v)?) else {
        let got = type_name(v);
        return Err(m.type_error(format!("decoding to str: need a bytes-like object, {got} found")));
    };
    decode(m, bytes, names)
}

/// Names of an encoding and of an error handler.
pub type Names = (&'static str, &'static str);

/// Reads the arguments `encoding` and `errors`.
pub fn names(m: &mut Mutator, encoding: Word, errors: Word, function: &str) -> R<Names> {
    let encoding = match encoding {
        Some(v) => text(m, v, &format!("{function}() argument 'encoding'"))?,
        None => "utf-8",
    };
    let errors = match errors {
        Some(v) => text(m, v, &format!("{function}() argument 'errors'"))?,
        None => "strict",
    };
    if encoding.contains('\0') || errors.contains('\0') {
        return Err(m.value_error("embedded null character"));
    }
    Ok((encoding, errors))
}

/// Bytes as a string. No bytes are an empty one in any encoding, even one that there is not.
pub fn decode(m: &mut Mutator, bytes: &[u8], (encoding, errors): Names) -> R {
    if bytes.is_empty() {
        return m.empty_str();
    }
    let codec = Codec::find(m, encoding)?;
    let text = codecs::decode(m, bytes, codec, errors)?;
    m.new_str(&text)
}

fn encode(m: &mut Mutator, args: Args) -> R {
    let (encoding, errors) = names(m, args.opt(1), args.opt(2), "encode")?;
    let codec = Codec::find(m, encoding)?;
    let bytes = codecs::encode(m, this(args), codec, errors)?;
    m.new_bytes(&bytes)
}

pub static TYPE: TypeDef = TypeDef {
    name: "str",
    kind: Kind::Str,
    doc: "Immutable text.",
    construct: Some(NativeDef::full(
        "str",
        "cls, object=, encoding=, errors=",
        construct,
        "The text of an object.",
    )),
    methods: &[
        NativeDef::data(
            "capitalize",
            "self, /",
            case::capitalize,
            "First character titlecase, the rest lower case.",
        ),
        NativeDef::data("casefold", "self, /", case::casefold, "The form for comparison without case."),
        NativeDef::indexed("center", 1, "self, width, fillchar=, /", pad::center, "Centered in a width."),
        NativeDef::indexed(
            "count",
            2,
            "self, sub, start=, end=, /",
            search::count,
            "Number of places where sub is found.",
        ),
        NativeDef::data("encode", "self, encoding=, errors=", encode, "The text as bytes."),
        NativeDef::indexed(
            "endswith",
            2,
            "self, suffix, start=, end=, /",
            search::endswith,
            "Whether it ends so.",
        ),
        NativeDef::indexed("expandtabs", 1, "self, tabsize=", pad::expandtabs, "Tabs replaced by spaces."),
        NativeDef::indexed(
            "find",
            2,
            "self, sub, start=, end=, /",
            search::find,
            "Index of the first sub, or -1.",
        ),
        NativeDef::full(
            "format",
            "self, /, *args, **kwargs",
            str_format::format,
            "Fields in braces filled in.",
        ),
        NativeDef::full(
            "format_map",
            "self, mapping, /",
            str_format::format_map,
            "As format, names from a mapping.",
        ),
        NativeDef::indexed(
            "index",
            2,
            "self, sub, start=, end=, /",
            search::index,
            "As find, but raises ValueError.",
        ),
        NativeDef::data("isalnum", "self, /", case::isalnum, "Whether all characters are letters or digits."),
        NativeDef::data("isalpha", "self, /", case::isalpha, "Whether all characters are letters."),
        NativeDef::data("isascii", "self, /", case::isascii, "Whether all characters are ASCII."),
        NativeDef::data(
            "isdecimal",
            "self, /",
            case::isdecimal,
            "Whether all characters are decimal digits.",
        ),
        NativeDef::data("isdigit", "self, /", case::isdigit, "Whether all characters are digits."),
        NativeDef::data("isidentifier", "self, /", case::isidentifier, "Whether it could be a name."),
        NativeDef::data("islower", "self, /", case::islower, "Whether all cased characters are lower case."),
        NativeDef::data("isnumeric", "self, /", case::isnumeric, "Whether all characters are numeric."),
        NativeDef::data("isprintable", "self, /", case::isprintable, "Whether repr shows it as it is."),
        NativeDef::data("isspace", "self, /", case::isspace, "Whether all characters are white space."),
        NativeDef::data("istitle", "self, /", case::istitle, "Whether words begin with capitals."),
        NativeDef::data("isupper", "self, /", case::isupper, "Whether all cased characters are upper case."),
        NativeDef::full(
            "join",
            "self, iterable, /",
            split::join,
            "The strings of an iterable, this one between them.",
        ),
        NativeDef::indexed("ljust", 1, "self, width, fillchar=, /", pad::ljust, "Left in a width."),
        NativeDef::data("lower", "self, /", case::lower, "In lower case."),
        NativeDef::data("lstrip", "self, chars=, /", split::lstrip, "Without leading white space or chars."),
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
            2,
            "self, sub, start=, end=, /",
            search::rfind,
            "Index of the last sub, or -1.",
        ),
        NativeDef::indexed(
            "rindex",
            2,
            "self, sub, start=, end=, /",
            search::rindex,
            "As rfind, but raises ValueError.",
        ),
        NativeDef::indexed("rjust", 1, "self, width, fillchar=, /", pad::rjust, "Right in a width."),
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
            "Pieces between separators, cut from the right.",
        ),
        NativeDef::data("rstrip", "self, chars=, /", split::rstrip, "Without trailing white space or chars."),
        NativeDef::indexed("split", 2, "self, sep=, maxsplit=", split::split, "Pieces between separators."),
        NativeDef::indexed("splitlines", 1, "self, keepends=", split::splitlines, "Lines."),
        NativeDef::indexed(
            "startswith",
            2,
            "self, prefix, start=, end=, /",
            search::startswith,
            "Whether it starts so.",
        ),
        NativeDef::data(
            "strip",
            "self, chars=, /",
            split::strip,
            "Without white space or chars at both ends.",
        ),
        NativeDef::data("swapcase", "self, /", case::swapcase, "Upper case for lower and lower for upper."),
        NativeDef::data("title", "self, /", case::title, "Words beginning with capitals."),
        NativeDef::full(
            "translate",
            "self, table, /",
            str_translate::translate,
            "Characters replaced by a table.",
        ),
        NativeDef::data("upper", "self, /", case::upper, "In upper case."),
        NativeDef::indexed("zfill", 1, "self, width, /", pad::zfill, "Zeros on the left, behind a sign."),
    ],
    class_methods: &[NativeDef::full(
        "maketrans",
        "cls, x, y=, z=, /",
        str_translate::maketrans,
        "A table for translate.",
    )],
    properties: &[],
    subclassable: true,
};
