//! The type `bool`, and the built-in functions about numbers. Must not know modules.

pub use super::float::TYPE as FLOAT;
pub use super::int::TYPE as INT;
use super::num_args::{index_value, is_plain_number};
use super::text_args::type_name;
use super::{float, int as int_type};
use crate::object::error::R;
use crate::object::header::Kind;
use crate::object::num::{self, BinOp, UnOp};
use crate::object::value::{Value, Word};
use crate::object::{bigint, float as floats, format_int, int, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// `bool(x=False)`; the class comes first.
fn construct_bool(th: &mut Thread, args: Args) -> R {
    match args.opt(1) {
        Some(v) => th.is_true(v).map(Value::bool),
        None => Ok(Value::FALSE),
    }
}

pub static BOOL: TypeDef = TypeDef {
    name: "bool",
    kind: Kind::Bool,
    doc: "True and False.",
    construct: Some(NativeDef::full(
        "bool",
        "cls, x=, /",
        construct_bool,
        "Whether an object counts as true.",
    )),
    methods: &[],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

fn round(th: &mut Thread, args: Args) -> R {
    let (v, digits) = (args.get(0), args.opt_not_none(1));
    if is_plain_number(v) {
        return match floats::as_f64(v) {
            Some(_) => float::round_value(th, v, digits),
            None => int_type::round_value(th, v, digits),
        };
    }
    match th.lookup_special(v, "__round__") {
        Some(method) => match args.opt_not_none(1) {
            Some(digits) => th.call(method, &[v, digits]),
            None => th.call(method, &[v]),
        },
        None => {
            let name = type_name(v);
            Err(th.type_error(format!("type {name} doesn't define __round__ method")))
        }
    }
}

pub fn abs(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    if let Some(n) = v.as_small() {
        return th.new_int(n.abs());
    }
    if is_plain_number(v) {
        return absolute(th, v);
    }
    if let Some(method) = th.lookup_special(v, "__abs__") {
        return th.call(method, &[v]);
    }
    if int::is_int(v) || floats::as_f64(v).is_some() {
        return absolute(th, v);
    }
    let name = type_name(v);
    Err(th.type_error(format!("bad operand type for abs(): '{name}'")))
}

/// The absolute value of an int, bool or float.
pub fn absolute(th: &mut Thread, v: Value) -> R {
    if let Some(f) = floats::as_f64(v) {
        return th.new_float(f.abs());
    }
    let op = if int::is_negative(v) { UnOp::Neg } else { UnOp::Pos };
    Ok(num::unary(th, op, v)?.unwrap_or(v))
}

/// The result of a special method that may answer NotImplemented.
fn try_method(th: &mut Thread, object: Value, name: &'static str, args: &[Value]) -> R<Word> {
    let Some(method) = th.lookup_special(object, name) else { return Ok(None) };
    let all: Vec<Value> = std::iter::once(object).chain(args.iter().copied()).collect();
    let made = th.call(method, &all)?;
    Ok((made != Value::NOT_IMPLEMENTED).then_some(made))
}

fn divmod(th: &mut Thread, args: Args) -> R {
    let (a, b) = (args.get(0), args.get(1));
    let numbers = is_plain_number(a) && is_plain_number(b);
    if !numbers {
        // The right operand goes first if its class derives from the left one's.
        let (left, right) = (types::class_of(a), types::class_of(b));
        let right_first = left != right && th.is_subclass(right, left)?;
        if right_first && let Some(made) = try_method(th, b, "__rdivmod__", &[a])? {
            return Ok(made);
        }
        if let Some(made) = try_method(th, a, "__divmod__", &[b])? {
            return Ok(made);
        }
        if !right_first
            && left != right
            && let Some(made) = try_method(th, b, "__rdivmod__", &[a])?
        {
            return Ok(made);
        }
    }
    match num::divmod(th, a, b)? {
        Some((quotient, remainder)) => th.new_tuple(&[quotient, remainder]),
        None => {
            let (a, b) = (type_name(a), type_name(b));
            Err(th.type_error(format!("unsupported operand type(s) for divmod(): '{a}' and '{b}'")))
        }
    }
}

pub fn pow(th: &mut Thread, args: Args) -> R {
    let (a, b) = (args.get(0), args.get(1));
    let Some(c) = args.opt_not_none(2) else { return th.binary(BinOp::Pow, a, b) };
    if is_plain_number(a) && [a, b, c].into_iter().all(int::is_int) {
        return pow_of_ints(th, a, b, c);
    }
    if !is_plain_number(a)
        && th.lookup_override(a, "__pow__").is_some()
        && let Some(made) = try_method(th, a, "__pow__", &[b, c])?
    {
        return Ok(made);
    }
    if [a, b, c].into_iter().all(int::is_int) {
        return pow_of_ints(th, a, b, c);
    }
    if [a, b, c].into_iter().any(|v| floats::as_f64(v).is_some()) {
        return Err(th.type_error("pow() 3rd argument not allowed unless all arguments are integers"));
    }
    let names = [a, b, c].map(type_name);
    let [a, b, c] = &names;
    Err(th.type_error(format!("unsupported operand type(s) for ** or pow(): '{a}', '{b}', '{c}'")))
}

fn pow_of_ints(th: &mut Thread, a: Value, b: Value, modulus: Value) -> R {
    let (x, y, z) = (int::big(th, a)?, int::big(th, b)?, int::big(th, modulus)?);
    match bigint::pow_mod(&x, &y, &z) {
        Ok(n) => th.new_bigint(&n),
        Err(error) => Err(num::raise(th, error)),
    }
}

fn in_base(th: &mut Thread, v: Value, radix: u8, prefix: &str) -> R {
    let n = index_value(th, v)?;
    let (negative, digits) = format_int::digits(n, radix).map_err(|bad| bad.raise(th))?;
    let sign = if negative { "-" } else { "" };
    th.new_str(&format!("{sign}{prefix}{digits}"))
}

fn bin(th: &mut Thread, args: Args) -> R {
    in_base(th, args.get(0), 2, "0b")
}

fn oct(th: &mut Thread, args: Args) -> R {
    in_base(th, args.get(0), 8, "0o")
}

fn hex(th: &mut Thread, args: Args) -> R {
    in_base(th, args.get(0), 16, "0x")
}

pub static NUMBER_BUILTINS: &[NativeDef] = &[
    NativeDef::full("abs", "x, /", abs, "The absolute value."),
    NativeDef::full("bin", "number, /", bin, "An integer in binary, with 0b before it."),
    NativeDef::full("divmod", "x, y, /", divmod, "The pair of quotient and remainder."),
    NativeDef::full("hex", "number, /", hex, "An integer in hexadecimal, with 0x before it."),
    NativeDef::full("oct", "number, /", oct, "An integer in octal, with 0o before it."),
    NativeDef::full("pow", "base, exp, mod=", pow, "base ** exp, or that modulo mod."),
    NativeDef::full("round", "number, ndigits=", round, "Rounded to so many decimal digits, ties to even."),
];
