//! The type `memoryview`: constructor, methods and attributes; and the module `_memory`, with which `array` and `struct` read
//! and write numbers in bytes. Must not know how items are coded.

use super::bytes_case;
use super::support::type_name;
use crate::object::header::Kind;
use crate::object::memoryview::{self, Format, Parts};
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, list, str, tuple};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::ops::iterate::values_of;
use crate::vm::ops::memoryview as view;
use crate::vm::slicing::position;
use crate::vm::thread::Thread;

fn construct(th: &mut Thread, args: Args) -> R {
    match view::seen(th, args.get(1))? {
        Some(p) => memoryview::new(&mut th.m, p),
        None => {
            let got = type_name(args.get(1));
            Err(th.type_error(format!("memoryview: a bytes-like object is required, not '{got}'")))
        }
    }
}

fn this(m: &mut Mutator, args: Args) -> R<Parts> {
    view::of(m, args.get(0))
}

fn tobytes(m: &mut Mutator, args: Args) -> R {
    let p = this(m, args)?;
    if let Some(order) = args.opt_not_none(1) {
        let Some(order) = str::as_str(order) else {
            let got = type_name(order);
            return Err(m.type_error(format!("tobytes() argument 'order' must be str or None, not {got}")));
        };
        if !matches!(order, "C" | "F" | "A") {
            return Err(m.value_error("order must be 'C', 'F' or 'A'"));
        }
    }
    m.new_bytes(&p.bytes())
}

fn tolist(m: &mut Mutator, args: Args) -> R {
    let p = this(m, args)?;
    items(m, &p)
}

/// All items as a list.
fn items(m: &mut Mutator, p: &Parts) -> R {
    let made = m.new_list(&[])?;
    let Some(l) = list::of(made) else { return Ok(made) };
    for i in 0..p.count {
        if let Some(item) = view::item(m, p, i)? {
            list::push(m, l, item)?;
        }
    }
    Ok(made)
}

fn hex(m: &mut Mutator, args: Args) -> R {
    let bytes = this(m, args)?.bytes();
    let bytes = m.new_bytes(&bytes)?;
    bytes_case::hex(m, Args(&[Some(bytes), args.opt(1), args.opt(2)]))
}

fn release(m: &mut Mutator, args: Args) -> R {
    match memoryview::of(args.get(0)) {
        Some(view) => memoryview::release(view),
        None => drop(this(m, args)?),
    }
    Ok(Value::NONE)
}

fn enter(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|_| args.get(0))
}

fn toreadonly(m: &mut Mutator, args: Args) -> R {
    let p = this(m, args)?;
    memoryview::new(m, Parts { readonly: true, ..p })
}

fn cast(th: &mut Thread, args: Args) -> R {
    let p = this(&mut th.m, args)?;
    let wanted = args.get(1);
    let Some(text) = str::as_str(wanted) else {
        let got = type_name(wanted);
        return Err(th.type_error(format!("cast() argument 'format' must be str, not {got}")));
    };
    if !p.is_contiguous() {
        return Err(th.type_error("memoryview: casts are restricted to C-contiguous views"));
    }
    let Some(format) = Format::parse(text) else {
        let message = "memoryview: destination format must be a native single character format prefixed with an \
                       optional '@'";
        return Err(th.value_error(message));
    };
    if !format.is_bytes() && !p.format.is_bytes() {
        return Err(th.type_error("memoryview: cannot cast between two non-byte formats"));
    }
    let (size, nbytes) = (format.size(), p.nbytes());
    if nbytes % size != 0 {
        return Err(th.type_error("memoryview: length is not a multiple of itemsize"));
    }
    let cast = Parts { format, count: nbytes / size, stride: size as isize, ..p };
    if let Some(shape) = args.opt(2) {
        check_shape(th, shape, cast.count)?;
    }
    memoryview::new(&mut th.m, cast)
}

/// The shape of a cast can but say the length that the view has anyhow.
fn check_shape(th: &mut Thread, shape: Value, count: usize) -> R<()> {
    if list::of(shape).is_none() && tuple::of(shape).is_none() {
        return Err(th.type_error("shape must be a list or a tuple"));
    }
    let [only] = values_of(shape)[..] else {
        let message = "memoryview: views of several dimensions are not supported";
        return Err(th.raise(Exc::NotImplementedError, message));
    };
    if th.index(only)? != count as i64 {
        return Err(th.type_error("memoryview: product(shape) * itemsize != buffer size"));
    }
    Ok(())
}

fn obj(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|p| p.obj)
}

fn nbytes(m: &mut Mutator, args: Args) -> R {
    let n = this(m, args)?.nbytes();
    m.new_int(n as i64)
}

fn itemsize(m: &mut Mutator, args: Args) -> R {
    let n = this(m, args)?.format.size();
    m.new_int(n as i64)
}

fn format(m: &mut Mutator, args: Args) -> R {
    let text = this(m, args)?.format.text();
    m.new_str(&text)
}

fn shape(m: &mut Mutator, args: Args) -> R {
    let n = this(m, args)?.count;
    m.new_tuple(&[Value::int_unchecked(n as i64)])
}

fn strides(m: &mut Mutator, args: Args) -> R {
    let stride = this(m, args)?.stride;
    let stride = m.new_int(stride as i64)?;
    m.new_tuple(&[stride])
}

fn suboffsets(m: &mut Mutator, args: Args) -> R {
    this(m, args)?;
    m.new_tuple(&[])
}

fn ndim(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|_| Value::int_unchecked(1))
}

fn readonly(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|p| Value::bool(p.readonly))
}

fn contiguous(m: &mut Mutator, args: Args) -> R {
    this(m, args).map(|p| Value::bool(p.is_contiguous()))
}

/// `memoryview`.
pub static TYPE: TypeDef = TypeDef {
    name: "memoryview",
    kind: Kind::MemoryView,
    doc: "A view of the bytes of another object.",
    construct: Some(NativeDef::full("memoryview", "cls, object", construct, "A view of an object.")),
    methods: &[
        NativeDef::full("cast", "self, format, shape=", cast, "A view of the same bytes as other items."),
        NativeDef::data("hex", "self, sep=, bytes_per_sep=", hex, "The bytes in hexadecimal digits."),
        NativeDef::data("release", "self, /", release, "Stop looking at the object."),
        NativeDef::data("tobytes", "self, order=", tobytes, "The bytes as a bytes object."),
        NativeDef::data("tolist", "self, /", tolist, "The items as a list."),
        NativeDef::data("toreadonly", "self, /", toreadonly, "A view that cannot be written through."),
        NativeDef::data("__enter__", "self, /", enter, "The view itself."),
        NativeDef::data("__exit__", "self, *args", release, "Release it."),
    ],
    properties: &[
        NativeDef::data("c_contiguous", "self", contiguous, "Whether item follows item."),
        NativeDef::data("contiguous", "self", contiguous, "Whether item follows item."),
        NativeDef::data("f_contiguous", "self", contiguous, "Whether item follows item."),
        NativeDef::data("format", "self", format, "The format of the items, as in struct."),
        NativeDef::data("itemsize", "self", itemsize, "The size of an item in bytes."),
        NativeDef::data("nbytes", "self", nbytes, "The size of all items in bytes."),
        NativeDef::data("ndim", "self", ndim, "The number of dimensions: 1."),
        NativeDef::data("obj", "self", obj, "The object behind the view."),
        NativeDef::data("readonly", "self", readonly, "Whether it cannot be written through."),
        NativeDef::data("shape", "self", shape, "The number of items, in a tuple."),
        NativeDef::data("strides", "self", strides, "The bytes from item to item, in a tuple."),
        NativeDef::data("suboffsets", "self", suboffsets, "An empty tuple."),
    ],
    ..TypeDef::BARE
};

/// The arguments `data, code`: all bytes as items of that format.
fn row(th: &mut Thread, data: Value, code: Value) -> R<Parts> {
    let Some(p) = view::seen(th, data)? else {
        let got = type_name(data);
        return Err(th.type_error(format!("a bytes-like object is required, not '{got}'")));
    };
    match str::as_str(code).and_then(Format::parse) {
        Some(format) if p.is_contiguous() => {
            let size = format.size();
            Ok(Parts { format, count: p.nbytes() / size, stride: size as isize, ..p })
        }
        _ => Err(th.value_error("bad format, or a view with gaps")),
    }
}

fn row_item(th: &mut Thread, args: Args) -> R {
    let p = row(th, args.get(0), args.get(1))?;
    let i = th.sequence_index(args.get(2), "array")?;
    let found = match position(i, p.count) {
        Some(i) => view::item(&mut th.m, &p, i)?,
        None => None,
    };
    found.ok_or_else(|| th.raise(Exc::IndexError, "array index out of range"))
}

fn row_store(th: &mut Thread, args: Args) -> R {
    let p = row(th, args.get(0), args.get(1))?;
    let i = th.sequence_index(args.get(2), "array")?;
    let Some(i) = position(i, p.count) else {
        return Err(th.raise(Exc::IndexError, "array assignment index out of range"));
    };
    let item = view::encoded(th, p.format, args.get(3))?;
    p.write(&mut th.m, i, item.get(..p.format.size()).unwrap_or(&item));
    Ok(Value::NONE)
}

fn row_items(th: &mut Thread, args: Args) -> R {
    let p = row(th, args.get(0), args.get(1))?;
    items(&mut th.m, &p)
}

fn packed(th: &mut Thread, args: Args) -> R {
    let Some(format) = str::as_str(args.get(1)).and_then(Format::parse) else {
        return Err(th.value_error("bad format"));
    };
    let mut out = Vec::new();
    for v in values_of(args.get(0)) {
        let item = view::encoded(th, format, v)?;
        out.extend(item.iter().take(format.size()));
    }
    th.m.new_bytes(&out)
}

fn fill(th: &mut Thread, args: Args) -> R {
    let to = view::writable_buffer(th, args.get(0), "argument")?;
    let data = view::bytes_object(th, args.get(2))?;
    let at = usize::try_from(th.index(args.get(1))?).unwrap_or(usize::MAX);
    let data = crate::object::bytes::as_bytes(data).unwrap_or(&[]);
    let at = at.min(to.nbytes());
    let part = Parts {
        format: Format::BYTES,
        start: to.start + at,
        count: data.len().min(to.nbytes() - at),
        stride: 1,
        ..to
    };
    part.fill(&mut th.m, data);
    Ok(Value::NONE)
}

fn size_of_buffer(th: &mut Thread, args: Args) -> R {
    let n = view::writable_buffer(th, args.get(0), "argument")?.nbytes();
    th.m.new_int(n as i64)
}

fn bytes_of(th: &mut Thread, args: Args) -> R {
    let made = view::bytes_object(th, args.get(0))?;
    if crate::object::bytes::as_bytes(made).is_some() {
        return Ok(made);
    }
    let got = type_name(args.get(0));
    Err(th.type_error(format!("a bytes-like object is required, not '{got}'")))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_memory",
    doc: "Numbers in bytes, for array and struct.",
    functions: &[
        NativeDef::full("bytes_of", "object, /", bytes_of, "The bytes that any buffer shows."),
        NativeDef::full("fill", "buffer, start, data, /", fill, "Write bytes into a buffer."),
        NativeDef::full("item", "data, code, index, /", row_item, "A number."),
        NativeDef::full("items", "data, code, /", row_items, "All numbers, as a list."),
        NativeDef::full("packed", "values, code, /", packed, "The bytes of the numbers of a list."),
        NativeDef::full(
            "room",
            "buffer, /",
            size_of_buffer,
            "The size of a buffer that can be written into.",
        ),
        NativeDef::full("store", "data, code, index, value, /", row_store, "Replace a number."),
    ],
    types: &[],
    init: None,
};
