//! Cells, functions, natives, bound methods, properties and their like as data. Must not know how they are called.

use super::error::R;
use super::header::{Hdr, Kind, Slot, flag};
use super::layout::{
    BoundMethod, Cell, Code, Dict, DictView, Function, HeapObject, Host, Module, Native, Property, Super,
    Wrapper,
};
use super::mutator::Mutator;
use super::types::Manner;
use super::value::{Value, Word};
use super::{class, dict, heap, shape, subclass, types};
use std::any::Any;
use std::sync::atomic::Ordering;

/// Writes `words` behind the header of a fresh object and returns it as a value.
fn filled<T: HeapObject, const N: usize>(m: &mut Mutator, kind: Kind, words: [Word; N]) -> R {
    filled_as::<T, N>(m, kind, types::root_shape(kind), words)
}

/// As `filled`, of another class than the one of the kind.
fn filled_as<T: HeapObject, const N: usize>(m: &mut Mutator, kind: Kind, shape: u32, words: [Word; N]) -> R {
    const { assert!(std::mem::size_of::<T>() >= 8 * (N + 1)) };
    let p = m.alloc_as::<T>(kind, shape, 0)?;
    // SAFETY: freshly allocated, with room for N words behind the header (asserted above), and not shared yet.
    unsafe { p.cast::<u64>().add(1).cast::<[Word; N]>().write(words) };
    Ok(Value::from_addr(p.addr()))
}

/// A cell with this value.
pub fn new_cell(m: &mut Mutator, value: Word) -> R {
    filled::<Cell, 3>(m, Kind::Cell, [value, None, None])
}

/// A function; `fields` in the order of the struct behind `attrs`.
pub struct FunctionParts {
    pub code: Value,
    pub cells: Word,
    pub defaults: Word,
    pub kwdefaults: Word,
    pub name: Value,
    /// EMPTY: the code's.
    pub qualname: Word,
    pub doc: Word,
    pub module_name: Word,
}

/// Makes a function.
pub fn new_function(m: &mut Mutator, p: FunctionParts) -> R {
    let fields = [
        None,
        Some(p.code),
        p.cells,
        p.defaults,
        p.kwdefaults,
        Some(p.name),
        p.qualname,
        p.doc,
        p.module_name,
        None,
    ];
    let v = filled::<Function, 10>(m, Kind::Function, fields)?;
    if let Some(code) = types::cast::<Code>(p.code) {
        let f = v.addr() as *mut Function;
        // SAFETY: `v` is the Function just made, not shared yet. The data lives as long as the code, which the function
        // holds.
        unsafe {
            (&raw mut (*f).data).write(code.data.load(Ordering::Acquire).into());
            (&raw mut (*f).nregs).write(code.nregs);
            (&raw mut (*f).simple_args).write(code.simple_args);
        }
    }
    Ok(v)
}

/// A native function or method. `def` is a `&'static NativeDef` as a pointer.
pub(crate) fn new_native(m: &mut Mutator, def: *const (), owner: Word, manner: Option<Manner>) -> R {
    let shape = manner.map_or(types::root_shape(Kind::Native), types::manner_shape);
    let v = filled_as::<Native, 2>(m, Kind::Native, shape, [None, owner])?;
    let receiver = owner.and_then(class::cast).map_or(0, |c| u64::from(heap::compress(c.root_shape.value())));
    // SAFETY: `v` is the Native just made; these words are written before anybody else can see it.
    unsafe {
        (v.addr() as *mut Native).cast::<*const ()>().add(1).write(def);
        (&raw mut (*(v.addr() as *mut Native)).receiver).write(receiver);
    }
    Ok(v)
}

/// A function or native with its receiver.
pub fn new_bound(m: &mut Mutator, func: Value, receiver: Value) -> R {
    let shape = types::bound_shape(func);
    filled_as::<BoundMethod, 2>(m, Kind::BoundMethod, shape, [Some(func), Some(receiver)])
}

/// As `new_bound`, of the class `method` whatever the function is.
pub fn new_method(m: &mut Mutator, func: Value, receiver: Value) -> R {
    filled::<BoundMethod, 2>(m, Kind::BoundMethod, [Some(func), Some(receiver)])
}

/// A property; absent accessors are EMPTY.
pub fn new_property(m: &mut Mutator, get: Word, set: Word, del: Word, doc: Word) -> R {
    filled::<Property, 4>(m, Kind::Property, [get, set, del, doc])
}

/// As `new_property`, of a class that derives from `property`.
pub fn new_property_as(m: &mut Mutator, class: Value, parts: [Word; 4]) -> R {
    let (shape, extra) = subclass::plan(m, class, Kind::Property)?;
    let p = m.alloc_as::<Property>(Kind::Property, shape, extra * 8)?;
    // SAFETY: freshly allocated, with the four words of the struct behind the header, and not shared yet.
    unsafe { (&raw mut (*p).get).cast::<[Word; 4]>().write(parts) };
    Ok(subclass::finish(Value::from_addr(p.addr()), extra))
}

// SAFETY: repr(C), Hdr first; StaticMethod and ClassMethod share this struct, allocated by `alloc_as` with the kind given.
unsafe impl HeapObject for Wrapper {
    const KIND: Kind = Kind::StaticMethod;
}

/// A staticmethod or classmethod (`kind`) around `func`.
pub fn new_wrapper(m: &mut Mutator, kind: Kind, func: Value) -> R {
    filled::<Wrapper, 1>(m, kind, [Some(func)])
}

/// As `new_wrapper`, of a class that may derive from the type.
pub fn new_wrapper_as(m: &mut Mutator, class: Value, kind: Kind, func: Value) -> R {
    let (shape, extra) = subclass::plan(m, class, kind)?;
    let p = m.alloc_as::<Wrapper>(kind, shape, extra * 8)?;
    // SAFETY: freshly allocated, with the one word of the struct behind the header, and not shared yet.
    unsafe { (&raw mut (*p).func).write(Slot::new(func)) };
    Ok(subclass::finish(Value::from_addr(p.addr()), extra))
}

/// Exchanges the function inside a staticmethod or classmethod.
pub fn set_wrapped(v: Value, func: Value) {
    if let Some(slot) = wrapped(v) {
        slot.set(func);
    }
}

fn wrapped(v: Value) -> Option<&'static Slot> {
    let wraps = v.is_ref() && matches!(types::hdr(v).kind, Kind::StaticMethod | Kind::ClassMethod);
    // SAFETY: both kinds are Wrapper.
    wraps.then(|| unsafe { &(*(v.addr() as *const Wrapper)).func })
}

/// The function inside a staticmethod or classmethod.
pub fn unwrap_wrapper(v: Value) -> Word {
    wrapped(v)?.get()
}

/// `super` of `class` for `receiver`, whose lookup starts in `start`'s method resolution order.
pub fn new_super(m: &mut Mutator, class: Value, receiver: Value, start: Value) -> R {
    filled::<Super, 3>(m, Kind::Super, [Some(class), Some(receiver), Some(start)])
}

/// A module with an empty namespace, and a shape of its own (inline caches mean this very module by it).
pub fn new_module(m: &mut Mutator, name: Value) -> R {
    let dict = dict::new_namespace(m)?;
    let v = filled::<Module, 2>(m, Kind::Module, [Some(dict), Some(name)])?;
    let own = shape::new_root(m, types::class_of_kind(Kind::Module), 0)?;
    types::hdr(v).shape.store(heap::compress(own), Ordering::Release);
    Ok(v)
}

/// The namespace of a module.
pub fn module_dict(module: Value) -> Word {
    types::cast::<Module>(module).and_then(|m| m.dict.get())
}

/// `obj.__dict__`: a dict that shows the attributes of `object`.
pub fn new_window(m: &mut Mutator, object: Value) -> R {
    let v = filled::<Dict, 1>(m, Kind::Dict, [Some(object)])?;
    types::hdr(v).flags.fetch_or(flag::ATTRS, Ordering::Release);
    Ok(v)
}

/// A read-only view of a dict (`cls.__dict__`).
pub fn new_proxy(m: &mut Mutator, dict: Value) -> R {
    let v = filled::<DictView, 1>(m, Kind::MappingProxy, [Some(dict)])?;
    // SAFETY: `v` is the view just made; its `what` word is written before anybody else can see it.
    unsafe { (v.addr() as *mut u64).add(2).write(0) };
    Ok(v)
}

/// The dict behind a mapping proxy.
pub fn proxied(v: Value) -> Word {
    let is_proxy = v.is_ref() && types::hdr(v).kind == Kind::MappingProxy;
    // SAFETY: mapping proxies share the struct of views.
    if is_proxy { unsafe { (*(v.addr() as *const DictView)).dict.get() } } else { None }
}

/// An object of `class` (a class whose instances are of kind Host) that owns `data`.
pub fn new_host(m: &mut Mutator, class: Value, data: Box<dyn Any + Send + Sync>) -> R {
    let root = subclass::shape_of(m, class, Kind::Host)?;
    let p = m.alloc_as::<Host>(Kind::Host, root, 0)?;
    let data = Box::into_raw(Box::new(data)).cast::<()>();
    // SAFETY: freshly allocated, of this size, and not shared yet.
    unsafe {
        (&raw mut (*p).attrs).cast::<[u64; 3]>().write([0; 3]);
        (&raw mut (*p).data).write(data);
    }
    let v = Value::from_addr(p.addr());
    heap::add_finalizable(v);
    Ok(v)
}

/// An object of `class`, which must be `base` or derive from it, that consists of two values and owns nothing else.
pub fn new_pair(m: &mut Mutator, class: Value, base: Value, parts: [Word; 2]) -> R {
    let shape = subclass::shape_under(m, class, base)?;
    let p = m.alloc_as::<Host>(Kind::Host, shape, 0)?;
    let [first, second] = parts.map(|word| word.map_or(0, Value::bits));
    // SAFETY: freshly allocated, of this size (attributes, two values, no data), and not shared yet.
    unsafe { (&raw mut (*p).attrs).cast::<[u64; 4]>().write([0, first, second, 0]) };
    Ok(Value::from_addr(p.addr()))
}

/// The two values of a Host object, `None` where there is none.
pub fn pair(v: Value) -> [Word; 2] {
    types::cast::<Host>(v).map_or([None, None], |host| [host.extra[0].get(), host.extra[1].get()])
}

/// The Rust value of a Host object, if it is a `T`.
pub fn host<T: Any>(v: Value) -> Option<&'static T> {
    let host = types::cast::<Host>(v).filter(|host| !host.data.is_null())?;
    // SAFETY: `data` is the leaked Box of `new_host`; it lives as long as the object, which the caller keeps alive.
    unsafe { (*host.data.cast::<Box<dyn Any + Send + Sync>>()).downcast_ref::<T>() }
}

const _: () = assert!(std::mem::size_of::<Hdr>() == 8);
