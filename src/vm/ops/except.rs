//! `raise`, `except`, `assert`. Must not know how the stack is unwound.

use crate::object::layout::Exception;
use crate::object::{Exc, Kind, R, Raised, Value, Word, class, exc, tuple, types};
use crate::vm::thread::Thread;
use crate::vm::unwind;

/// `raise what [from cause]`: makes the exception pending.
pub fn raise(th: &mut Thread, what: Value, cause: Word) -> Raised {
    match make(th, what, cause) {
        Ok(exception) => {
            unwind::set_context(th, exception);
            th.raise_value(exception)
        }
        Err(raised) => raised,
    }
}

fn make(th: &mut Thread, what: Value, cause: Word) -> R {
    let exception = instantiate(th, what, "exceptions must derive from BaseException")?;
    let Some(cause) = cause else { return Ok(exception) };
    let scope = th.scope();
    th.root(exception);
    let result = set_cause(th, exception, cause);
    th.close(scope);
    result.map(|()| exception)
}

fn set_cause(th: &mut Thread, exception: Value, cause: Value) -> R<()> {
    let cause = if cause.is_none() {
        None
    } else {
        Some(instantiate(th, cause, "exception causes must derive from BaseException")?)
    };
    if let Some(e) = exc::cast(exception) {
        e.cause.set_word(cause);
        e.suppress.set(Value::TRUE);
    }
    Ok(())
}

/// An exception object as it is; a class is called without arguments.
fn instantiate(th: &mut Thread, what: Value, otherwise: &str) -> R {
    if exc::cast(what).is_some() {
        return Ok(what);
    }
    if is_exception_class(what) {
        let made = th.call(what, &[])?;
        if exc::cast(made).is_some() {
            return Ok(made);
        }
        let (c, m) = (th.repr(what)?, th.type_name(made));
        let c = crate::object::str::as_str(c).unwrap_or("?").to_owned();
        return Err(th.type_error(format!(
            "calling {c} should have returned an instance of BaseException, not <class '{m}'>"
        )));
    }
    Err(th.type_error(otherwise))
}

/// Whether a value is BaseException or derives from it: its instances then are exceptions as the heap knows them.
fn is_exception_class(v: Value) -> bool {
    class::cast(v).is_some_and(|c| c.instance_kind == Kind::Exception as u64)
}

/// A bare `raise`.
pub fn raise_again(th: &mut Thread) -> Raised {
    match th.handled {
        Some(e) => re_raise(th, e),
        None => th.raise(Exc::RuntimeError, "No active exception to reraise"),
    }
}

/// The end of a `finally`, or of an `except` that did not match: the traceback has this frame's line already.
pub fn re_raise(th: &mut Thread, exception: Value) -> Raised {
    th.traced = true;
    th.raise_value(exception)
}

/// A failed `assert`.
pub fn raise_assertion(th: &mut Thread, message: Word) -> Raised {
    th.raise_with(Exc::AssertionError, message.as_slice())
}

/// `except kind:` — `kind` must be an exception class or a tuple of them.
pub fn matches(th: &mut Thread, exception: Value, kind: Value) -> R<bool> {
    if is_exception_class(kind) {
        return Ok(class::is_subclass(types::class_of(exception), kind));
    }
    if types::kind_of(kind) == Kind::Tuple {
        let kinds = tuple::items(kind);
        if kinds.iter().all(|k| is_exception_class(k.value())) {
            return Ok(kinds.iter().any(|k| class::is_subclass(types::class_of(exception), k.value())));
        }
    }
    Err(th.type_error("catching classes that do not inherit from BaseException is not allowed"))
}

/// `R[a] = first`.
pub(crate) fn write_one(to: *mut u64, first: Value) {
    // SAFETY: a register of the running frame.
    unsafe { *to = first.bits() };
}

/// `R[a], R[a+1] = first, second`.
pub(crate) fn write_pair(to: *mut u64, first: Value, second: Value) {
    write_one(to, first);
    // SAFETY: the compiler reserves two registers.
    unsafe { *to.add(1) = second.bits() };
}

/// `R[a], R[a+1], R[a+2]` = type, value, traceback.
pub(crate) fn triple(exception: Value, registers: *mut u64) {
    let traceback = types::cast::<Exception>(exception).map_or(Value::NONE, |e| e.traceback.value());
    // SAFETY: the compiler reserves three registers.
    unsafe {
        *registers = types::class_of(exception).bits();
        *registers.add(1) = exception.bits();
        *registers.add(2) = traceback.bits();
    }
}
