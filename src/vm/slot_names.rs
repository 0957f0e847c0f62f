//! `__slots__`: a class that says which attributes its instances have. The attributes lie where others lie; only their
//! names are checked. Must not know how attributes are stored or cached.

use super::bases::Bases;
use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::{Cell, Class};
use crate::object::{Kind, R, Slot, Value, Word, intern, str, tuple, types};
use std::sync::atomic::Ordering;

/// Takes `__slots__` of a new class and of its bases into account.
pub fn declare(th: &mut Thread, value: Value, c: &Class, bases: &Bases) -> R<()> {
    let object = types::class_of_kind(Kind::Instance);
    let mut names: Vec<Value> = Vec::new();
    for inherited in bases.all.iter().filter_map(|b| class::cast(*b)?.slot_names.get()) {
        let fresh: Vec<Value> = tuple::items(inherited).iter().filter_map(Slot::get).collect();
        for name in fresh {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let key = th.name("__slots__")?;
    let own = class::find_own(value, key).and_then(|cell| cell.value.get());
    if let Some(own) = own {
        // A base without `__slots__` gives every instance a dict; built-in types do not.
        let plain = bases.all.iter().all(|b| *b == object || is_limited(*b) || !is_heap_type(*b));
        let before = names.len();
        add(th, value, own, &mut names)?;
        let added = names.get(before..).unwrap_or(&[]);
        let dict = added.iter().filter(|n| str::as_str(**n) == Some("__dict__")).count();
        if dict > usize::from(plain) {
            return Err(th.type_error("__dict__ slot disallowed: we already got one"));
        }
        let sized = matches!(c.instance_kind, k if k == Kind::Int as u64 || k == Kind::Tuple as u64 || k == Kind::Bytes as u64);
        if sized && added.len() > dict {
            let base = class::name(bases.best);
            return Err(th.type_error(format!("nonempty __slots__ not supported for subtype of '{base}'")));
        }
        if plain && dict == 0 {
            c.traits.fetch_or(trait_bits::SLOTS_ONLY, Ordering::Relaxed);
        }
    }
    if own.is_some() || !names.is_empty() {
        let names = th.m.new_tuple(&names)?;
        c.slot_names.set(names);
    }
    Ok(())
}

/// The class that has `name` in its own `__slots__`: `class` or one of its bases.
pub fn owner(class: Value, name: Value) -> Word {
    if !class::has_slot(class, name) || str::as_str(name).is_some_and(|text| text.starts_with("__")) {
        return None;
    }
    class::mro(class).iter().filter_map(Slot::get).filter(|c| class::has_slot(*c, name)).last()
}

/// What the class attribute `name` is to objects of `class`; none where a slot of a class before hides it.
pub fn visible(th: &mut Thread, class: Value, name: Value) -> Option<&'static Cell> {
    th.lookup.find(class, name).filter(|_| !is_hidden(class, name))
}

fn is_hidden(class: Value, name: Value) -> bool {
    let Some(owner) = owner(class, name) else { return false };
    let mut until = class::mro(class).iter().filter_map(Slot::get).take_while(|c| *c != owner);
    class::find_own(owner, name).is_none() && until.all(|c| class::find_own(c, name).is_none())
}

fn is_limited(class: Value) -> bool {
    class::traits(class) & trait_bits::SLOTS_ONLY != 0
}

/// From now on the instances of a class have no attributes of their own: as if its `__slots__` were empty. Before there
/// are any instances.
pub fn close(class: Value) {
    if let Some(c) = class::cast(class) {
        c.traits.fetch_or(trait_bits::SLOTS_ONLY, Ordering::Relaxed);
    }
}

fn is_heap_type(class: Value) -> bool {
    class::traits(class) & trait_bits::HEAP_TYPE != 0
}

fn add(th: &mut Thread, class: Value, slots: Value, names: &mut Vec<Value>) -> R<()> {
    let given = if str::as_str(slots).is_some() { th.m.new_list(&[slots])? } else { th.collect(slots)? };
    let before = names.len();
    for name in super::ops::iterate::values_of(given) {
        let Some(text) = str::as_str(name) else {
            let got = th.type_name(name);
            return Err(th.type_error(format!("__slots__ items must be strings, not '{got}'")));
        };
        if !is_identifier(text) {
            return Err(th.type_error("__slots__ must be identifiers"));
        }
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
        if str::as_str(name) == Some("__dict__") || !names.iter().skip(before).any(|n| *n == name) {
            names.push(name);
        }
    }
    Ok(())
}

fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && letters.all(|c| c == '_' || c.is_alphanumeric())
}
