//! What every heap object begins with, and the slot: the one way a shared word is read and written.
//! Must not know how objects are allocated or collected.

use super::value::{Value, Word};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// Which Rust struct an object is. Fixed for life; a class may have instances of one kind only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Kind {
    // Parts of other objects, never seen by a script.
    Shape,
    Chunk,
    ListBuf,
    Table,
    SetTable,
    StrBuf,
    Cell,
    Code,
    // Numbers and text.
    Int,
    Float,
    Str,
    Bytes,
    ByteArray,
    MemoryView,
    // Containers.
    Tuple,
    List,
    Dict,
    Set,
    FrozenSet,
    Range,
    Slice,
    DictView,
    MappingProxy,
    /// Every built-in iterator: see `iter.rs` for the tag that tells them apart.
    Iter,
    // Code and classes.
    Function,
    Native,
    BoundMethod,
    Class,
    Instance,
    Property,
    StaticMethod,
    ClassMethod,
    Super,
    Module,
    // Suspended calls.
    Generator,
    Coroutine,
    AsyncGenerator,
    // Exceptions.
    Exception,
    Traceback,
    /// An object that owns a Rust value (a file, a lock, a thread's handle): the only kind with a finalizer.
    Host,
    // Kinds without heap objects: their values are words.
    None_,
    Bool,
    Ellipsis,
    NotImplemented,
}

/// Number of kinds: the size of tables indexed by kind.
pub const KINDS: usize = Kind::NotImplemented as usize + 1;

/// The first eight bytes of every heap object.
#[repr(C)]
pub struct Hdr {
    /// Compressed reference (see `heap::compress`) to the object's Shape, which knows the class.
    pub shape: AtomicU32,
    pub kind: Kind,
    /// Per-kind bits; `flag::*`.
    pub flags: AtomicU8,
    /// Object lock of the structural writers when the GIL is off (0 free, 1 held).
    pub lock: AtomicU16,
}

/// Bits of `Hdr::flags`.
pub mod flag {
    /// Of a Dict: values are Cells (a module's or class's namespace).
    pub const CELLS: u8 = 1;
    /// Of a Dict: a window on an instance's attributes (`obj.__dict__`).
    pub const ATTRS: u8 = 2;
    /// Of an object of a built-in kind: an instance of a subclass, with an attribute word behind its payload.
    pub const SUBCLASS: u8 = 4;
    /// Of a Dict: the names of a class body whose base has a say in them (`__class_body_set__`, which is among them).
    pub const ASKS: u8 = 128;
    /// Of a Str: bytes live in a StrBuf, not in the object.
    pub const EXTERNAL: u8 = 8;
    /// Of a Str: interned; equal interned strings are the same object.
    pub const INTERNED: u8 = 16;
    /// Of a Function: what its generators are can be awaited (`types.coroutine`).
    pub const AWAITABLE: u8 = 32;
    /// Of an Instance or Exception: code of a hook or a debugger has seen it, maybe while `__init__` ran.
    pub const ESCAPED: u8 = 8;
    /// Of a Host: more values follow its struct (`wide.rs`).
    pub const WIDE: u8 = 64;
}

/// A word of the heap that several threads can reach.
#[repr(transparent)]
pub struct Slot(AtomicU64);

impl Slot {
    pub const fn empty() -> Slot {
        Slot(AtomicU64::new(0))
    }

    pub fn new(v: Value) -> Slot {
        Slot(AtomicU64::new(v.bits()))
    }

    /// Reads; Acquire, so that what a reference refers to is seen whole.
    #[inline(always)]
    pub fn get(&self) -> Word {
        Value::from_bits(self.0.load(Ordering::Acquire))
    }

    /// Reads a slot that is never EMPTY once its object is published; an EMPTY one reads as None.
    #[inline(always)]
    pub fn value(&self) -> Value {
        self.get().unwrap_or(Value::NONE)
    }

    /// The raw word; 0 is EMPTY.
    #[inline(always)]
    pub fn bits(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Writes a raw word: a value's, or 0 for EMPTY.
    #[inline(always)]
    pub fn set_bits(&self, bits: u64) {
        self.0.store(bits, Ordering::Release);
    }

    /// Writes; Release, so that readers see the referred object whole.
    #[inline(always)]
    pub fn set(&self, v: Value) {
        self.0.store(v.bits(), Ordering::Release);
    }

    #[inline(always)]
    pub fn set_word(&self, w: Word) {
        self.0.store(w.map_or(0, Value::bits), Ordering::Release);
    }

    #[inline(always)]
    pub fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }

    /// Replaces EMPTY by `v`; otherwise returns what is there (lost races of lazy initialisation).
    pub fn set_if_empty(&self, v: Value) -> Result<(), Value> {
        match self.0.compare_exchange(0, v.bits(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(now) => Err(Value::from_bits(now).unwrap_or(v)),
        }
    }

    /// Replaces `old` by `new` in one step. False: something else was there.
    pub fn replace(&self, old: Word, new: Word) -> bool {
        let (old, new) = (old.map_or(0, Value::bits), new.map_or(0, Value::bits));
        self.0.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Exchanges the word.
    pub fn swap(&self, w: Word) -> Word {
        Value::from_bits(self.0.swap(w.map_or(0, Value::bits), Ordering::AcqRel))
    }
}

const _: () = assert!(std::mem::size_of::<Hdr>() == 8 && std::mem::size_of::<Slot>() == 8);
