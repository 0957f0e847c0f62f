//! Unbound names, cells, and names in class bodies. Must not know scopes: the compiler has resolved them.

use crate::object::header::flag;
use crate::object::layout::Cell;
use crate::object::{Exc, R, Raised, Value, Word, func, str, types};
use crate::vm::frame;
use crate::vm::link::Builtins;
use crate::vm::thread::Thread;
use std::sync::atomic::Ordering;

fn text(name: Value) -> &'static str {
    str::as_str(name).unwrap_or("?")
}

/// A local that is read before it is bound.
#[cold]
pub fn unbound_local(th: &mut Thread, name: Value) -> R<()> {
    let here = frame::walk(th.base, th.pc).next();
    if here.is_some_and(|f| frame::plain(f.code).is_free_at(f.at, text(name))) {
        // An inlined comprehension shares the registers of its function; to the reader it is a closure.
        return unbound_free(th, name);
    }
    let message =
        format!("cannot access local variable '{}' where it is not associated with a value", text(name));
    Err(th.raise(Exc::UnboundLocalError, message))
}

/// A closure's variable that is read before it is bound.
#[cold]
pub fn unbound_free(th: &mut Thread, name: Value) -> R<()> {
    let name = text(name);
    let message = format!(
        "cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
    );
    Err(th.raise(Exc::NameError, message))
}

/// A global that neither the module nor the builtins have.
#[cold]
pub fn unbound_global(th: &mut Thread, cell: Value) -> R<()> {
    let module = frame::code(th.base).map_or(Value::NONE, |c| c.module.value());
    if Builtins::of(&mut th.m, module)? == Builtins::Nothing {
        return Err(th.type_error("'NoneType' object is not subscriptable"));
    }
    let name = types::cast::<Cell>(cell).map_or("?", |c| text(c.name.value()));
    Err(name_error(th, name))
}

#[cold]
fn name_error(th: &mut Thread, name: &str) -> Raised {
    let raised = th.raise(Exc::NameError, format!("name '{name}' is not defined"));
    if let (Some(e), Ok(key), Ok(v)) = (th.m.pending, th.name("name"), th.m.new_str(name)) {
        let _ = crate::object::shape::set(&mut th.m, e, key, v);
    }
    raised
}

/// `NewCell`.
pub fn new_cell(th: &mut Thread, value: Word) -> R {
    func::new_cell(&mut th.m, value)
}

/// `del` of a captured variable.
pub fn delete_cell(th: &mut Thread, cell: Value, name: Value) -> R<()> {
    match types::cast::<Cell>(cell).and_then(|c| c.value.swap(None)) {
        Some(_) => Ok(()),
        None => unbound_local(th, name),
    }
}

/// `del` of a global.
pub fn delete_global(th: &mut Thread, cell: Value) -> R<()> {
    match types::cast::<Cell>(cell).and_then(|c| c.value.swap(None)) {
        Some(_) => Ok(()),
        None => unbound_global(th, cell),
    }
}

/// A name in a class body's namespace; EMPTY if it is not there.
pub fn ns_get(th: &mut Thread, namespace: Value, name: Value) -> R<Word> {
    th.dict_get(namespace, name)
}

/// Binds a name in a class body's namespace.
pub fn ns_set(th: &mut Thread, namespace: Value, name: Value, value: Value) -> R<()> {
    if types::hdr(namespace).flags.load(Ordering::Relaxed) & flag::ASKS != 0 {
        let key = th.name("__class_body_set__")?;
        if let Some(hook) = th.dict_get(namespace, key)? {
            th.call(hook, &[namespace, name, value])?;
        }
    }
    th.dict_set(namespace, name, value)
}

/// `del` of a name in a class body.
pub fn ns_delete(th: &mut Thread, namespace: Value, name: Value) -> R<()> {
    match th.dict_del(namespace, name)? {
        Some(_) => Ok(()),
        None => Err(name_error(th, text(name))),
    }
}

/// What the prompt shows of an expression: its repr, unless it is None. `_` remembers it.
pub fn print_expression(th: &mut Thread, value: Value) -> R<()> {
    let sys = th.name("sys")?;
    let hook = th.name("displayhook")?;
    match crate::vm::import::loaded(th, sys)? {
        Some(sys) => {
            let f = th.get_attr(sys, hook)?;
            th.call(f, &[value]).map(drop)
        }
        None => Ok(()),
    }
}
