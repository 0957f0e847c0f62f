//! Module `_weakref`: a reference that does not keep its object alive; the rest is `stdlib/weakref.mini`.
//! Must not know when objects die (`vm::weak`).

use super::support::{self, type_name};
use crate::object::class::{self, trait_bits};
use crate::object::header::flag;
use crate::object::layout::Host;
use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Value, func, types};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::weak::{self, WeakWord};
use std::sync::atomic::Ordering::Relaxed;

/// Kinds whose objects CPython refuses as well: plain values and their built-in containers.
fn is_referable(v: Value) -> bool {
    use Kind::*;
    match types::kind_of(v) {
        None_ | Bool | Ellipsis | NotImplemented | Range | Slice | DictView | MappingProxy | Traceback
        | Super => false,
        Int | Bytes | Tuple => false,
        // Of these only objects of classes that scripts derive.
        Float | Str | ByteArray | List | Dict | Property | StaticMethod | ClassMethod | Iter => {
            v.is_ref() && types::hdr(v).flags.load(Relaxed) & flag::SUBCLASS != 0
        }
        // A plain `object()` has no room for anything.
        _ => v.is_ref() && types::class_of(v) != types::class_of_kind(Instance),
    }
}

/// Whether instances of its class have room for nothing but their slots.
fn is_closed(m: &mut Mutator, v: Value) -> R<bool> {
    let class = types::class_of(v);
    let name = m.intern("__weakref__")?;
    let limited = types::kind_of(v) == Kind::Instance && class::traits(class) & trait_bits::SLOTS_ONLY != 0;
    Ok(limited && !class::has_slot(class, name))
}

/// `_Weak(object, callback=None)`.
fn construct(m: &mut Mutator, args: Args) -> R {
    let target = args.get(1);
    if !is_referable(target) || is_closed(m, target)? {
        let class = type_name(target);
        return Err(m.type_error(format!("cannot create weak reference to '{class}' object")));
    }
    let made = func::new_host(m, args.get(0), Box::new(weak::word(target)))?;
    if let (Some(callback), Some(host)) = (args.opt_not_none(2), types::cast::<Host>(made)) {
        host.extra[0].set(callback);
    }
    weak::watch(made, support::of_host::<WeakWord>(m, made, "_Weak")?);
    Ok(made)
}

fn get(m: &mut Mutator, args: Args) -> R {
    Ok(support::this::<WeakWord>(m, args, "_Weak")?.get().unwrap_or(Value::NONE))
}

fn clear(m: &mut Mutator, args: Args) -> R {
    support::this::<WeakWord>(m, args, "_Weak")?.clear();
    Ok(Value::NONE)
}

fn deaths(m: &mut Mutator, _: Args) -> R {
    m.new_int(i64::try_from(weak::deaths()).unwrap_or(i64::MAX))
}

fn count(m: &mut Mutator, args: Args) -> R {
    m.new_int(i64::try_from(weak::count(args.get(0))).unwrap_or(i64::MAX))
}

static WEAK: TypeDef = TypeDef {
    name: "_Weak",
    kind: Kind::Host,
    doc: "Names an object without keeping it alive.",
    construct: Some(NativeDef::data("__new__", "cls, object, callback=, /", construct, "")),
    methods: &[
        NativeDef::data("get", "self, /", get, "The object, or None if it is dead."),
        NativeDef::data("clear", "self, /", clear, "Forget the object, and its callback."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_weakref",
    doc: "The native half of weakref.",
    functions: &[
        NativeDef::data("deaths", "", deaths, "A number that changes when objects named here die."),
        NativeDef::data("getweakrefcount", "object, /", count, "How many weak references name the object."),
    ],
    types: &[&WEAK],
    init: None,
};
