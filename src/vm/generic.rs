//! Built-in types with parameters (`list[int]`) and unions of types (`int | None`): their classes are written in Mini, in
//! the module `types`, which is loaded when the first of them is made. Must not know what they remember.

use super::import;
use super::thread::Thread;
use crate::object::{Kind, R, Value, Word, class, types};

fn call(th: &mut Thread, function: &'static str, args: &[Value]) -> R {
    let module = import::import_dotted(th, "types")?;
    th.call_method(module, function, args)
}

/// `list[int]`; EMPTY if the class takes no parameters.
pub fn alias(th: &mut Thread, class: Value, index: Value) -> R<Word> {
    let kinds = [Kind::List, Kind::Dict, Kind::Tuple, Kind::Set, Kind::FrozenSet, Kind::Class];
    if !kinds.iter().any(|kind| types::class_of_kind(*kind) == class) {
        return Ok(None);
    }
    call(th, "GenericAlias", &[class, index]).map(Some)
}

/// `class[index]` of a class that has parameters only to say what is in its instances.
pub fn parameterized(th: &mut Thread, class: Value, index: Value) -> R {
    call(th, "GenericAlias", &[class, index])
}

/// `x | y` where one is a class; EMPTY if the other is no type.
pub fn union(th: &mut Thread, x: Value, y: Value) -> R<Word> {
    let both = [x, y].iter().all(|v| v.is_none() || class::cast(*v).is_some());
    if !both {
        return Ok(None);
    }
    call(th, "_union", &[x, y]).map(Some)
}

/// The types of a union as a tuple; EMPTY for anything else.
pub fn members(th: &mut Thread, v: Value) -> R<Word> {
    if types::kind_of(v) != Kind::Instance || class::name(types::class_of(v)) != "UnionType" {
        return Ok(None);
    }
    let name = th.m.intern("__args__")?;
    th.get_attr_opt(v, name)
}
