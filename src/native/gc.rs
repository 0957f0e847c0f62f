//! Module `gc`: the collector as scripts see it. Must not know how it works.

use crate::object::{R, Value, heap};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{poll, weak};

/// There are no generations: every collection is a full one.
fn collect(th: &mut Thread, _: Args) -> R {
    heap::release_at_next_collection();
    poll::collect(th);
    weak::run_pending(th)?;
    Ok(Value::int_unchecked(0))
}

fn isenabled(_: &mut Thread, _: Args) -> R {
    Ok(Value::TRUE)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "gc",
    doc: "The garbage collector.",
    functions: &[
        NativeDef::full("collect", "generation=", collect, "Collect now, and give free memory back."),
        NativeDef::full("isenabled", "", isenabled, "Whether garbage is collected by itself: always."),
    ],
    types: &[],
    init: None,
};
