//! Setting attributes that are fields of a built-in object's struct: `__name__`, `__defaults__`, `args`, `__class__`...
//! Must not know caches or descriptors.

use super::fields::attributes;
use super::qualname;
use super::thread::Thread;
use crate::object::class;
use crate::object::layout::{Class, Exception, Function, Property, Traceback};
use crate::object::{Exc, Kind, R, Raised, Slot, Value, dict, generator, shape, str, types};

/// Sets a built-in attribute. False: `name` is none that can be set.
pub fn set(th: &mut Thread, object: Value, name: &str, value: Value) -> R<bool> {
    match types::kind_of(object) {
        Kind::Function if types::cast::<Function>(object).is_some() => of_function(th, object, name, value),
        Kind::Class => of_class(th, object, name, value),
        Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => of_generator(th, object, name, value),
        Kind::Exception if of_exception(th, object, name, value)? => Ok(true),
        // One of a derived class has its docstring among its attributes.
        Kind::Property
            if name == "__doc__" && types::class_of(object) == types::class_of_kind(Kind::Property) =>
        {
            if let Some(p) = types::cast::<Property>(object) {
                p.doc.set(value);
            }
            Ok(true)
        }
        Kind::Traceback if name == "tb_next" => set_next(th, object, value).map(|()| true),
        _ if name == "__class__" => super::set_class::set_class(th, object, value).map(|()| true),
        _ if name == "__dict__" && attributes(th, object)?.is_some() => {
            set_attributes(th, object, value).map(|()| true)
        }
        _ => Ok(false),
    }
}

/// None means that there is nothing.
fn set_or_clear(slot: &Slot, value: Value) {
    slot.set_word(Some(value).filter(|v| !v.is_none()));
}

fn readonly(th: &mut Thread) -> Raised {
    th.raise(Exc::AttributeError, "readonly attribute")
}

fn must_be(th: &mut Thread, name: &str, what: &str) -> Raised {
    th.type_error(format!("{name} must be set to a {what} object"))
}

fn of_function(th: &mut Thread, object: Value, name: &str, value: Value) -> R<bool> {
    let Some(f) = types::cast::<Function>(object) else { return Ok(false) };
    let kind = types::kind_of(value);
    let is = |wanted| value.is_none() || kind == wanted;
    match name {
        "__name__" | "__qualname__" if kind != Kind::Str => return Err(must_be(th, name, "string")),
        "__name__" => f.name.set(value),
        "__qualname__" => f.qualname.set(value),
        "__doc__" => f.doc.set(value),
        "__module__" => f.module_name.set(value),
        "__defaults__" if is(Kind::Tuple) => set_or_clear(&f.defaults, value),
        "__defaults__" => return Err(must_be(th, name, "tuple")),
        "__kwdefaults__" if is(Kind::Dict) => set_or_clear(&f.kwdefaults, value),
        "__annotations__" if is(Kind::Dict) => set_or_clear(&f.annotations, value),
        "__annotate__" => super::annotations::set_function(th, f, value)?,
        "__kwdefaults__" | "__annotations__" => return Err(must_be(th, name, "dict")),
        "__code__" if kind == Kind::Code => {
            return Err(th.type_error("assigning to __code__ is not supported by Mini"));
        }
        "__code__" => return Err(must_be(th, name, "code")),
        "__closure__" | "__globals__" => return Err(readonly(th)),
        "__dict__" => set_attributes(th, object, value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn of_class(th: &mut Thread, object: Value, name: &str, value: Value) -> R<bool> {
    let Some(c) = types::cast::<Class>(object) else { return Ok(false) };
    match name {
        "__name__" | "__qualname__" => {
            let Some(text) = str::as_str(value) else {
                let (class, got) = (class::name(object), th.type_name(value));
                let message = format!("can only assign string to {class}.{name}, not '{got}'");
                return Err(th.type_error(message));
            };
            if name == "__name__" && text.contains('\0') {
                return Err(th.value_error("type name must not contain null characters"));
            }
            let slot = if name == "__name__" { &c.name } else { &c.qualname };
            slot.set(value);
        }
        "__mro__" | "__base__" => return Err(readonly(th)),
        "__dict__" => {
            let message = "attribute '__dict__' of 'type' objects is not writable";
            return Err(th.raise(Exc::AttributeError, message));
        }
        "__bases__" => return Err(th.type_error("assigning to __bases__ is not supported by Mini")),
        "__class__" => super::set_class::set_class(th, object, value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn of_generator(th: &mut Thread, object: Value, name: &str, value: Value) -> R<bool> {
    if !matches!(name, "__name__" | "__qualname__") {
        return Ok(false);
    }
    if types::kind_of(value) != Kind::Str {
        return Err(must_be(th, name, "string"));
    }
    let mut names = qualname::of_generator(&mut th.m, object)?;
    names[usize::from(name == "__qualname__")] = value;
    if let Some(g) = generator::of(object) {
        g.names.set(th.m.new_tuple(&names)?);
    }
    Ok(true)
}

/// What a traceback goes on with.
fn set_next(th: &mut Thread, object: Value, next: Value) -> R<()> {
    let Some(tb) = types::cast::<Traceback>(object) else { return Ok(()) };
    if !next.is_none() && types::kind_of(next) != Kind::Traceback {
        let got = th.type_name(next);
        return Err(th.type_error(format!("expected traceback object, got type '{got}'")));
    }
    let mut at = next;
    while let Some(behind) = types::cast::<Traceback>(at) {
        if at == object {
            return Err(th.value_error("traceback loop detected"));
        }
        at = behind.next.value();
    }
    set_or_clear(&tb.next, next);
    Ok(())
}

fn of_exception(th: &mut Thread, object: Value, name: &str, value: Value) -> R<bool> {
    let Some(e) = types::cast::<Exception>(object) else { return Ok(false) };
    match name {
        "args" => {
            let items = th.collect(value)?;
            e.args.set(super::ops::build::list_to_tuple(th, items)?);
        }
        "__cause__" | "__context__" if !value.is_none() && types::kind_of(value) != Kind::Exception => {
            let what = name.trim_matches('_');
            let message = format!("exception {what} must be None or derive from BaseException");
            return Err(th.type_error(message));
        }
        "__traceback__" if !value.is_none() && types::kind_of(value) != Kind::Traceback => {
            return Err(th.type_error("__traceback__ must be a traceback or None"));
        }
        "__cause__" => {
            set_or_clear(&e.cause, value);
            e.suppress.set(Value::TRUE);
        }
        "__context__" => set_or_clear(&e.context, value),
        "__traceback__" => set_or_clear(&e.traceback, value),
        "__suppress_context__" => e.suppress.set(value),
        _ => return Ok(false),
    }
    Ok(true)
}

/// `obj.__dict__ = {...}`: other attributes than before.
fn set_attributes(th: &mut Thread, object: Value, value: Value) -> R<()> {
    if types::kind_of(value) != Kind::Dict {
        let got = th.type_name(value);
        return Err(th.type_error(format!("__dict__ must be set to a dictionary, not a '{got}'")));
    }
    let new = dict::entries(value);
    for (name, _) in shape::shown(object) {
        shape::delete(&mut th.m, object, name)?;
    }
    for (name, v) in new {
        let name = crate::object::intern::intern_value(&mut th.m, name)?;
        shape::set(&mut th.m, object, name, v)?;
    }
    Ok(())
}
