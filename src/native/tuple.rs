//! The type `tuple`: constructor and methods.

use super::list::search_bounds;
use crate::object::header::{Kind, Slot};
use crate::object::layout::is_subclass_instance;
use crate::object::{R, Value, list, subclass, tuple, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

fn construct(th: &mut Thread, args: Args) -> R {
    let (shape, extra) = subclass::plan(&mut th.m, args.get(0), Kind::Tuple)?;
    let Some(source) = args.opt(1) else {
        let t = tuple::from_fn_as(th, 0, shape, extra, |_| None)?;
        return Ok(subclass::finish(tuple::value(t), extra));
    };
    if extra == 0 && types::class_of(source) == args.get(0) {
        return Ok(source);
    }
    if let Some(from) = tuple::of(source).filter(|t| !is_subclass_instance(&t.hdr)) {
        let items = tuple::slots(from);
        let t = tuple::from_fn_as(th, items.len(), shape, extra, |i| items.get(i).and_then(Slot::get))?;
        return Ok(subclass::finish(tuple::value(t), extra));
    }
    let items = th.collect(source)?;
    let items = list::of(items).map_or(&[][..], list::items);
    let t = tuple::from_fn_as(th, items.len(), shape, extra, |i| items.get(i).and_then(Slot::get))?;
    Ok(subclass::finish(tuple::value(t), extra))
}

fn count(th: &mut Thread, args: Args) -> R {
    let mut n = 0;
    for item in tuple::items(args.get(0)) {
        n += th.eq(item.value(), args.get(1))? as i64;
    }
    Ok(Value::int_unchecked(n))
}

fn index(th: &mut Thread, args: Args) -> R {
    let items = tuple::items(args.get(0));
    let (start, stop) = search_bounds(th, args, items.len())?;
    for (i, item) in items.iter().enumerate().take(stop).skip(start) {
        if th.eq(item.value(), args.get(1))? {
            return Ok(Value::int_unchecked(i as i64));
        }
    }
    Err(th.value_error("tuple.index(x): x not in tuple"))
}

/// `tuple`.
pub static TYPE: TypeDef = TypeDef {
    name: "tuple",
    kind: Kind::Tuple,
    doc: "Items in a row that never change.",
    construct: Some(NativeDef::full(
        "tuple",
        "cls, iterable=, /",
        construct,
        "A tuple of an iterable's items.",
    )),
    methods: &[
        NativeDef::full("count", "self, value, /", count, "How many items are equal to value."),
        NativeDef::full("index", "self, value, start=, stop=, /", index, "Where value is first."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: true,
};
