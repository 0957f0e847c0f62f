//! From an error number of the system to the exception: class, arguments, file name.
//! Must not know which call failed.

use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Raised, Value, Word, exc, shape, types};
use crate::rt::syscall::{Sys, error_text};
use crate::vm::poll;
use crate::vm::thread::Thread;

/// The exception class for an error number.
pub fn class_for(errno: i32) -> Exc {
    match errno {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => Exc::BlockingIOError,
        libc::EPIPE | libc::ESHUTDOWN => Exc::BrokenPipeError,
        libc::ECHILD => Exc::ChildProcessError,
        libc::ECONNABORTED => Exc::ConnectionAbortedError,
        libc::ECONNREFUSED => Exc::ConnectionRefusedError,
        libc::ECONNRESET => Exc::ConnectionResetError,
        libc::EEXIST => Exc::FileExistsError,
        libc::ENOENT => Exc::FileNotFoundError,
        libc::EISDIR => Exc::IsADirectoryError,
        libc::ENOTDIR => Exc::NotADirectoryError,
        libc::EINTR => Exc::InterruptedError,
        libc::EACCES | libc::EPERM => Exc::PermissionError,
        libc::ESRCH => Exc::ProcessLookupError,
        libc::ETIMEDOUT => Exc::TimeoutError,
        _ => Exc::OSError,
    }
}

/// Raises the exception for an error number; `filename` is what the call was about.
pub fn os_error(m: &mut Mutator, errno: i32, filename: Word) -> Raised {
    os_error_of_two(m, errno, filename, None)
}

/// As `os_error`, for calls about two files.
pub fn os_error_of_two(m: &mut Mutator, errno: i32, filename: Word, filename2: Word) -> Raised {
    match new_error(m, errno, filename, filename2) {
        Ok(exc) => m.pending = Some(exc),
        Err(raised) => return raised,
    }
    Raised
}

fn new_error(m: &mut Mutator, errno: i32, filename: Word, filename2: Word) -> R {
    let text = m.new_str(&error_text(errno))?;
    let number = m.new_int(i64::from(errno))?;
    let exc = exc::new_exception(m, types::exc_class(class_for(errno)), &[number, text])?;
    set_names(m, exc, filename, filename2)?;
    Ok(exc)
}

/// Gives an OSError its file names.
pub fn set_names(m: &mut Mutator, exc: Value, filename: Word, filename2: Word) -> R<()> {
    for (name, v) in [("filename", filename), ("filename2", filename2)] {
        if let Some(v) = v {
            let name = m.intern(name)?;
            shape::set(m, exc, name, v)?;
        }
    }
    Ok(())
}

/// Runs a system call detached, again if a signal without consequences interrupted it.
pub fn blocking<T>(th: &mut Thread, mut call: impl FnMut() -> Sys<T>) -> R<Sys<T>> {
    loop {
        match th.detach(crate::gil::Cause::Blocking, &mut call) {
            Err(libc::EINTR) => th.check_signals()?,
            done => return Ok(done),
        }
    }
}

/// As `blocking`; an error is raised.
pub fn run<T>(th: &mut Thread, filename: Word, call: impl FnMut() -> Sys<T>) -> R<T> {
    blocking(th, call)?.map_err(|errno| os_error(th, errno, filename))
}

/// Makes descriptors; if there are too many, those of sockets and files that nobody refers to any more are closed first.
pub fn making<T>(th: &mut Thread, make: impl Fn() -> Sys<T>) -> R<T> {
    let mut made = make();
    if matches!(made, Err(libc::EMFILE | libc::ENFILE)) {
        poll::collect(th);
        made = make();
    }
    made.map_err(|errno| os_error(th, errno, None))
}
