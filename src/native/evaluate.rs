//! `eval`, `exec` and `compile`. Must not know the compiler: it comes through `vm::hooks`.
//!
//! Global names live in cells of a namespace. A plain dict that is given as globals becomes a namespace; if that is not
//! possible, or there are separate locals, the code runs in a namespace of its own, and what it has changed is copied back.

use super::builtins::{globals, locals};
use super::support::type_name;
use crate::bytecode::code;
use crate::object::layout::{Code, Dict, Module, is_subclass_instance};
use crate::object::{Exc, R, Value, Word, bytes, dict, func, intern, str, types};
use crate::vm::hooks::{self, TextKind};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{attr, frame, link};
use std::sync::Arc;

/// The source text in an argument.
fn text_of(th: &mut Thread, v: Value, function: &str, what: &str) -> R<String> {
    let text = match (str::as_str(v), bytes::as_bytes(v)) {
        (Some(text), _) => text.to_owned(),
        (_, Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => return Err(th.type_error(format!("{function}() arg 1 must be a {what}"))),
    };
    if text.contains('\0') {
        return Err(th.raise(Exc::ValueError, "source code string cannot contain null bytes"));
    }
    Ok(text)
}

/// A module that only carries a namespace.
fn module_around(th: &mut Thread, namespace: Value) -> R {
    let name = th.m.intern("__main__")?;
    let module = func::new_module(th, name)?;
    if let Some(m) = types::cast::<Module>(module) {
        m.dict.set(namespace);
    }
    Ok(module)
}

/// A namespace with the string keys of these dicts, the later ones' values counting.
fn namespace_of(th: &mut Thread, from: &[Value]) -> R {
    let namespace = dict::new_namespace(th)?;
    for (key, value) in from.iter().flat_map(|d| dict::entries(*d)) {
        if str::as_str(key).is_some() {
            let key = intern::intern_value(&mut th.m, key)?;
            attr::set_in_namespace(&mut th.m, Some(namespace), key, value)?;
        }
    }
    Ok(namespace)
}

/// Makes a namespace of a dict, where it lies. False: that cannot be done.
fn converted(th: &mut Thread, d: Value) -> R<bool> {
    let Some(plain) = dict::of(d) else { return Ok(false) };
    if dict::is_namespace(plain) {
        return Ok(true);
    }
    let odd_key = dict::entries(d).iter().any(|(key, _)| str::as_str(*key).is_none());
    if dict::window(plain).is_some() || is_subclass_instance(&plain.hdr) || odd_key {
        return Ok(false);
    }
    let namespace = namespace_of(th, &[d])?;
    if let Some(cells) = dict::of(namespace) {
        th.stop_the_world(|_| dict::become_namespace(plain, cells));
    }
    Ok(true)
}

/// Whether names can be looked up in it at all.
fn is_mapping(th: &mut Thread, v: Value) -> bool {
    dict::of(v).is_some() || th.lookup_special(v, "__getitem__").is_some()
}

/// Runs code, a text or what `compile` returned, in the namespaces of the arguments.
fn run(th: &mut Thread, args: Args, function: &str, kind: TextKind) -> R {
    let (given, own) = (args.opt_not_none(1), args.opt_not_none(2));
    if given.is_some_and(|g| dict::of(g).is_none()) {
        let got = type_name(given.unwrap_or(Value::NONE));
        let tail = if function == "exec" { format!(", not {got}") } else { String::new() };
        let mapping = given.is_some_and(|g| is_mapping(th, g));
        let wanted = match function {
            "exec" => "exec() globals must be a dict",
            _ if mapping => "globals must be a real dict; try eval(expr, {}, mapping)",
            _ => "globals must be a dict",
        };
        return Err(th.type_error(format!("{wanted}{tail}")));
    }
    if let Some(l) = own.filter(|l| !is_mapping(th, *l)) {
        let tail = if function == "exec" { format!(" or None, not {}", type_name(l)) } else { String::new() };
        return Err(th.type_error(format!("locals must be a mapping{tail}")));
    }
    let (shared, own) = match given {
        Some(g) => (g, own),
        None => {
            let (g, l) = (globals(th, args)?, locals(th, Args(&[]))?);
            (g, own.or(Some(l)))
        }
    };
    let own = own.filter(|l| *l != shared);
    let key = th.m.intern("__builtins__")?;
    match th.dict_get(shared, key)? {
        None => {
            let common = func::module_dict(link::builtins()).unwrap_or(Value::NONE);
            th.dict_set(shared, key, common)?
        }
        // Names are looked up there too.
        Some(names) => drop(converted(th, names)?),
    }
    if own.is_none() && converted(th, shared)? {
        let code = compiled(th, args.get(0), function, kind)?;
        return run_in(th, &code, shared);
    }
    run_apart(th, args.get(0), function, kind, shared, own)
}

/// Runs in a namespace made for it, and copies back what has changed there.
fn run_apart(th: &mut Thread, code: Value, function: &str, kind: TextKind, shared: Value, own: Word) -> R {
    let items = match own {
        Some(l) if dict::of(l).is_some() => l,
        Some(l) if th.lookup_special(l, "keys").is_some() => {
            let fresh = th.new_dict()?;
            th.call_method(fresh, "update", &[l])?;
            fresh
        }
        _ => shared,
    };
    let namespace = namespace_of(th, &[shared, items])?;
    let code = compiled(th, code, function, kind)?;
    if kind == TextKind::Expression {
        ask_for_names(th, &code, namespace, own.unwrap_or(shared))?;
    }
    let before = namespace_of(th, &[namespace])?;
    let result = run_in(th, &code, namespace);
    let raised = th.m.pending.take();
    for (key, value) in dict::entries(namespace) {
        if th.dict_get(before, key)? != Some(value) {
            th.set_item(own.unwrap_or(shared), key, value)?;
        }
    }
    th.m.pending = raised;
    result
}

/// Adds to the namespace what a mapping with ways of its own says of the names in an expression.
fn ask_for_names(th: &mut Thread, code: &Runnable, namespace: Value, mapping: Value) -> R<()> {
    let plain = |d: &Dict| !is_subclass_instance(&d.hdr);
    if dict::of(mapping).is_some_and(plain) {
        return Ok(());
    }
    for name in &code.plain().globals {
        let name = th.m.intern(name)?;
        match th.get_item(mapping, name) {
            Ok(value) => attr::set_in_namespace(&mut th.m, Some(namespace), name, value)?,
            Err(_) if th.pending_is(Exc::KeyError) => th.m.pending = None,
            Err(raised) => return Err(raised),
        }
    }
    Ok(())
}

/// What `eval` and `exec` take.
enum Runnable {
    /// What `compile` returned.
    Object(&'static Code),
    Text(Arc<code::Code>),
}

impl Runnable {
    fn plain(&self) -> &code::Code {
        match self {
            Runnable::Text(code) => code,
            Runnable::Object(code) => frame::plain(code),
        }
    }
}

fn compiled(th: &mut Thread, code: Value, function: &str, kind: TextKind) -> R<Runnable> {
    if let Some(object) = types::cast::<Code>(code) {
        refuse_free_variables(th, object, function)?;
        return Ok(Runnable::Object(object));
    }
    let text = text_of(th, code, function, "string, bytes or code object")?;
    let text = if kind == TextKind::Expression { text.trim_start_matches([' ', '\t']) } else { &text };
    hooks::compile(th, text, "<string>", kind).map(Runnable::Text)
}

fn run_in(th: &mut Thread, code: &Runnable, namespace: Value) -> R {
    let module = module_around(th, namespace)?;
    let linked = match code {
        Runnable::Text(plain) => link::link(th, plain, module)?,
        Runnable::Object(code) => link::relink(th, code, module)?,
    };
    th.run_code(linked, &[], None)
}

/// Code that reads cells of an enclosing function cannot run without them.
fn refuse_free_variables(th: &mut Thread, code: &Code, function: &str) -> R<()> {
    let wanted = frame::plain(code).freevars.len();
    match (wanted, function) {
        (0, _) => Ok(()),
        (_, "exec") => {
            Err(th.type_error(format!("code object requires a closure of exactly length {wanted}")))
        }
        _ => Err(th.type_error(format!("code object passed to {function}() may not contain free variables"))),
    }
}

fn eval(th: &mut Thread, args: Args) -> R {
    run(th, args, "eval", TextKind::Expression)
}

fn exec(th: &mut Thread, args: Args) -> R {
    run(th, args, "exec", TextKind::Statements).map(|_| Value::NONE)
}

fn compile(th: &mut Thread, args: Args) -> R {
    let text = text_of(th, args.get(0), "compile", "string, bytes or AST object")?;
    let kind = match str::as_str(args.get(2)) {
        Some("exec") => TextKind::Statements,
        Some("eval") => TextKind::Expression,
        Some("single") => TextKind::Single,
        Some(_) => return Err(th.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
        None => {
            let got = type_name(args.get(2));
            return Err(th.type_error(format!("compile() argument 'mode' must be str, not {got}")));
        }
    };
    let Some(filename) = str::as_str(args.get(1)) else {
        let got = type_name(args.get(1));
        return Err(th.type_error(format!("expected str, bytes or os.PathLike object, not {got}")));
    };
    let plain = hooks::compile(th, &text, filename, kind)?;
    let namespace = dict::new_namespace(th)?;
    let module = module_around(th, namespace)?;
    link::link(th, &plain, module)
}

/// The functions of this file.
pub static BUILTINS: &[NativeDef] = &[
    NativeDef::full("eval", "source, globals=, locals=, /", eval, "The value of an expression."),
    NativeDef::full("exec", "source, globals=, locals=, /", exec, "Run statements."),
    NativeDef::full(
        "compile",
        "source, filename, mode, flags=, dont_inherit=, optimize=",
        compile,
        "Compile a text for eval or exec.",
    ),
];
