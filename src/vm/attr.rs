//! Attributes: instances, classes, modules; descriptors; the inline caches of `GetAttr`, `SetAttr`, `GetMethod`.
//! Must not know how classes are made (`classes.rs`).
//!
//! A site's cache words, each `low << 32 | shape`, so that a racing reader never sees half of one:
//!
//! | instruction | words 1 and 3: low is               | word 2: low is                                     |
//! |-------------|-------------------------------------|----------------------------------------------------|
//! | `GetAttr`   | word offset of a slot in the object | cell of a module, class, or plain class attribute; |
//! |             |                                     | 0: the attribute is the object's class             |
//! | `SetAttr`   | word offset of a slot in the object | shape after the attribute is added                 |
//! | `GetMethod` | cell of a function or native method | cell whose value is called unbound                 |
//!
//! Word 3 is what word 1 held before: a site that sees two shapes in turn still hits.

mod again;

// Getting, setting and deleting are reached through this file.
pub use super::attr_delete::delete;
use super::attr_errors::{property_error, refuse_store};
use super::frame::LINK;
use super::shape_cache::{Access, Seen};
use super::site::{
    ITS_CLASS, cached_method, cell, id_of, property_cell, read_as_seen, remember, shape_id, site, site_name,
    store_as_seen,
};
use super::thread::Thread;
use super::{annotations, attr_store, class_change, hooks, slot_names, type_names};
use crate::object::class::{self, trait_bits};
use crate::object::layout::{BoundMethod, Cell, Function, Module, Native, Property, Super};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Slot, Value, Word, dict, func, shape, str, tuple, types};
use std::sync::atomic::{Ordering, fence};

/// What looking up a name finds.
enum Found {
    /// In the object itself, at this slot.
    Slot(u32, Value),
    /// In the namespace of a module or class, or a plain value in the object's class: no binding.
    Cell(&'static Cell, Value),
    /// A function or native in the object's class, to be bound to it.
    Method(&'static Cell, Value),
    /// Computed: a property, a bound class method...
    Computed(Value),
    Nothing,
}

/// `object.name` with the site's caches: the slow half of `GetAttr`.
#[cold]
#[inline(never)]
pub fn get_at_site(th: &mut Thread, object: Value, words: *const u64) -> R {
    let name = site_name(words);
    if let Some(c) = class::cast(object).filter(|_| text(name) == "__name__") {
        // A data descriptor of `type`: what the class itself says does not matter.
        return Ok(c.name.value());
    }
    if object.is_ref() {
        let cached = site(words, 2).load(Ordering::Relaxed);
        let cell_id = (cached >> 32) as u32;
        if shape_id(object) == cached as u32
            && cell_id != ITS_CLASS
            && let Some(v) = cell(cell_id).value.get()
            && (matches!(types::hdr(object).kind, Kind::Module | Kind::Class) || !is_descriptor(th, v))
        {
            return Ok(v);
        }
    }
    let before = object.is_ref().then(|| shape_id(object));
    if let Some(id) = before
        && let Some(seen) = th.lookup.shapes().find(Access::Get, id, name)
        && let Some(v) = read_as_seen(object, id, seen)
    {
        if let Seen::Slot(n) = seen {
            remember(th, words, 1, id, n);
        }
        return Ok(v);
    }
    mark_cached(object);
    match find(th, object, name)? {
        Found::Slot(n, v) => {
            let Some(id) = before else { return Ok(v) };
            if n < shape::from_id(id).inline_cap {
                remember(th, words, 1, id, n + 2);
                th.lookup.shapes().note(Access::Get, id, name, Seen::Slot(n + 2));
            } else {
                th.lookup.shapes().note(Access::Get, id, name, Seen::Outside(n));
            }
            Ok(v)
        }
        Found::Cell(c, v) => {
            if let Some(id) = before {
                remember(th, words, 2, id, id_of(c));
                if !matches!(types::hdr(object).kind, Kind::Module | Kind::Class | Kind::Super) {
                    th.lookup.shapes().note(Access::Get, id, name, Seen::Cell(id_of(c)));
                }
            }
            Ok(v)
        }
        Found::Method(_, f) => func::new_bound(th, f, object),
        Found::Computed(v) => {
            if let Some(id) = before
                && let Some(c) = property_cell(th, object, name)
            {
                remember(th, words, 2, id, id_of(c));
                th.lookup.shapes().note(Access::Get, id, name, Seen::Cell(id_of(c)));
            } else if let Some(id) = before
                && is_plain_class(th, object, name)
            {
                th.lookup.shapes().note(Access::Get, id, name, Seen::Class);
            }
            Ok(v)
        }
        Found::Nothing => missing(th, object, name),
    }
}

/// Whether this attribute of the object is always its class.
fn is_plain_class(th: &mut Thread, object: Value, name: Value) -> bool {
    let class = types::class_of(object);
    text(name) == "__class__"
        && types::kind_of(object) == Kind::Instance
        && class::traits(class) & (trait_bits::GETATTRIBUTE | trait_bits::GETATTR) == 0
        && th.lookup.find(class, name).is_none()
        && shape::find(shape::of(types::hdr(object)), name).is_none()
}

/// `R[a], R[a+4] = method, receiver`: the slow half of `GetMethod`.
#[cold]
#[inline(never)]
pub fn method_at_site(th: &mut Thread, object: Value, words: *const u64, window: *mut u64) -> R<()> {
    let name = site_name(words);
    if let Some(f) = method_behind(th, object, name) {
        put_window(window, f.0, f.1);
        return Ok(());
    }
    let before = object.is_ref().then(|| shape_id(object));
    if let Some(id) = before {
        let cached = site(words, 2).load(Ordering::Relaxed);
        if id == cached as u32
            && let Some(f) = cell((cached >> 32) as u32).value.get()
        {
            put_window(window, f, None);
            return Ok(());
        }
        match th.lookup.shapes().find(Access::Method, id, name) {
            Some(Seen::Cell(c)) if let Some(f) = Value::from_bits(cached_method(c)) => {
                remember(th, words, 1, id, c);
                put_window(window, f, Some(object));
                return Ok(());
            }
            Some(slot @ Seen::Slot(_)) if let Some(f) = read_as_seen(object, id, slot) => {
                put_window(window, f, None);
                return Ok(());
            }
            _ => {}
        }
    }
    mark_cached(object);
    let (callee, receiver) = match find(th, object, name)? {
        Found::Method(c, f) => {
            if let Some(id) = before {
                remember(th, words, 1, id, id_of(c));
                th.lookup.shapes().note(Access::Method, id, name, Seen::Cell(id_of(c)));
            }
            (f, Some(object))
        }
        Found::Cell(c, v) => {
            if let Some(id) = before.filter(|_| matches!(types::hdr(object).kind, Kind::Module | Kind::Class))
            {
                remember(th, words, 2, id, id_of(c));
            }
            (v, None)
        }
        Found::Slot(n, v) => {
            if let Some(id) = before.filter(|id| n < shape::from_id(*id).inline_cap) {
                th.lookup.shapes().note(Access::Method, id, name, Seen::Slot(n + 2));
            }
            (v, None)
        }
        Found::Computed(v) => unbind(v),
        Found::Nothing => (missing(th, object, name)?, None),
    };
    put_window(window, callee, receiver);
    Ok(())
}

/// A bound method is called as its function with the receiver first: no second look when it is called.
fn unbind(v: Value) -> (Value, Word) {
    match types::cast::<BoundMethod>(v) {
        Some(b) => (b.func.value(), b.receiver.get()),
        None => (v, None),
    }
}

fn put_window(window: *mut u64, callee: Value, receiver: Word) {
    // SAFETY: a call window has at least LINK + 1 registers.
    unsafe {
        *window = callee.bits();
        *window.add(LINK) = receiver.map_or(0, Value::bits);
    }
}

/// Looked up on the type, for `with` and `async with`; `which`: see the table of opcodes.
pub fn special(th: &mut Thread, object: Value, name: Value, which: u8, window: *mut u64) -> R<()> {
    let class = types::class_of(object);
    let Some(f) = th.lookup.find(class, name).and_then(|c| c.value.get()) else {
        let class = th.type_name(object);
        let protocol = if which < 2 { "context" } else { "asynchronous context" };
        let missed = match which {
            1 => " (missed __exit__ method)",
            3 => " (missed __aexit__ method)",
            _ => "",
        };
        return Err(th.type_error(format!(
            "'{class}' object does not support the {protocol} manager protocol{missed}"
        )));
    };
    if matches!(types::kind_of(f), Kind::Function | Kind::Native) {
        put_window(window, f, Some(object));
    } else {
        let bound = bind(th, f, object, class)?;
        put_window(window, bound, None);
    }
    Ok(())
}

/// Inline caches will refer to what a lookup on `object` finds in these namespaces. Before the lookup: a thread that
/// changes a class either sees the mark, or has made its change before we look.
pub(super) fn mark_cached(object: Value) {
    let class = if types::kind_of(object) == Kind::Class { object } else { types::class_of(object) };
    for c in class::mro(class).iter().filter_map(Slot::get).filter_map(class::cast) {
        if c.traits.load(Ordering::SeqCst) & trait_bits::CACHED == 0 {
            c.traits.fetch_or(trait_bits::CACHED, Ordering::SeqCst);
        }
    }
    fence(Ordering::SeqCst);
}

/// Whether reading this class attribute through an instance gives something else than itself.
pub fn is_descriptor(th: &mut Thread, v: Value) -> bool {
    use Kind::*;
    match types::kind_of(v) {
        Function | Property | StaticMethod | ClassMethod | Super => true,
        Native => is_method(v),
        Instance | Host => has_get(th, v),
        _ => false,
    }
}

/// Whether a function or native becomes a bound method when it is read through an instance: all but the functions of
/// built-in modules.
pub(super) fn is_method(v: Value) -> bool {
    match types::cast::<Native>(v) {
        Some(native) => native.owner.get().is_some_and(|o| types::kind_of(o) == Kind::Class),
        None => types::kind_of(v) == Kind::Function,
    }
}

fn has_get(th: &mut Thread, v: Value) -> bool {
    th.lookup_override(v, "__get__").is_some()
}

fn find(th: &mut Thread, object: Value, name: Value) -> R<Found> {
    match types::kind_of(object) {
        Kind::Class => find_in_class(th, object, name),
        Kind::Module => find_in_module(th, object, name),
        Kind::Super => find_in_super(th, object, name),
        _ => find_in_object(th, object, name),
    }
}

fn find_in_object(th: &mut Thread, object: Value, name: Value) -> R<Found> {
    let class = types::class_of(object);
    if class::traits(class) & trait_bits::GETATTRIBUTE != 0 {
        return custom_getattribute(th, object, class, name);
    }
    let found = find_plainly(th, object, class, name);
    // A property that raises AttributeError is no attribute to `__getattr__`.
    if found.is_err() && class::traits(class) & trait_bits::GETATTR != 0 && th.pending_is(Exc::AttributeError)
    {
        th.m.pending = None;
        return Ok(Found::Nothing);
    }
    found
}

/// `object.__getattribute__`: data descriptors, the object's own attributes, then the class's.
fn find_plainly(th: &mut Thread, object: Value, class: Value, name: Value) -> R<Found> {
    let in_class = slot_names::visible(th, class, name);
    let value = in_class.and_then(|c| c.value.get());
    if let Some(v) = value {
        if types::kind_of(v) == Kind::Property && !has_get(th, v) {
            return Ok(Found::Computed(get_property(th, v, object, name)?));
        }
        if is_data_descriptor(th, v) && has_get(th, v) {
            return Ok(Found::Computed(bind(th, v, object, class)?));
        }
    }
    if object.is_ref() {
        let own = shape::of(types::hdr(object));
        if let Some(n) = shape::find(own, name)
            && let Some(v) = shape::slot(object, own, n).and_then(Slot::get)
        {
            return Ok(Found::Slot(n, v));
        }
    }
    let (Some(c), Some(v)) = (in_class, value) else {
        return builtin_attribute(th, object, name);
    };
    Ok(match types::kind_of(v) {
        Kind::Function | Kind::Native if is_method(v) => Found::Method(c, v),
        _ if is_descriptor(th, v) => Found::Computed(bind(th, v, object, class)?),
        _ => Found::Cell(c, v),
    })
}

pub fn is_data_descriptor(th: &mut Thread, v: Value) -> bool {
    types::kind_of(v) == Kind::Property
        || types::kind_of(v) == Kind::Instance
            && (th.lookup_override(v, "__set__").is_some() || th.lookup_override(v, "__delete__").is_some())
}

#[cold]
fn custom_getattribute(th: &mut Thread, object: Value, class: Value, name: Value) -> R<Found> {
    let hook = th.name("__getattribute__")?;
    match th.lookup.find(class, hook).and_then(|c| c.value.get()) {
        Some(f) => match th.call(f, &[object, name]) {
            Ok(v) => Ok(Found::Computed(v)),
            Err(_)
                if class::traits(class) & trait_bits::GETATTR != 0 && th.pending_is(Exc::AttributeError) =>
            {
                th.m.pending = None;
                Ok(Found::Nothing)
            }
            Err(raised) => Err(raised),
        },
        None => find_plainly(th, object, class, name),
    }
}

fn get_property(th: &mut Thread, property: Value, object: Value, name: Value) -> R {
    match types::cast::<Property>(property).and_then(|p| p.get.get()) {
        Some(getter) => ask_getter(th, getter, object),
        None => Err(property_error(th, object, name, "getter")),
    }
}

/// A property's value. The getter of a named tuple's field is just the number of the item.
fn ask_getter(th: &mut Thread, getter: Value, object: Value) -> R {
    let item = getter.as_small().and_then(|i| tuple::items(object).get(usize::try_from(i).ok()?)?.get());
    match item {
        Some(v) => Ok(v),
        None => th.call(getter, &[object]),
    }
}

/// What a class attribute becomes when it is read through `object` (or through the class, for class methods).
pub fn bind(th: &mut Thread, v: Value, object: Value, class: Value) -> R {
    match types::kind_of(v) {
        Kind::Function | Kind::Native if is_method(v) => func::new_bound(th, v, object),
        Kind::Property | Kind::Instance | Kind::StaticMethod | Kind::ClassMethod if has_get(th, v) => {
            th.call_method(v, "__get__", &[object, class])
        }
        Kind::Host => match th.lookup_override(v, "__get__") {
            Some(get) => th.call(get, &[v, object, class]),
            None => Ok(v),
        },
        Kind::StaticMethod => Ok(func::unwrap_wrapper(v).unwrap_or(Value::NONE)),
        Kind::ClassMethod => bind_to_class(th, v, class),
        Kind::Super => match types::cast::<Super>(v) {
            Some(s) if s.receiver.value().is_none() => super::classes::new_super(th, s.class.value(), object),
            _ => Ok(v),
        },
        Kind::Property => match types::cast::<Property>(v).and_then(|p| p.get.get()) {
            Some(getter) => ask_getter(th, getter, object),
            None => Err(th.raise(Exc::AttributeError, "property has no getter")),
        },
        _ => Ok(v),
    }
}

/// What the built-in `__get__` of a `staticmethod` or `classmethod` gives, whatever a class derived from it says.
pub fn unwrap_bound(th: &mut Thread, v: Value, class: Value) -> R {
    match types::kind_of(v) {
        Kind::ClassMethod => bind_to_class(th, v, class),
        _ => Ok(func::unwrap_wrapper(v).unwrap_or(Value::NONE)),
    }
}

/// A class method with its class; around a property, what that makes of the class.
fn bind_to_class(th: &mut Thread, method: Value, class: Value) -> R {
    let f = func::unwrap_wrapper(method).unwrap_or(Value::NONE);
    match types::kind_of(f) {
        Kind::Property => bind(th, f, class, class),
        _ => func::new_bound(th, f, class),
    }
}

fn find_in_module(th: &mut Thread, module: Value, name: Value) -> R<Found> {
    let own = func::module_dict(module).and_then(|d| dict::find_cell(d, name));
    if let Some((c, v)) = own.and_then(|c| Some((c, c.value.get()?))) {
        return Ok(Found::Cell(c, v));
    }
    find_plainly(th, module, types::class_of_kind(Kind::Module), name)
}

fn find_in_class(th: &mut Thread, class: Value, name: Value) -> R<Found> {
    let asks = matches!(text(name), "__annotations__" | "__annotate__");
    if asks && class::find_own(class, name).is_none() {
        let found = annotations::of_class(th, class, name, text(name) == "__annotations__")?;
        return Ok(found.map_or(Found::Nothing, Found::Computed));
    }
    if let Some((c, v)) = slot_names::visible(th, class, name).and_then(|c| Some((c, c.value.get()?))) {
        return Ok(match types::kind_of(v) {
            // How the instances of a built-in class show their docstrings; the class has one of its own.
            Kind::Property
                if text(name) == "__doc__" && class::traits(class) & trait_bits::HEAP_TYPE == 0 =>
            {
                super::fields::get(th, class, "__doc__")?.map_or(Found::Nothing, Found::Computed)
            }
            Kind::Instance | Kind::Property | Kind::StaticMethod | Kind::ClassMethod if has_get(th, v) => {
                Found::Computed(th.call_method(v, "__get__", &[Value::NONE, class])?)
            }
            Kind::StaticMethod => Found::Computed(func::unwrap_wrapper(v).unwrap_or(Value::NONE)),
            Kind::ClassMethod => Found::Computed(bind_to_class(th, v, class)?),
            _ => Found::Cell(c, v),
        });
    }
    match slot_names::owner(class, name) {
        Some(owner) => Ok(Found::Computed(hooks::member(th, owner, name)?)),
        None => find_plainly(th, class, types::class_of_kind(Kind::Class), name),
    }
}

/// A function or native method that `super()` finds, and what it is to be called with first.
fn method_behind(th: &mut Thread, object: Value, name: Value) -> Option<(Value, Word)> {
    let s = types::cast::<Super>(object)?;
    let (start, receiver) = (s.start.value(), s.receiver.value());
    let f = th.lookup.find_behind(start, s.class.value(), name)?.value.get().filter(|f| is_method(*f))?;
    // In a class method or `__new__` the receiver is the class itself.
    Some((f, Some(receiver).filter(|r| *r != start)))
}

fn find_in_super(th: &mut Thread, object: Value, name: Value) -> R<Found> {
    let Some(s) = types::cast::<Super>(object) else { return Ok(Found::Nothing) };
    let (start, receiver) = (s.start.value(), s.receiver.value());
    let found = th.lookup.find_behind(start, s.class.value(), name).and_then(|c| c.value.get());
    match found {
        Some(f) if receiver == start && matches!(types::kind_of(f), Kind::Function | Kind::Native) => {
            // super() in a class method or __new__: the receiver is the class itself.
            Ok(Found::Computed(f))
        }
        Some(f) if receiver == start && (types::kind_of(f) == Kind::Property || has_get(th, f)) => match f {
            property if types::kind_of(f) == Kind::Property => Ok(Found::Computed(property)),
            f => Ok(Found::Computed(th.call_method(f, "__get__", &[Value::NONE, start])?)),
        },
        Some(f) => Ok(Found::Computed(bind(th, f, receiver, start)?)),
        None => find_plainly(th, object, types::class_of_kind(Kind::Super), name),
    }
}

pub(super) fn text(name: Value) -> &'static str {
    str::as_str(name).unwrap_or("?")
}

/// Nothing found: `__getattr__`, else AttributeError.
#[cold]
fn missing(th: &mut Thread, object: Value, name: Value) -> R {
    let class = types::class_of(object);
    if class::traits(class) & trait_bits::GETATTR != 0 {
        let hook = th.name("__getattr__")?;
        if let Some(f) = th.lookup.find(class, hook).and_then(|c| c.value.get()) {
            return th.call(f, &[object, name]).inspect_err(|_| say_which(th, object, name));
        }
    }
    if let Some(hook) = module_getattr(th, object)? {
        let found = th.call(hook, &[name])?;
        if !super::module_names::is_refusal(hook, found) {
            return Ok(found);
        }
    }
    Err(no_attribute(th, object, name))
}

/// Whether `__getattr__` of the class or of the module may know names that a lookup does not find.
fn has_hook(th: &mut Thread, object: Value) -> R<bool> {
    let by_class = class::traits(types::class_of(object)) & trait_bits::GETATTR != 0;
    Ok(by_class || module_getattr(th, object)?.is_some())
}

fn module_getattr(th: &mut Thread, object: Value) -> R<Word> {
    let Some(module) = types::cast::<Module>(object) else { return Ok(None) };
    let name = th.name("__getattr__")?;
    Ok(module.dict.get().and_then(|d| dict::find_cell(d, name)).and_then(|c| c.value.get()))
}

/// AttributeError in CPython's words.
#[cold]
pub fn no_attribute(th: &mut Thread, object: Value, name: Value) -> crate::object::Raised {
    let name_text = text(name);
    let message = match types::kind_of(object) {
        // Of an enumeration, as its metaclass in CPython has it.
        Kind::Class if class::traits(object) & trait_bits::CLASS_PROTOCOL != 0 => name_text.to_owned(),
        Kind::Class => {
            format!("type object '{}' has no attribute '{name_text}'", type_names::of_class(object))
        }
        Kind::Module => {
            let module = types::cast::<Module>(object).map_or(Value::NONE, |m| m.name.value());
            let module = text(module);
            match super::import::is_partial(object) {
                true => format!(
                    "partially initialized module '{module}' has no attribute '{name_text}' (most likely due to a \
                     circular import)"
                ),
                false => format!("module '{module}' has no attribute '{name_text}'"),
            }
        }
        Kind::Super => format!("'super' object has no attribute '{name_text}'"),
        // Classes of Rust objects say which module they are from.
        Kind::Host if class::traits(types::class_of(object)) & trait_bits::HEAP_TYPE == 0 => {
            let class = th.qualified_name(types::class_of(object)).unwrap_or_default();
            format!("'{class}' object has no attribute '{name_text}'")
        }
        _ => format!("'{}' object has no attribute '{name_text}'", th.type_name(object)),
    };
    let raised = th.raise(Exc::AttributeError, message);
    say_which(th, object, name);
    raised
}

/// Tells a pending AttributeError what was looked for and where, unless it knows: for "Did you mean".
fn say_which(th: &mut Thread, object: Value, name: Value) {
    let (Some(e), Ok(name_key), Ok(obj_key)) = (th.m.pending, th.name("name"), th.name("obj")) else {
        return;
    };
    if !th.pending_is(Exc::AttributeError) {
        return;
    }
    let is_unset = |key| shape::get(e, key).is_none_or(Value::is_none);
    if is_unset(name_key) && is_unset(obj_key) {
        for (key, value) in [(name_key, name), (obj_key, object)] {
            // Without memory for it the error is still the one to show.
            let _ = shape::set(&mut th.m, e, key, value);
        }
    }
}

/// Attributes that are fields of the object's struct: `__class__`, `__dict__`, `__name__`...
fn builtin_attribute(th: &mut Thread, object: Value, name: Value) -> R<Found> {
    let found = super::fields::get(th, object, text(name))?;
    Ok(found.map_or(Found::Nothing, Found::Computed))
}

/// `object.name = value` with the site's caches: the slow half of `SetAttr`.
#[cold]
#[inline(never)]
pub fn set_at_site(th: &mut Thread, object: Value, value: Value, words: *const u64) -> R<()> {
    let name = site_name(words);
    let before = object.is_ref().then(|| shape_id(object));
    if let Some(id) = before
        && let Some(seen) = th.lookup.shapes().find(Access::Set, id, name)
        && store_as_seen(&th.m, object, id, seen, value)
    {
        match seen {
            Seen::Grow(after) => remember(th, words, 2, id, after),
            Seen::Slot(n) => remember(th, words, 1, id, n),
            Seen::Outside(_) | Seen::Cell(_) | Seen::Class => {}
        }
        return Ok(());
    }
    attr_store::note_escape(object);
    set(th, object, name, value)?;
    let Some(before) = before.filter(|_| attr_store::cacheable(th, object, name)) else { return Ok(()) };
    let Some(seen) = attr_store::stored(object, before, name) else { return Ok(()) };
    match seen {
        Seen::Slot(n) => remember(th, words, 1, before, n),
        Seen::Grow(after) => remember(th, words, 2, before, after),
        _ => {}
    }
    th.lookup.shapes().note(Access::Set, before, name, seen);
    Ok(())
}

/// `object.name = value`; `name` is interned.
pub fn set(th: &mut Thread, object: Value, name: Value, value: Value) -> R<()> {
    let class = types::class_of(object);
    if class::traits(class) & trait_bits::SETATTR != 0 {
        let hook = th.name("__setattr__")?;
        if let Some(f) = th.lookup.find(class, hook).and_then(|c| c.value.get()) {
            // A class of Rust objects may have a hook in Rust; any other native is `object`'s own, but for those that a class of
            // a script has adopted.
            if types::kind_of(f) != Kind::Native
                || types::kind_of(object) == Kind::Host
                || is_adopted(class, hook)
            {
                return th.call(f, &[object, name, value]).map(drop);
            }
        }
    }
    set_plainly(th, object, name, value)
}

/// Whether the built-in function that a class has as this special method was given to it by a class of a script, and is not the
/// method of its built-in base.
pub(super) fn is_adopted(class: Value, name: Value) -> bool {
    let has = |c: &Value| class::find_own(*c, name).is_some();
    class::traits(class) & trait_bits::ADOPTS != 0
        && class::mro(class)
            .iter()
            .filter_map(Slot::get)
            .find(has)
            .is_some_and(|c| class::traits(c) & trait_bits::HEAP_TYPE != 0)
}

/// `object.__setattr__`.
pub fn set_plainly(th: &mut Thread, object: Value, name: Value, value: Value) -> R<()> {
    match types::kind_of(object) {
        Kind::Class if text(name) == "__annotate__" => return annotations::set_class(th, object, value),
        Kind::Class => return class_change::assign(th, object, name, Some(value)),
        Kind::Module => return set_in_namespace(&mut th.m, func::module_dict(object), name, value),
        _ => {}
    }
    let class = types::class_of(object);
    if let Some(v) = slot_names::visible(th, class, name).and_then(|c| c.value.get()) {
        let custom = th.lookup_override(v, "__set__").is_some();
        if let Some(p) = types::cast::<Property>(v).filter(|_| !custom) {
            return match p.set.get() {
                Some(setter) => th.call(setter, &[object, value]).map(drop),
                // A field of a named tuple.
                None if p.get.get().is_some_and(Value::is_small_int) => {
                    Err(th.raise(Exc::AttributeError, "can't set attribute"))
                }
                None if super::set_fields::set(th, object, text(name), value)? => Ok(()),
                None => Err(property_error(th, object, name, "setter")),
            };
        }
        if is_data_descriptor(th, v) {
            let Some(setter) = th.lookup_override(v, "__set__") else {
                return Err(th.raise(Exc::AttributeError, "__set__"));
            };
            return th.call(setter, &[v, object, value]).map(drop);
        }
    }
    if super::set_fields::set(th, object, text(name), value)? {
        return Ok(());
    }
    if object.is_ref() && may_have_attribute(object, name) && shape::set(&mut th.m, object, name, value)? {
        return Ok(());
    }
    Err(refuse_store(th, object, name))
}

/// Objects of built-in kinds have no attributes of their own, except functions, exceptions and instances of subclasses;
/// `__slots__` may limit the names.
pub(super) fn may_have_attribute(object: Value, name: Value) -> bool {
    let class = types::class_of(object);
    if class::traits(class) & trait_bits::SLOTS_ONLY != 0 {
        return class::has_slot(class, name);
    }
    match types::hdr(object).kind {
        Kind::Instance => class != types::class_of_kind(Kind::Instance),
        Kind::Exception | Kind::Function => true,
        Kind::Host => class::traits(class) & (trait_bits::HEAP_TYPE | trait_bits::ATTRIBUTES) != 0,
        _ => crate::object::layout::is_subclass_instance(types::hdr(object)),
    }
}

/// Binds a name in a module's namespace.
pub fn set_in_namespace(m: &mut Mutator, namespace: Word, name: Value, value: Value) -> R<()> {
    let cell = dict::cell_for(m, namespace.unwrap_or(Value::NONE), name)?;
    if let Some(c) = types::cast::<Cell>(cell) {
        c.value.set(value);
    }
    Ok(())
}

impl Thread {
    /// `obj.name`; `name` is interned.
    pub fn get_attr(&mut self, object: Value, name: Value) -> R {
        match find(self, object, name)? {
            Found::Slot(_, v) | Found::Cell(_, v) | Found::Computed(v) => Ok(v),
            Found::Method(_, f) => func::new_bound(self, f, object),
            Found::Nothing => missing(self, object, name),
        }
    }

    /// `object.__getattribute__`: as `get_attr`, without the class's own hooks.
    pub fn get_attr_plainly(&mut self, object: Value, name: Value) -> R {
        let class = types::class_of(object);
        match find_plainly(self, object, class, name)? {
            Found::Slot(_, v) | Found::Cell(_, v) | Found::Computed(v) => Ok(v),
            Found::Method(_, f) => func::new_bound(self, f, object),
            Found::Nothing => Err(no_attribute(self, object, name)),
        }
    }

    /// `obj.name`, or EMPTY where that would be an AttributeError.
    pub fn get_attr_opt(&mut self, object: Value, name: Value) -> R<Word> {
        let found = match find(self, object, name) {
            Ok(Found::Slot(_, v) | Found::Cell(_, v) | Found::Computed(v)) => Ok(v),
            Ok(Found::Method(_, f)) => func::new_bound(self, f, object),
            Ok(Found::Nothing) if !has_hook(self, object)? => return Ok(None),
            Ok(Found::Nothing) => missing(self, object, name),
            Err(raised) => Err(raised),
        };
        match found {
            Ok(v) => Ok(Some(v)),
            Err(raised) => {
                let pending = self.m.pending.map(types::class_of);
                if pending.is_some_and(|c| class::is_subclass(c, types::exc_class(Exc::AttributeError))) {
                    self.m.pending = None;
                    return Ok(None);
                }
                Err(raised)
            }
        }
    }

    /// `obj.name = value`.
    pub fn set_attr(&mut self, object: Value, name: Value, value: Value) -> R<()> {
        set(self, object, name, value)
    }

    /// `del obj.name`.
    pub fn del_attr(&mut self, object: Value, name: Value) -> R<()> {
        delete(self, object, name)
    }

    /// The special method of an object's type, unbound.
    pub fn lookup_special(&mut self, object: Value, name: &'static str) -> Word {
        if class::traits(object) & trait_bits::CLASS_PROTOCOL != 0
            && let Some(f) = self.lookup_in_class(object, name)
        {
            return Some(f);
        }
        self.lookup.find_special(&mut self.m, types::class_of(object), name)?.value.get()
    }

    /// What a class says of itself as an object: `__class_iter__` for `__iter__`.
    #[cold]
    fn lookup_in_class(&mut self, class: Value, name: &str) -> Word {
        let name = self.m.intern(&format!("__class_{}", name.trim_start_matches('_'))).ok()?;
        self.lookup.find(class, name)?.value.get().filter(|f| types::kind_of(*f) == Kind::Function)
    }

    /// As `lookup_override`, of an object of the kind Instance.
    #[inline(always)]
    pub fn lookup_in_instance(&mut self, object: Value, name: &'static str) -> Word {
        let cell = self.lookup.find_special(&mut self.m, types::class_of(object), name)?;
        let class = types::class_of(object);
        cell.value.get().filter(|f| types::cast::<Native>(*f).is_none() || self.adopts(class, name))
    }

    /// As `is_adopted`.
    #[cold]
    fn adopts(&mut self, class: Value, name: &str) -> bool {
        class::traits(class) & trait_bits::ADOPTS != 0
            && self.m.intern(name).is_ok_and(|name| is_adopted(class, name))
    }

    /// As `lookup_special`, only if a class written in Mini provides it, or the table of a module's class: the operators
    /// know the other built-in types themselves.
    #[inline]
    pub fn lookup_override(&mut self, object: Value, name: &'static str) -> Word {
        if !object.is_ref() {
            return None;
        }
        let by_table = match types::hdr(object).kind {
            Kind::Host | Kind::Iter => true,
            Kind::Class if class::traits(object) & trait_bits::CLASS_PROTOCOL != 0 => {
                return self.lookup_in_class(object, name);
            }
            _ => false,
        };
        if !by_table && class::traits(types::class_of(object)) & trait_bits::HEAP_TYPE == 0 {
            return None;
        }
        let found = self.lookup_special(object, name)?;
        let is_override = match types::cast::<Native>(found) {
            Some(native) => {
                by_table && native.owner.get() != Some(types::class_of_kind(Kind::Instance))
                    || self.adopts(types::class_of(object), name)
            }
            None => true,
        };
        is_override.then_some(found)
    }
}

/// The layouts this file reads through caches.
const _: () = assert!(std::mem::size_of::<Function>() == 104 && std::mem::size_of::<Native>() == 32);
