//! `del object.name`: hooks, properties, descriptors, the object's own attribute.
//! Must not know how attributes are found or stored.

use super::attr::{is_data_descriptor, may_have_attribute, no_attribute, text};
use super::attr_errors::property_error;
use super::thread::Thread;
use super::{class_change, slot_names};
use crate::object::class::{self, trait_bits};
use crate::object::layout::Property;
use crate::object::{Exc, Kind, R, Value, dict, func, shape, types};

/// `del object.name`.
pub fn delete(th: &mut Thread, object: Value, name: Value) -> R<()> {
    let class = types::class_of(object);
    if class::traits(class) & trait_bits::DELATTR != 0 {
        let hook = th.name("__delattr__")?;
        if let Some(f) = th.lookup.find(class, hook).and_then(|c| c.value.get()) {
            // A class of Rust objects may have a hook in Rust; any other native is `object`'s own.
            if types::kind_of(f) != Kind::Native
                || types::kind_of(object) == Kind::Host
                || super::attr::is_adopted(class, hook)
            {
                return th.call(f, &[object, name]).map(drop);
            }
        }
    }
    delete_plainly(th, object, name)
}

/// Deletes an object's own attribute. False: there was none.
fn delete_own(th: &mut Thread, object: Value, name: Value) -> R<bool> {
    while let Some(plan) = shape::plan_delete(&mut th.m, object, name)? {
        // Attributes change places: nobody may be reading them.
        let done = if th.m.free { th.stop_the_world(|_| plan.carry_out()) } else { plan.carry_out() };
        if done {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `object.__delattr__`.
pub fn delete_plainly(th: &mut Thread, object: Value, name: Value) -> R<()> {
    match types::kind_of(object) {
        Kind::Class if class::find_own(object, name).is_some() => {
            return class_change::assign(th, object, name, None);
        }
        Kind::Module => {
            let cell = func::module_dict(object).and_then(|d| dict::find_cell(d, name));
            if cell.is_some_and(|c| c.value.swap(None).is_some()) {
                return Ok(());
            }
            let message = format!("'module' object has no attribute '{}'", text(name));
            return Err(th.raise(Exc::AttributeError, message));
        }
        Kind::Class => {}
        _ => {
            let in_class = slot_names::visible(th, types::class_of(object), name);
            let in_class = in_class.and_then(|c| c.value.get());
            if let Some(p) = in_class.and_then(types::cast::<Property>) {
                return match p.del.get() {
                    Some(f) => th.call(f, &[object]).map(drop),
                    None => Err(property_error(th, object, name, "deleter")),
                };
            }
            if let Some(v) = in_class.filter(|v| is_data_descriptor(th, *v)) {
                let Some(deleter) = th.lookup_override(v, "__delete__") else {
                    return Err(th.raise(Exc::AttributeError, "__delete__"));
                };
                return th.call(deleter, &[v, object]).map(drop);
            }
            if object.is_ref() && may_have_attribute(object, name) && delete_own(th, object, name)? {
                return Ok(());
            }
            if object.is_ref() && class::has_slot(types::class_of(object), name) {
                return Err(th.raise(Exc::AttributeError, text(name)));
            }
        }
    }
    Err(no_attribute(th, object, name))
}
