//! `__slots__`: a class that says which attributes its instances have. The attributes lie where others lie; only their
//! names are checked. Must not know how attributes are stored or cached.

use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::Class;
use crate::object::{R, Slot, Value, intern, str, tuple, types};
use std::sync::atomic::Ordering;

/// Takes `__slots__` of a new class and of its base into account.
pub fn declare(th: &mut Thread, value: Value, c: &Class, base: Option<&Class>) -> R<()> {
    let mut names: Vec<Value> = Vec::new();
    if let Some(inherited) = base.and_then(|b| b.slot_names.get()) {
        names.extend(tuple::items(inherited).iter().filter_map(Slot::get));
    }
    let key = th.name("__slots__")?;
    let own = class::find_own(value, key).and_then(|cell| cell.value.get());
    if let Some(own) = own {
        let plain = base.is_none_or(|b| std::ptr::eq(b, object_class(b)) || is_limited(b));
        let before = names.len();
        add(th, value, own, &mut names)?;
        let dict = names.iter().skip(before).any(|n| str::as_str(*n) == Some("__dict__"));
        if plain && !dict {
            c.traits.fetch_or(trait_bits::SLOTS_ONLY, Ordering::Relaxed);
        }
    }
    if own.is_some() || !names.is_empty() {
        let names = th.m.new_tuple(&names)?;
        c.slot_names.set(names);
    }
    Ok(())
}

/// The class `object`, if there is one.
fn object_class(otherwise: &Class) -> &Class {
    class::cast(types::class_of_kind(crate::object::Kind::Instance)).unwrap_or(otherwise)
}

fn is_limited(c: &Class) -> bool {
    c.traits.load(Ordering::Relaxed) & trait_bits::SLOTS_ONLY != 0
}

fn add(th: &mut Thread, class: Value, slots: Value, names: &mut Vec<Value>) -> R<()> {
    let given = if str::as_str(slots).is_some() { th.m.new_list(&[slots])? } else { th.collect(slots)? };
    for name in super::ops::iterate::values_of(given) {
        let Some(text) = str::as_str(name) else {
            let got = th.type_name(name);
            return Err(th.type_error(format!("__slots__ items must be strings, not '{got}'")));
        };
        let name = match text.starts_with("__") && !text.ends_with("__") {
            true => {
                let owner = class::name(class);
                th.m.intern(&format!("_{}{text}", owner.trim_start_matches('_')))?
            }
            false => intern::intern_value(&mut th.m, name)?,
        };
        if class::find_own(class, name).is_some() {
            return Err(th.value_error(format!("'{text}' in __slots__ conflicts with class variable")));
        }
        names.push(name);
    }
    Ok(())
}
