//! Tuples whose items have names as well: `sys.version_info`, `time.struct_time`. Must not know any of them.

use super::support;
use crate::object::class;
use crate::object::header::flag;
use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Slot, Value, func, heap, str, trace, tuple, types};
use crate::vm::attr;
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use std::sync::atomic::Ordering;

fn item<const I: usize>(m: &mut Mutator, args: Args) -> R {
    match tuple::of(args.get(0)).and_then(|t| tuple::get(t, I)) {
        Some(v) => Ok(v),
        None => Err(m.type_error("item of a named tuple expected")),
    }
}

macro_rules! getters {
    ($($i:literal)*) => { [$(NativeDef::data("item", "self, /", item::<$i>, "")),*] };
}

/// One getter for every place.
static GETTERS: [NativeDef; 20] = getters!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);

static REPR: NativeDef = NativeDef::full("__repr__", "self, /", repr, "Show the items by name.");

fn repr(th: &mut Thread, args: Args) -> R {
    let this = args.get(0);
    let class = types::class_of(this);
    let key = th.name("__match_args__")?;
    let names = class::find(class, key).and_then(|c| c.value.get()).unwrap_or(Value::NONE);
    let module = th.name("__module__")?;
    let module = class::find(class, module).and_then(|c| c.value.get()).and_then(str::as_str).unwrap_or("");
    let mut text = format!("{module}.{}(", class::name(class));
    for (i, (name, v)) in tuple::items(names).iter().zip(tuple::items(this)).enumerate() {
        let shown = th.repr(v.value())?;
        let comma = if i > 0 { ", " } else { "" };
        let name = str::as_str(name.value()).unwrap_or("");
        text.push_str(&format!("{comma}{name}={}", str::as_str(shown).unwrap_or("")));
    }
    text.push(')');
    th.new_str(&text)
}

/// Makes the class `module.name` with these fields, and puts it into `slot`, where it stays for ever.
pub fn make_class(th: &mut Thread, module: &str, name: &str, fields: &[&str], slot: &Slot) -> R<()> {
    let class = support::derive_class(th, module, name, &[types::class_of_kind(Kind::Tuple)], Kind::Tuple)?;
    slot.set(class);
    let m = &mut th.m;
    let namespace = class::cast(class).and_then(|c| c.dict.get());
    let mut names = Vec::new();
    for (i, (field, getter)) in fields.iter().zip(&GETTERS).enumerate() {
        let key = m.intern(field)?;
        names.push(key);
        let getter = func::new_native(m, std::ptr::from_ref(getter).cast(), None, None)?;
        let doc = m.new_str(&format!("Item {i} of the tuple."))?;
        let property = func::new_property(m, Some(getter), None, None, Some(doc))?;
        attr::set_in_namespace(m, namespace, key, property)?;
    }
    let names = m.new_tuple(&names)?;
    let repr = func::new_native(m, std::ptr::from_ref(&REPR).cast(), None, None)?;
    let doc = m.new_str("A tuple whose items also have names.")?;
    let attributes = [("__match_args__", names), ("__repr__", repr), ("__doc__", doc)];
    for (key, v) in attributes {
        let key = m.intern(key)?;
        attr::set_in_namespace(m, namespace, key, v)?;
    }
    crate::vm::class_change::add_trait(class, class::trait_bits::REPR);
    Ok(())
}

/// An instance of such a class.
pub fn new(m: &mut Mutator, class: &Slot, items: &[Value]) -> R {
    let shape = heap::compress(class::root_shape(class.value()));
    let made = tuple::from_fn_as(m, items.len(), shape, 1, |i| items.get(i).copied())?;
    let v = tuple::value(made);
    made.hdr.flags.fetch_or(flag::SUBCLASS, Ordering::Relaxed);
    if let Some(word) = trace::attrs_word(v) {
        word.clear();
    }
    Ok(v)
}

/// Makes a class and its only instance, and binds a module's name to the instance.
pub fn only(th: &mut Thread, module: Value, of: &str, name: &str, fields: &[(&str, Value)]) -> R<()> {
    let class = Slot::empty();
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    make_class(th, of, name, &names, &class)?;
    let items: Vec<Value> = fields.iter().map(|(_, v)| *v).collect();
    let v = new(th, &class, &items)?;
    support::set(th, module, name, v)
}
