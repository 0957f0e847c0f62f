//! The type `slice`: constructor, `indices` and attributes.

use crate::object::header::{Kind, Slot};
use crate::object::layout::Slice;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, int, slice};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

fn construct(m: &mut Mutator, args: Args) -> R {
    match args.opt(2) {
        None => slice::new(m, Value::NONE, args.get(1), Value::NONE),
        Some(stop) => slice::new(m, args.get(1), stop, args.get(3)),
    }
}

fn indices(th: &mut Thread, args: Args) -> R {
    let len = th.index_value(args.get(1))?;
    if int::is_negative(len) {
        return Err(th.value_error("length should not be negative"));
    }
    let parts = th.slice_indices(args.get(0), &int::to_ibig(len).unwrap_or_default())?;
    let [start, stop, step] = parts.map(|n| th.new_bigint(&n));
    th.new_tuple(&[start?, stop?, step?])
}

fn part(args: Args, of: fn(&Slice) -> &Slot) -> R {
    Ok(slice::of(args.get(0)).map_or(Value::NONE, |s| of(s).value()))
}

fn start(_: &mut Mutator, args: Args) -> R {
    part(args, |s| &s.start)
}

fn stop(_: &mut Mutator, args: Args) -> R {
    part(args, |s| &s.stop)
}

fn step(_: &mut Mutator, args: Args) -> R {
    part(args, |s| &s.step)
}

/// `slice`.
pub static TYPE: TypeDef = TypeDef {
    name: "slice",
    kind: Kind::Slice,
    doc: "What stands between the brackets of x[start:stop:step].",
    construct: Some(NativeDef::data("slice", "cls, start, stop=, step=, /", construct, "A slice.")),
    methods: &[NativeDef::full(
        "indices",
        "self, length, /",
        indices,
        "Start, stop and step, cut to a length.",
    )],
    class_methods: &[],
    properties: &[
        NativeDef::data("start", "self", start, "The first index, or None."),
        NativeDef::data("stop", "self", stop, "The end, or None."),
        NativeDef::data("step", "self", step, "The distance, or None."),
    ],
    subclassable: false,
};
