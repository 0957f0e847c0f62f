//! What the natives of many modules share: reading arguments, keyword access to modules, classes behind static slots.
//! Must not know any particular module.

use crate::object::class::{self, Blueprint, trait_bits};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Raised, Slot, Value, Word, dict, float, func, heap, int, str, types};
use crate::vm::native::{Args, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{attr, boot, roots, type_names};
use std::any::Any;

/// The name of a value's class, for messages.
pub fn type_name(v: Value) -> String {
    type_names::of(v)
}

/// A value is not among the items of a `what`. If it cannot be shown either, CPython's error says nothing at all.
pub fn absent(th: &mut Thread, value: Value, what: &str) -> Raised {
    match th.repr(value) {
        Ok(shown) => th.value_error(format!("{} is not in {what}", str::as_str(shown).unwrap_or(""))),
        Err(_) => {
            th.m.pending = None;
            th.raise_with(Exc::ValueError, &[])
        }
    }
}

/// A buffer for `n` bytes that come from outside. Raises MemoryError beyond what the heap could take over.
pub fn zeroed(m: &mut Mutator, n: usize) -> R<Vec<u8>> {
    let mut buffer = Vec::new();
    if n > heap::limit() || buffer.try_reserve_exact(n).is_err() {
        return Err(m.no_memory());
    }
    buffer.resize(n, 0);
    Ok(buffer)
}

/// The Rust value of the receiver, argument 0.
pub fn this<T: Any>(m: &mut Mutator, args: Args, class: &str) -> R<&'static T> {
    of_host(m, args.get(0), class)
}

/// The Rust value of a host object.
pub fn of_host<T: Any>(m: &mut Mutator, v: Value, class: &str) -> R<&'static T> {
    match func::host::<T>(v) {
        Some(found) => Ok(found),
        None => Err(not_a(m, class, v)),
    }
}

/// A method's first argument is not of its class.
#[cold]
pub fn not_a(m: &mut Mutator, class: &str, v: Value) -> Raised {
    let got = type_name(v);
    m.type_error(format!("descriptor requires a '{class}' object but received a '{got}'"))
}

/// An int argument.
pub fn int_arg(th: &mut Thread, v: Value) -> R<i64> {
    th.index(v)
}

/// An int argument that must fit the C type `int`.
pub fn c_int(th: &mut Thread, v: Value) -> R<i32> {
    if types::kind_of(v) == Kind::Float {
        return Err(th.type_error("'float' object cannot be interpreted as an integer"));
    }
    let n = th.index_value(v)?;
    match int::as_i64(n).and_then(|n| i32::try_from(n).ok()) {
        Some(n) => Ok(n),
        None => {
            let which = if int::is_negative(n) { "less than minimum" } else { "greater than maximum" };
            Err(th.raise(Exc::OverflowError, format!("signed integer is {which}")))
        }
    }
}

/// A flag that is passed as a C `int`.
pub fn flag(th: &mut Thread, v: Value) -> R<bool> {
    if types::kind_of(v) == Kind::Bool {
        return Ok(v == Value::TRUE);
    }
    let n = th.index_value(v)?;
    match int::as_i64(n).and_then(|n| i32::try_from(n).ok()) {
        Some(n) => Ok(n != 0),
        None => Err(th.raise(Exc::OverflowError, "Python int too large to convert to C int")),
    }
}

/// An int or float argument as a float.
pub fn number(th: &mut Thread, v: Value, error: &str) -> R<f64> {
    if let Some(f) = float::as_f64(v) {
        return Ok(f);
    }
    if int::is_int(v) {
        return int::to_f64(th, v);
    }
    if let Some(f) = th.lookup_special(v, "__index__") {
        let n = th.call(f, &[v])?;
        return int::to_f64(th, n);
    }
    let class = type_name(v);
    Err(th.type_error(error.replace("{}", &class)))
}

/// A string argument.
pub fn text_arg(m: &mut Mutator, v: Value, function: &str, what: &str) -> R<&'static str> {
    match str::as_str(v) {
        Some(text) => Ok(text),
        None => {
            let class = if v.is_none() { "None".to_owned() } else { type_name(v) };
            Err(m.type_error(format!("{function}() {what} must be str, not {class}")))
        }
    }
}

/// Binds a name in a module.
pub fn set(m: &mut Mutator, module: Value, name: &str, v: Value) -> R<()> {
    let name = m.intern(name)?;
    attr::set_in_namespace(m, func::module_dict(module), name, v)
}

/// Binds a name in a module to an int.
pub fn set_int(m: &mut Mutator, module: Value, name: &str, n: i64) -> R<()> {
    let n = m.new_int(n)?;
    set(m, module, name, n)
}

/// Binds a name in a module to a string.
pub fn set_str(m: &mut Mutator, module: Value, name: &str, text: &str) -> R<()> {
    let text = m.new_str(text)?;
    set(m, module, name, text)
}

/// What a name of a module is bound to.
pub fn get(m: &mut Mutator, module: Value, name: &str) -> Word {
    let name = m.intern(name).ok()?;
    dict::find_str(func::module_dict(module)?, name)
}

/// A class that no table describes: of these bases and of the kind of the first one. It stays for ever.
pub fn derive_class(th: &mut Thread, module: &str, name: &str, bases: &[Value], kind: Kind) -> R {
    let text = th.m.intern(name)?;
    let first = bases.first().copied().unwrap_or(Value::NONE);
    let plan = Blueprint {
        name: text,
        qualname: text,
        bases: bases.to_vec(),
        kind,
        inline_cap: 0,
        traits: class::traits(first) & trait_bits::INHERITED,
    };
    let made = class::new_class(&mut th.m, &plan)?;
    roots::keep(made);
    let (key, home) = (th.m.intern("__module__")?, th.new_str(module)?);
    attr::set_in_namespace(&mut th.m, class::cast(made).and_then(|c| c.dict.get()), key, home)?;
    Ok(made)
}

/// A class that Rust code makes instances of: remembers the one that a module's table has become, for ever.
pub fn remember_class(m: &mut Mutator, module: Value, name: &str, slot: &Slot) -> R<()> {
    if let Some(class) = get(m, module, name) {
        roots::keep(class);
        slot.set(class);
    }
    Ok(())
}

/// Puts a value under a string key of a dict.
pub fn put(m: &mut Mutator, dict: Value, key: &str, v: Value) -> R<()> {
    let key = m.intern(key)?;
    dict::insert_str(m, dict, key, v)
}

/// A module of `sys.modules`, if it was imported.
pub fn imported(th: &mut Thread, name: &str) -> R<Word> {
    let name = th.m.intern(name)?;
    let modules = crate::vm::import::modules();
    th.dict_get(modules, name)
}

/// Makes the class of a table and binds its name in a module, as a class of the module `home`.
pub fn put_type(th: &mut Thread, module: Value, table: &'static TypeDef, home: &str) -> R {
    let class = boot::make_type(th, table, home)?;
    boot::set_global(th, module, table.name, class)?;
    Ok(class)
}

/// Names of the C library's numbers, and the numbers.
macro_rules! numbers {
    ($($name:ident)*) => { [$((stringify!($name), libc::$name as i64)),*] };
}
pub(super) use numbers;
