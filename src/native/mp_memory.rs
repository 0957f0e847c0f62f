//! The class `Memory` of `_multiprocessing`: memory that processes share, as numbers of the codes of `array`.
//! Must not know who uses it for what.

use super::oserror::os_error;
use super::support::{c_int, int_arg, this, type_name};
use crate::object::memoryview::Format;
use crate::object::mutator::Mutator;
use crate::object::shared::Shared;
use crate::object::{Exc, Kind, R, Raised, Value, bytes, float, func, int, list, str, types};
use crate::rt::{pipes, syscall};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::memoryview as view;
use crate::vm::thread::Thread;

/// Memory of so many bytes: of a file, or, if `fd` is -1, without one.
/// Errors: OSError; ValueError if the file is shorter, for its missing pages could not be touched.
pub fn memory(th: &mut Thread, len: usize, fd: i32) -> R<Shared> {
    if fd >= 0 {
        let file = syscall::fstat(fd).map_err(|errno| os_error(th, errno, None))?;
        if usize::try_from(file.st_size).is_ok_and(|size| size < len) {
            return Err(th.value_error("the memory is larger than its file"));
        }
    }
    let made = if fd < 0 { Shared::anonymous(len) } else { Shared::of_file(fd, len) };
    made.map_err(|errno| os_error(th, errno, None))
}

fn construct(th: &mut Thread, args: Args) -> R {
    let Ok(len) = usize::try_from(int_arg(th, args.get(1))?) else {
        return Err(th.value_error("negative size"));
    };
    let fd = args.opt(2).map_or(Ok(-1), |fd| c_int(th, fd))?;
    let made = memory(th, len, fd)?;
    func::new_host(th, args.get(0), Box::new(made))
}

fn shared(m: &mut Mutator, args: Args) -> R<&'static Shared> {
    this::<Shared>(m, args, "Memory")
}

/// The memory, the format that argument 1 says, and the bytes before the item that argument 2 counts.
fn item_of(th: &mut Thread, args: Args) -> R<(&'static Shared, Format, usize)> {
    let memory = shared(th, args)?;
    let format = str::as_str(args.get(1)).and_then(Format::parse);
    let Some(format) = format else { return Err(th.value_error("unknown type code")) };
    let i = int_arg(th, args.get(2))?;
    let at = usize::try_from(i).ok().and_then(|i| i.checked_mul(format.size()));
    match at.filter(|at| at.saturating_add(format.size()) <= memory.len()) {
        Some(at) => Ok((memory, format, at)),
        None => Err(th.raise(Exc::IndexError, "invalid index")),
    }
}

fn get(th: &mut Thread, args: Args) -> R {
    let (memory, format, at) = item_of(th, args)?;
    let item = memory.number(at, format.size()).unwrap_or_default();
    view::decoded(th, format, item)
}

fn set(th: &mut Thread, args: Args) -> R {
    let (memory, format, at) = item_of(th, args)?;
    let item = number_of(th, format, args.get(3))?;
    memory.set_number(at, format.size(), item.to_le_bytes());
    Ok(Value::NONE)
}

/// The bits of a value as a number of C: what is too large loses its upper bits.
fn number_of(th: &mut Thread, format: Format, v: Value) -> R<u64> {
    match format.code {
        b'c' => match bytes::as_bytes(v) {
            Some([byte]) => Ok(u64::from(*byte)),
            _ => Err(th.type_error("one character bytes, bytearray or integer expected")),
        },
        b'?' => Ok(u64::from(th.is_true(v)?)),
        b'f' => Ok(u64::from((real(th, v)? as f32).to_bits())),
        b'd' => Ok(real(th, v)?.to_bits()),
        _ => whole(th, v),
    }
}

fn real(th: &mut Thread, v: Value) -> R<f64> {
    if let Some(f) = float::as_f64(v) {
        return Ok(f);
    }
    if int::is_int(v) {
        return int::to_f64(th, v);
    }
    let got = type_name(v);
    Err(th.type_error(format!("must be real number, not {got}")))
}

fn whole(th: &mut Thread, v: Value) -> R<u64> {
    if types::kind_of(v) == Kind::Float {
        return Err(th.type_error("int expected instead of float instance"));
    }
    let n = th.index_value(v).map_err(|raised| unsuited(th, v, raised))?;
    if let Some(n) = int::as_i64(n) {
        return Ok(n as u64);
    }
    let mut word = [0];
    let (negative, limbs) = int::sign_and_limbs(n, &mut word).unwrap_or((false, &[]));
    let low = limbs.first().copied().unwrap_or(0);
    Ok(if negative { low.wrapping_neg() } else { low })
}

fn unsuited(th: &mut Thread, v: Value, raised: Raised) -> Raised {
    if !th.pending_is(Exc::TypeError) {
        return raised;
    }
    let got = type_name(v);
    th.type_error(format!("an integer is required (got type {got})"))
}

fn items(th: &mut Thread, args: Args) -> R {
    let (start, stop) = (int_arg(th, args.get(2))?, int_arg(th, args.get(3))?);
    let made = th.new_list(&[])?;
    let Some(l) = list::of(made) else { return Ok(made) };
    let code = args.opt(1);
    for i in start..stop {
        let i = Value::int_unchecked(i);
        let item = get(th, Args(&[args.opt(0), code, Some(i)]))?;
        list::push(th, l, item)?;
    }
    Ok(made)
}

fn read(th: &mut Thread, args: Args) -> R {
    let memory = shared(th, args)?;
    let (start, stop) = (int_arg(th, args.get(1))?, int_arg(th, args.get(2))?);
    let bytes = memory.part(start.max(0) as usize..stop.max(0) as usize);
    th.new_bytes(&bytes)
}

fn write(th: &mut Thread, args: Args) -> R {
    let memory = shared(th, args)?;
    let start = int_arg(th, args.get(1))?;
    let Some(from) = bytes::as_bytes(args.get(2)) else {
        let got = type_name(args.get(2));
        return Err(th.type_error(format!("a bytes-like object is required, not '{got}'")));
    };
    memory.overwrite(start.max(0) as usize, from);
    Ok(Value::NONE)
}

fn len(m: &mut Mutator, args: Args) -> R {
    let len = shared(m, args)?.len();
    m.new_int(len as i64)
}

fn close(m: &mut Mutator, args: Args) -> R {
    shared(m, args)?.retire();
    Ok(Value::NONE)
}

/// A file in memory, which can be handed to programs that are started.
pub fn memory_file(th: &mut Thread, args: Args) -> R {
    let len = int_arg(th, args.get(0))?;
    let fd = pipes::memory_file(len.max(0) as usize).map_err(|errno| os_error(th, errno, None))?;
    th.new_int(i64::from(fd))
}

pub static MEMORY: TypeDef = TypeDef {
    name: "Memory",
    kind: Kind::Host,
    doc: "Memory that processes share.",
    construct: Some(NativeDef::full("__new__", "cls, size, fd=, /", construct, "")),
    methods: &[
        NativeDef::full("get", "self, code, index, /", get, "The number at a place."),
        NativeDef::full("set", "self, code, index, value, /", set, "Put a number at a place."),
        NativeDef::full("items", "self, code, start, stop, /", items, "Numbers as a list."),
        NativeDef::full("read", "self, start, stop, /", read, "Some of the bytes."),
        NativeDef::full("write", "self, start, data, /", write, "Replace bytes."),
        NativeDef::data("close", "self, /", close, "Let go of what is shared."),
        NativeDef::data("__len__", "self, /", len, "Number of bytes."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};
