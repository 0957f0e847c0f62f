//! Start-up: the classes of all built-in kinds and exceptions, made from tables.
//! Must not know what the tables hold: `native` hands them in.

use super::native::{ModuleDef, NativeDef, TypeDef};
use super::thread::Thread;
use super::{attr, call};
use crate::object::class::{self, Blueprint, trait_bits};
use crate::object::error::EXCEPTIONS;
use crate::object::layout::Shape;
use crate::object::types::Manner;
use crate::object::{Exc, Kind, R, Value, Word, exc, func, heap, shape, types};

/// Built-in classes that no table describes: kind, name, whether a class may derive from it, docstring.
const PLAIN: &[(Kind, &str, bool, &str)] = &[
    (Kind::None_, "NoneType", false, "The class of None, which stands for no value."),
    (Kind::Ellipsis, "ellipsis", false, "The class of Ellipsis, which is also written `...`."),
    (
        Kind::NotImplemented,
        "NotImplementedType",
        false,
        "The class of NotImplemented, with which an operator declines.",
    ),
    (Kind::Function, "function", false, "A function written in Mini."),
    (Kind::Native, "builtin_function_or_method", false, "A function written in Rust."),
    (Kind::Module, "module", false, "A module: the namespace that import binds."),
    (Kind::Code, "code", false, "The compiled code of a function or a module."),
    (Kind::Cell, "cell", false, "A variable that inner functions share."),
    (Kind::Traceback, "traceback", false, "A frame that an exception came through, and the way to the next."),
    (Kind::Super, "super", false, "The attributes of an object as the classes behind one see them."),
    (Kind::Iter, "iterator", false, "A built-in iterator."),
    (Kind::DictView, "dict_keys", false, "A view of a dict, which follows its changes."),
    (Kind::Host, "host", false, "An object whose contents are Rust’s."),
];

/// The classes of natives that CPython tells from its built-in functions.
const OF_NATIVES: [(Manner, Kind, &str, &str); 3] = [
    (Manner::Method, Kind::Native, "method_descriptor", "A method of a built-in class."),
    (Manner::Slot, Kind::Native, "wrapper_descriptor", "An operator of a built-in class."),
    (Manner::BoundSlot, Kind::BoundMethod, "method-wrapper", "An operator of a built-in object."),
];

/// The two that exist before all others.
const OBJECT_DOC: &str = "The base of all classes; an object without attributes of its own.";
const TYPE_DOC: &str =
    "The class of classes. type(x) is the class of x; type(name, bases, names) makes a new one.";

const KINDS: &[Kind] = &[
    Kind::Shape,
    Kind::Chunk,
    Kind::ListBuf,
    Kind::Table,
    Kind::SetTable,
    Kind::StrBuf,
    Kind::Cell,
    Kind::Code,
    Kind::Int,
    Kind::Float,
    Kind::Str,
    Kind::Bytes,
    Kind::ByteArray,
    Kind::MemoryView,
    Kind::Tuple,
    Kind::List,
    Kind::Dict,
    Kind::Set,
    Kind::FrozenSet,
    Kind::Range,
    Kind::Slice,
    Kind::DictView,
    Kind::MappingProxy,
    Kind::Iter,
    Kind::Function,
    Kind::Native,
    Kind::BoundMethod,
    Kind::Class,
    Kind::Instance,
    Kind::Property,
    Kind::StaticMethod,
    Kind::ClassMethod,
    Kind::Super,
    Kind::Module,
    Kind::Generator,
    Kind::Coroutine,
    Kind::AsyncGenerator,
    Kind::Exception,
    Kind::Traceback,
    Kind::Host,
    Kind::None_,
    Kind::Bool,
    Kind::Ellipsis,
    Kind::NotImplemented,
];

/// Makes every built-in class. The thread is attached and alone.
pub fn make_classes(th: &mut Thread, tables: &[&'static TypeDef]) -> R<()> {
    // Shapes come first, without their classes: whatever is allocated from here on has the right shape word.
    for kind in KINDS {
        let root = shape::new_root(&mut th.m, Value::NONE, 0)?;
        types::set_kind(*kind, Value::NONE, heap::compress(root));
    }
    for manner in types::MANNERS {
        let root = shape::new_root(&mut th.m, Value::NONE, 0)?;
        types::set_manner(manner, heap::compress(root));
    }
    let object = make_plain(th, Kind::Instance, "object", None, true)?;
    let class = make_plain(th, Kind::Class, "type", Some(object), false)?;
    // The two classes were made before `type` was known.
    for early in [object, class] {
        shape::of(types::hdr(early)).class.set(class);
    }
    for (kind, name, open, _) in PLAIN {
        make_plain(th, *kind, name, Some(object), *open)?;
    }
    for (manner, kind, name, _) in OF_NATIVES {
        let plan = blueprint(th, kind, name, Some(object), false)?;
        let class = class::new_class(&mut th.m, &plan)?;
        give(types::manner_shape(manner), class);
    }
    give(types::manner_shape(Manner::Bound), types::class_of_kind(Kind::Native));
    for def in tables {
        let base = if def.kind == Kind::Bool { types::class_of_kind(Kind::Int) } else { object };
        make_from_table(th, def, base)?;
    }
    for (exc, name, base) in EXCEPTIONS {
        make_exception(th, *exc, name, *base, object)?;
    }
    let no_memory = exc::new_exception(&mut th.m, types::exc_class(Exc::MemoryError), &[])?;
    types::set_memory_error(no_memory);
    Ok(())
}

/// The docstring of a built-in class that is not among its names, where it would hide the docstrings of its instances.
pub fn plain_doc(class: Value) -> Option<&'static str> {
    let plain = PLAIN.iter().map(|(kind, _, _, doc)| (*kind, *doc));
    let first = [(Kind::Instance, OBJECT_DOC), (Kind::Class, TYPE_DOC)];
    let mut all = first.into_iter().chain(plain);
    let found = all.find(|(kind, _)| types::class_of_kind(*kind) == class).map(|(_, doc)| doc);
    let of_native = || {
        OF_NATIVES.iter().find(|(_, _, name, _)| {
            class::name(class) == *name && class::traits(class) & trait_bits::HEAP_TYPE == 0
        })
    };
    found
        .or_else(|| of_native().map(|(.., doc)| *doc))
        .or_else(|| super::type_tables::table_of(class).map(|table| table.doc))
}

fn blueprint(th: &mut Thread, kind: Kind, name: &str, base: Word, open: bool) -> R<Blueprint> {
    let name = th.m.intern(name)?;
    let traits = if open { 0 } else { trait_bits::FINAL };
    Ok(Blueprint { name, qualname: name, bases: base.into_iter().collect(), kind, inline_cap: 0, traits })
}

fn make_plain(th: &mut Thread, kind: Kind, name: &str, base: Word, open: bool) -> R {
    let plan = blueprint(th, kind, name, base, open)?;
    let class = class::new_class(&mut th.m, &plan)?;
    adopt(kind, class);
    Ok(class)
}

/// The class becomes the one of its kind: the shape made first gets it.
fn adopt(kind: Kind, class: Value) {
    let id = types::root_shape(kind);
    if let Some(c) = class::cast(class) {
        c.root_shape.set(heap::expand(id));
    }
    give(id, class);
    types::set_kind(kind, class, id);
}

/// What has this shape is of this class.
fn give(shape: u32, class: Value) {
    if let Some(s) = types::cast::<Shape>(heap::expand(shape)) {
        s.class.set(class);
    }
}

fn make_from_table(th: &mut Thread, def: &'static TypeDef, base: Value) -> R<()> {
    let plan = blueprint(th, def.kind, def.name, Some(base), def.subclassable)?;
    let class = class::new_class(&mut th.m, &plan)?;
    if def.kind != Kind::Iter && def.kind != Kind::Host && def.kind != Kind::DictView {
        adopt(def.kind, class);
    }
    super::type_tables::remember(def, class);
    fill_class(th, class, def)
}

/// A class for a table of a module: its instances are Hosts (or of the kind the table says).
pub fn make_type(th: &mut Thread, def: &'static TypeDef, module: &str) -> R {
    make_type_under(th, def, module, types::class_of_kind(Kind::Instance))
}

/// As `make_type`, of a class that derives from one of the same kind.
pub fn make_type_under(th: &mut Thread, def: &'static TypeDef, module: &str, base: Value) -> R {
    let plan = blueprint(th, def.kind, def.name, Some(base), def.subclassable)?;
    let class = class::new_class(&mut th.m, &plan)?;
    super::type_tables::remember(def, class);
    fill_class(th, class, def)?;
    let module = th.m.new_str(module)?;
    put(th, class, "__module__", module)?;
    Ok(class)
}

fn put(th: &mut Thread, class: Value, name: &str, v: Value) -> R<()> {
    let name = th.m.intern(name)?;
    let namespace = class::cast(class).and_then(|c| c.dict.get());
    attr::set_in_namespace(&mut th.m, namespace, name, v)
}

/// A native as a value; `owner`: the class whose method, or the module whose function it is.
pub fn native(th: &mut Thread, def: &'static NativeDef, owner: Word) -> R {
    let of_class = owner.filter(|o| class::cast(*o).is_some());
    let manner = of_class.map(|c| if call::is_slot(def.name, c) { Manner::Slot } else { Manner::Method });
    func::new_native(&mut th.m, std::ptr::from_ref(def).cast(), owner, manner)
}

/// Adds natives to a class as methods.
pub fn add_methods(th: &mut Thread, class: Value, methods: &'static [NativeDef]) -> R<()> {
    for def in methods {
        // `__new__` gets the class itself first: it has no receiver to check.
        let owner = Some(class).filter(|_| def.name != "__new__");
        let f = native(th, def, owner)?;
        put(th, class, def.name, f)?;
    }
    Ok(())
}

/// Adds one native to a class as it is: no receiver (`__new__`).
pub fn add_function(th: &mut Thread, class: Value, def: &'static NativeDef) -> R<()> {
    let f = native(th, def, None)?;
    put(th, class, def.name, f)
}

/// Adds a constructor to a class.
pub fn add_constructor(th: &mut Thread, class: Value, def: &'static NativeDef) -> R<()> {
    let f = native(th, def, None)?;
    put(th, class, "__new__", f)
}

/// Adds one native to a class as a class method.
pub fn add_class_method(th: &mut Thread, class: Value, def: &'static NativeDef) -> R<()> {
    let f = native(th, def, None)?;
    let wrapped = func::new_wrapper(&mut th.m, Kind::ClassMethod, f)?;
    put(th, class, def.name, wrapped)
}

fn fill_class(th: &mut Thread, class: Value, def: &'static TypeDef) -> R<()> {
    let doc = th.m.new_str(def.doc)?;
    put(th, class, "__doc__", doc)?;
    if let Some(construct) = &def.construct {
        let f = native(th, construct, None)?;
        put(th, class, "__new__", f)?;
    }
    add_methods(th, class, def.methods)?;
    if def.kind == Kind::Host && def.methods.iter().any(|m| m.name == "__hash__") {
        super::class_change::add_trait(class, trait_bits::HASH);
    }
    for m in def.class_methods {
        add_class_method(th, class, m)?;
    }
    for p in def.properties {
        let f = native(th, p, None)?;
        let doc = th.m.new_str(p.doc)?;
        let property = func::new_property(&mut th.m, Some(f), None, None, Some(doc))?;
        put(th, class, p.name, property)?;
    }
    Ok(())
}

fn make_exception(th: &mut Thread, which: Exc, name: &str, base: Exc, object: Value) -> R<()> {
    let base = if which == Exc::BaseException { object } else { types::exc_class(base) };
    let mut plan = blueprint(th, Kind::Exception, name, Some(base), true)?;
    plan.traits |= trait_bits::EXCEPTION;
    if which == Exc::ExceptionGroup {
        plan.bases.push(types::exc_class(Exc::Exception));
    }
    let class = class::new_class(&mut th.m, &plan)?;
    types::set_exc(which, class);
    if which == Exc::BaseException {
        adopt(Kind::Exception, class);
    }
    Ok(())
}

/// Makes a module from its table: functions, types, then whatever its `init` adds.
pub fn make_module(th: &mut Thread, def: &'static ModuleDef) -> R {
    let name = th.m.intern(def.name)?;
    let module = func::new_module(&mut th.m, name)?;
    let scope = th.scope();
    th.root(module);
    let result = fill_module(th, module, name, def);
    th.close(scope);
    result.map(|()| module)
}

fn fill_module(th: &mut Thread, module: Value, name: Value, def: &'static ModuleDef) -> R<()> {
    let doc = th.m.new_str(def.doc)?;
    set_global(th, module, "__name__", name)?;
    set_global(th, module, "__doc__", doc)?;
    for f in def.functions {
        let v = native(th, f, Some(module))?;
        set_global(th, module, f.name, v)?;
    }
    for t in def.types {
        let class = make_type(th, t, def.name)?;
        set_global(th, module, t.name, class)?;
    }
    match def.init {
        Some(init) => init(th, module),
        None => Ok(()),
    }
}

/// Binds a name in a module.
pub fn set_global(th: &mut Thread, module: Value, name: &str, v: Value) -> R<()> {
    let name = th.m.intern(name)?;
    attr::set_in_namespace(&mut th.m, func::module_dict(module), name, v)
}
