//! Module `_pickle`: the table of what `pickle.mini` needs. Must not know the format.

use super::{pickle_read, pickle_write};
use crate::object::class::{self, trait_bits};
use crate::object::{R, Value};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;

/// The first class along the resolution order that no script has made.
fn native_base(_: &mut Thread, args: Args) -> R {
    let native = |class: &Value| class::traits(*class) & trait_bits::HEAP_TYPE == 0;
    let order = class::mro(args.get(0)).iter().map(|slot| slot.value());
    Ok(order.into_iter().find(native).unwrap_or(Value::NONE))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_pickle",
    doc: "The native half of pickle.",
    functions: &[
        NativeDef::full(
            "dump",
            "value, protocol, reduce, locate, table, persistent_id, reducer_override, /",
            pickle_write::dump,
            "Return the pickle of a value.",
        ),
        NativeDef::full(
            "load",
            "data, file, find, persistent_load, encoding, /",
            pickle_read::load,
            "Return the value of a pickle.",
        ),
        NativeDef::full(
            "native_base",
            "cls, /",
            native_base,
            "Return the built-in class that a class is derived from.",
        ),
    ],
    types: &[],
    init: None,
};
