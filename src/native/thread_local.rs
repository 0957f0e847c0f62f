//! The class `_thread._local`: attribute access that goes to the running thread's own dict.
//! Must not know where the dicts are kept (`rt::local`).

use super::support;
use crate::object::class::{self, trait_bits};
use crate::object::{Exc, Kind, R, Slot, Value, dict, func, str, types};
use crate::rt::local::{self, Local};
use crate::vm::attr;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

static CLASS: Slot = Slot::empty();

fn construct(th: &mut Thread, args: Args) -> R {
    let class = args.get(0);
    let kwargs = args.get(1);
    let rest: Vec<Value> = args.rest(2).iter().copied().flatten().collect();
    let plain = class::traits(class) & trait_bits::INIT == 0;
    let given = !rest.is_empty() || dict::of(kwargs).is_some_and(|d| dict::len(d) > 0);
    if plain && given {
        return Err(th.type_error("Initialization arguments are not supported"));
    }
    let local = func::new_host(th, class, Box::new(Local))?;
    let rest = th.new_tuple(&rest)?;
    let saved = th.new_tuple(&[rest, kwargs])?;
    local::set_arguments(local, saved);
    // The thread that makes it runs `__init__` as for any object.
    local::begin(th, local)?;
    Ok(local)
}

/// The running thread's attributes. In a thread that meets the object for the first time, `__init__` of a class derived
/// from `local` runs first.
fn own(th: &mut Thread, local: Value) -> R {
    if let Some(own) = local::attributes(th, local)? {
        return Ok(own);
    }
    let own = local::begin(th, local)?;
    let class = types::class_of(local);
    if class::traits(class) & trait_bits::INIT != 0
        && let Some(init) = th.lookup_special(local, "__init__")
        && let Some(saved) = local::arguments(local)
    {
        let args = th.get_item(saved, Value::int_unchecked(0))?;
        let kwargs = th.get_item(saved, Value::int_unchecked(1))?;
        let mut all = vec![local];
        all.extend(crate::object::tuple::items(args).iter().filter_map(Slot::get));
        th.call_kw(init, &all, &dict::entries(kwargs))?;
    }
    Ok(own)
}

fn get_attribute(th: &mut Thread, args: Args) -> R {
    let (local, name) = (args.get(0), args.get(1));
    let own = own(th, local)?;
    if str::as_str(name) == Some("__dict__") {
        return Ok(own);
    }
    // Data descriptors of the class come before attributes, methods and plain values after them.
    let in_class = th.lookup.find(types::class_of(local), name).and_then(|c| c.value.get());
    if !in_class.is_some_and(|v| types::kind_of(v) == Kind::Property)
        && let Some(v) = dict::find_str(own, name)
    {
        return Ok(v);
    }
    th.get_attr_plainly(local, name)
}

fn set_attribute(th: &mut Thread, args: Args) -> R {
    let (local, name, v) = (args.get(0), args.get(1), args.get(2));
    if str::as_str(name) == Some("__dict__") {
        let class = support::type_name(local);
        let message = format!("'{class}' object attribute '__dict__' is read-only");
        return Err(th.raise(Exc::AttributeError, message));
    }
    let own = own(th, local)?;
    let in_class = th.lookup.find(types::class_of(local), name).and_then(|c| c.value.get());
    if in_class.is_some_and(|v| types::kind_of(v) == Kind::Property) {
        attr::set_plainly(th, local, name, v)?;
    } else {
        dict::insert_str(th, own, name, v)?;
    }
    Ok(Value::NONE)
}

fn delete_attribute(th: &mut Thread, args: Args) -> R {
    let (local, name) = (args.get(0), args.get(1));
    let own = own(th, local)?;
    match dict::remove_str(th, own, name) {
        Some(_) => Ok(Value::NONE),
        None => Err(attr::no_attribute(th, local, name)),
    }
}

pub static LOCAL: TypeDef = TypeDef {
    name: "_local",
    kind: Kind::Host,
    doc: "An object whose attributes each thread has for itself.",
    construct: Some(NativeDef::full("__new__", "cls, /, *args, **kwargs", construct, "")),
    methods: &[
        NativeDef::full(
            "__getattribute__",
            "self, name, /",
            get_attribute,
            "The running thread's attribute.",
        ),
        NativeDef::full(
            "__setattr__",
            "self, name, value, /",
            set_attribute,
            "Set it for the running thread.",
        ),
        NativeDef::full(
            "__delattr__",
            "self, name, /",
            delete_attribute,
            "Delete it for the running thread.",
        ),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: true,
};

/// Start-up: attribute access of the class goes through its own methods.
pub fn init(th: &mut Thread, module: Value) -> R<()> {
    support::remember_class(th, module, "_local", &CLASS)?;
    crate::vm::class_change::add_trait(
        CLASS.value(),
        trait_bits::GETATTRIBUTE | trait_bits::SETATTR | trait_bits::DELATTR,
    );
    Ok(())
}
