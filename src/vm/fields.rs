//! Attributes that are fields of a built-in object's struct: `__class__`, `__name__`, `__dict__`, `args`...
//! Must not know caches or descriptors.

use super::thread::Thread;
use super::{annotations, frame, qualname};
use crate::object::layout::{
    BoundMethod, Cell, Class, Code, Exception, Function, Module, Native, Property, Super, Traceback,
};
use crate::object::{Kind, R, Slot, Value, Word, class, dict, exc, func, mro, shape, types};

fn field(slot: &Slot) -> Word {
    Some(slot.value())
}

/// The built-in attribute `name` of an object, if it has one.
pub fn get(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    match name {
        "__class__" => return Ok(Some(types::class_of(object))),
        "__doc__" if types::kind_of(object) != Kind::Function => return Ok(doc(th, object)),
        _ => {}
    }
    match types::kind_of(object) {
        Kind::Function => function(th, object, name),
        Kind::Class => of_class(th, object, name),
        Kind::Module => match (types::cast::<Module>(object), name) {
            (Some(m), "__dict__") => Ok(m.dict.get()),
            (Some(m), "__name__") => Ok(m.name.get()),
            (Some(_), "__annotations__" | "__annotate__") => {
                annotations::of_module(th, object, name == "__annotations__").map(Some)
            }
            _ => Ok(None),
        },
        Kind::Native => native(th, object, name),
        Kind::BoundMethod => bound(th, object, name),
        Kind::Exception => exception(th, object, name),
        Kind::Traceback => traceback(th, object, name),
        Kind::Cell if name == "cell_contents" => cell_contents(th, object).map(Some),
        Kind::Code => code(th, object, name),
        Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => Ok(match name {
            "__name__" => Some(qualname::of_generator(&mut th.m, object)?[0]),
            "__qualname__" => Some(qualname::of_generator(&mut th.m, object)?[1]),
            _ => None,
        }),
        Kind::Property if name == "__isabstractmethod__" => {
            let Some(p) = types::cast::<Property>(object) else { return Ok(None) };
            any_abstract(th, &[p.get.get(), p.set.get(), p.del.get()]).map(Some)
        }
        Kind::StaticMethod | Kind::ClassMethod => Ok(match name {
            "__func__" | "__wrapped__" => func::unwrap_wrapper(object),
            "__isabstractmethod__" => Some(any_abstract(th, &[func::unwrap_wrapper(object)])?),
            "__dict__" => Some(dict_of_wrapper(th, object)?),
            "__name__" | "__qualname__" | "__module__" | "__annotations__" => of_wrapped(th, object, name)?,
            _ => None,
        }),
        Kind::Super => Ok(types::cast::<Super>(object).and_then(|s| match name {
            "__thisclass__" => field(&s.class),
            "__self__" => field(&s.receiver),
            "__self_class__" => field(&s.start),
            _ => None,
        })),
        _ if name == "__dict__" => attributes(th, object),
        _ => Ok(None),
    }
}

/// `obj.__dict__`: a window on the attributes, for objects that have some.
pub fn attributes(th: &mut Thread, object: Value) -> R<Word> {
    let slots_only = class::traits(types::class_of(object)) & class::trait_bits::SLOTS_ONLY != 0;
    if !object.is_ref() || slots_only || shape::attrs_word(object).is_none() {
        return Ok(None);
    }
    if types::kind_of(object) == Kind::Instance
        && types::class_of(object) == types::class_of_kind(Kind::Instance)
    {
        return Ok(None);
    }
    th.lookup.window(&mut th.m, object).map(Some)
}

/// `__dict__` of a class method or static method: what it has from its function.
fn dict_of_wrapper(th: &mut Thread, object: Value) -> R {
    let result = th.new_dict()?;
    for name in ["__module__", "__name__", "__qualname__", "__doc__", "__annotations__"] {
        if let Some(v) = of_wrapped(th, object, name)? {
            let key = th.m.intern(name)?;
            dict::insert_str(&mut th.m, result, key, v)?;
        }
    }
    Ok(result)
}

/// What a class method or static method says of itself is what its function says.
fn of_wrapped(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let name = th.m.intern(name)?;
    match func::unwrap_wrapper(object) {
        Some(function) => th.get_attr_opt(function, name),
        None => Ok(None),
    }
}

/// Whether one of the functions that a property or wrapper is made of is abstract.
fn any_abstract(th: &mut Thread, functions: &[Word]) -> R {
    for f in functions.iter().flatten() {
        if super::abstract_classes::is_abstract(th, *f)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn doc(th: &mut Thread, object: Value) -> Word {
    match types::kind_of(object) {
        Kind::Native => {
            let text = def(object).map_or("", |d| d.doc);
            th.m.new_str(text).ok()
        }
        Kind::Property => types::cast::<Property>(object).and_then(|p| field(&p.doc)),
        Kind::BoundMethod => {
            let b = types::cast::<BoundMethod>(object)?;
            let name = th.name("__doc__").ok()?;
            th.get_attr(b.func.value(), name).ok()
        }
        Kind::Module => None,
        Kind::Class => plain_doc(th, object).or(Some(Value::NONE)),
        _ => {
            let name = th.name("__doc__").ok()?;
            let class = types::class_of(object);
            let found = th.lookup.find(class, name).and_then(|c| c.value.get());
            found.or_else(|| plain_doc(th, class))
        }
    }
}

fn plain_doc(th: &mut Thread, class: Value) -> Word {
    let text = super::boot::plain_doc(class)?;
    th.m.new_str(text).ok()
}

/// The definition of a native.
pub fn def(native: Value) -> Option<&'static super::native::NativeDef> {
    let native = types::cast::<Native>(native)?;
    // SAFETY: `def` is a `&'static NativeDef` (`func::new_native`).
    Some(unsafe { &*native.def.cast::<super::native::NativeDef>() })
}

fn function(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(f) = types::cast::<Function>(object) else { return Ok(None) };
    Ok(match name {
        "__name__" => field(&f.name),
        "__qualname__" => Some(qualname::of_function(&mut th.m, f)?),
        "__doc__" => Some(docstring(th, f)?),
        "__module__" => match f.module_name.get() {
            Some(given) => Some(given),
            None => super::classes::module_name(th, f)?,
        },
        "__defaults__" => field(&f.defaults),
        "__kwdefaults__" => field(&f.kwdefaults),
        "__closure__" => field(&f.cells),
        "__code__" => f.code.get(),
        "__globals__" => frame::code_of(f).and_then(|c| func::module_dict(c.module.value())),
        "__annotations__" => Some(annotations::of_function(th, f)?),
        "__annotate__" => Some(annotations::function_of(f)),
        "__dict__" => attributes(th, object)?,
        _ => None,
    })
}

fn of_class(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(c) = types::cast::<Class>(object) else { return Ok(None) };
    Ok(match name {
        "__name__" => field(&c.name),
        "__qualname__" => field(&c.qualname),
        "__bases__" => field(&c.bases),
        "__base__" if object == types::class_of_kind(Kind::Instance) => Some(Value::NONE),
        "__base__" => Some(mro::base_of(object).unwrap_or(Value::NONE)),
        "__mro__" => field(&c.mro),
        "__dict__" => Some(func::new_proxy(&mut th.m, c.dict.value())?),
        "__module__" => Some(th.m.new_str("builtins")?),
        "register" => super::abstract_classes::method(th, object)?,
        _ => None,
    })
}

fn belongs_to_class(native: Value) -> bool {
    types::cast::<Native>(native).and_then(|n| n.owner.get()).is_some_and(|o| class::cast(o).is_some())
}

fn native(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(def) = def(object) else { return Ok(None) };
    let owner = types::cast::<Native>(object).and_then(|n| n.owner.get());
    let of_class = belongs_to_class(object);
    Ok(match name {
        "__qualname__" if of_class => {
            let class = owner.map_or(String::new(), class::name);
            Some(th.m.new_str(&format!("{class}.{}", def.name))?)
        }
        "__name__" | "__qualname__" => Some(th.m.new_str(def.name)?),
        "__module__" | "__self__" if of_class => None,
        "__objclass__" if of_class => owner,
        "__module__" => match owner.and_then(types::cast::<Module>) {
            Some(module) => module.name.get(),
            None => Some(th.m.new_str("builtins")?),
        },
        "__self__" => types::cast::<Native>(object).and_then(|n| field(&n.owner)),
        _ => None,
    })
}

fn bound(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(b) = types::cast::<BoundMethod>(object) else { return Ok(None) };
    let of_script = types::class_of(object) == types::class_of_kind(Kind::BoundMethod);
    match name {
        "__self__" => Ok(field(&b.receiver)),
        "__func__" if of_script => Ok(field(&b.func)),
        "__func__" => Ok(None),
        "__objclass__" if !of_script && types::class_of(object) == types::class_of_kind(Kind::Native) => {
            Ok(None)
        }
        _ => {
            let name = th.m.intern(name)?;
            th.get_attr_opt(b.func.value(), name)
        }
    }
}

fn exception(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(e) = types::cast::<Exception>(object) else { return Ok(None) };
    Ok(match name {
        "args" => field(&e.args),
        "__cause__" => field(&e.cause),
        "__context__" => field(&e.context),
        "__traceback__" => field(&e.traceback),
        "__suppress_context__" => field(&e.suppress),
        "__dict__" => attributes(th, object)?,
        _ => super::exc_fields::given(object, e, name),
    })
}

/// What a function was given, or else what its code says.
fn docstring(th: &mut Thread, f: &Function) -> R {
    if let Some(given) = f.doc.get() {
        return Ok(given);
    }
    let doc = match frame::code_of(f).and_then(|code| frame::plain(code).doc.as_deref()) {
        Some(text) => th.m.new_str(text)?,
        None => Value::NONE,
    };
    f.doc.set(doc);
    Ok(doc)
}

fn traceback(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(t) = types::cast::<Traceback>(object) else { return Ok(None) };
    Ok(match name {
        "tb_lineno" => Some(Value::int_unchecked(super::traceback::line_number(t) as i64)),
        "tb_next" => field(&t.next),
        "tb_frame" => Some(super::frame_object::of_traceback(th, t)?),
        "tb_lasti" => Some(th.m.new_int(t.pc as i64)?),
        _ => None,
    })
}

fn cell_contents(th: &mut Thread, object: Value) -> R {
    match types::cast::<Cell>(object).and_then(|c| c.value.get()) {
        Some(v) => Ok(v),
        None => Err(th.value_error("Cell is empty")),
    }
}

fn code(th: &mut Thread, object: Value, name: &str) -> R<Word> {
    let Some(c) = types::cast::<Code>(object) else { return Ok(None) };
    let plain = frame::plain(c);
    Ok(match name {
        "co_name" => Some(th.m.new_str(&plain.name)?),
        "co_qualname" => Some(th.m.new_str(&plain.qualname)?),
        "co_filename" => Some(th.m.new_str(&plain.filename)?),
        "co_firstlineno" => Some(th.m.new_int(plain.first_line as i64)?),
        "co_argcount" => Some(th.m.new_int(plain.nparams as i64)?),
        "co_posonlyargcount" => Some(th.m.new_int(plain.nposonly as i64)?),
        "co_flags" => Some(th.m.new_int(co_flags(plain))?),
        "co_kwonlyargcount" => Some(th.m.new_int(plain.nkwonly as i64)?),
        "co_varnames" => Some(names_tuple(th, &plain.varnames)?),
        "co_freevars" => Some(names_tuple(th, &plain.freevars)?),
        "co_cellvars" => {
            let captured =
                plain.cell_regs.iter().filter_map(|reg| plain.varnames.get(usize::from(*reg)).cloned());
            Some(names_tuple(th, &captured.collect::<Vec<_>>())?)
        }
        "co_nlocals" => Some(th.m.new_int(plain.varnames.len() as i64)?),
        "co_stacksize" => Some(th.m.new_int(i64::from(plain.nregs))?),
        "co_names" => Some(used_names(th, plain)?),
        "co_consts" => Some(constants(th, c, plain)?),
        _ => None,
    })
}

/// Global names and attributes that the code uses, each once.
fn used_names(th: &mut Thread, plain: &crate::bytecode::code::Code) -> R {
    let mut names: Vec<crate::bytecode::text::Text> = Vec::new();
    for name in plain.globals.iter().chain(&plain.sites) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names_tuple(th, &names)
}

/// The docstring of a function or None, and the constants that the code loads; small numbers stand in instructions.
fn constants(th: &mut Thread, code: &Code, plain: &crate::bytecode::code::Code) -> R {
    let mut all = Vec::new();
    if !plain.flags.module {
        all.push(match &plain.doc {
            Some(doc) => th.m.new_str(doc)?,
            None => Value::NONE,
        });
    }
    all.extend(super::link::constants(th, code)?);
    th.m.new_tuple(&all)
}

fn names_tuple(th: &mut Thread, names: &[crate::bytecode::text::Text]) -> R {
    let names: R<Vec<Value>> = names.iter().map(|n| th.m.new_str(n)).collect();
    let names = names?;
    th.m.new_tuple(&names)
}

/// The bits of `co_flags`, as CPython numbers them.
fn co_flags(plain: &crate::bytecode::code::Code) -> i64 {
    let f = &plain.flags;
    let own = match (f.generator, f.coroutine) {
        (false, false) => 0,
        (true, false) => 0x20,
        (false, true) => 0x80,
        (true, true) => 0x200,
    };
    let optimised = if f.module || f.class_body { 0 } else { 3 };
    let flag = |is: bool, bit: i64| if is { bit } else { 0 };
    optimised | flag(f.varargs, 4) | flag(f.varkw, 8) | flag(f.nested, 0x10) | own
}

/// The names of such attributes that `dir()` shows.
pub fn names(object: Value) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match types::kind_of(object) {
        Kind::Function => &[
            "__annotate__",
            "__annotations__",
            "__closure__",
            "__code__",
            "__defaults__",
            "__dict__",
            "__globals__",
            "__kwdefaults__",
            "__module__",
            "__name__",
            "__qualname__",
        ],
        Kind::Native if belongs_to_class(object) => &["__name__", "__objclass__", "__qualname__"],
        Kind::Native => &["__module__", "__name__", "__qualname__", "__self__"],
        Kind::BoundMethod if types::class_of(object) == types::class_of_kind(Kind::BoundMethod) => {
            &["__func__", "__self__"]
        }
        Kind::BoundMethod => &["__name__", "__qualname__", "__self__"],
        Kind::Exception => {
            &["__cause__", "__context__", "__dict__", "__suppress_context__", "__traceback__", "args"]
        }
        Kind::Traceback => &["tb_frame", "tb_lasti", "tb_lineno", "tb_next"],
        Kind::Code => &[
            "co_argcount",
            "co_cellvars",
            "co_consts",
            "co_filename",
            "co_firstlineno",
            "co_flags",
            "co_kwonlyargcount",
            "co_name",
            "co_names",
            "co_nlocals",
            "co_posonlyargcount",
            "co_qualname",
            "co_freevars",
            "co_stacksize",
            "co_varnames",
        ],
        Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => &["__name__", "__qualname__"],
        Kind::StaticMethod | Kind::ClassMethod => &["__func__", "__isabstractmethod__", "__wrapped__"],
        Kind::Super => &["__self__", "__self_class__", "__thisclass__"],
        _ => &[],
    };
    let given = super::exc_fields::NAMES.iter().filter(move |name| {
        exc::cast(object).is_some_and(|e| super::exc_fields::given(object, e, name).is_some())
    });
    own.iter().chain(given).copied()
}

/// Whether `name` is such an attribute (for the words of an error).
pub fn exists(object: Value, name: &str) -> bool {
    name == "__class__" || matches!((types::kind_of(object), name), (Kind::Class, "__mro__" | "__bases__"))
}

/// The class's name, for `class.rs`' users who have only the value.
pub fn class_name(v: Value) -> String {
    super::type_names::of(v)
}
