//! Making functions, containers and strings. Must not know how they are laid out.

use crate::object::func::{self, FunctionParts};
use crate::object::layout::{Code, Dict};
use crate::object::{Kind, R, Value, Word, dict, list, str, str_join, tuple, types};
use crate::vm::frame;
use crate::vm::thread::Thread;

/// `MakeFunc`: defaults, keyword-only defaults, then the cells, in registers.
pub(crate) fn function(th: &mut Thread, code: Value, parts: *mut u64) -> R {
    let at = |i: usize| {
        // SAFETY: the compiler reserves two registers and one for each free variable.
        Value::from_bits(unsafe { *parts.add(i) })
    };
    let Some(linked) = types::cast::<Code>(code) else { return Err(th.type_error("code object expected")) };
    let cells = match frame::plain(linked).freevars.len() {
        0 => None,
        n => Some(tuple::value(tuple::from_fn(&mut th.m, n, |i| at(2 + i))?)),
    };
    let parts = FunctionParts {
        code,
        cells,
        defaults: at(0),
        kwdefaults: at(1),
        name: linked.name.value(),
        // These are the code's as long as nobody gives it others.
        qualname: None,
        doc: None,
        module_name: None,
    };
    // Its module is the code's, until a script gives it another.
    func::new_function(&mut th.m, parts)
}

/// `[...]`
pub fn list(th: &mut Thread, items: &[Value]) -> R {
    th.m.new_list(items)
}

/// `(...)`
pub fn tuple(th: &mut Thread, items: &[Value]) -> R {
    th.m.new_tuple(items)
}

/// `{...}`
pub fn set(th: &mut Thread, items: &[Value]) -> R {
    let set = th.m.new_set()?;
    let scope = th.scope();
    th.root(set);
    let result = items.iter().try_for_each(|v| th.set_add(set, *v).map(drop));
    th.close(scope);
    result.map(|()| set)
}

/// `{k: v, ...}`
pub fn dict(th: &mut Thread, pairs: &[Value]) -> R {
    let dict = th.m.new_dict_with_capacity(pairs.len() / 2)?;
    let scope = th.scope();
    th.root(dict);
    let result = pairs.chunks_exact(2).try_for_each(|pair| th.dict_set(dict, pair[0], pair[1]));
    th.close(scope);
    result.map(|()| dict)
}

/// The append of a comprehension, when the list must grow.
pub fn list_append(th: &mut Thread, l: Value, v: Value) -> R<()> {
    match list::of(l) {
        Some(l) => list::push(&mut th.m, l, v),
        None => Ok(()),
    }
}

/// `list.extend`; `starred`: `*v` in a display or a call.
pub fn list_extend(th: &mut Thread, l: Value, v: Value, starred: bool) -> R<()> {
    if matches!(types::kind_of(v), Kind::List | Kind::Tuple)
        && !crate::object::layout::is_subclass_instance(types::hdr(v))
    {
        let items = list::of(v).map_or_else(|| tuple::items(v), list::items);
        return match list::of(l) {
            Some(l) => list::extend_slots(&mut th.m, l, items),
            None => Ok(()),
        };
    }
    let mut it = match th.iter(v) {
        Ok(it) => it,
        Err(raised) => {
            if starred
                && th.pending_is(crate::object::Exc::TypeError)
                && th.lookup_special(v, "__iter__").is_none()
            {
                th.m.pending = None;
                let name = th.type_name(v);
                return Err(th.type_error(format!("Value after * must be an iterable, not {name}")));
            }
            return Err(raised);
        }
    };
    th.ask_length(v)?;
    th.extend_list(l, &mut it)
}

/// A tuple of a list's items.
pub fn list_to_tuple(th: &mut Thread, l: Value) -> R {
    if types::kind_of(l) == Kind::Tuple {
        return Ok(l);
    }
    let items = list::of(l).map_or(&[][..], list::items);
    tuple::from_slots(&mut th.m, items).map(tuple::value)
}

/// The add of a set comprehension.
pub fn set_add(th: &mut Thread, set: Value, v: Value) -> R<()> {
    th.set_add(set, v).map(drop)
}

/// `{*v}`
pub fn set_update(th: &mut Thread, set: Value, v: Value) -> R<()> {
    let mut it = th.iter(v)?;
    while let Some(item) = it.next(th)? {
        th.set_add(set, item)?;
    }
    Ok(())
}

/// The item of a dict comprehension.
pub fn map_put(th: &mut Thread, dict: Value, key: Value, value: Value) -> R<()> {
    th.dict_set(dict, key, value)
}

/// `{**v}`; `callee`: `**v` in a call, where a repeated name is an error.
pub fn map_update(th: &mut Thread, target: Value, v: Value, callee: Word) -> R<()> {
    // As CPython: a dict is copied whatever its class does with its items, unless it iterates in a way of its own.
    if let Some(from) = dict::of(v).filter(|_| th.lookup_override(v, "__iter__").is_none()) {
        return copy_dict(th, target, from, callee);
    }
    let keys = mapping_keys(th, v, callee)?;
    let scope = th.scope();
    th.root(keys);
    let result = copy_items(th, target, v, keys, callee);
    th.close(scope);
    result
}

fn mapping_keys(th: &mut Thread, v: Value, callee: Word) -> R {
    let name = th.name("keys")?;
    match th.get_attr_opt(v, name)? {
        Some(keys) => {
            let keys = th.call(keys, &[])?;
            th.collect(keys)
        }
        None => {
            let class = th.type_name(v);
            Err(match callee {
                Some(f) => {
                    let f = callee_name(th, f);
                    th.type_error(format!("{f} argument after ** must be a mapping, not {class}"))
                }
                None => th.type_error(format!("'{class}' object is not a mapping")),
            })
        }
    }
}

/// A callable as errors about its stars name it.
pub fn callee_name(th: &mut Thread, f: Value) -> String {
    let f = match types::cast::<crate::object::layout::BoundMethod>(f) {
        Some(b) => b.func.value(),
        None => f,
    };
    let module = th.name("__module__").and_then(|n| th.get_attr_opt(f, n)).ok().flatten();
    let name = th.name("__qualname__").and_then(|n| th.get_attr_opt(f, n)).ok().flatten();
    let text = |v: Word| v.and_then(str::as_str).map(ToOwned::to_owned);
    match (text(module), text(name)) {
        (Some(m), Some(n)) if m != "builtins" => format!("{m}.{n}()"),
        (_, Some(n)) => format!("{n}()"),
        _ => match th.str(f) {
            Ok(shown) => str::as_str(shown).unwrap_or("?").to_owned(),
            Err(_) => format!("{} object", th.type_name(f)),
        },
    }
}

/// As `copy_items`, from a dict of the class `dict` itself.
fn copy_dict(th: &mut Thread, target: Value, from: &'static Dict, callee: Word) -> R<()> {
    if callee.is_none()
        && let Some(target) = dict::of(target)
        && dict::fill_empty(&mut th.m, target, from)?
    {
        return Ok(());
    }
    let mut at = 0;
    while let Some((next, key, value)) = dict::next_entry(from, at) {
        if callee.is_some() {
            refuse_keyword(th, target, key, callee)?;
        }
        th.dict_set(target, key, value)?;
        at = next;
    }
    Ok(())
}

/// Errors of `**v` in a call: a key that is no string, or that was given before.
fn refuse_keyword(th: &mut Thread, target: Value, key: Value, callee: Word) -> R<()> {
    let Some(text) = str::as_str(key) else { return Err(th.type_error("keywords must be strings")) };
    match callee {
        Some(f) if th.dict_get(target, key)?.is_some() => {
            let f = callee_name(th, f);
            Err(th.type_error(format!("{f} got multiple values for keyword argument '{text}'")))
        }
        _ => Ok(()),
    }
}

fn copy_items(th: &mut Thread, target: Value, v: Value, keys: Value, callee: Word) -> R<()> {
    for key in super::iterate::values_of(keys) {
        if callee.is_some() {
            refuse_keyword(th, target, key, callee)?;
        }
        let value = th.get_item(v, key)?;
        th.dict_set(target, key, value)?;
    }
    Ok(())
}

/// A field of an f-string: converted (1 str, 2 repr, 3 ascii), then formatted.
pub fn format(th: &mut Thread, v: Value, conversion: u8, spec: Word) -> R {
    let v = match conversion {
        1 => th.str(v)?,
        2 => th.repr(v)?,
        3 => th.ascii(v)?,
        _ => v,
    };
    let spec = spec.and_then(str::as_str).unwrap_or("");
    if spec.is_empty() && str::view(v).is_some_and(str::is_exact) {
        return Ok(v);
    }
    th.format(v, spec)
}

/// The pieces of an f-string, joined.
pub fn string(th: &mut Thread, parts: &[Value]) -> R {
    if let Some(joined) = str_join::concatenated(&mut th.m, parts) {
        return joined;
    }
    let parts: smallvec::SmallVec<[&str; 16]> = parts.iter().filter_map(|p| str::as_str(*p)).collect();
    th.m.new_str_parts(&parts)
}
