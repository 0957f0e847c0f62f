//! The three files every program starts with, and what becomes of unwritten bytes at its end.
//! Must not know how scripts replace them.

use super::codecs::Codec;
use super::io_file::{self, File, Layer};
use super::io_stream::{self, Access, BUFFER, Stream};
use super::io_text::{Newline, Text};
use super::support::{self, set};
use crate::object::{R, Slot, Value, func, str};
use crate::rt::syscall;
use crate::vm::thread::Thread;
use crate::vm::{boot, import, roots, traceback};
use std::sync::atomic::{AtomicBool, Ordering};

/// The `sys` module, whose `stdout` may be replaced at any time.
static SYS: Slot = Slot::empty();

/// Whether the standard files keep nothing back.
static UNBUFFERED: AtomicBool = AtomicBool::new(false);

/// `mini -u`: before the interpreter starts.
pub fn write_at_once() {
    UNBUFFERED.store(true, Ordering::Relaxed);
}

/// Exit code of a program whose last output could not be written.
const FLUSH_FAILED: i32 = 120;

/// Start-up: makes `sys.stdin`, `sys.stdout` and `sys.stderr`. A descriptor that is not open gives None.
pub fn install(th: &mut Thread, sys: Value) -> R<()> {
    SYS.set(sys);
    let io = boot::make_module(th, &super::io::MODULE)?;
    let key = th.name("_io")?;
    th.dict_set(import::modules(), key, io)?;
    roots::keep(io);
    for (fd, name, mode) in [(0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")] {
        let file = if syscall::fstat(fd).is_ok() { standard_file(th, fd, name, mode)? } else { Value::NONE };
        set(th, sys, name, file)?;
        set(th, sys, &format!("__{name}__"), file)?;
    }
    Ok(())
}

fn standard_file(th: &mut Thread, fd: i32, name: &str, mode: &str) -> R {
    let access = Access {
        readable: fd == 0,
        writable: fd != 0,
        appending: false,
        creating: false,
        closefd: false,
        buffer: BUFFER,
    };
    let errors = if fd == 2 { "backslashreplace" } else { "strict" };
    let text =
        Text::new(Codec::Utf8, "utf-8".to_owned(), errors.to_owned(), Newline::Translate, mode.to_owned());
    text.write_through.store(UNBUFFERED.load(Ordering::Relaxed), Ordering::Relaxed);
    text.line_buffering.store(fd == 2 || syscall::isatty(fd) == Ok(1), Ordering::Relaxed);
    let shown = th.new_str(&format!("<{name}>"))?;
    let file = File { stream: Stream::new(fd, access), layer: Layer::Text(text) };
    io_file::new_file(th, &io_file::TEXT, file, shown)
}

/// `sys.stdout` and the like, as they are now.
pub fn current(th: &mut Thread, name: &str) -> Option<Value> {
    support::get(&mut th.m, SYS.value(), name).filter(|v| !v.is_none())
}

/// The file behind a value, if it is one of ours and of text.
pub fn as_text_file(v: Value) -> Option<&'static File> {
    func::host::<File>(v).filter(|f| matches!(f.layer, Layer::Text(_)))
}

/// The end of the program: writes out everything. Returns the exit code, which a failure makes 120.
pub fn finish(th: &mut Thread, code: i32) -> i32 {
    let mut code = code;
    for name in ["stdout", "stderr"] {
        let Some(v) = current(th, name) else { continue };
        if let Err(shown) = finish_one(th, v) {
            code = FLUSH_FAILED;
            if name == "stdout" {
                super::print::to_stderr(th, &shown);
            }
        }
    }
    io_stream::flush_all(th);
    code
}

/// Writes out one of them. Errors: what to say about it.
fn finish_one(th: &mut Thread, v: Value) -> Result<(), String> {
    let done = match as_text_file(v) {
        Some(file) if file.stream.is_closed() => Ok(()),
        Some(file) => io_stream::flush_at_exit(th, &file.stream),
        None => th.call_method(v, "flush", &[]).map(drop),
    };
    if done.is_ok() {
        return Ok(());
    }
    let exc = th.take_exception();
    let shown = super::print::shown(th, v);
    let text = traceback::format_exception_only(th, exc);
    Err(format!("Exception ignored in: {shown}\n{text}"))
}
