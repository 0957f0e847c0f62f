//! Running what was typed, in the module of the prompt. Must not know where it comes from.

use crate::interp::source;
use crate::native;
use crate::object::{Exc, R, Value, class, exc, types};
use crate::vm::thread::Thread;
use crate::vm::{boot, import, link};

/// The name of every input, as in Python.
const FILENAME: &str = "<stdin>";

/// Runs statements; each that is an expression shows its value. Errors: what they raised, SyntaxError included.
pub fn run(th: &mut Thread, module: Value, text: &str) -> R<()> {
    let code = source::compile_typed(th, &format!("{text}\n"), FILENAME)?;
    let linked = link::link(th, &code, module)?;
    // The code itself must be no reason to keep it: only functions made by it are.
    drop(code);
    th.run_code(linked, &[], None).map(drop)
}

/// The value of an expression.
pub fn evaluate(th: &mut Thread, module: Value, text: &str) -> R {
    let code = source::compile_expression(th, text, FILENAME)?;
    let linked = link::link(th, &code, module)?;
    th.run_code(linked, &[], None)
}

/// What an input raised: printed, and kept as `sys.last_value` and its like. Errors: SystemExit, which ends the prompt.
pub fn report(th: &mut Thread) -> R<()> {
    if th.pending_is(Exc::SystemExit) {
        return Err(crate::object::Raised);
    }
    let exception = th.take_exception();
    let scope = th.scope();
    th.root(exception);
    if keep_last(th, exception).is_err() {
        th.m.pending = None;
    }
    native::report_uncaught(th, exception);
    th.close(scope);
    Ok(())
}

fn keep_last(th: &mut Thread, exception: Value) -> R<()> {
    let name = th.name("sys")?;
    let Some(sys) = import::loaded(th, name)? else { return Ok(()) };
    let traceback = exc::cast(exception).map_or(Value::NONE, |e| e.traceback.value());
    let class = types::class_of(exception);
    debug_assert!(class::cast(class).is_some());
    boot::set_global(th, sys, "last_type", class)?;
    boot::set_global(th, sys, "last_value", exception)?;
    boot::set_global(th, sys, "last_traceback", traceback)
}
