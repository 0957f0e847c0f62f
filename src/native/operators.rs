//! The operators of the language as functions: those of `operator` that need no more than a line each.
//! Must not know the operators' rules.

use super::num::abs;
use crate::object::num::{BinOp, CmpOp, UnOp};
use crate::object::{R, Value};
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::{arith, compare};
use crate::vm::thread::Thread;

macro_rules! binary {
    ($($name:ident $text:literal $op:ident $doc:literal $in_place:ident $in_place_doc:literal),* $(,)?) => {
        $(
            fn $name(th: &mut Thread, args: Args) -> R {
                arith::binary(th, BinOp::$op, false, args.get(0), args.get(1))
            }
            fn $in_place(th: &mut Thread, args: Args) -> R {
                arith::binary(th, BinOp::$op, true, args.get(0), args.get(1))
            }
        )*
        static BINARY: &[NativeDef] = &[$(
            NativeDef::full($text, "a, b, /", $name, $doc),
            NativeDef::full(stringify!($in_place), "a, b, /", $in_place, $in_place_doc),
        )*];
    };
}

binary! {
    add "add" Add "Return a + b." iadd "Do a += b and return a.",
    sub "sub" Sub "Return a - b." isub "Do a -= b and return a.",
    mul "mul" Mul "Return a * b." imul "Do a *= b and return a.",
    truediv "truediv" Div "Return a / b." itruediv "Do a /= b and return a.",
    floordiv "floordiv" FloorDiv "Return a // b." ifloordiv "Do a //= b and return a.",
    modulo "mod" Mod "Return a % b." imod "Do a %= b and return a.",
    pow "pow" Pow "Return a**b." ipow "Do a **= b and return a.",
    lshift "lshift" Lshift "Return a << b." ilshift "Do a <<= b and return a.",
    rshift "rshift" Rshift "Return a >> b." irshift "Do a >>= b and return a.",
    and_ "and_" BitAnd "Return a & b." iand "Do a &= b and return a.",
    or_ "or_" BitOr "Return a | b." ior "Do a |= b and return a.",
    xor "xor" BitXor "Return a ^ b." ixor "Do a ^= b and return a.",
    matmul "matmul" MatMul "Return a @ b." imatmul "Do a @= b and return a.",
}

macro_rules! comparisons {
    ($($name:ident $op:ident $doc:literal),* $(,)?) => {
        $(fn $name(th: &mut Thread, args: Args) -> R {
            compare::compare(th, CmpOp::$op, args.get(0), args.get(1))
        })*
        static COMPARISONS: &[NativeDef] = &[$(NativeDef::full(stringify!($name), "a, b, /", $name, $doc),)*];
    };
}

comparisons! {
    lt Lt "Return a < b.", le Le "Return a <= b.", eq Eq "Return a == b.",
    ne Ne "Return a != b.", ge Ge "Return a >= b.", gt Gt "Return a > b.",
}

fn neg(th: &mut Thread, args: Args) -> R {
    arith::unary(th, UnOp::Neg, args.get(0))
}

fn pos(th: &mut Thread, args: Args) -> R {
    arith::unary(th, UnOp::Pos, args.get(0))
}

fn invert(th: &mut Thread, args: Args) -> R {
    arith::unary(th, UnOp::Invert, args.get(0))
}

fn index(th: &mut Thread, args: Args) -> R {
    th.index_value(args.get(0))
}

fn not_(th: &mut Thread, args: Args) -> R {
    th.is_true(args.get(0)).map(|truth| Value::bool(!truth))
}

fn truth(th: &mut Thread, args: Args) -> R {
    th.is_true(args.get(0)).map(Value::bool)
}

fn is_(th: &mut Thread, args: Args) -> R {
    Ok(Value::bool(identical(th, args)))
}

fn is_not(th: &mut Thread, args: Args) -> R {
    Ok(Value::bool(!identical(th, args)))
}

fn identical(_: &mut Thread, args: Args) -> bool {
    args.get(0) == args.get(1)
}

fn contains(th: &mut Thread, args: Args) -> R {
    th.contains(args.get(0), args.get(1)).map(Value::bool)
}

fn getitem(th: &mut Thread, args: Args) -> R {
    th.get_item(args.get(0), args.get(1))
}

fn setitem(th: &mut Thread, args: Args) -> R {
    th.set_item(args.get(0), args.get(1), args.get(2)).map(|()| Value::NONE)
}

fn delitem(th: &mut Thread, args: Args) -> R {
    th.del_item(args.get(0), args.get(1)).map(|()| Value::NONE)
}

static OTHERS: &[NativeDef] = &[
    NativeDef::full("neg", "a, /", neg, "Return -a."),
    NativeDef::full("pos", "a, /", pos, "Return +a."),
    NativeDef::full("inv", "a, /", invert, "Return ~a."),
    NativeDef::full("invert", "a, /", invert, "Return ~a."),
    NativeDef::full("abs", "a, /", abs, "Return abs(a)."),
    NativeDef::full("index", "a, /", index, "Return a.__index__()."),
    NativeDef::full("not_", "a, /", not_, "Return not a."),
    NativeDef::full("truth", "a, /", truth, "Return bool(a)."),
    NativeDef::full("is_", "a, b, /", is_, "Return a is b."),
    NativeDef::full("is_not", "a, b, /", is_not, "Return a is not b."),
    NativeDef::full("contains", "a, b, /", contains, "Return b in a."),
    NativeDef::full("getitem", "a, b, /", getitem, "Return a[b]."),
    NativeDef::full("setitem", "a, b, c, /", setitem, "Do a[b] = c."),
    NativeDef::full("delitem", "a, b, /", delitem, "Do del a[b]."),
];

/// All of them.
pub static FUNCTIONS: [&[NativeDef]; 3] = [BINARY, COMPARISONS, OTHERS];
