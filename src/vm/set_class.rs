//! `obj.__class__ = C`: the attributes stay where they are, the shape becomes one of the other class.
//! Must not know how attributes are looked up.

use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::Class;
use crate::object::{Kind, R, Value, shape, tuple, types};
use std::sync::atomic::Ordering;

/// Sets the class of an object: only between classes made by `class` statements, with the same layout.
pub fn set_class(th: &mut Thread, object: Value, class: Value) -> R<()> {
    let before = types::class_of(object);
    let (Some(old), Some(new)) = (class::cast(before), class::cast(class)) else {
        let got = th.type_name(class);
        return Err(th.type_error(format!("__class__ must be set to a class, not '{got}' object")));
    };
    let made_here = |c: &Class| c.traits.load(Ordering::Relaxed) & trait_bits::HEAP_TYPE != 0;
    if !made_here(old) || !made_here(new) {
        return Err(
            th.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses")
        );
    }
    if !same_layout(old, new) {
        let (old, new) = (class::name(before), class::name(class));
        let message = format!("__class__ assignment: '{new}' object layout differs from '{old}'");
        return Err(th.type_error(message));
    }
    shape::change_class(&mut th.m, object, class)
}

fn same_layout(old: &Class, new: &Class) -> bool {
    let slots_only = |c: &Class| c.traits.load(Ordering::Relaxed) & trait_bits::SLOTS_ONLY != 0;
    let names = |c: &Class| -> Vec<Value> {
        c.slot_names.get().map_or(Vec::new(), |t| tuple::items(t).iter().filter_map(|s| s.get()).collect())
    };
    old.instance_kind == new.instance_kind
        && old.instance_kind != Kind::Host as u64
        && slots_only(old) == slots_only(new)
        && names(old) == names(new)
}
