//! The type `range`: constructor, methods and attributes.

use super::support::absent;
use super::text_args::type_name;
use crate::object::header::Kind;
use crate::object::layout::{Range, is_subclass_instance};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, int, range, types};
use crate::vm::iter::range_iterator;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// The receiver.
fn this(m: &mut Mutator, args: Args) -> R<&'static Range> {
    let v = args.get(0);
    range::of(v).ok_or_else(|| {
        let got = type_name(v);
        m.type_error(format!("descriptor requires a 'range' object but received a '{got}'"))
    })
}

/// An int of any size, through `__index__`.
fn integer(th: &mut Thread, v: Value) -> R {
    let kind = types::kind_of(v);
    if kind == Kind::Int && !(v.is_ref() && is_subclass_instance(types::hdr(v))) {
        return Ok(v);
    }
    match int::as_i64(v) {
        Some(n) => th.new_int(n),
        None => th.index_value(v),
    }
}

fn construct(th: &mut Thread, args: Args) -> R {
    let one = Value::int_unchecked(1);
    let first = integer(th, args.get(1))?;
    let Some(stop) = args.opt(2) else { return th.new_range(Value::int_unchecked(0), first, one) };
    let stop = integer(th, stop)?;
    let step = args.opt(3).map_or(Ok(one), |v| integer(th, v))?;
    if step == Value::int_unchecked(0) {
        return Err(th.value_error("range() arg 3 must not be zero"));
    }
    th.new_range(first, stop, step)
}

/// The position of a value in the range, found by arithmetic for ints and by comparing for anything else.
fn find(th: &mut Thread, args: Args) -> R<Option<Value>> {
    let r = this(th, args)?;
    let wanted = args.get(1);
    if range::is_int(wanted) {
        return range::index_of(th, r, wanted);
    }
    let mut it = th.iter(args.get(0))?;
    let mut i = 0;
    while let Some(n) = it.next(th)? {
        if th.eq(n, wanted)? {
            return Ok(Some(Value::int_unchecked(i)));
        }
        i += 1;
    }
    Ok(None)
}

fn index(th: &mut Thread, args: Args) -> R {
    if let Some(i) = find(th, args)? {
        return Ok(i);
    }
    if !range::is_int(args.get(1)) {
        return Err(th.value_error("sequence.index(x): x not in sequence"));
    }
    Err(absent(th, args.get(1), "range"))
}

fn count(th: &mut Thread, args: Args) -> R {
    if range::is_int(args.get(1)) {
        return Ok(Value::int_unchecked(find(th, args)?.is_some() as i64));
    }
    let mut it = th.iter(args.get(0))?;
    let mut count = 0;
    while let Some(n) = it.next(th)? {
        count += i64::from(th.eq(n, args.get(1))?);
    }
    Ok(Value::int_unchecked(count))
}

fn reversed(th: &mut Thread, args: Args) -> R {
    let r = this(th, args)?;
    let backwards = range::reversed(th, r)?;
    Ok(range_iterator(th, backwards)?.unwrap_or(backwards))
}

fn start(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|r| r.start.value())
}

fn stop(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|r| r.stop.value())
}

fn step(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|r| r.step.value())
}

/// `range`.
pub static TYPE: TypeDef = TypeDef {
    name: "range",
    kind: Kind::Range,
    doc: "Ints at equal distances.",
    construct: Some(NativeDef::full(
        "range",
        "cls, start, stop=, step=, /",
        construct,
        "Ints from start to stop.",
    )),
    methods: &[
        NativeDef::full("__reversed__", "self, /", reversed, "An iterator from the end."),
        NativeDef::full("count", "self, value, /", count, "1 if value is in the range, else 0."),
        NativeDef::full("index", "self, value, /", index, "Where value is."),
    ],
    properties: &[
        NativeDef::data("start", "self", start, "The first int."),
        NativeDef::data("stop", "self", stop, "Where it ends."),
        NativeDef::data("step", "self", step, "The distance."),
    ],
    ..TypeDef::BARE
};
