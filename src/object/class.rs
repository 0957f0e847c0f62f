//! Classes as data: fields, method resolution order, lookup of a name along it, trait bits.
//! Must not run Mini code: making a class from a `class` statement is `vm::classes`.

use super::error::R;
use super::header::{Kind, Slot};
use super::layout::{Cell, Class, Shape, Tuple, is_subclass_instance};
use super::mutator::Mutator;
use super::value::Value;
use super::{dict, heap, mro, shape, tuple, types};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a class (or a class it derives from) overrides of `object`'s behaviour: lets the fast paths stay fast.
pub mod trait_bits {
    pub const GETATTR: u64 = 1;
    pub const GETATTRIBUTE: u64 = 2;
    pub const SETATTR: u64 = 4;
    pub const DELATTR: u64 = 8;
    pub const EQ: u64 = 16;
    pub const HASH: u64 = 32;
    pub const NEW: u64 = 64;
    pub const INIT: u64 = 128;
    pub const BOOL: u64 = 256;
    pub const LEN: u64 = 512;
    pub const ITER: u64 = 1024;
    pub const GETITEM: u64 = 2048;
    pub const SETITEM: u64 = 4096;
    pub const CONTAINS: u64 = 8192;
    pub const REPR: u64 = 1 << 14;
    pub const STR: u64 = 1 << 15;
    /// Says itself how the class as an object iterates, is shown, ... (`__class_iter__`, `__class_repr__`), which takes
    /// a metaclass in Python: for enumerations.
    pub const CLASS_PROTOCOL: u64 = 1 << 17;
    /// Says itself what its instances are (`__class_instancecheck__`): for protocols.
    pub const INSTANCE_CHECK: u64 = 1 << 18;
    /// A class of a script that has a built-in function as a special method: `__setattr__ = dict.__setitem__`.
    pub const ADOPTS: u64 = 1 << 19;
    /// An abstract base class: see `vm::abstract_classes`.
    pub const ABC: u64 = 1 << 16;
    /// Derives from BaseException.
    pub const EXCEPTION: u64 = 1 << 32;
    /// Made by a `class` statement or `type(...)`.
    pub const HEAP_TYPE: u64 = 1 << 33;
    /// Inline caches may refer to its namespace: adding or deleting a name must flush them.
    pub const CACHED: u64 = 1 << 34;
    /// May not be derived from.
    pub const FINAL: u64 = 1 << 35;

    /// Of a class of Host objects that no script has made: they have attributes of their own all the same.
    pub const ATTRIBUTES: u64 = 1 << 38;
    /// Has abstract methods: cannot be instantiated.
    pub const ABSTRACT: u64 = 1 << 37;
    /// Instances have no attributes but those of `__slots__`.
    pub const SLOTS_ONLY: u64 = 1 << 36;

    /// The bit that a class gets when its namespace has this name.
    pub fn of_name(name: &str) -> u64 {
        match name {
            "__getattr__" => GETATTR,
            "__getattribute__" => GETATTRIBUTE,
            "__setattr__" => SETATTR,
            "__delattr__" => DELATTR,
            "__eq__" => EQ,
            "__hash__" => HASH,
            "__new__" => NEW,
            "__init__" => INIT,
            "__bool__" => BOOL,
            "__len__" => LEN,
            "__iter__" => ITER,
            "__getitem__" => GETITEM,
            "__setitem__" => SETITEM,
            "__contains__" => CONTAINS,
            "__repr__" => REPR,
            "__str__" => STR,
            "__class_iter__" | "__class_repr__" => CLASS_PROTOCOL,
            "__class_instancecheck__" => INSTANCE_CHECK,
            "_abc_impl" => ABC,
            _ => 0,
        }
    }
    /// What subclasses inherit.
    pub const INHERITED: u64 = (1 << 33) - 1;
}

/// Whether an object does what its built-in type does where a class written in Mini may say otherwise: `methods` are the
/// bits of those that may be there.
#[inline]
pub fn is_untouched(v: Value, methods: u64) -> bool {
    !is_subclass_instance(types::hdr(v)) || traits(types::class_of(v)) & methods == 0
}

/// All classes, weakly: a class knows its bases, and is found by them here.
static CLASSES: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// Counts changes of classes that invalidate cached lookups.
static EPOCH: AtomicU32 = AtomicU32::new(1);

/// See `EPOCH`.
#[inline]
pub fn epoch() -> u32 {
    EPOCH.load(Ordering::Acquire)
}

/// Invalidates every cached lookup.
pub fn bump_epoch() {
    EPOCH.fetch_add(1, Ordering::AcqRel);
}

/// Everything `new_class` needs.
pub struct Blueprint {
    /// Str.
    pub name: Value,
    /// Str.
    pub qualname: Value,
    /// Classes; none for `object`.
    pub bases: Vec<Value>,
    pub kind: Kind,
    /// Attribute slots inside an instance.
    pub inline_cap: u32,
    pub traits: u64,
}

/// Makes a class with an empty namespace.
pub fn new_class(m: &mut Mutator, plan: &Blueprint) -> R {
    let bases = m.new_tuple(&plan.bases)?;
    let dict = dict::new_namespace(m)?;
    let p = m.alloc::<Class>(0)?;
    // SAFETY: freshly allocated, of this size, and not shared yet.
    let class = unsafe {
        (&raw mut (*p).name).cast::<[u64; 7]>().write([0; 7]);
        (&raw mut (*p).instance_kind).write(plan.kind as u64);
        (&raw mut (*p).traits).cast::<u64>().write(plan.traits);
        (&raw mut (*p).init).cast::<u64>().write(0);
        &*p
    };
    let this = Value::from_addr(p.addr());
    class.name.set(plan.name);
    class.qualname.set(plan.qualname);
    class.bases.set(bases);
    class.dict.set(dict);
    let order = mro::linearize(m, this, &plan.bases)?;
    let order = m.new_tuple(&order)?;
    class.mro.set(order);
    class.root_shape.set(shape::new_root(m, this, plan.inline_cap)?);
    // Every class object has a shape of its own, so that an inline cache keyed by it means this very class.
    let own = shape::new_root(m, types::class_of_kind(Kind::Class), 0)?;
    class.hdr.shape.store(heap::compress(own), Ordering::Release);
    CLASSES.lock().unwrap_or_else(PoisonError::into_inner).push(this.bits());
    Ok(this)
}

/// The direct subclasses of a class, the oldest first.
pub fn subclasses(class: Value) -> Vec<Value> {
    let all = CLASSES.lock().unwrap_or_else(PoisonError::into_inner);
    let derives = |c: &Value| {
        cast(*c).is_some_and(|c| tuple::items(c.bases.value()).iter().any(|b| b.get() == Some(class)))
    };
    // They are younger than the class: nothing is looked through for one that has just been made.
    let from = all.iter().rposition(|bits| *bits == class.bits()).map_or(0, |at| at + 1);
    all.iter().skip(from).filter_map(|bits| Value::from_bits(*bits)).filter(derives).collect()
}

/// The collector has marked: forgets dead classes.
pub fn drop_dead(alive: &dyn Fn(Value) -> bool) {
    let mut all = CLASSES.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|bits| Value::from_bits(*bits).is_some_and(alive));
}

/// `v` as a class.
#[inline]
pub fn cast(v: Value) -> Option<&'static Class> {
    types::cast::<Class>(v)
}

/// The shape of a fresh instance.
pub fn root_shape(class: Value) -> Value {
    cast(class).map_or(Value::NONE, |c| c.root_shape.value())
}

/// The root shape as a struct.
pub fn root(class: &Class) -> Option<&'static Shape> {
    types::cast::<Shape>(class.root_shape.get()?)
}

/// Trait bits, inherited ones included.
#[inline]
pub fn traits(class: Value) -> u64 {
    cast(class).map_or(0, |c| c.traits.load(Ordering::Relaxed))
}

/// The classes of a class's method resolution order, itself first.
#[inline]
pub fn mro(class: Value) -> &'static [Slot] {
    cast(class).and_then(|c| types::cast::<Tuple>(c.mro.get()?)).map_or(&[], tuple::slots)
}

/// The cell of `name` (interned) in the first class of the order that has it.
pub fn find(class: Value, name: Value) -> Option<&'static Cell> {
    mro(class).iter().find_map(|c| find_own(c.get()?, name))
}

/// As `find`, in the classes after `start` (for `super`).
pub fn find_after(class: Value, start: Value, name: Value) -> Option<&'static Cell> {
    let order = mro(class);
    let at = order.iter().position(|c| c.get() == Some(start))?;
    order.get(at + 1..)?.iter().find_map(|c| find_own(c.get()?, name))
}

/// The cell of `name` in the class's own namespace, if it has a value.
pub fn find_own(class: Value, name: Value) -> Option<&'static Cell> {
    dict::find_cell(cast(class)?.dict.get()?, name).filter(|cell| cell.value.get().is_some())
}

/// Whether `class` is `other` or derives from it.
#[inline]
pub fn is_subclass(class: Value, other: Value) -> bool {
    class == other || mro(class).iter().any(|c| c.get() == Some(other))
}

/// Whether `__slots__` of the class or of a base names this attribute (interned).
pub fn has_slot(class: Value, name: Value) -> bool {
    let names = cast(class).and_then(|c| c.slot_names.get());
    names.is_some_and(|names| tuple::items(names).iter().any(|n| n.get() == Some(name)))
}

/// Whether `__slots__` of this very class gives its instances fields that no base has.
pub fn adds_slots(c: &Class) -> bool {
    let special = |n: &Slot| matches!(n.get().and_then(super::str::as_str), Some("__dict__" | "__weakref__"));
    let count = |c: &Class| {
        c.slot_names.get().map_or(0, |names| tuple::items(names).iter().filter(|n| !special(n)).count())
    };
    let bases = c.bases.get().map_or(&[][..], tuple::items);
    let inherited = bases.iter().filter_map(|b| cast(b.get()?)).map(count).max();
    count(c) > inherited.unwrap_or(0)
}

/// The class's name.
pub fn name(class: Value) -> String {
    let name = cast(class).map(|c| c.name.value()).and_then(super::str::as_str);
    name.unwrap_or("?").to_owned()
}
