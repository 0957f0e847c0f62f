//! How natives about numbers read their arguments: anything that says it is an integer, or a real number.
//! Must not know any function.

use super::text_args::type_name;
use crate::object::error::R;
use crate::object::int::{self, IBig};
use crate::object::layout::is_subclass_instance;
use crate::object::mutator::Mutator;
use crate::object::value::Value;
use crate::object::{Kind, float, types};
use crate::vm::thread::Thread;

/// Whether `v` is an int, bool or float whose class is that very type: nobody has overridden anything.
pub fn is_plain_number(v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Int | Kind::Float | Kind::Bool)
        && !(v.is_ref() && is_subclass_instance(types::hdr(v)))
}

/// The int of an int, a bool, or anything with `__index__`.
pub fn index_value(th: &mut Thread, v: Value) -> R {
    if int::is_int(v) {
        return Ok(v);
    }
    let Some(method) = th.lookup_special(v, "__index__") else {
        let name = type_name(v);
        return Err(th.type_error(format!("'{name}' object cannot be interpreted as an integer")));
    };
    let made = th.call(method, &[v])?;
    if int::is_int(made) {
        return Ok(made);
    }
    let name = type_name(made);
    Err(th.type_error(format!("__index__ returned non-int (type {name})")))
}

/// As `index_value`, to calculate with.
pub fn big(th: &mut Thread, v: Value) -> R<IBig> {
    let n = index_value(th, v)?;
    int::big(th, n)
}

/// The float of a float, an int, or anything with `__float__` or `__index__`.
pub fn real(th: &mut Thread, v: Value) -> R<f64> {
    match real_opt(th, v)? {
        Some(f) => Ok(f),
        None => {
            let name = type_name(v);
            Err(th.type_error(format!("must be real number, not {name}")))
        }
    }
}

/// As `real`; `None` for what is no real number.
pub fn real_opt(th: &mut Thread, v: Value) -> R<Option<f64>> {
    if let Some(f) = float::as_f64(v) {
        return Ok(Some(f));
    }
    if int::is_int(v) {
        return int::to_f64(th, v).map(Some);
    }
    if let Some(method) = th.lookup_special(v, "__float__") {
        let made = th.call(method, &[v])?;
        if let Some(f) = float::as_f64(made) {
            return Ok(Some(f));
        }
        let (owner, name) = (type_name(v), type_name(made));
        return Err(th.type_error(format!("{owner}.__float__ returned non-float (type {name})")));
    }
    if th.lookup_special(v, "__index__").is_some() {
        let n = index_value(th, v)?;
        return int::to_f64(th, n).map(Some);
    }
    Ok(None)
}

/// An int of class `int`, whatever int or bool `v` is.
pub fn plain_int(m: &mut Mutator, v: Value) -> R {
    if v.is_small_int() || types::class_of(v) == types::class_of_kind(Kind::Int) {
        return Ok(v);
    }
    let n = int::big(m, v)?;
    m.new_bigint(&n)
}

/// An int result of a constructor or classmethod, as an instance of its class.
pub fn int_of_class(m: &mut Mutator, class: Value, v: Value) -> R {
    if class == types::class_of_kind(Kind::Int) {
        return plain_int(m, v);
    }
    let shape = crate::object::subclass::shape_of(m, class, Kind::Int)?;
    let n = int::big(m, v)?;
    m.new_int_subclass(shape, &n)
}
