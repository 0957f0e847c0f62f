//! The steps of `match` that are more than a comparison: is it a sequence, a mapping, an instance, and what is in it?
//! Must not know patterns.

use super::item;
use crate::bytecode::op::step;
use crate::object::class;
use crate::object::{Kind, R, Value, dict, int, str, tuple, types};
use crate::vm::thread::Thread;

/// Classes of the standard library, written in Mini or Rust, that sequence patterns take; and subclasses of them.
const SEQUENCES: &[(&str, &str)] = &[
    ("collections", "deque"),
    ("array", "array"),
    ("collections.abc", "Sequence"),
    ("collections", "UserList"),
];
const MAPPINGS: &[(&str, &str)] =
    &[("collections.abc", "Mapping"), ("collections", "UserDict"), ("collections", "ChainMap")];

/// How many registers the step looks at, from `R[c]` on.
#[inline]
pub fn operands(what: u8) -> usize {
    if what == step::CLASS { 3 } else { 1 }
}

/// One step of `Op::Match`; what `with` means depends on the step.
pub fn run(th: &mut Thread, what: u8, subject: Value, with: &[Value]) -> R {
    let first = with.first().copied().unwrap_or(Value::NONE);
    match what {
        step::SEQUENCE_OF | step::SEQUENCE_FROM => {
            let length = int::as_i64(first).unwrap_or(0);
            if !is_sequence(th, subject) {
                return Ok(Value::FALSE);
            }
            let n = th.len(subject)? as i64;
            Ok(Value::bool(n == length || (n > length && what == step::SEQUENCE_FROM)))
        }
        step::MAPPING => {
            let length = int::as_i64(first).unwrap_or(0);
            let fits = is_mapping(th, subject) && (length == 0 || th.len(subject)? as i64 >= length);
            Ok(Value::bool(fits))
        }
        step::FROM_END => {
            let at = th.len(subject)? as i64 - int::as_i64(first).unwrap_or(0);
            item::get(th, subject, Value::int_unchecked(at))
        }
        step::VALUES => values(th, subject, first),
        step::REST => rest(th, subject, first),
        _ => match with {
            [class, count, names, ..] => {
                let count = int::as_i64(*count).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
                attributes(th, subject, *class, count, *names)
            }
            _ => Ok(Value::NONE),
        },
    }
}

fn is_sequence(th: &mut Thread, v: Value) -> bool {
    matches!(types::kind_of(v), Kind::List | Kind::Tuple | Kind::Range | Kind::MemoryView)
        || derives(th, v, SEQUENCES)
}

fn is_mapping(th: &mut Thread, v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Dict | Kind::MappingProxy) || derives(th, v, MAPPINGS)
}

/// Whether the object is of one of these classes.
fn derives(th: &mut Thread, v: Value, classes: &[(&str, &str)]) -> bool {
    if !matches!(types::kind_of(v), Kind::Instance | Kind::Host) {
        return false;
    }
    let Ok(key) = th.name("__module__") else { return false };
    class::mro(types::class_of(v)).iter().filter_map(|c| c.get()).any(|c| {
        let name = class::name(c);
        let mut known = classes.iter().filter(|(_, n)| *n == name).peekable();
        known.peek().is_some() && {
            let module = class::find_own(c, key).and_then(|cell| cell.value.get());
            let module = module.and_then(str::as_str).unwrap_or("").trim_start_matches('_');
            known.any(|(m, _)| *m == module || (*m == "collections.abc" && module == "collections_abc"))
        }
    })
}

/// What a mapping has under these keys, as a tuple; None if one is missing.
fn values(th: &mut Thread, subject: Value, keys: Value) -> R {
    let scope = th.scope();
    let found = values_of(th, subject, keys);
    th.close(scope);
    found
}

fn values_of(th: &mut Thread, subject: Value, keys: Value) -> R {
    let keys: Vec<Value> = tuple::items(keys).iter().filter_map(|k| k.get()).collect();
    let mut found = Vec::with_capacity(keys.len());
    let plain = types::kind_of(subject) == Kind::Dict && th.lookup_override(subject, "get").is_none();
    let absent = th.m.new_list(&[])?;
    th.root(absent);
    for (i, key) in keys.iter().enumerate() {
        for other in keys.iter().take(i) {
            if th.eq(*other, *key)? {
                let key = th.repr(*key)?;
                let key = str::as_str(key).unwrap_or("?");
                return Err(th.value_error(format!("mapping pattern checks duplicate key ({key})")));
            }
        }
        let value = match plain {
            true => th.dict_get(subject, *key)?,
            false => Some(th.call_method(subject, "get", &[*key, absent])?).filter(|v| *v != absent),
        };
        let Some(value) = value else { return Ok(Value::NONE) };
        found.push(th.root(value));
    }
    th.m.new_tuple(&found)
}

/// A dict of what a mapping has under other keys than these.
fn rest(th: &mut Thread, subject: Value, keys: Value) -> R {
    let scope = th.scope();
    let copy = match types::kind_of(subject) {
        Kind::Dict => {
            let copy = th.m.new_dict()?;
            th.root(copy);
            for (key, value) in dict::entries(subject) {
                th.dict_set(copy, key, value)?;
            }
            copy
        }
        _ => {
            let copy = th.call(types::class_of_kind(Kind::Dict), &[subject])?;
            th.root(copy)
        }
    };
    for key in tuple::items(keys).iter().filter_map(|k| k.get()) {
        item::delete_builtin(th, copy, key)?;
    }
    th.close(scope);
    Ok(copy)
}

/// Built-in types whose single positional sub-pattern is for the object itself.
fn matches_itself(class: Value) -> bool {
    use Kind::*;
    let kinds = [Bool, ByteArray, Bytes, Dict, Float, FrozenSet, Int, List, Set, Str, Tuple];
    kinds.iter().any(|kind| class::is_subclass(class, types::class_of_kind(*kind)))
}

/// What class patterns look at, as a tuple; None if it is no such object.
fn attributes(th: &mut Thread, subject: Value, class: Value, count: usize, names: Value) -> R {
    if class::cast(class).is_none() {
        return Err(th.type_error("called match pattern must be a type"));
    }
    if !th.is_instance(subject, class)? {
        return Ok(Value::NONE);
    }
    let scope = th.scope();
    let found = attributes_of(th, subject, class, count, names);
    th.close(scope);
    found
}

fn attributes_of(th: &mut Thread, subject: Value, class: Value, count: usize, names: Value) -> R {
    let mut wanted: Vec<Value> = Vec::new();
    let mut found = Vec::new();
    if count > 0 {
        let key = th.name("__match_args__")?;
        let given = th.get_attr_opt(class, key)?;
        let itself = given.is_none() && matches_itself(class);
        let args = match given {
            Some(v) if types::kind_of(v) == Kind::Tuple => {
                tuple::items(v).iter().filter_map(|s| s.get()).collect()
            }
            Some(v) => {
                let (class, got) = (class::name(class), th.type_name(v));
                return Err(th.type_error(format!("{class}.__match_args__ must be a tuple (got {got})")));
            }
            None => Vec::new(),
        };
        let allowed = if itself { 1 } else { args.len() };
        if count > allowed {
            let (class, s) = (class::name(class), if allowed == 1 { "" } else { "s" });
            let message = format!("{class}() accepts {allowed} positional sub-pattern{s} ({count} given)");
            return Err(th.type_error(message));
        }
        if itself {
            found.push(subject);
        } else {
            wanted.extend(args.into_iter().take(count));
        }
    }
    wanted.extend(tuple::items(names).iter().filter_map(|s| s.get()));
    for (i, name) in wanted.iter().enumerate() {
        let Some(text) = str::as_str(*name) else {
            let got = th.type_name(*name);
            return Err(th.type_error(format!("__match_args__ elements must be strings (got {got})")));
        };
        if wanted.iter().take(i).any(|other| str::as_str(*other) == Some(text)) {
            let class = class::name(class);
            let message = format!("{class}() got multiple sub-patterns for attribute '{text}'");
            return Err(th.type_error(message));
        }
        let name = th.m.intern(text)?;
        let Some(value) = th.get_attr_opt(subject, name)? else { return Ok(Value::NONE) };
        found.push(th.root(value));
    }
    th.m.new_tuple(&found)
}
