//! Binary and unary operators beyond small ints and inline floats: numbers, sequences, sets, special methods.
//! Must not know the arithmetic itself (`object::num`, `object::list`...).

use crate::object::class;
use crate::object::layout::is_subclass_instance;
use crate::object::num::{self, BinOp, UnOp};
use crate::object::{Exc, Kind, R, Raised, Value, Word, bytes, float, int, key, list, str, tuple, types};
use crate::vm::container_ops;
use crate::vm::thread::Thread;

/// `x op y`; `in_place` for `x op= y`.
#[cold]
#[inline(never)]
pub fn binary(th: &mut Thread, op: BinOp, in_place: bool, x: Value, y: Value) -> R {
    if op == BinOp::Add && key::exact_str(x).is_some() && key::exact_str(y).is_some() {
        return str::concat(&mut th.m, x, y);
    }
    if let Some(v) = mixed(op, x, y) {
        return Ok(v);
    }
    if !is_subclass(x)
        && !is_subclass(y)
        && let Some(v) = num::binary(&mut th.m, op, x, y)?
    {
        return Ok(v);
    }
    if in_place && let Some(v) = in_place_method(th, op, x, y)? {
        return Ok(v);
    }
    match reflect(th, op, x, y)? {
        Some(v) => Ok(v),
        None => Err(unsupported(th, op, in_place, x, y)),
    }
}

/// Of a built-in kind, but of a class written in Mini.
#[inline]
fn is_subclass(v: Value) -> bool {
    v.is_ref() && is_subclass_instance(types::hdr(v))
}

/// Two floats, or a float and an int that a float holds exactly: the commonest mixture.
#[cold]
#[inline(never)]
pub fn mixed(op: BinOp, x: Value, y: Value) -> Word {
    let exact = |v: Value| {
        let n = v.as_small()?;
        (n.unsigned_abs() <= 1 << 53).then_some(n as f64)
    };
    let (a, b) = if x.is_inline_float() {
        let b = if y.is_inline_float() { y.float_unchecked() } else { exact(y)? };
        (x.float_unchecked(), b)
    } else if y.is_inline_float() {
        (exact(x)?, y.float_unchecked())
    } else if op == BinOp::Div {
        (exact(x)?, exact(y)?)
    } else {
        return None;
    };
    Value::inline_float(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div if b != 0.0 => a / b,
        BinOp::FloorDiv if b != 0.0 => float::floor_div(a, b),
        BinOp::Mod if b != 0.0 => float::modulo(a, b),
        BinOp::Pow if a > 0.0 => a.powf(b),
        _ => return None,
    })
}

fn has_mini_class(v: Value) -> bool {
    v.is_ref() && class::traits(types::class_of(v)) & class::trait_bits::HEAP_TYPE != 0
}

const FORWARD: [&str; 13] = [
    "__add__",
    "__sub__",
    "__mul__",
    "__truediv__",
    "__floordiv__",
    "__mod__",
    "__pow__",
    "__lshift__",
    "__rshift__",
    "__and__",
    "__or__",
    "__xor__",
    "__matmul__",
];
const REFLECTED: [&str; 13] = [
    "__radd__",
    "__rsub__",
    "__rmul__",
    "__rtruediv__",
    "__rfloordiv__",
    "__rmod__",
    "__rpow__",
    "__rlshift__",
    "__rrshift__",
    "__rand__",
    "__ror__",
    "__rxor__",
    "__rmatmul__",
];
const IN_PLACE: [&str; 13] = [
    "__iadd__",
    "__isub__",
    "__imul__",
    "__itruediv__",
    "__ifloordiv__",
    "__imod__",
    "__ipow__",
    "__ilshift__",
    "__irshift__",
    "__iand__",
    "__ior__",
    "__ixor__",
    "__imatmul__",
];

/// The special method's name of an operator.
pub fn method_name(op: BinOp, reflected: bool) -> &'static str {
    if reflected { REFLECTED[op as usize] } else { FORWARD[op as usize] }
}

/// The special methods of both operands, the right one's first if its class derives from the left one's.
fn reflect(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    let (cx, cy) = (types::class_of(x), types::class_of(y));
    let right_first = cx != cy
        && class::is_subclass(cy, cx)
        && has_mini_class(y)
        && overrides(th, REFLECTED[op as usize], cx, cy);
    if right_first && let Some(v) = try_method(th, REFLECTED[op as usize], y, x)? {
        return Ok(Some(v));
    }
    if let Some(v) = try_method(th, FORWARD[op as usize], x, y)? {
        return Ok(Some(v));
    }
    let right_next =
        !right_first && is_subclass(y) && leaves_to_right(op, types::kind_of(x), types::kind_of(y));
    if right_next && let Some(v) = try_method(th, REFLECTED[op as usize], y, x)? {
        return Ok(Some(v));
    }
    if let Some(v) = builtin(th, op, x, y)? {
        return Ok(Some(v));
    }
    if !right_first && !right_next && cx != cy {
        return try_method(th, REFLECTED[op as usize], y, x);
    }
    Ok(None)
}

/// Whether the left operand's built-in type has nothing to say of the right one's, which `builtin` computes for both.
fn leaves_to_right(op: BinOp, left: Kind, right: Kind) -> bool {
    use Kind::*;
    match (left, right) {
        (Int | Bool, Float) => true,
        (Int | Bool | Float, Str | Bytes | ByteArray | List | Tuple) => op == BinOp::Mul,
        (Str | Bytes | ByteArray | List | Tuple, Int) => op == BinOp::Mul,
        _ => false,
    }
}

/// What the left operand's method has not answered: the built-in type, then the right operand's method.
pub fn after_left(th: &mut Thread, op: BinOp, in_place: bool, x: Value, y: Value) -> R {
    if let Some(v) = builtin(th, op, x, y)? {
        return Ok(v);
    }
    if types::class_of(x) != types::class_of(y)
        && let Some(v) = try_method(th, REFLECTED[op as usize], y, x)?
    {
        return Ok(v);
    }
    Err(unsupported(th, op, in_place, x, y))
}

/// Whether a class written in Mini has a method for `x op= y`.
pub fn has_in_place(th: &mut Thread, op: BinOp, x: Value) -> bool {
    th.lookup_override(x, IN_PLACE[op as usize]).is_some()
}

/// Whether the derived class has another method of this name than its base.
fn overrides(th: &mut Thread, name: &str, base: Value, derived: Value) -> bool {
    let Ok(name) = th.m.intern(name) else { return false };
    let mut method = |class| th.lookup.find(class, name).and_then(|c| c.value.get());
    method(base) != method(derived)
}

/// A special method written in Mini; EMPTY if there is none or it answers NotImplemented.
pub fn try_method(th: &mut Thread, name: &'static str, x: Value, y: Value) -> R<Word> {
    let Some(f) = th.lookup_override(x, name) else { return Ok(None) };
    let v = th.call(f, &[x, y])?;
    Ok(Some(v).filter(|v| *v != Value::NOT_IMPLEMENTED))
}

/// `x op y` for built-in types.
pub fn builtin(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    use Kind::*;
    let (kx, ky) = (types::kind_of(x), types::kind_of(y));
    let m = &mut th.m;
    if let Some(v) = num::binary(m, op, x, y)? {
        return Ok(Some(v));
    }
    match (op, kx, ky) {
        (BinOp::Add, Str, Str) => str::concat(m, x, y).map(Some),
        (BinOp::Add, List, List) => {
            let (Some(a), Some(b)) = (list::of(x), list::of(y)) else { return Ok(None) };
            list::concat(m, list::items(a), list::items(b)).map(|l| Some(list::value(l)))
        }
        (BinOp::Add, Tuple, Tuple) => {
            tuple::concat(m, tuple::items(x), tuple::items(y)).map(|t| Some(tuple::value(t)))
        }
        (BinOp::Add, Bytes, Bytes) => {
            let parts = [bytes::as_bytes(x).unwrap_or(&[]), bytes::as_bytes(y).unwrap_or(&[])];
            m.new_bytes_parts(&parts).map(Some)
        }
        (BinOp::Mul, Str | List | Tuple | Bytes, _) => repeat(th, x, y),
        (BinOp::Add | BinOp::Mul | BinOp::Mod, ByteArray, _)
        | (BinOp::Add, Bytes, ByteArray | MemoryView)
        | (BinOp::Mul, _, ByteArray) => super::bytearray::operator(th, op, x, y),
        (BinOp::Add, List | Tuple | Str | Bytes, _) => concatenate_other(th, x, y),
        (BinOp::Mul, _, Str | List | Tuple | Bytes) => repeat(th, y, x),
        (BinOp::Mod, Str | Bytes, _) => crate::vm::hooks::percent(th, x, y).map(Some),
        (BinOp::BitOr, Class, _) | (BinOp::BitOr, _, Class) => crate::vm::generic::union(th, x, y),
        (BinOp::BitOr | BinOp::BitAnd | BinOp::BitXor | BinOp::Sub, Set | FrozenSet | Dict | DictView, _) => {
            container_ops::set_operator(th, op, x, y)
        }
        (BinOp::BitOr | BinOp::BitAnd | BinOp::BitXor | BinOp::Sub, _, DictView) => {
            container_ops::set_operator(th, op, x, y)
        }
        _ => Ok(None),
    }
}

#[cold]
fn concatenate_other(th: &mut Thread, x: Value, y: Value) -> R<Word> {
    // A right operand written in Mini may still know what to do.
    if let Some(v) = try_method(th, "__radd__", y, x)? {
        return Ok(Some(v));
    }
    Err(cannot_concatenate(th, x, y))
}

fn cannot_concatenate(th: &mut Thread, x: Value, y: Value) -> Raised {
    let b = th.type_name(y);
    let message = match types::kind_of(x) {
        Kind::Bytes => format!("can't concat {b} to {}", th.type_name(x)),
        // A class that derives from one is not named.
        kind => {
            let a = class::name(types::class_of_kind(kind));
            format!("can only concatenate {a} (not \"{b}\") to {a}")
        }
    };
    th.type_error(message)
}

pub(super) fn repeat(th: &mut Thread, sequence: Value, times: Value) -> R<Word> {
    let n = match types::kind_of(times) {
        Kind::Int | Kind::Bool => int::as_i64(times),
        Kind::Instance if th.lookup_override(times, "__index__").is_some() => Some(th.index(times)?),
        _ if has_mini_class(times) => return Ok(None),
        _ => {
            let name = th.type_name(times);
            return Err(th.type_error(format!("can't multiply sequence by non-int of type '{name}'")));
        }
    };
    let Some(n) = n else {
        return Err(th.raise(Exc::OverflowError, "cannot fit 'int' into an index-sized integer"));
    };
    let times = n.max(0) as usize;
    let m = &mut th.m;
    let v = match types::kind_of(sequence) {
        Kind::Str => str::repeat(m, sequence, n)?,
        Kind::Bytes => bytes::repeat(m, sequence, n)?,
        Kind::Tuple => tuple::value(tuple::repeat(m, tuple::items(sequence), times)?),
        _ => match list::of(sequence) {
            Some(l) => list::value(list::repeat(m, list::items(l), times)?),
            None => return Ok(None),
        },
    };
    Ok(Some(v))
}

/// `x op= y` where that changes `x` itself; EMPTY: as `x op y`.
fn in_place_method(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    if let Some(v) = try_method(th, IN_PLACE[op as usize], x, y)? {
        return Ok(Some(v));
    }
    // What a script says of the right operand comes before what a sequence does with it.
    if matches!(op, BinOp::Add | BinOp::Mul)
        && matches!(types::kind_of(x), Kind::List | Kind::ByteArray)
        && has_mini_class(y)
        && let Some(v) = try_method(th, if op == BinOp::Add { "__radd__" } else { "__rmul__" }, y, x)?
    {
        return Ok(Some(v));
    }
    in_place_builtin(th, op, x, y)
}

/// `x op= y` as the built-in type has it, whatever a subclass says; EMPTY: as `x op y`.
pub fn in_place_builtin(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    match (op, types::kind_of(x)) {
        (BinOp::Add, Kind::List) => {
            super::build::list_extend(th, x, y, false)?;
            Ok(Some(x))
        }
        (BinOp::Mul, Kind::List) => {
            let Some(l) = list::of(x) else { return Ok(None) };
            let n = match int::as_i64(y) {
                Some(n) => n,
                None if th.lookup_override(y, "__index__").is_some() => th.index(y)?,
                None => return Ok(None),
            };
            list::repeat_in_place(&mut th.m, l, n.max(0) as usize)?;
            Ok(Some(x))
        }
        (BinOp::Add | BinOp::Mul, Kind::ByteArray) => super::bytearray::in_place(th, op, x, y),
        (BinOp::BitOr | BinOp::BitAnd | BinOp::BitXor | BinOp::Sub, Kind::Set | Kind::Dict) => {
            container_ops::set_in_place(th, op, x, y)
        }
        _ => Ok(None),
    }
}

#[cold]
fn unsupported(th: &mut Thread, op: BinOp, in_place: bool, x: Value, y: Value) -> Raised {
    let (a, b) = (th.type_name(x), th.type_name(y));
    let repeats =
        |v| matches!(types::kind_of(v), Kind::Str | Kind::List | Kind::Tuple | Kind::Bytes | Kind::ByteArray);
    if op == BinOp::Mul && (repeats(x) || repeats(y)) {
        let other = if repeats(x) { b } else { a };
        return th.type_error(format!("can't multiply sequence by non-int of type '{other}'"));
    }
    let symbol = match op {
        BinOp::Pow if !in_place => "** or pow()".to_owned(),
        BinOp::Pow => "**=".to_owned(),
        _ if in_place => format!("{}=", op.symbol()),
        _ => op.symbol().to_owned(),
    };
    th.type_error(format!("unsupported operand type(s) for {symbol}: '{a}' and '{b}'"))
}

/// `op x`.
#[cold]
#[inline(never)]
pub fn unary(th: &mut Thread, op: UnOp, x: Value) -> R {
    if !is_subclass(x)
        && let Some(v) = num::unary(&mut th.m, op, x)?
    {
        return Ok(v);
    }
    let (name, symbol) = match op {
        UnOp::Neg => ("__neg__", "-"),
        UnOp::Pos => ("__pos__", "+"),
        UnOp::Invert => ("__invert__", "~"),
    };
    if let Some(f) = th.lookup_override(x, name) {
        return th.call(f, &[x]);
    }
    if let Some(v) = num::unary(&mut th.m, op, x)? {
        return Ok(v);
    }
    let class = th.type_name(x);
    Err(th.type_error(format!("bad operand type for unary {symbol}: '{class}'")))
}

impl Thread {
    /// `x op y`.
    pub fn binary(&mut self, op: BinOp, x: Value, y: Value) -> R {
        binary(self, op, false, x, y)
    }
}
