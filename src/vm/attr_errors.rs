//! What is said of attributes that cannot be read, set or deleted. Must not know how attributes are found.

use super::fields;
use super::thread::Thread;
use crate::object::{Exc, Kind, Raised, Value, class, str, types};

/// A property, or a built-in attribute, without a function for this.
#[cold]
pub fn property_error(th: &mut Thread, object: Value, name: Value, what: &str) -> Raised {
    if matches!(types::kind_of(object), Kind::Range | Kind::Slice) {
        return th.raise(Exc::AttributeError, "readonly attribute");
    }
    if !matches!(types::kind_of(object), Kind::Instance | Kind::Exception | Kind::Host) {
        let class = th.type_name(object);
        let message =
            format!("attribute '{}' of '{class}' objects is not writable", str::as_str(name).unwrap_or("?"));
        return th.raise(Exc::AttributeError, message);
    }
    let class = class::cast(types::class_of(object)).and_then(|c| str::as_str(c.qualname.value()));
    let message = format!(
        "property '{}' of '{}' object has no {what}",
        str::as_str(name).unwrap_or("?"),
        class.unwrap_or("?")
    );
    th.raise(Exc::AttributeError, message)
}

/// An attribute that cannot be set.
#[cold]
pub fn refuse_store(th: &mut Thread, object: Value, name: Value) -> Raised {
    let (class, name_text) = (th.type_name(object), str::as_str(name).unwrap_or("?"));
    let known = th.lookup.find(types::class_of(object), name).is_some();
    let message = if known || fields::exists(object, name_text) {
        format!("'{class}' object attribute '{name_text}' is read-only")
    } else {
        format!("'{class}' object has no attribute '{name_text}'")
    };
    th.raise(Exc::AttributeError, message)
}
