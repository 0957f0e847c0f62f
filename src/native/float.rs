//! The type `float`: its constructor and its table of methods. Must not know operators.

use super::float_hex;
use super::int::from_float;
use super::num_args::{big, real_opt};
use super::text_args::type_name;
use crate::object::bigint::{self, IBig};
use crate::object::error::{Exc, R};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::value::Value;
use crate::object::{bytes, float, str, subclass, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::bytearray::as_bytes_object;
use crate::vm::thread::Thread;
use dashu_int::ops::BitTest;

/// `float(x=0.0)`; the class comes first.
fn construct(th: &mut Thread, args: Args) -> R {
    let f = match args.opt(1) {
        None => 0.0,
        Some(x) => convert(th, x)?,
    };
    of_class(th, args.get(0), f)
}

fn of_class(m: &mut Mutator, class: Value, f: f64) -> R {
    if class == types::class_of_kind(Kind::Float) {
        return m.new_float(f);
    }
    let shape = subclass::shape_of(m, class, Kind::Float)?;
    m.new_float_subclass(shape, f)
}

fn convert(th: &mut Thread, x: Value) -> R<f64> {
    let given = as_bytes_object(&mut th.m, x)?;
    let bytes = bytes::as_bytes(given);
    let text = str::as_str(x).or_else(|| bytes.map(|b| std::str::from_utf8(b).unwrap_or("?")));
    if let Some(text) = text {
        return match float::parse(text) {
            Some(f) => Ok(f),
            None => {
                let shown = th.repr(x)?;
                let shown = str::as_str(shown).unwrap_or("");
                Err(th.value_error(format!("could not convert string to float: {shown}")))
            }
        };
    }
    match real_opt(th, x)? {
        Some(f) => Ok(f),
        None => {
            let name = type_name(x);
            Err(th.type_error(format!("float() argument must be a string or a real number, not '{name}'")))
        }
    }
}

fn this(args: Args) -> f64 {
    float::as_f64(args.get(0)).unwrap_or(0.0)
}

fn plain(m: &mut Mutator, args: Args) -> R {
    m.new_float(this(args))
}

fn zero(m: &mut Mutator, _: Args) -> R {
    m.new_float(0.0)
}

fn truth(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(this(args) != 0.0))
}

fn is_integer(_: &mut Mutator, args: Args) -> R {
    let f = this(args);
    Ok(Value::bool(f.is_finite() && f == f.trunc()))
}

fn as_integer_ratio(m: &mut Mutator, args: Args) -> R {
    let f = this(args);
    if f.is_nan() {
        return Err(m.value_error("cannot convert NaN to integer ratio"));
    }
    if f.is_infinite() {
        return Err(m.raise(Exc::OverflowError, "cannot convert Infinity to integer ratio"));
    }
    let (mantissa, exponent) = bigint::decode(f);
    let zeros = mantissa.trailing_zeros().min(63) as i32;
    let (mantissa, exponent) = if mantissa == 0 { (0, 0) } else { (mantissa >> zeros, exponent + zeros) };
    let up = |n: IBig, e: i32| n << e.max(0) as usize;
    let numerator = m.new_bigint(&up(IBig::from(mantissa), exponent))?;
    let denominator = m.new_bigint(&up(IBig::ONE, -exponent))?;
    m.new_tuple(&[numerator, denominator])
}

fn hex(m: &mut Mutator, args: Args) -> R {
    m.new_str(&float_hex::show(this(args)))
}

fn fromhex(th: &mut Thread, args: Args) -> R {
    let Some(text) = str::as_str(args.get(1)) else {
        return Err(th.type_error("bad argument type for built-in operation"));
    };
    let f = match float_hex::read(text) {
        Ok(f) => th.new_float(f)?,
        Err(error) => return Err(crate::object::num::raise(th, error)),
    };
    let class = args.get(0);
    if class == types::class_of_kind(Kind::Float) { Ok(f) } else { th.call(class, &[f]) }
}

fn trunc(m: &mut Mutator, args: Args) -> R {
    from_float(m, this(args), f64::trunc)
}

fn floor(m: &mut Mutator, args: Args) -> R {
    from_float(m, this(args), f64::floor)
}

fn ceil(m: &mut Mutator, args: Args) -> R {
    from_float(m, this(args), f64::ceil)
}

fn round(th: &mut Thread, args: Args) -> R {
    round_value(th, args.get(0), args.opt_not_none(1))
}

/// `round(f)`, an int, and `round(f, digits)`, a float; ties to even.
pub fn round_value(th: &mut Thread, v: Value, digits: Option<Value>) -> R {
    let f = float::as_f64(v).unwrap_or(0.0);
    let Some(digits) = digits else { return from_float(th, f, f64::round_ties_even) };
    let digits = big(th, digits)?;
    if !f.is_finite() || f == 0.0 {
        return th.new_float(f);
    }
    let Some(digits) = i32::try_from(&digits).ok().filter(|n| (-308..=323).contains(n)) else {
        return th.new_float(if digits > IBig::ZERO { f } else { 0f64.copysign(f) });
    };
    match round_decimal(f, digits) {
        Some(f) => th.new_float(f),
        None => Err(th.raise(Exc::OverflowError, "rounded value too large to represent")),
    }
}

/// The float nearest to `f` rounded, exactly, to so many decimal digits; `None` if it is too large.
fn round_decimal(f: f64, digits: i32) -> Option<f64> {
    let (mantissa, exponent) = bigint::decode(f);
    let power = IBig::from(10).pow(digits.unsigned_abs() as usize);
    let up = |n: IBig, e: i32| n << e.max(0) as usize;
    let (mut above, mut below) = (up(IBig::from(mantissa), exponent), up(IBig::ONE, -exponent));
    if digits >= 0 {
        above *= &power;
    } else {
        below *= &power;
    }
    let (quotient, rest) = bigint::floor_div_rem(&above, &below);
    let nearer = (&rest + &rest).cmp(&below);
    let whole =
        if nearer.is_gt() || nearer.is_eq() && quotient.bit(0) { quotient + IBig::ONE } else { quotient };
    let rounded =
        if digits >= 0 { bigint::true_div(&whole, &power).ok()? } else { bigint::to_f64(&(whole * power))? };
    Some(rounded.copysign(f))
}

pub static TYPE: TypeDef = TypeDef {
    name: "float",
    kind: Kind::Float,
    doc: "Numbers with a fraction, of double precision.",
    construct: Some(NativeDef::full("float", "cls, x=, /", construct, "The float of a number or text.")),
    methods: &[
        NativeDef::data(
            "as_integer_ratio",
            "self, /",
            as_integer_ratio,
            "Two ints whose quotient is the float.",
        ),
        NativeDef::data("conjugate", "self, /", plain, "The float itself."),
        NativeDef::data("hex", "self, /", hex, "The float in hexadecimal, exactly."),
        NativeDef::data("is_integer", "self, /", is_integer, "Whether it has no fraction."),
        NativeDef::full("__round__", "self, ndigits=, /", round, "Rounded to so many decimal digits."),
        NativeDef::data("__trunc__", "self, /", trunc, "The int without the fraction."),
        NativeDef::data("__floor__", "self, /", floor, "The largest int that is not larger."),
        NativeDef::data("__ceil__", "self, /", ceil, "The smallest int that is not smaller."),
        NativeDef::data("__int__", "self, /", trunc, "The int without the fraction."),
        NativeDef::data("__float__", "self, /", plain, "The float itself."),
        NativeDef::data("__bool__", "self, /", truth, "True unless it is 0."),
    ],
    class_methods: &[NativeDef::full(
        "fromhex",
        "cls, string, /",
        fromhex,
        "The float of a hexadecimal text.",
    )],
    properties: &[
        NativeDef::data("real", "self", plain, "The float itself."),
        NativeDef::data("imag", "self", zero, "0.0."),
    ],
    subclassable: true,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_exact() {
        let cases = [
            (2.675, 2, 2.67),
            (0.5, 0, 0.0),
            (1.5, 0, 2.0),
            (2.5, 0, 2.0),
            (1234.5, -2, 1200.0),
            (-1250.0, -2, -1200.0),
            (5e-324, 323, 0.0),
            (1e300, -299, 1e300),
            (0.15, 1, 0.1),
            (-0.04, 1, -0.0),
        ];
        for (f, digits, rounded) in cases {
            assert_eq!(
                round_decimal(f, digits).map(f64::to_bits),
                Some(f64::to_bits(rounded)),
                "{f} {digits}"
            );
        }
        assert_eq!(round_decimal(1.7e308, -308), None);
    }
}
