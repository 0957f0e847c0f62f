//! Abstract base classes: which methods are still abstract, who may be made into objects, and who counts as a subclass
//! without deriving (`register`, `__subclasshook__`). Such a class has `_abc_impl` in its namespace: the list of the
//! classes registered with it. Must not know the module `abc`.

use super::native::{Args, NativeDef};
use super::thread::Thread;
use super::{attr, boot};
use crate::object::class::{self, trait_bits};
use crate::object::{Kind, R, Raised, Slot, Value, Word, dict, func, list, set, str, tuple, types};
use std::sync::atomic::Ordering;

/// The mark in the namespace.
pub const MARK: &str = "_abc_impl";

static REGISTER: NativeDef =
    NativeDef::full("register", "cls, subclass, /", register, "Register a virtual subclass of an ABC.");

fn is_abc(class: Value) -> bool {
    class::traits(class) & trait_bits::ABC != 0
}

/// Notes the abstract methods of a new class.
pub fn prepare(th: &mut Thread, class: Value) -> R<()> {
    let Some(c) = class::cast(class).filter(|_| is_abc(class)) else { return Ok(()) };
    let registry = th.m.new_list(&[])?;
    let key = th.name(MARK)?;
    attr::set_in_namespace(&mut th.m, c.dict.get(), key, registry)?;
    let mut names: Vec<Value> = Vec::new();
    for (name, value) in dict::entries(c.dict.value()) {
        if is_abstract(th, value)? {
            names.push(name);
        }
    }
    let key = th.name("__abstractmethods__")?;
    for base in tuple::items(c.bases.value()).iter().filter_map(Slot::get) {
        let Some(inherited) = class::find_own(base, key).and_then(|cell| cell.value.get()) else { continue };
        for name in super::ops::iterate::values_of(th.collect(inherited)?) {
            let name = crate::object::intern::intern_value(&mut th.m, name)?;
            let now = th.lookup.find(class, name).and_then(|cell| cell.value.get());
            if let Some(value) = now
                && !names.contains(&name)
                && is_abstract(th, value)?
            {
                names.push(name);
            }
        }
    }
    let frozen = set::new_frozen(&mut th.m)?;
    for name in &names {
        th.set_add(frozen, *name)?;
    }
    attr::set_in_namespace(&mut th.m, c.dict.get(), key, frozen)?;
    if !names.is_empty() {
        c.traits.fetch_or(trait_bits::ABSTRACT, Ordering::Relaxed);
    }
    Ok(())
}

/// Whether a class attribute is an abstract method, or made of one.
pub fn is_abstract(th: &mut Thread, value: Value) -> R<bool> {
    let may_be = matches!(
        types::kind_of(value),
        Kind::Function | Kind::Property | Kind::StaticMethod | Kind::ClassMethod | Kind::Instance
    );
    if !may_be {
        return Ok(false);
    }
    let key = th.name("__isabstractmethod__")?;
    match th.get_attr_opt(value, key)? {
        Some(answer) => th.is_true(answer),
        None => Ok(false),
    }
}

/// TypeError for a class with abstract methods that is called.
#[cold]
pub fn refuse(th: &mut Thread, class: Value) -> Raised {
    let Ok(key) = th.name("__abstractmethods__") else { return Raised };
    let names = th.lookup.find(class, key).and_then(|cell| cell.value.get());
    let Ok(names) = th.collect(names.unwrap_or(Value::NONE)) else { return Raised };
    let names = super::ops::iterate::values_of(names);
    let mut names: Vec<&str> = names.iter().filter_map(|n| str::as_str(*n)).collect();
    names.sort_unstable();
    let (class, s) = (class::name(class), if names.len() == 1 { "" } else { "s" });
    let names = names.join(", ");
    th.type_error(format!("Can't instantiate abstract class {class} with abstract method{s} {names}"))
}

/// The method `register` of such a class.
pub fn method(th: &mut Thread, class: Value) -> R<Word> {
    if !is_abc(class) {
        return Ok(None);
    }
    let f = boot::native(th, &REGISTER, None)?;
    func::new_bound(&mut th.m, f, class).map(Some)
}

fn register(th: &mut Thread, args: Args) -> R {
    let (class, subclass) = (args.get(0), args.get(1));
    if class::cast(subclass).is_none() {
        return Err(th.type_error("Can only register classes"));
    }
    if th.is_subclass(subclass, class)? {
        return Ok(subclass);
    }
    if th.is_subclass(class, subclass)? {
        return Err(th.raise(crate::object::Exc::RuntimeError, "Refusing to create an inheritance cycle"));
    }
    if let Some(registry) = registry(th, class) {
        list::push(&mut th.m, registry, subclass)?;
    }
    Ok(subclass)
}

fn registry(th: &mut Thread, class: Value) -> Option<&'static crate::object::layout::List> {
    let key = th.name(MARK).ok()?;
    class::find_own(class, key).and_then(|cell| cell.value.get()).and_then(list::of)
}

/// Whether a class that does not derive from `class` counts as a subclass of it all the same.
pub fn is_virtual_subclass(th: &mut Thread, subclass: Value, class: Value) -> R<bool> {
    if !is_abc(class) {
        return Ok(false);
    }
    th.nested(" in __subclasscheck__", |th| {
        let answer = th.call_method(class, "__subclasshook__", &[subclass])?;
        if answer != Value::NOT_IMPLEMENTED {
            return th.is_true(answer);
        }
        let registered = match registry(th, class) {
            Some(l) => list::items(l).iter().filter_map(Slot::get).collect(),
            None => Vec::new(),
        };
        for other in registered.into_iter().chain(class::subclasses(class)) {
            if th.is_subclass(subclass, other)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}
