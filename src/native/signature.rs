//! Parameter lists as text: `(a, b=2, *args, key=None)`. Must not know who shows them.

use crate::bytecode::code::Code;
use crate::object::layout::{BoundMethod, Function};
use crate::object::{Kind, R, Value, Word, class, dict, str, tuple, types};
use crate::vm::native::NativeDef;
use crate::vm::thread::Thread;
use crate::vm::{fields, frame};

/// The name of what has none.
pub const NAMELESS: &str = "?";

/// The parameter list of a function; of a method, without the receiver. Errors: what the repr of a default raised.
pub fn of(th: &mut Thread, v: Value) -> R<String> {
    match types::cast::<BoundMethod>(v) {
        Some(bound) => Ok(without_first(parameters(th, bound.func.value())?)),
        None if types::kind_of(v) == Kind::Native && !belongs_to_class(v) && is_bound(v) => {
            Ok(without_first(parameters(th, v)?))
        }
        None => Ok(joined(&parameters(th, v)?)),
    }
}

/// How a class is called; `None` if that cannot be told.
pub fn of_constructor(th: &mut Thread, class: Value) -> R<Option<String>> {
    for name in ["__init__", "__new__"] {
        let key = th.name(name)?;
        let found = class::find(class, key).and_then(|cell| cell.value.get());
        if let Some(f) = found.filter(|f| matches!(types::kind_of(*f), Kind::Function | Kind::Native)) {
            let parameters = parameters(th, f)?;
            // A constructor of many classes takes what there is.
            if !parameters.first().is_some_and(|p| p.starts_with('*')) {
                return Ok(Some(without_first(parameters)));
            }
        }
    }
    Ok(None)
}

fn belongs_to_class(v: Value) -> bool {
    owner(v).is_some_and(|owner| class::cast(owner).is_some())
}

/// A method of a built-in object, fetched from it.
fn is_bound(v: Value) -> bool {
    owner(v).is_some_and(|owner| types::kind_of(owner) != Kind::Module)
}

fn owner(v: Value) -> Word {
    types::cast::<crate::object::layout::Native>(v).and_then(|n| n.owner.get())
}

fn joined(parameters: &[String]) -> String {
    format!("({})", parameters.join(", "))
}

fn without_first(mut parameters: Vec<String>) -> String {
    if parameters.first().is_some_and(|p| !p.starts_with('*')) {
        parameters.remove(0);
    }
    if parameters.first().is_some_and(|p| p == "/") {
        parameters.remove(0);
    }
    joined(&parameters)
}

fn parameters(th: &mut Thread, v: Value) -> R<Vec<String>> {
    if let Some(def) = fields::def(v) {
        return Ok(of_native(def));
    }
    let Some(f) = types::cast::<Function>(v) else { return Ok(Vec::new()) };
    match frame::code_of(f) {
        Some(code) => of_function(th, f, frame::plain(code)),
        None => Ok(Vec::new()),
    }
}

/// A native's table does not say what its defaults are.
fn of_native(def: &NativeDef) -> Vec<String> {
    let parts = def.params.text.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts.map(|p| if p.ends_with('=') { format!("{p}...") } else { p.to_owned() }).collect()
}

fn of_function(th: &mut Thread, f: &Function, code: &Code) -> R<Vec<String>> {
    let (positional, keyword) = (code.nparams as usize, code.nkwonly as usize);
    let mut names = code.varnames.iter();
    let defaults = tuple::items(f.defaults.get().unwrap_or(Value::NONE));
    let first_default = positional.saturating_sub(defaults.len());
    let mut out = Vec::new();
    for (i, name) in names.by_ref().take(positional).enumerate() {
        let default = i.checked_sub(first_default).and_then(|i| defaults.get(i)?.get());
        out.push(with_default(th, name, default)?);
        if i + 1 == code.nposonly as usize {
            out.push("/".to_owned());
        }
    }
    let mut only = Vec::new();
    for name in names.by_ref().take(keyword) {
        let key = th.m.intern(name)?;
        let default = f.kwdefaults.get().and_then(|d| dict::find_str(d, key));
        only.push(with_default(th, name, default)?);
    }
    match code.flags.varargs.then(|| names.next()).flatten() {
        Some(name) => out.push(format!("*{name}")),
        None if keyword > 0 => out.push("*".to_owned()),
        None => {}
    }
    out.extend(only);
    if let Some(name) = code.flags.varkw.then(|| names.next()).flatten() {
        out.push(format!("**{name}"));
    }
    Ok(out)
}

fn with_default(th: &mut Thread, name: &str, default: Word) -> R<String> {
    let Some(default) = default else { return Ok(name.to_owned()) };
    let shown = th.repr(default)?;
    Ok(format!("{name}={}", str::as_str(shown).unwrap_or(NAMELESS)))
}
