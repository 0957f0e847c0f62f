//! `sys.set_asyncgen_hooks`: who is told when an asynchronous generator begins. Must not know loops.
//!
//! The hook for generators that are thrown away is kept, but never called: there are no finalizers.

use super::struct_seq;
use super::support;
use crate::object::{R, Slot, Value};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::type_names;

static HOOKS: Slot = Slot::empty();
const NAMES: [&str; 2] = ["firstiter", "finalizer"];

fn set(th: &mut Thread, args: Args) -> R {
    let mut hooks = th.asyncgen_hooks;
    for (i, name) in NAMES.iter().enumerate() {
        let Some(given) = args.opt(i) else { continue };
        if !given.is_none() && !super::builtins::is_callable(th, given) {
            let got = type_names::of(given);
            return Err(th.type_error(format!("callable {name} expected, got {got}")));
        }
        hooks[i] = Some(given).filter(|v| !v.is_none());
    }
    th.asyncgen_hooks = hooks;
    Ok(Value::NONE)
}

fn get(th: &mut Thread, _: Args) -> R {
    let hooks = th.asyncgen_hooks.map(|hook| hook.unwrap_or(Value::NONE));
    struct_seq::new(&mut th.m, &HOOKS, &hooks)
}

pub const SET: NativeDef =
    NativeDef::full("set_asyncgen_hooks", "firstiter=, finalizer=", set, "Say who is told of them.");
pub const GET: NativeDef = NativeDef::full("get_asyncgen_hooks", "", get, "Who is told of them.");

/// Start-up: the class of what `get` returns.
pub fn init(th: &mut Thread, module: Value) -> R<()> {
    struct_seq::make_class(th, "sys", "asyncgen_hooks", &NAMES, &HOOKS)?;
    support::set(th, module, "_asyncgen_hooks", HOOKS.value())
}
