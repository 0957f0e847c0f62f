//! Module `_traceback`: exceptions and stacks for `traceback`. Must not know how they are worded (`vm::traceback`).

use crate::object::{Kind, R, Value, exc, list, types};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::traceback::{self, Line, Sources};

fn format(th: &mut Thread, args: Args) -> R {
    let exception = args.get(0);
    if exc::cast(exception).is_none() {
        let class = super::support::type_name(exception);
        return Err(th.type_error(format!("Exception expected for value, {class} found")));
    }
    let text = traceback::format_exception(th, exception);
    th.new_str(&text)
}

/// Tuples (file, line, function, source) in a list; `marked`: and what is printed below that line.
fn as_list(th: &mut Thread, lines: &[Line], marked: bool) -> R {
    let mut sources = Sources::default();
    let result = th.new_list(&[])?;
    for l in lines {
        let (file, function) = (th.new_str(&l.file)?, th.new_str(&l.function)?);
        let source = th.new_str(&sources.line(&l.file, l.line))?;
        let mut item = vec![file, Value::int_unchecked(i64::from(l.line)), function, source];
        if marked {
            let shown = sources.shown(l);
            item.push(th.new_str(&shown)?);
        }
        let item = th.new_tuple(&item)?;
        if let Some(l) = list::of(result) {
            list::push(th, l, item)?;
        }
    }
    Ok(result)
}

fn frames(th: &mut Thread, args: Args) -> R {
    let traceback = args.get(0);
    if types::kind_of(traceback) != Kind::Traceback {
        let class = super::support::type_name(traceback);
        return Err(th.type_error(format!("a traceback expected, not {class}")));
    }
    as_list(th, &traceback::lines_of_traceback(traceback), true)
}

fn stack(th: &mut Thread, _: Args) -> R {
    let lines = traceback::lines_of_stack(th);
    as_list(th, &lines, false)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_traceback",
    doc: "Exceptions and stacks as text.",
    functions: &[
        NativeDef::full("format", "exception, /", format, "Everything that is printed for an exception."),
        NativeDef::full("frames", "traceback, /", frames, "The frames of a traceback."),
        NativeDef::full("stack", "", stack, "The frames of the calls that led here."),
    ],
    types: &[],
    init: None,
};
