//! The type `int`: its constructor and its table of methods. Must not know operators.

use super::num_args::{big, index_value, int_of_class, plain_int};
use super::text_args::{argument_name, type_name};
use crate::object::bigint::{self, IBig, Sign, UBig};
use crate::object::error::{Exc, R};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::value::Value;
use crate::object::{bytes, float, int, key, num, str, text_repr, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use dashu_int::ops::{BitTest, UnsignedAbs};

/// `int(x=0)` and `int(text, base=10)`; the class comes first.
fn construct(th: &mut Thread, args: Args) -> R {
    let made = match (args.opt(1), args.opt(2)) {
        (None, None) => Value::int_unchecked(0),
        (None, Some(_)) => return Err(th.type_error("int() missing string argument")),
        (Some(x), None) => convert(th, x)?,
        (Some(x), Some(base)) => with_base(th, x, base)?,
    };
    int_of_class(th, args.get(0), made)
}

fn with_base(th: &mut Thread, x: Value, base: Value) -> R {
    let base = int::as_i64(index_value(th, base)?).unwrap_or(-1);
    let base = u32::try_from(base).ok().filter(|b| *b == 0 || (2..=36).contains(b));
    let Some(base) = base else { return Err(th.value_error("int() base must be >= 2 and <= 36, or 0")) };
    let text = if types::kind_of(x) == Kind::MemoryView { None } else { read_text(th, x, base)? };
    match text {
        Some(v) => Ok(v),
        None => Err(th.type_error("int() can't convert non-string with explicit base")),
    }
}

/// The int that a str or bytes spells; `None` if `x` is neither.
fn read_text(m: &mut Mutator, x: Value, base: u32) -> R<Option<Value>> {
    if let Some(text) = str::as_str(x) {
        return int::parse(m, text, base).map(Some);
    }
    let x = crate::vm::ops::bytearray::as_bytes_object(m, x)?;
    let Some(bytes) = bytes::as_bytes(x) else { return Ok(None) };
    let shown = || text_repr::repr_bytes(bytes);
    int::parse_shown(m, std::str::from_utf8(bytes).unwrap_or("?"), base, shown).map(Some)
}

/// An int out of any one object.
fn convert(th: &mut Thread, x: Value) -> R {
    if super::num_args::is_plain_number(x) {
        return match float::as_f64(x) {
            Some(f) => from_float(th, f, f64::trunc),
            None => Ok(x),
        };
    }
    if let Some(s) = key::exact_str(x) {
        return int::parse(th, str::text(s), 10);
    }
    for name in ["__int__", "__index__", "__trunc__"] {
        let Some(method) = th.lookup_special(x, name) else { continue };
        let made = th.call(method, &[x])?;
        if int::is_int(made) {
            return Ok(made);
        }
        if name == "__trunc__" {
            return index_value(th, made);
        }
        let got = type_name(made);
        return Err(th.type_error(format!("{name} returned non-int (type {got})")));
    }
    if let Some(f) = float::as_f64(x) {
        return from_float(th, f, f64::trunc);
    }
    if int::is_int(x) {
        return Ok(x);
    }
    match read_text(th, x, 10)? {
        Some(v) => Ok(v),
        None => {
            let name = type_name(x);
            let wanted = "int() argument must be a string, a bytes-like object or a real number";
            Err(th.type_error(format!("{wanted}, not '{name}'")))
        }
    }
}

/// The int next to a float, as `rounded` chooses it.
pub fn from_float(m: &mut Mutator, f: f64, rounded: fn(f64) -> f64) -> R {
    if f.is_nan() {
        return Err(m.value_error("cannot convert float NaN to integer"));
    }
    if f.is_infinite() {
        return Err(m.raise(Exc::OverflowError, "cannot convert float infinity to integer"));
    }
    m.new_bigint(&bigint::trunc(rounded(f)))
}

fn this(m: &mut Mutator, args: Args) -> R<IBig> {
    int::big(m, args.get(0))
}

fn plain(m: &mut Mutator, args: Args) -> R {
    plain_int(m, args.get(0))
}

fn zero(_: &mut Mutator, _: Args) -> R {
    Ok(Value::int_unchecked(0))
}

fn one(_: &mut Mutator, _: Args) -> R {
    Ok(Value::int_unchecked(1))
}

fn bit_length(m: &mut Mutator, args: Args) -> R {
    Ok(Value::int_unchecked(this(m, args)?.unsigned_abs().bit_len() as i64))
}

fn bit_count(m: &mut Mutator, args: Args) -> R {
    Ok(Value::int_unchecked(this(m, args)?.unsigned_abs().count_ones() as i64))
}

fn as_integer_ratio(m: &mut Mutator, args: Args) -> R {
    let n = plain_int(m, args.get(0))?;
    m.new_tuple(&[n, Value::int_unchecked(1)])
}

fn to_float(m: &mut Mutator, args: Args) -> R {
    let f = int::to_f64(m, args.get(0))?;
    m.new_float(f)
}

fn round(th: &mut Thread, args: Args) -> R {
    round_value(th, args.get(0), args.opt_not_none(1))
}

/// `round(n, digits)`: digits below zero round to tens, hundreds and so on, ties to even.
pub fn round_value(th: &mut Thread, n: Value, digits: Option<Value>) -> R {
    let Some(digits) = digits else { return plain_int(th, n) };
    let digits = big(th, digits)?;
    if digits >= IBig::ZERO {
        return plain_int(th, n);
    }
    let n = int::big(th, n)?;
    // 10**k beyond twice `n` leaves nothing; a decimal digit has more than three bits.
    match usize::try_from(-digits) {
        Ok(k) if k <= n.bit_len() / 3 + 2 => th.new_bigint(&round_to(&n, &IBig::from(10).pow(k))),
        _ => Ok(Value::int_unchecked(0)),
    }
}

/// The multiple of `unit` next to `n`; of two equally near, the even one.
fn round_to(n: &IBig, unit: &IBig) -> IBig {
    let (quotient, rest) = bigint::floor_div_rem(n, unit);
    let up = match (&rest + &rest).cmp(unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.bit(0),
        std::cmp::Ordering::Greater => true,
    };
    (if up { quotient + IBig::ONE } else { quotient }) * unit
}

/// Whether bytes go from the least significant on.
fn is_little(m: &mut Mutator, order: Option<Value>, function: &str) -> R<bool> {
    let Some(order) = order else { return Ok(false) };
    match str::as_str(order) {
        Some("little") => Ok(true),
        Some("big") => Ok(false),
        Some(_) => Err(m.value_error("byteorder must be either 'little' or 'big'")),
        None => {
            let name = argument_name(order);
            Err(m.type_error(format!("{function}() argument 'byteorder' must be str, not {name}")))
        }
    }
}

fn to_bytes(th: &mut Thread, args: Args) -> R {
    let n = this(th, args)?;
    let length = match args.opt(1) {
        None => 1,
        Some(v) => th.index(v)?,
    };
    let little = is_little(th, args.opt(2), "to_bytes")?;
    let signed = args.opt(3).map_or(Ok(false), |v| th.is_true(v))?;
    let Ok(length) = usize::try_from(length) else {
        return Err(th.value_error("length argument must be non-negative"));
    };
    if !signed && n.sign() == Sign::Negative {
        return Err(th.raise(Exc::OverflowError, "can't convert negative int to unsigned"));
    }
    // `~n` of a negative number has its bits but for the sign.
    let bits = if n.sign() == Sign::Negative { (!&n).bit_len() } else { n.bit_len() };
    if bits + signed as usize > length.saturating_mul(8) && !(length == 0 && bits == 0) {
        return Err(th.raise(Exc::OverflowError, "int too big to convert"));
    }
    bigint::check_bits(length as u128 * 8).map_err(|error| num::raise(th, error))?;
    let size = if n.sign() == Sign::Negative { (IBig::ONE << (length * 8)) + n } else { n };
    let mut out = size.unsigned_abs().to_le_bytes().into_vec();
    out.resize(length, 0);
    if !little {
        out.reverse();
    }
    th.new_bytes(&out)
}

fn from_bytes(th: &mut Thread, args: Args) -> R {
    let little = is_little(th, args.opt(2), "from_bytes")?;
    let len = bytes::as_bytes(args.get(1)).map_or(0, <[u8]>::len);
    bigint::check_bits(len as u128 * 8).map_err(|error| num::raise(th, error))?;
    let mut data = bytes_of(th, args.get(1))?;
    if !little {
        data.reverse();
    }
    let signed = args.opt(3).map_or(Ok(false), |v| th.is_true(v))?;
    let size = IBig::from(UBig::from_le_bytes(&data));
    let negative = signed && data.last().is_some_and(|top| top & 0x80 != 0);
    let n = if negative { size - (IBig::ONE << (data.len() * 8)) } else { size };
    let n = th.new_bigint(&n)?;
    let class = args.get(0);
    if class == types::class_of_kind(Kind::Int) { Ok(n) } else { th.call(class, &[n]) }
}

/// The bytes of a bytes-like object, of one with `__bytes__`, or of an iterable of ints.
fn bytes_of(th: &mut Thread, v: Value) -> R<Vec<u8>> {
    if th.lookup_override(v, "__bytes__").is_some() {
        let made = super::bytes::asked_for(th, v)?;
        return Ok(bytes::as_bytes(made).unwrap_or_default().to_vec());
    }
    if let Some(data) = bytes::as_bytes(v) {
        return Ok(data.to_vec());
    }
    let iterable = th.lookup_special(v, "__iter__").or_else(|| th.lookup_special(v, "__getitem__"));
    if str::as_str(v).is_some() || iterable.is_none() {
        let name = type_name(v);
        return Err(th.type_error(format!("cannot convert '{name}' object to bytes")));
    }
    let mut items = th.iter(v)?;
    let mut data = Vec::new();
    while let Some(item) = items.next(th)? {
        match u8::try_from(super::bytes::clipped(th, item)?) {
            Ok(byte) => data.push(byte),
            Err(_) => return Err(th.value_error("bytes must be in range(0, 256)")),
        }
    }
    Ok(data)
}

fn truth(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(num::is_true(args.get(0)).unwrap_or(true)))
}

pub static TYPE: TypeDef = TypeDef {
    name: "int",
    kind: Kind::Int,
    doc: "Integers of any size.",
    construct: Some(NativeDef::full(
        "int",
        "cls, x=, /, base=",
        construct,
        "The integer of a number or text.",
    )),
    methods: &[
        NativeDef::data("as_integer_ratio", "self, /", as_integer_ratio, "The pair of the int and 1."),
        NativeDef::data(
            "bit_count",
            "self, /",
            bit_count,
            "Number of ones in the binary form of the absolute value.",
        ),
        NativeDef::data("bit_length", "self, /", bit_length, "Number of bits of the absolute value."),
        NativeDef::data("conjugate", "self, /", plain, "The int itself."),
        NativeDef::full(
            "to_bytes",
            "self, length=, byteorder=, *, signed=",
            to_bytes,
            "The bytes that represent the int; the most significant first, unless byteorder is 'little'.",
        ),
        NativeDef::full("__round__", "self, ndigits=, /", round, "Rounded to tens for negative ndigits."),
        NativeDef::data("__trunc__", "self, /", plain, "The int itself."),
        NativeDef::data("__floor__", "self, /", plain, "The int itself."),
        NativeDef::data("__ceil__", "self, /", plain, "The int itself."),
        NativeDef::data("__int__", "self, /", plain, "The int itself."),
        NativeDef::data("__index__", "self, /", plain, "The int itself."),
        NativeDef::data("__float__", "self, /", to_float, "The nearest float."),
        NativeDef::data("__bool__", "self, /", truth, "True unless it is 0."),
    ],
    class_methods: &[NativeDef::full(
        "from_bytes",
        "cls, bytes, byteorder=, *, signed=",
        from_bytes,
        "The int that these bytes represent.",
    )],
    properties: &[
        NativeDef::data("real", "self", plain, "The int itself."),
        NativeDef::data("imag", "self", zero, "0."),
        NativeDef::data("numerator", "self", plain, "The int itself."),
        NativeDef::data("denominator", "self", one, "1."),
    ],
    subclassable: true,
};
