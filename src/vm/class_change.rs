//! Changing a class: names in its namespace, its trait bits, and the caches that relied on what was there before.
//! Must not know how attributes are looked up.

use super::attr;
use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::{Cell, Class};
use crate::object::{Kind, R, Value, Word, dict, str, types};
use std::sync::atomic::{Ordering, fence};

/// `class.name = value`, or `del`: a class that has a say in it (an enumeration) is asked first.
pub fn assign(th: &mut Thread, class: Value, name: Value, value: Word) -> R<()> {
    if class::traits(class) & trait_bits::CLASS_PROTOCOL != 0 {
        let hook = th.name("__class_guard__")?;
        if let Some(guard) = th.lookup.find(class, hook).and_then(|c| c.value.get()) {
            th.call(guard, &[class, name, Value::bool(value.is_none())])?;
        }
    }
    set_in_class(th, class, name, value)
}

/// Binds (or, with EMPTY, unbinds) a name in a class's namespace, and tells the caches.
pub fn set_in_class(th: &mut Thread, class: Value, name: Value, value: Word) -> R<()> {
    let Some(c) = class::cast(class) else { return Ok(()) };
    if c.traits.load(Ordering::Relaxed) & trait_bits::HEAP_TYPE == 0 {
        let message = format!(
            "cannot set '{}' attribute of immutable type '{}'",
            str::as_str(name).unwrap_or("?"),
            class::name(class)
        );
        return Err(th.type_error(message));
    }
    if let Some(v) = value
        && super::set_fields::set(th, class, str::as_str(name).unwrap_or("?"), v)?
    {
        return Ok(());
    }
    let cell = dict::cell_for(&mut th.m, c.dict.value(), name)?;
    let Some(cell) = types::cast::<Cell>(cell) else { return Ok(()) };
    let before = cell.value.get();
    let fresh = binding_of(before) != binding_of(value) || binding_of(value) == Binding::Special;
    cell.value.set_word(value);
    let text = str::as_str(name).unwrap_or("?");
    let bit = trait_bits::of_name(text) | value.map_or(0, |v| adopts(text, v));
    if bit != 0 {
        add_trait(class, bit);
    }
    if fresh || bit != 0 || value.is_some_and(|v| types::kind_of(v) == Kind::Instance && is_wrapper(th, v)) {
        changed(th, c);
    }
    Ok(())
}

/// An object that is a descriptor: what caches say of a plain value with the same name is void.
fn is_wrapper(th: &mut Thread, v: Value) -> bool {
    attr::is_descriptor(th, v) || attr::is_data_descriptor(th, v)
}

/// What reading a class attribute through an instance does: caches rely on it.
#[derive(PartialEq, Eq)]
enum Binding {
    Absent,
    Plain,
    Function,
    Special,
}

fn binding_of(v: Word) -> Binding {
    match v.map(types::kind_of) {
        None => Binding::Absent,
        Some(Kind::Function) => Binding::Function,
        Some(Kind::Native | Kind::Property | Kind::StaticMethod | Kind::ClassMethod) => Binding::Special,
        Some(_) => Binding::Plain,
    }
}

/// The trait bit of a class of a script that has this value under a name.
pub fn adopts(name: &str, value: Value) -> u64 {
    let special = name.starts_with("__") && name.ends_with("__") && name != "__new__";
    if special && types::kind_of(value) == Kind::Native { trait_bits::ADOPTS } else { 0 }
}

/// A class and its subclasses get a trait bit.
pub fn add_trait(class: Value, bit: u64) {
    let Some(c) = class::cast(class) else { return };
    let bit = bit & trait_bits::INHERITED;
    // Its subclasses have what it has.
    if c.traits.fetch_or(bit, Ordering::Relaxed) & bit != bit {
        class::subclasses(class).into_iter().for_each(|sub| add_trait(sub, bit));
    }
}

/// From now on the Host objects of a class that no script has made have attributes of their own.
pub fn give_attributes(class: Value) {
    if let Some(c) = class::cast(class) {
        c.traits.fetch_or(trait_bits::ATTRIBUTES, Ordering::Relaxed);
    }
}

/// A name came or went in a class: cached lookups along it are void.
fn changed(th: &mut Thread, c: &Class) {
    class::bump_epoch();
    fence(Ordering::SeqCst);
    if c.traits.load(Ordering::SeqCst) & trait_bits::CACHED != 0 {
        th.stop_the_world(|_| super::link::flush_caches());
    }
}

/// A class's annotations are its own: a base's are none of its attributes.
#[cold]
pub fn own_annotations(th: &mut Thread, class: Value, name: Value) -> R<Word> {
    if class::traits(class) & trait_bits::HEAP_TYPE == 0 {
        return Ok(None);
    }
    let fresh = th.m.new_dict()?;
    set_in_class(th, class, name, Some(fresh))?;
    Ok(Some(fresh))
}
