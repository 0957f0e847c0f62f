//! `__annotations__` and `__annotate__` of functions, classes and modules: evaluated when somebody asks, and kept.
//! Must not know how annotations are compiled.
//!
//! What an annotation function gave is kept in that function, in the field where other functions keep their own
//! annotations: so nothing changes in the class or module whose annotations they are.

use super::thread::Thread;
use super::{attr, class_change, frame};
use crate::object::layout::Function;
use crate::object::{Kind, R, Value, Word, class, dict, func, types};

/// The only format that annotation functions give: values.
const VALUE: Value = Value::int_unchecked(1);

/// An annotation function that the compiler made: no other has a parameter of this name.
fn compiled(v: Value) -> Option<&'static Function> {
    let f = types::cast::<Function>(v)?;
    let first = frame::plain(frame::code_of(f)?).varnames.first()?;
    (&**first == ".format").then_some(f)
}

/// What an annotation function gives; `keep`: remembers it.
fn evaluated(th: &mut Thread, annotate: Value, keep: bool) -> R {
    let f = compiled(annotate).filter(|_| keep);
    if let Some(known) = f.and_then(|f| f.annotations.get()) {
        return Ok(known);
    }
    let given = th.call(annotate, &[VALUE])?;
    if dict::of(given).is_none() {
        let got = th.type_name(given);
        return Err(th.type_error(format!("__annotate__() must return a dict, not {got}")));
    }
    // Another thread may have been faster: all are to see the same dict.
    Ok(f.and_then(|f| f.annotations.set_if_empty(given).err()).unwrap_or(given))
}

/// `f.__annotations__`.
pub fn of_function(th: &mut Thread, f: &'static Function) -> R {
    let own = Value::from_addr(std::ptr::from_ref(f).addr());
    let fresh = |th: &mut Thread| th.m.new_dict();
    match f.annotations.get() {
        _ if compiled(own).is_some() => fresh(th),
        Some(known) if dict::of(known).is_some() => Ok(known),
        Some(annotate) => evaluated(th, annotate, true),
        None => {
            let fresh = fresh(th)?;
            Ok(f.annotations.set_if_empty(fresh).err().unwrap_or(fresh))
        }
    }
}

/// `f.__annotate__`.
pub fn function_of(f: &'static Function) -> Value {
    let own = Value::from_addr(std::ptr::from_ref(f).addr());
    f.annotations.get().filter(|v| dict::of(*v).is_none() && compiled(own).is_none()).unwrap_or(Value::NONE)
}

/// `f.__annotate__ = value`. Errors: TypeError unless it is callable or None.
pub fn set_function(th: &mut Thread, f: &'static Function, value: Value) -> R<()> {
    if value.is_none() {
        if function_of(f) != Value::NONE {
            f.annotations.clear();
        }
        return Ok(());
    }
    check_callable(th, value)?;
    f.annotations.set(value);
    Ok(())
}

fn check_callable(th: &mut Thread, value: Value) -> R<()> {
    let code =
        matches!(types::kind_of(value), Kind::Function | Kind::Native | Kind::BoundMethod | Kind::Class);
    match value.is_none() || code || th.lookup_special(value, "__call__").is_some() {
        true => Ok(()),
        false => Err(th.type_error("__annotate__ must be callable or None")),
    }
}

/// `C.__annotations__` or `C.__annotate__`, where the class has no such name of its own. EMPTY: it can have none.
pub fn of_class(th: &mut Thread, class: Value, name: Value, ask: bool) -> R<Word> {
    if class::traits(class) & class::trait_bits::HEAP_TYPE == 0 {
        return Ok(None);
    }
    let key = th.name("__annotate_func__")?;
    let annotate = class::find_own(class, key).and_then(|c| c.value.get()).filter(|v| !v.is_none());
    match annotate {
        Some(annotate) if ask => evaluated(th, annotate, true).map(Some),
        None if ask => class_change::own_annotations(th, class, name),
        _ => Ok(Some(annotate.unwrap_or(Value::NONE))),
    }
}

/// `C.__annotate__ = value`.
pub fn set_class(th: &mut Thread, class: Value, value: Value) -> R<()> {
    check_callable(th, value)?;
    for (name, value) in [("__annotations__", None), ("__annotate_func__", Some(value))] {
        let key = th.name(name)?;
        if value.is_some() || class::find_own(class, key).is_some() {
            class_change::set_in_class(th, class, key, value)?;
        }
    }
    Ok(())
}

/// `module.__annotations__` or `module.__annotate__`, where the module has no such name of its own.
pub fn of_module(th: &mut Thread, module: Value, ask: bool) -> R {
    let global = |th: &mut Thread, name: &str| -> R<Word> {
        let key = th.m.intern(name)?;
        Ok(func::module_dict(module).and_then(|d| dict::find_cell(d, key)).and_then(|c| c.value.get()))
    };
    if !ask {
        return Ok(Value::NONE);
    }
    match global(th, "__annotate__")?.filter(|v| !v.is_none()) {
        // More of the conditional ones may be executed later.
        Some(annotate) => {
            let complete = global(th, "__conditional_annotations__")?.is_none();
            evaluated(th, annotate, complete)
        }
        None => {
            let (fresh, key) = (th.m.new_dict()?, th.name("__annotations__")?);
            attr::set_in_namespace(&mut th.m, func::module_dict(module), key, fresh)?;
            Ok(fresh)
        }
    }
}
