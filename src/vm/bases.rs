//! The bases of a new class: what stands for them (`__mro_entries__`), and whether they go together.
//! Must not know how the class is made.

use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::{Kind, R, Value, mro, tuple, types};
use std::sync::atomic::Ordering;

/// The bases of a new class.
pub struct Bases {
    /// Classes, at least one.
    pub all: Vec<Value>,
    /// The one that decides how instances are laid out.
    pub best: Value,
    /// The bases as they were written, if that was different: `__orig_bases__`.
    pub written: Option<Value>,
}

/// Bases as a `class` statement gives them: `class C(list[int])` derives from `list`.
pub fn of_statement(th: &mut Thread, name: Value, given: &[Value]) -> R<Bases> {
    let (mut all, mut written) = (Vec::with_capacity(given.len()), None);
    for base in given {
        let hook = match class::cast(*base) {
            Some(_) => None,
            None => th.lookup_override(*base, "__mro_entries__"),
        };
        let Some(hook) = hook else {
            all.push(*base);
            continue;
        };
        let bases = th.m.new_tuple(given)?;
        written = Some(bases);
        let instead = th.call(hook, &[*base, bases])?;
        if types::kind_of(instead) != Kind::Tuple {
            return Err(th.type_error("__mro_entries__ must return a tuple"));
        }
        all.extend(tuple::items(instead).iter().filter_map(|s| s.get()));
    }
    refuse_values(th, name, given, &all)?;
    check(th, all, written)
}

/// `class C(5)` asks the class of 5 to make C, as if it were a metaclass; what that says is the error.
fn refuse_values(th: &mut Thread, name: Value, given: &[Value], all: &[Value]) -> R<()> {
    let Some(value) = all.iter().find(|base| class::cast(**base).is_none()) else { return Ok(()) };
    match types::kind_of(*value) {
        Kind::Module => return Err(th.type_error("module() takes at most 2 arguments (3 given)")),
        Kind::Function => return Err(th.type_error("function() argument 'code' must be code, not str")),
        _ => {}
    }
    let (bases, namespace) = (th.m.new_tuple(given)?, th.new_dict()?);
    let maker = types::class_of(*value);
    th.call(maker, &[name, bases, namespace]).map(drop)
}

/// Bases as `type(name, bases, namespace)` gets them.
pub fn of_tuple(th: &mut Thread, bases: Value) -> R<Bases> {
    let all: Vec<Value> = tuple::items(bases).iter().filter_map(|s| s.get()).collect();
    for base in all.iter().filter(|b| class::cast(**b).is_none()) {
        if th.lookup_override(*base, "__mro_entries__").is_some() {
            let words = "type() doesn't support MRO entry resolution; use types.new_class()".to_owned();
            return Err(th.type_error(words));
        }
    }
    check(th, all, None)
}

fn check(th: &mut Thread, mut all: Vec<Value>, written: Option<Value>) -> R<Bases> {
    if all.is_empty() {
        all.push(types::class_of_kind(Kind::Instance));
    }
    for base in &all {
        let Some(c) = class::cast(*base) else {
            return Err(th.type_error(
                "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the \
                 metaclasses of all its bases",
            ));
        };
        if *base == types::class_of_kind(Kind::Class) {
            return Err(th.type_error("metaclasses other than 'type' are not supported by Mini"));
        }
        if c.traits.load(Ordering::Relaxed) & trait_bits::FINAL != 0 {
            let name = class::name(*base);
            return Err(th.type_error(format!("type '{name}' is not an acceptable base type")));
        }
    }
    match mro::best(&all) {
        Some(best) => Ok(Bases { all, best, written }),
        None => Err(th.type_error("multiple bases have instance lay-out conflict")),
    }
}
