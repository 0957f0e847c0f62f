//! Running a program: a file, a string, a module, standard input; and how its end becomes an exit code.
//! Must not know command-line flags.

use super::{importing, source};
use crate::compile::Mode;
use crate::native;
use crate::object::{Exc, R, Value, class, exc, int, str, tuple, types};
use crate::vm::thread::Thread;
use crate::vm::{boot, import};
use std::io::Read;

/// What to run.
pub enum Program {
    File(String),
    Command(String),
    Module(String),
    Stdin,
}

/// How a program ended.
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// By Ctrl-C: the process must die of SIGINT, as its parent expects.
    Interrupted,
}

/// Runs a program to its end, threads and exit functions included, and flushes what it wrote.
pub fn run(th: &mut Thread, program: &Program) -> Ended {
    let result = execute(th, program);
    conclude(th, result)
}

/// Runs a program after which a prompt opens: whatever ended it is printed, SystemExit too.
pub fn run_before_prompt(th: &mut Thread, program: &Program) {
    if execute(th, program).is_err() {
        let exception = th.take_exception();
        native::report_uncaught(th, exception);
    }
}

/// The module that the program was run in; an empty one if none was run.
/// Errors: no memory.
pub fn main_module(th: &mut Thread) -> R {
    let key = th.m.intern("__main__")?;
    match import::loaded(th, key)? {
        Some(module) => Ok(module),
        None => new_main_module(th, "<stdin>", Value::NONE),
    }
}

/// The end of the process after this result: waits for threads, runs exit functions, flushes what was written.
pub fn conclude(th: &mut Thread, result: R) -> Ended {
    let mut ended = match result {
        Ok(_) => Ended::Code(0),
        Err(_) => report(th),
    };
    if native::finish(th).is_err() {
        let late = report(th);
        if let Ended::Code(0) = ended {
            ended = late;
        }
    }
    let code = if let Ended::Code(code) = ended { code } else { 0 };
    let after = native::flush_standard_streams(th, code);
    if let Ended::Code(code) = &mut ended {
        *code = after;
    }
    ended
}

fn execute(th: &mut Thread, program: &Program) -> R {
    match program {
        Program::File(path) => run_file(th, path),
        Program::Command(text) => run_text(th, text, "<string>"),
        Program::Stdin => {
            let mut bytes = Vec::new();
            if let Err(error) = std::io::stdin().read_to_end(&mut bytes) {
                return Err(th.raise(Exc::OSError, error.to_string()));
            }
            let text = source::decode(th, &bytes, "<stdin>")?;
            run_text(th, &text, "<stdin>")
        }
        Program::Module(name) => run_module(th, name),
    }
}

fn run_text(th: &mut Thread, text: &str, filename: &str) -> R {
    run_as_main(th, text, filename, Value::NONE)
}

/// Runs text as the module `__main__`.
fn run_as_main(th: &mut Thread, text: &str, filename: &str, package: Value) -> R {
    let module = new_main_module(th, filename, package)?;
    let code = source::compile(th, text, filename, Mode::Module)?;
    importing::run_in(th, &code, module)
}

fn new_main_module(th: &mut Thread, filename: &str, package: Value) -> R {
    let module = importing::new_module(th, "__main__", filename)?;
    let key = th.m.intern("__main__")?;
    th.dict_set(import::modules(), key, module)?;
    boot::set_global(th, module, "__package__", package)?;
    Ok(module)
}

fn run_file(th: &mut Thread, path: &str) -> R {
    match importing::read_program(path) {
        Ok((bytes, filename)) => {
            let filename = from_root(&filename);
            let text = source::decode(th, &bytes, &filename)?;
            run_text(th, &text, &filename)
        }
        Err(none) => {
            native::print_error(th, &format!("mini: {}\n", none.message));
            Err(exit_with(th, none.code.into()))
        }
    }
}

/// A path as `__file__` and tracebacks show it: from the root, otherwise as it was written.
fn from_root(path: &str) -> String {
    match std::env::current_dir() {
        Ok(here) => here.join(path).to_string_lossy().into_owned(),
        Err(_) => path.to_owned(),
    }
}

fn exit_with(th: &mut Thread, code: i64) -> crate::object::Raised {
    th.raise_with(Exc::SystemExit, &[Value::int_unchecked(code)])
}

fn run_module(th: &mut Thread, name: &str) -> R {
    match importing::locate(th, name)? {
        Some(found) => {
            let package = th.m.new_str(&found.package)?;
            run_as_main(th, &found.text, &found.filename, package)
        }
        None => {
            native::print_error(th, &format!("mini: No module named {name}\n"));
            Err(exit_with(th, 1))
        }
    }
}

/// The pending exception as an exit code, printed where it must be.
fn report(th: &mut Thread) -> Ended {
    let exception = th.take_exception();
    let class = types::class_of(exception);
    if class::is_subclass(class, types::exc_class(Exc::SystemExit)) {
        return Ended::Code(exit_code(th, exception));
    }
    native::report_uncaught(th, exception);
    if class::is_subclass(class, types::exc_class(Exc::KeyboardInterrupt)) {
        return Ended::Interrupted;
    }
    Ended::Code(1)
}

/// `sys.exit(x)`: None is 0, an int is itself, anything else is printed and is 1.
fn exit_code(th: &mut Thread, exception: Value) -> i32 {
    let args = exc::cast(exception).map_or(Value::NONE, |e| e.args.value());
    let code = match tuple::items(args) {
        [] => return 0,
        [one] => one.value(),
        _ => args,
    };
    if code.is_none() {
        return 0;
    }
    if let Some(n) = int::as_i64(code) {
        return (n & 0xff) as i32;
    }
    if int::is_int(code) {
        return 255;
    }
    native::flush_standard_streams(th, 0);
    match th.str(code) {
        Ok(text) => {
            let text = format!("{}\n", str::as_str(text).unwrap_or(""));
            native::print_error(th, &text);
        }
        Err(_) => th.m.pending = None,
    }
    1
}
