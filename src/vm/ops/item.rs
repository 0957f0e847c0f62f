//! `x[i]`, `x[i] = v`, `del x[i]`, `in`. Must not know the containers' insides.

use crate::object::{Exc, Kind, R, Raised, Value, bytes, class, dict, func, list, slice, str, str_index, tuple, types};
use crate::vm::hooks;
use crate::vm::thread::Thread;

/// `container[index]`.
#[cold]
#[inline(never)]
pub fn get(th: &mut Thread, container: Value, index: Value) -> R {
    if let Some(f) = th.lookup_override(container, "__getitem__") {
        return th.call(f, &[container, index]);
    }
    match types::kind_of(container) {
        Kind::Dict => from_dict(th, container, index),
        Kind::List => match position(th, "list", index)? {
            Some(i) => {
                let Some(l) = list::of(container) else { return Err(no_items(th, container)) };
                let found = at(i, list::len(l)).and_then(|i| list::get(l, i));
                found.ok_or_else(|| out_of_range(th, "list"))
            }
            None => hooks::get_slice(th, container, index),
        },
        Kind::Tuple => match position(th, "tuple", index)? {
            Some(i) => {
                let items = tuple::items(container);
                let found = at(i, items.len()).map(|i| items[i].value());
                found.ok_or_else(|| out_of_range(th, "tuple"))
            }
            None => hooks::get_slice(th, container, index),
        },
        Kind::Str => match position(th, "string", index)? {
            Some(i) => {
                let Some(s) = str::view(container) else { return Err(no_items(th, container)) };
                match at(i, s.nchars as usize) {
                    Some(i) => str_index::char_at(&mut th.m, s, i),
                    None => Err(out_of_range(th, "string")),
                }
            }
            None => hooks::get_slice(th, container, index),
        },
        Kind::Bytes => match position(th, "byte", index)? {
            Some(i) => {
                let b = bytes::as_bytes(container).unwrap_or(&[]);
                let found = at(i, b.len()).map(|i| Value::int_unchecked(b[i] as i64));
                found.ok_or_else(|| out_of_range(th, "index"))
            }
            None => hooks::get_slice(th, container, index),
        },
        Kind::Class => class_item(th, container, index),
        _ => match hooks::get_item(th, container, index)? {
            Some(v) => Ok(v),
            None => Err(no_items(th, container)),
        },
    }
}

fn from_dict(th: &mut Thread, container: Value, key: Value) -> R {
    if let Some(v) = th.dict_get(container, key)? {
        return Ok(v);
    }
    if let Some(f) = th.lookup_override(container, "__missing__") {
        return th.call(f, &[container, key]);
    }
    Err(th.raise_with(Exc::KeyError, &[key]))
}

/// `C[x]`: `__class_getitem__`; for built-in containers the class itself (annotations such as `list[int]`).
fn class_item(th: &mut Thread, class: Value, index: Value) -> R {
    let name = th.m.intern("__class_getitem__")?;
    if let Some(hook) = th.lookup.find(class, name).and_then(|c| c.value.get()) {
        let f = func::unwrap_wrapper(hook).unwrap_or(hook);
        return th.call(f, &[class, index]);
    }
    let name = class::name(class);
    if matches!(&*name, "list" | "dict" | "tuple" | "set" | "frozenset" | "type") {
        return Ok(class);
    }
    Err(th.type_error(format!("type '{name}' is not subscriptable")))
}

/// An index as a number; `None` for a slice.
fn position(th: &mut Thread, what: &str, index: Value) -> R<Option<i64>> {
    if let Some(i) = index.as_small() {
        return Ok(Some(i));
    }
    match types::kind_of(index) {
        Kind::Slice => Ok(None),
        Kind::Bool => Ok(Some((index == Value::TRUE) as i64)),
        Kind::Int => Err(th.raise(Exc::IndexError, "cannot fit 'int' into an index-sized integer")),
        _ if th.lookup_override(index, "__index__").is_some() => th.index(index).map(Some),
        _ => {
            let name = th.type_name(index);
            let or_slices = match what {
                "string" => format!("string indices must be integers, not '{name}'"),
                _ => format!("{what} indices must be integers or slices, not {name}"),
            };
            Err(th.type_error(or_slices))
        }
    }
}

/// An index counted from the end if it is negative; `None` if it is outside.
fn at(i: i64, len: usize) -> Option<usize> {
    let i = if i < 0 { i.checked_add(len as i64)? } else { i };
    usize::try_from(i).ok().filter(|i| *i < len)
}

#[cold]
fn out_of_range(th: &mut Thread, what: &str) -> Raised {
    let message = if what == "index" { "index out of range".to_owned() } else { format!("{what} index out of range") };
    th.raise(Exc::IndexError, message)
}

#[cold]
fn no_items(th: &mut Thread, container: Value) -> Raised {
    if let Some(f) = th.lookup_special(container, "__getitem__") {
        debug_assert!(f.is_ref());
    }
    let name = th.type_name(container);
    th.type_error(format!("'{name}' object is not subscriptable"))
}

/// `container[index] = value`.
#[cold]
#[inline(never)]
pub fn set(th: &mut Thread, container: Value, index: Value, value: Value) -> R<()> {
    if let Some(f) = th.lookup_override(container, "__setitem__") {
        return th.call(f, &[container, index, value]).map(drop);
    }
    match types::kind_of(container) {
        Kind::Dict => th.dict_set(container, index, value),
        Kind::List => match position(th, "list", index)? {
            Some(i) => {
                let Some(l) = list::of(container) else { return Ok(()) };
                let done = at(i, list::len(l)).is_some_and(|i| list::set(&mut th.m, l, i, value));
                if done { Ok(()) } else { Err(th.raise(Exc::IndexError, "list assignment index out of range")) }
            }
            None => hooks::set_slice(th, container, index, value),
        },
        _ => {
            if hooks::set_item(th, container, index, value)? {
                return Ok(());
            }
            let name = th.type_name(container);
            Err(th.type_error(format!("'{name}' object does not support item assignment")))
        }
    }
}

/// `del container[index]`.
#[cold]
#[inline(never)]
pub fn delete(th: &mut Thread, container: Value, index: Value) -> R<()> {
    if let Some(f) = th.lookup_override(container, "__delitem__") {
        return th.call(f, &[container, index]).map(drop);
    }
    match types::kind_of(container) {
        Kind::Dict => match th.dict_del(container, index)? {
            Some(_) => Ok(()),
            None => Err(th.raise_with(Exc::KeyError, &[index])),
        },
        Kind::List => match position(th, "list", index)? {
            Some(i) => {
                let Some(l) = list::of(container) else { return Ok(()) };
                let gone = at(i, list::len(l)).and_then(|i| list::remove_at(&mut th.m, l, i));
                gone.map(drop).ok_or_else(|| th.raise(Exc::IndexError, "list assignment index out of range"))
            }
            None => hooks::delete_slice(th, container, index),
        },
        _ => {
            if hooks::delete_item(th, container, index)? {
                return Ok(());
            }
            let name = th.type_name(container);
            Err(th.type_error(format!("'{name}' object doesn't support item deletion")))
        }
    }
}

/// `item in container`.
#[cold]
#[inline(never)]
pub fn contains(th: &mut Thread, container: Value, item: Value) -> R<bool> {
    if let Some(f) = th.lookup_override(container, "__contains__") {
        if f.is_none() {
            let name = th.type_name(container);
            return Err(th.type_error(format!("'{name}' object is not a container")));
        }
        let found = th.call(f, &[container, item])?;
        return th.is_true(found);
    }
    match types::kind_of(container) {
        Kind::Dict => Ok(th.dict_get(container, item)?.is_some()),
        Kind::Set | Kind::FrozenSet => th.set_contains(container, item),
        Kind::Str => {
            let Some(needle) = str::as_str(item) else {
                let name = th.type_name(item);
                return Err(th.type_error(format!("'in <string>' requires string as left operand, not {name}")));
            };
            Ok(str::as_str(container).is_some_and(|s| s.contains(needle)))
        }
        _ => match hooks::contains(th, container, item)? {
            Some(found) => Ok(found),
            None => search(th, container, item),
        },
    }
}

/// `in` by iteration.
fn search(th: &mut Thread, container: Value, item: Value) -> R<bool> {
    let mut it = match th.iter(container) {
        Ok(it) => it,
        Err(raised) => {
            let unknown = th.pending_is(Exc::TypeError)
                && th.lookup_special(container, "__iter__").is_none()
                && th.lookup_special(container, "__getitem__").is_none();
            if unknown {
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
