//! Module `_functools`: the native half of `functools`, and `cmp_to_key`. Must not know how sorting asks.

use super::support::put_type;
use super::{lru_cache, partial};
use crate::object::num::CmpOp;
use crate::object::{R, Value, func, types};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{class_change, type_tables};

/// `cmp_to_key(function)`: a wrapper of nothing yet, which makes wrappers of what it is called with.
fn cmp_to_key(th: &mut Thread, args: Args) -> R {
    wrapper(th, args.get(0), None)
}

/// A Host of two values: the function, and what it is asked about.
fn wrapper(th: &mut Thread, function: Value, object: Option<Value>) -> R {
    let class = type_tables::class_of(&KEY).unwrap_or(Value::NONE);
    func::new_pair(th, class, class, [Some(function), object])
}

fn wrap(th: &mut Thread, args: Args) -> R {
    let [function, _] = func::pair(args.get(0));
    wrapper(th, function.unwrap_or(Value::NONE), args.opt(1))
}

fn object(_: &mut Thread, args: Args) -> R {
    let [_, object] = func::pair(args.get(0));
    Ok(object.unwrap_or(Value::NONE))
}

fn compare(th: &mut Thread, args: Args, op: CmpOp) -> R {
    let other = args.get(1);
    if types::class_of(other) != types::class_of(args.get(0)) {
        return Err(th.type_error("other argument must be K instance"));
    }
    let ([function, a], [_, b]) = (func::pair(args.get(0)), func::pair(other));
    let (Some(function), Some(a), Some(b)) = (function, a, b) else {
        return Err(th.raise(crate::object::Exc::AttributeError, "object"));
    };
    let answer = th.call(function, &[a, b])?;
    th.compare(op, answer, Value::int_unchecked(0))
}

macro_rules! comparisons {
    ($($name:ident $op:ident),* $(,)?) => {
        $(fn $name(th: &mut Thread, args: Args) -> R {
            compare(th, args, CmpOp::$op)
        })*
    };
}

comparisons! { __lt__ Lt, __le__ Le, __eq__ Eq, __ne__ Ne, __gt__ Gt, __ge__ Ge }

fn hash(th: &mut Thread, _: Args) -> R {
    Err(th.type_error("unhashable type: 'functools.KeyWrapper'"))
}

static KEY: TypeDef = TypeDef {
    name: "KeyWrapper",
    doc: "A sort key that asks a comparison function.",
    methods: &[
        NativeDef::full("__call__", "self, obj", wrap, "A key for one value."),
        NativeDef::full("__lt__", "self, other, /", __lt__, "Less, says the function."),
        NativeDef::full("__le__", "self, other, /", __le__, "Not greater, says the function."),
        NativeDef::full("__eq__", "self, other, /", __eq__, "Equal, says the function."),
        NativeDef::full("__ne__", "self, other, /", __ne__, "Not equal, says the function."),
        NativeDef::full("__gt__", "self, other, /", __gt__, "Greater, says the function."),
        NativeDef::full("__ge__", "self, other, /", __ge__, "Not less, says the function."),
        NativeDef::full("__hash__", "self, /", hash, "There is none."),
    ],
    properties: &[NativeDef::full("obj", "self", object, "The value.")],
    ..TypeDef::BARE
};

fn fill(th: &mut Thread, module: Value) -> R<()> {
    for table in [&partial::PARTIAL, &lru_cache::WRAPPER] {
        let class = put_type(th, module, table, "functools")?;
        class_change::give_attributes(class);
    }
    put_type(th, module, &KEY, "functools").map(drop)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_functools",
    doc: "The native half of functools.",
    functions: &[NativeDef::full("cmp_to_key", "mycmp", cmp_to_key, "Make a sort key of a comparison.")],
    types: &[],
    init: Some(fill),
};
