//! `x[i]`, `x[i] = v`, `del x[i]`, `in`. Must not know the containers' insides.

use crate::object::class::trait_bits;
use crate::object::layout::is_subclass_instance;
use crate::object::{
    Exc, Kind, R, Raised, Value, Word, bytes, class, deque, dict, find, func, int, list, set, slice, str,
    str_index, types,
};
use crate::vm::thread::Thread;
use crate::vm::{container_ops, hashing, slicing, type_names};

/// `container[index]`.
#[cold]
#[inline(never)]
pub fn get(th: &mut Thread, container: Value, index: Value) -> R {
    if is_dict_without(container, trait_bits::GETITEM) {
        return from_dict(th, container, index);
    }
    if let Some(v) = item_of_deque(th, container, index) {
        return Ok(v);
    }
    if let Some(f) = th.lookup_override(container, "__getitem__") {
        return th.call(f, &[container, index]);
    }
    get_builtin(th, container, index)
}

/// Whether a value is a dict whose class has no method of its own for this.
#[inline(always)]
pub(super) fn is_dict_without(v: Value, method: u64) -> bool {
    dict::of(v).is_some() && class::is_untouched(v, method)
}

/// An item of a deque, if the index is in it: the class need not be asked for `__getitem__`.
#[inline]
fn item_of_deque(th: &mut Thread, container: Value, index: Value) -> Word {
    let (d, i) = (deque::plain(container)?, index.as_small()?);
    deque::get(&th.m, d, slicing::position(i, deque::len(d))?)
}

/// `container[index]` as the built-in type has it, whatever a subclass says.
pub fn get_builtin(th: &mut Thread, container: Value, index: Value) -> R {
    match types::kind_of(container) {
        Kind::Dict => from_dict(th, container, index),
        Kind::List => match list::of(container) {
            Some(l) => slicing::list_get(th, l, index),
            None => Err(no_items(th, container)),
        },
        Kind::Tuple => slicing::tuple_get(th, container, index),
        Kind::Range => slicing::range_get(th, container, index),
        Kind::Str => from_str(th, container, index),
        Kind::Bytes => from_bytes(th, container, index),
        Kind::ByteArray => super::bytearray::get(th, container, index),
        Kind::MemoryView => super::memoryview::get(th, container, index),
        Kind::Class => class_item(th, container, index),
        Kind::MappingProxy => from_dict(th, func::proxied(container).unwrap_or(Value::NONE), index),
        _ => match th.lookup_special(container, "__getitem__") {
            Some(f) => th.call(f, &[container, index]),
            None => Err(no_items(th, container)),
        },
    }
}

fn from_str(th: &mut Thread, container: Value, index: Value) -> R {
    let Some(s) = str::view(container) else { return Err(no_items(th, container)) };
    let len = s.nchars as usize;
    if types::kind_of(index) == Kind::Slice {
        let b = th.slice_bounds(index, len)?;
        if b.step == 1 {
            return str_index::slice(&mut th.m, container, b.start, b.start + b.count);
        }
        return str_index::slice_step(&mut th.m, container, b.start as i64, b.step as i64, b.count);
    }
    let i = number(th, "string", index)?;
    match slicing::position(i, len) {
        Some(i) => str_index::char_at(&mut th.m, s, i),
        None => Err(th.raise(Exc::IndexError, "string index out of range")),
    }
}

fn from_bytes(th: &mut Thread, container: Value, index: Value) -> R {
    let b = bytes::as_bytes(container).unwrap_or(&[]);
    if types::kind_of(index) == Kind::Slice {
        let at = th.slice_bounds(index, b.len())?;
        let cut: Vec<u8> = (0..at.count)
            .filter_map(|i| b.get((at.start as isize + i as isize * at.step) as usize).copied())
            .collect();
        return th.m.new_bytes(&cut);
    }
    let i = number(th, "byte", index)?;
    match slicing::position(i, b.len()) {
        Some(i) => Ok(Value::int_unchecked(b[i] as i64)),
        None => Err(th.raise(Exc::IndexError, "index out of range")),
    }
}

/// The value under a key, the answer of `__missing__`, or a KeyError.
#[inline(always)]
pub(super) fn from_dict(th: &mut Thread, container: Value, key: Value) -> R {
    match th.dict_get(container, key)? {
        Some(v) => Ok(v),
        None => missing(th, container, key),
    }
}

#[inline(never)]
fn missing(th: &mut Thread, container: Value, key: Value) -> R {
    // `dict` itself has no such method.
    if is_subclass_instance(types::hdr(container))
        && let Some(f) = th.lookup_special(container, "__missing__")
    {
        return th.call(f, &[container, key]);
    }
    Err(th.raise_with(Exc::KeyError, &[key]))
}

/// `C[x]`: `__class_getitem__`; built-in containers take parameters (`list[int]`).
fn class_item(th: &mut Thread, class: Value, index: Value) -> R {
    let name = th.name("__class_getitem__")?;
    if let Some(hook) = th.lookup.find(class, name).and_then(|c| c.value.get()) {
        let f = func::unwrap_wrapper(hook).unwrap_or(hook);
        return th.call(f, &[class, index]);
    }
    if let Some(alias) = crate::vm::generic::alias(th, class, index)? {
        return Ok(alias);
    }
    let name = type_names::of_class(class);
    Err(th.type_error(format!("type '{name}' is not subscriptable")))
}

/// An index of a string or of bytes as a number.
fn number(th: &mut Thread, what: &str, index: Value) -> R<i64> {
    if let Some(i) = index.as_small() {
        return Ok(i);
    }
    match types::kind_of(index) {
        // Of a subclass, or a large one.
        Kind::Int => match int::as_i64(index) {
            Some(i) => Ok(i),
            None => {
                let name = th.type_name(index);
                Err(th.raise(Exc::IndexError, format!("cannot fit '{name}' into an index-sized integer")))
            }
        },
        Kind::Bool => th.index(index),
        _ if th.lookup_override(index, "__index__").is_some() => th.index(index),
        _ => {
            let name = th.type_name(index);
            Err(th.type_error(match what {
                "string" => format!("string indices must be integers, not '{name}'"),
                _ => format!("{what} indices must be integers or slices, not {name}"),
            }))
        }
    }
}

#[cold]
fn no_items(th: &mut Thread, container: Value) -> Raised {
    let name = th.type_name(container);
    th.type_error(format!("'{name}' object is not subscriptable"))
}

/// `container[index] = value`.
#[cold]
#[inline(never)]
pub fn set(th: &mut Thread, container: Value, index: Value, value: Value) -> R<()> {
    if is_dict_without(container, trait_bits::SETITEM) {
        return th.dict_set(container, index, value);
    }
    if let Some(f) = th.lookup_override(container, "__setitem__") {
        return th.call(f, &[container, index, value]).map(drop);
    }
    set_builtin(th, container, index, value)
}

/// `container[index] = value` as the built-in type has it.
pub fn set_builtin(th: &mut Thread, container: Value, index: Value, value: Value) -> R<()> {
    match types::kind_of(container) {
        Kind::Dict => th.dict_set(container, index, value),
        Kind::List => match list::of(container) {
            Some(l) => slicing::list_set(th, l, index, value),
            None => Ok(()),
        },
        Kind::ByteArray => super::bytearray::set(th, container, index, value),
        Kind::MemoryView => super::memoryview::set(th, container, index, value),
        _ => match th.lookup_special(container, "__setitem__") {
            Some(f) => th.call(f, &[container, index, value]).map(drop),
            // CPython has one slot for both; what it lacks shows only when it is called.
            None if th.lookup_override(container, "__delitem__").is_some() => {
                Err(th.raise(Exc::AttributeError, "__setitem__"))
            }
            None => {
                let name = th.type_name(container);
                Err(th.type_error(format!("'{name}' object does not support item assignment")))
            }
        },
    }
}

/// `del container[index]`.
#[cold]
#[inline(never)]
pub fn delete(th: &mut Thread, container: Value, index: Value) -> R<()> {
    if let Some(f) = th.lookup_override(container, "__delitem__") {
        return th.call(f, &[container, index]).map(drop);
    }
    delete_builtin(th, container, index)
}

/// `del container[index]` as the built-in type has it.
pub fn delete_builtin(th: &mut Thread, container: Value, index: Value) -> R<()> {
    match types::kind_of(container) {
        Kind::Dict => match th.dict_del(container, index)? {
            Some(_) => Ok(()),
            None => Err(th.raise_with(Exc::KeyError, &[index])),
        },
        Kind::List => match list::of(container) {
            Some(l) => slicing::list_del(th, l, index),
            None => Ok(()),
        },
        Kind::ByteArray => super::bytearray::delete(th, container, index),
        Kind::MemoryView => Err(super::memoryview::not_deletable(th, container)),
        _ => match th.lookup_special(container, "__delitem__") {
            Some(f) => th.call(f, &[container, index]).map(drop),
            None if th.lookup_override(container, "__setitem__").is_some() => {
                Err(th.raise(Exc::AttributeError, "__delitem__"))
            }
            None => {
                let sequence = !matches!(
                    types::kind_of(container),
                    Kind::None_
                        | Kind::Ellipsis
                        | Kind::NotImplemented
                        | Kind::Bool
                        | Kind::Int
                        | Kind::Float
                        | Kind::Function
                        | Kind::Native
                        | Kind::BoundMethod
                        | Kind::Class
                        | Kind::Module
                        | Kind::Slice
                        | Kind::Iter
                        | Kind::Generator
                        | Kind::Coroutine
                        | Kind::AsyncGenerator
                        | Kind::Property
                        | Kind::StaticMethod
                        | Kind::ClassMethod
                        | Kind::Super
                );
                // A class written in Mini has the slot, an exception of CPython's own has not, but for the one whose class
                // CPython makes as a script would.
                let class = types::class_of(container);
                let own = class::traits(class) & class::trait_bits::HEAP_TYPE == 0
                    && class != types::exc_class(Exc::ExceptionGroup);
                let name = th.type_name(container);
                // Only the classes that CPython has written in C are named with their module.
                let own = own || name.contains('.');
                let sequence = sequence
                    && !(own && matches!(types::kind_of(container), Kind::Exception | Kind::Instance));
                let numbered = matches!(types::kind_of(index), Kind::Int | Kind::Bool);
                let verb = if sequence && numbered { "doesn't" } else { "does not" };
                Err(th.type_error(format!("'{name}' object {verb} support item deletion")))
            }
        },
    }
}

/// `item in container`.
#[cold]
#[inline(never)]
pub fn contains(th: &mut Thread, container: Value, item: Value) -> R<bool> {
    if is_dict_without(container, trait_bits::CONTAINS) {
        return th.dict_get(container, item).map(|v| v.is_some());
    }
    if let Some(s) = set::of(container).filter(|s| !is_subclass_instance(&s.hdr))
        && let Some(hash) = th.plain_hash(item)
    {
        return hashing::contains_hashed(th, s, item, hash);
    }
    if let Some(f) = th.lookup_override(container, "__contains__") {
        if f.is_none() {
            let name = th.type_name(container);
            return Err(th.type_error(format!("'{name}' object is not a container")));
        }
        let found = th.call(f, &[container, item])?;
        return th.is_true(found);
    }
    contains_builtin(th, container, item)
}

/// `item in container` as the built-in type has it.
pub fn contains_builtin(th: &mut Thread, container: Value, item: Value) -> R<bool> {
    match types::kind_of(container) {
        Kind::Dict
        | Kind::Set
        | Kind::FrozenSet
        | Kind::List
        | Kind::Tuple
        | Kind::Range
        | Kind::DictView => container_ops::contains(th, container, item),
        Kind::MappingProxy => {
            let dict = func::proxied(container).unwrap_or(Value::NONE);
            Ok(th.dict_get(dict, item)?.is_some())
        }
        Kind::Str => {
            let Some(needle) = str::as_str(item) else {
                let name = th.type_name(item);
                return Err(
                    th.type_error(format!("'in <string>' requires string as left operand, not {name}"))
                );
            };
            Ok(str::as_str(container).is_some_and(|s| find::find(s.as_bytes(), needle.as_bytes()).is_some()))
        }
        Kind::Bytes => in_bytes(th, container, item),
        Kind::ByteArray => {
            let now = super::bytearray::as_bytes_object(&mut th.m, container)?;
            in_bytes(th, now, item)
        }
        _ => search(th, container, item),
    }
}

fn in_bytes(th: &mut Thread, container: Value, item: Value) -> R<bool> {
    let item = super::bytearray::as_bytes_object(&mut th.m, item)?;
    let hay = bytes::as_bytes(container).unwrap_or(&[]);
    if let Some(needle) = bytes::as_bytes(item) {
        return Ok(needle.is_empty() || hay.windows(needle.len()).any(|w| w == needle));
    }
    let mut item = item;
    if !matches!(types::kind_of(item), Kind::Int | Kind::Bool) {
        if th.lookup_special(item, "__index__").is_none() {
            let name = th.type_name(item);
            return Err(th.type_error(format!("a bytes-like object is required, not '{name}'")));
        }
        item = th.index_value(item)?;
    }
    match u8::try_from(crate::object::int::as_i64(item).unwrap_or(-1)) {
        Ok(b) => Ok(hay.contains(&b)),
        Err(_) => Err(th.value_error("byte must be in range(0, 256)")),
    }
}

/// `in` by iteration.
fn search(th: &mut Thread, container: Value, item: Value) -> R<bool> {
    let mut it = match th.iter(container) {
        Ok(it) => it,
        Err(raised) => {
            // Whatever the type error was about: `__iter__` may have raised it.
            if th.pending_is(Exc::TypeError) {
                th.m.pending = None;
                let name = th.type_name(container);
                return Err(th.type_error(format!("argument of type '{name}' is not iterable")));
            }
            return Err(raised);
        }
    };
    while let Some(v) = it.next(th)? {
        if th.eq(v, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `start:stop:step`.
pub fn new_slice(th: &mut Thread, parts: &[Value]) -> R {
    match parts {
        [start, stop, step] => slice::new(&mut th.m, *start, *stop, *step),
        _ => Ok(Value::NONE),
    }
}

impl Thread {
    /// `o[k]`.
    pub fn get_item(&mut self, o: Value, k: Value) -> R {
        get(self, o, k)
    }

    /// `o[k] = v`.
    pub fn set_item(&mut self, o: Value, k: Value, v: Value) -> R<()> {
        set(self, o, k, v)
    }

    /// `del o[k]`.
    pub fn del_item(&mut self, o: Value, k: Value) -> R<()> {
        delete(self, o, k)
    }

    /// `item in container`.
    pub fn contains(&mut self, container: Value, item: Value) -> R<bool> {
        contains(self, container, item)
    }
}
