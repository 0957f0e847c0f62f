//! `object.__reduce_ex__`, `__reduce__` and `__getstate__`: how an object comes apart. Must not know how: that is `copyreg`'s.

use crate::object::{Kind, R, Value, types};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{boot, import};

static METHODS: [NativeDef; 3] = [
    NativeDef::full("__reduce_ex__", "self, protocol, /", reduce_ex, "How to make it again, for a protocol."),
    NativeDef::full("__reduce__", "self, /", reduce, "How to make it again."),
    NativeDef::full("__getstate__", "self, /", state, "What it remembers besides how it is made."),
];

/// Start-up: gives them to all objects.
pub fn install(th: &mut Thread) -> R<()> {
    boot::add_methods(th, types::class_of_kind(Kind::Instance), &METHODS)
}

fn ask(th: &mut Thread, function: &'static str, args: &[Value]) -> R {
    let module = import::import_dotted(th, "copyreg")?;
    th.call_method(module, function, args)
}

fn reduce_ex(th: &mut Thread, args: Args) -> R {
    let protocol = th.index(args.get(1))?;
    ask(th, "_reduced", &[args.get(0), Value::int_unchecked(protocol)])
}

fn reduce(th: &mut Thread, args: Args) -> R {
    ask(th, "_taken_apart", &[args.get(0), Value::int_unchecked(0)])
}

fn state(th: &mut Thread, args: Args) -> R {
    ask(th, "_own_state", &[args.get(0)])
}
