//! The type `slice`: constructor, `indices` and attributes.

use crate::object::header::{Kind, Slot};
use crate::object::layout::Slice;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, slice};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

fn construct(m: &mut Mutator, args: Args) -> R {
    match args.opt(2) {
        None => slice::new(m, Value::NONE, args.get(1), Value::NONE),
        Some(stop) => slice::new(m, args.get(1), stop, args.get(3)),
    }
}

fn indices(th: &mut Thread, args: Args) -> R {
    let len = th.index(args.get(1))?;
    let Ok(len) = usize::try_from(len) else { return Err(th.value_error("length should not be negative")) };
    let (start, stop, step) = th.slice_parts(args.get(0))?;
    let (start, stop, step) = slice::indices(start, stop, step, len);
    let parts = [th.new_int(start)?, th.new_int(stop)?, th.new_int(step)?];
    th.new_tuple(&parts)
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
