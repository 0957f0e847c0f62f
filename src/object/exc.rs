//! Exception objects as data. Must not know how they unwind or print.

use super::error::R;
use super::header::{Hdr, Kind};
use super::layout::{self, Exception, Traceback};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{subclass, types};

/// Makes an instance of the exception class with these arguments. Does not run `__init__`.
pub fn new_exception(m: &mut Mutator, class: Value, args: &[Value]) -> R {
    let args = m.new_tuple(args)?;
    new_with_tuple(m, class, args)
}

/// As `new_exception`, the arguments already a tuple.
pub fn new_with_tuple(m: &mut Mutator, class: Value, args: Value) -> R {
    let shape = subclass::shape_of(m, class, Kind::Exception)?;
    let exc = m.alloc_as::<Exception>(Kind::Exception, shape, 0)?;
    // SAFETY: freshly allocated, of this size, and not shared yet.
    let exc = unsafe {
        (&raw mut (*exc).attrs).cast::<[u64; 6]>().write([0; 6]);
        &*exc
    };
    exc.args.set(args);
    exc.suppress.set(Value::FALSE);
    Ok(Value::from_addr(std::ptr::from_ref(exc).addr()))
}

/// `exc` as an exception object.
pub fn cast(v: Value) -> Option<&'static Exception> {
    types::cast::<Exception>(v)
}

/// A line of a traceback. The number of the line follows from it, and is worked out when somebody asks: most exceptions
/// are caught, and nobody does.
#[derive(Clone, Copy)]
pub struct Place {
    pub pc: u32,
    /// How many inlined comprehensions it is in.
    pub depth: u32,
}

/// Puts a line in front of the exception's traceback (the frames nearer to the caller come first).
pub fn add_traceback(m: &mut Mutator, exc: Value, code: Value, at: Place) {
    let Some(e) = cast(exc) else { return };
    let saved = m.pending;
    match m.alloc::<Traceback>(0) {
        Ok(tb) => {
            // SAFETY: freshly allocated, of this size, and not shared yet.
            let tb = unsafe {
                (&raw mut (*tb).next).cast::<[u64; 2]>().write([0; 2]);
                (&raw mut (*tb).pc).write(at.pc);
                (&raw mut (*tb).depth).write(at.depth);
                &*tb
            };
            tb.next.set_word(e.traceback.get());
            tb.code.set(code);
            e.traceback.set(Value::from_addr(std::ptr::from_ref(tb).addr()));
        }
        // No memory for a line of traceback: the exception itself matters more.
        Err(_) => m.pending = saved,
    }
}

/// The lines of a traceback.
pub fn traceback_entries(exc: &Exception) -> Vec<(&'static layout::Code, Place)> {
    let mut entries = Vec::new();
    let mut at: Word = exc.traceback.get();
    while let Some(tb) = at.and_then(types::cast::<Traceback>) {
        if let Some(code) = tb.code.get().and_then(types::cast::<layout::Code>) {
            entries.push((code, place(tb)));
        }
        at = tb.next.get();
    }
    entries
}

/// Where a line of a traceback is.
pub fn place(tb: &Traceback) -> Place {
    Place { pc: tb.pc, depth: tb.depth }
}

/// The class of an exception, as `type(e)`.
pub fn class_of(exc: Value) -> Value {
    types::class_of(exc)
}

const _: () = assert!(std::mem::size_of::<Hdr>() == 8 && std::mem::size_of::<Exception>() == 56);
const _: () = assert!(std::mem::size_of::<Traceback>() == 32);
