//! The layout of every heap object, and which of its words are values: all that the collector knows of types.
//! Must not know what the types do; operations live in one file per type.
//!
//! Every struct is `repr(C)`, begins with `Hdr`, and is only ever reached through `&T` (never `&mut`): its mutable words
//! are atomics, because with the GIL off another thread may be reading them. Cells are 16-byte aligned.

use super::header::{Hdr, Kind, Slot, flag};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

/// An immutable map from attribute names to slots, shared by the instances of a class that grew alike.
#[repr(C)]
pub struct Shape {
    pub hdr: Hdr,
    /// The class.
    pub class: Slot,
    /// The shape this one extends by one attribute; EMPTY for a root.
    pub parent: Slot,
    /// The attribute added (an interned Str); EMPTY for a root.
    pub key: Slot,
    /// First of the shapes that extend this one; they are linked by `sibling`.
    pub children: Slot,
    pub sibling: Slot,
    /// Of a root: one for objects with another number of slots inside, whose class became this one. Of some others: an
    /// index of the last attributes (`shape.rs`).
    pub extra: Slot,
    /// Number of attributes; the one added has number `count - 1`.
    pub count: u32,
    /// How many of them live inside the object; the rest in Chunks.
    pub inline_cap: u32,
}

/// Overflow attribute slots of an object. Never moves, never grows: the next chunk is twice as large.
#[repr(C)]
pub struct Chunk {
    pub hdr: Hdr,
    pub next: Slot,
    pub cap: u64,
    pub slots: [Slot; 0],
}

/// An instance of a class written in Mini. `attrs` is the first overflow Chunk.
#[repr(C)]
pub struct Instance {
    pub hdr: Hdr,
    pub attrs: Slot,
    pub slots: [Slot; 0],
}

/// A variable that closures, modules and classes share.
#[repr(C)]
pub struct Cell {
    pub hdr: Hdr,
    pub value: Slot,
    /// Of a module's global: the cell of the builtin with the same name, consulted while `value` is EMPTY.
    pub fallback: Slot,
    pub name: Slot,
}

#[repr(C)]
pub struct Str {
    pub hdr: Hdr,
    /// 0: not computed yet.
    pub hash: AtomicU64,
    pub nbytes: u32,
    pub nchars: u32,
    /// UTF-8, followed (non-ASCII, more than 64 chars) by the offset table that `str.rs` describes;
    /// of an EXTERNAL string: `ExternalStr`.
    pub bytes: [u8; 0],
}

/// What follows the fixed part of an EXTERNAL string.
#[repr(C)]
pub struct ExternalStr {
    pub base: Str,
    /// A StrBuf whose first `nbytes` bytes are this string.
    pub buf: Slot,
    /// EMPTY, or a StrBuf that holds the offset table.
    pub index: Slot,
}

/// Bytes that strings share: `s += t` writes behind `used` when `s` ends there.
#[repr(C)]
pub struct StrBuf {
    pub hdr: Hdr,
    pub used: AtomicU64,
    pub cap: u64,
    pub bytes: [u8; 0],
}

#[repr(C)]
pub struct Bytes {
    pub hdr: Hdr,
    pub len: u64,
    pub hash: AtomicU64,
    pub bytes: [u8; 0],
}

#[repr(C)]
pub struct ByteArray {
    pub hdr: Hdr,
    /// A StrBuf; never EMPTY.
    pub buf: Slot,
    /// How many views look at it: while there are any, its size is fixed.
    pub views: AtomicU64,
}

/// A view of bytes (`memoryview.rs`).
#[repr(C)]
pub struct MemoryView {
    pub hdr: Hdr,
    /// Bytes or ByteArray; EMPTY: released.
    pub base: Slot,
    /// What scripts see as the object behind it.
    pub obj: Slot,
    pub start: u64,
    pub count: u64,
    pub stride: i64,
    /// Code of the format, and bits.
    pub meta: u64,
    /// The hash, once it is known; 0 before.
    pub hash: AtomicU64,
}

/// An int beyond 62 bits: sign of `len` is the sign, limbs little-endian, no leading zero limb.
#[repr(C)]
pub struct Int {
    pub hdr: Hdr,
    pub len: i64,
    pub limbs: [u64; 0],
}

/// A float that does not fit a word.
#[repr(C)]
pub struct Float {
    pub hdr: Hdr,
    pub value: f64,
}

#[repr(C)]
pub struct Tuple {
    pub hdr: Hdr,
    pub len: u64,
    pub items: [Slot; 0],
}

#[repr(C)]
pub struct List {
    pub hdr: Hdr,
    /// A ListBuf; never EMPTY.
    pub buf: Slot,
}

/// Items of a list. `len <= cap`; slots beyond `len` are EMPTY. The length lives here, so that a reader who has the
/// buffer has a length that fits it.
#[repr(C)]
pub struct ListBuf {
    pub hdr: Hdr,
    pub len: AtomicU64,
    pub cap: AtomicU64,
    pub items: [Slot; 0],
}

#[repr(C)]
pub struct Dict {
    pub hdr: Hdr,
    /// A Table; EMPTY until a bare dict gets its first entry. Of an ATTRS dict: the instance.
    pub table: Slot,
}

/// Entries of a dict, in order of insertion, behind their hash index.
/// `index_cap` words of index (`hash << 32 | entry + 1`, 0 = free), then `entry_cap` pairs (key, value).
#[repr(C)]
pub struct Table {
    pub hdr: Hdr,
    pub index_cap: u32,
    pub entry_cap: u32,
    /// Entries handed out, deleted ones included.
    pub used: AtomicU32,
    /// Entries alive.
    pub live: AtomicU32,
    /// All entries before this one are deleted.
    pub first: AtomicU32,
    pub index: [AtomicU64; 0],
}

#[repr(C)]
pub struct Set {
    pub hdr: Hdr,
    /// A SetTable; never EMPTY.
    pub table: Slot,
    /// Of a frozenset: cached hash, 0 = not computed. Of a set: where `pop` goes on looking.
    pub hash: AtomicU64,
}

/// Open-addressed entries: `cap` pairs (hash, key); key EMPTY = free, `Value::DELETED` = was deleted.
#[repr(C)]
pub struct SetTable {
    pub hdr: Hdr,
    pub cap: u32,
    pub live: AtomicU32,
    /// Live and deleted entries.
    pub fill: AtomicU32,
    /// Counts insertions, so that a writer sees that its search is out of date.
    pub changes: AtomicU32,
    pub entries: [SetEntry; 0],
}

#[repr(C)]
pub struct SetEntry {
    pub hash: AtomicU64,
    pub key: Slot,
}

/// start, stop and step are ints of any size.
#[repr(C)]
pub struct Range {
    pub hdr: Hdr,
    pub start: Slot,
    pub stop: Slot,
    pub step: Slot,
}

#[repr(C)]
pub struct Slice {
    pub hdr: Hdr,
    pub start: Slot,
    pub stop: Slot,
    pub step: Slot,
}

/// Keys, values or items of a dict (`what` 0, 1, 2), or a mapping proxy.
#[repr(C)]
pub struct DictView {
    pub hdr: Hdr,
    pub dict: Slot,
    pub what: u64,
}

/// A built-in iterator. `tag` says which (`iter.rs`); the state words are values.
#[repr(C)]
pub struct Iter {
    pub hdr: Hdr,
    pub tag: u64,
    pub state: [Slot; 4],
}

/// Compiled code, linked to a module: what the eval loop runs.
#[repr(C)]
pub struct Code {
    pub hdr: Hdr,
    /// The data segment D (see `bytecode::op`); malloced, freed by the finalizer. Changes once: see `object::code`.
    pub data: AtomicPtr<u64>,
    pub nregs: u32,
    /// Number of arguments, if exactly that many positional ones need no further binding; else `u32::MAX`.
    pub simple_args: u32,
    /// The module whose globals D refers to.
    pub module: Slot,
    /// What functions made of it are called; interned.
    pub name: Slot,
    /// EMPTY until somebody asks.
    pub qualname: Slot,
    /// The compiler's code object: an `Arc` turned into a pointer.
    pub plain: *const crate::bytecode::code::Code,
}

#[repr(C)]
pub struct Function {
    pub hdr: Hdr,
    pub attrs: Slot,
    /// A Code.
    pub code: Slot,
    /// EMPTY, or a Tuple of Cells.
    pub cells: Slot,
    /// EMPTY, or a Tuple.
    pub defaults: Slot,
    /// EMPTY, or a Dict.
    pub kwdefaults: Slot,
    pub name: Slot,
    /// EMPTY: the code's.
    pub qualname: Slot,
    pub doc: Slot,
    pub module_name: Slot,
    /// EMPTY, or a Dict.
    pub annotations: Slot,
    /// Copied from the code, so that a call follows one reference less: see `Code`. What was copied before the code was
    /// linked is renewed when this function is first called.
    pub data: AtomicPtr<u64>,
    pub nregs: u32,
    pub simple_args: u32,
}

/// A function written in Rust; `def` is a `&'static vm::native::NativeDef`.
#[repr(C)]
pub struct Native {
    pub hdr: Hdr,
    pub def: *const (),
    /// The object it is bound to (a module, for functions; EMPTY for unbound methods).
    pub owner: Slot,
    /// Of a method of a class: the shape of that class's objects while they have no attributes. 0: it belongs to no class.
    pub receiver: u64,
}

#[repr(C)]
pub struct BoundMethod {
    pub hdr: Hdr,
    pub func: Slot,
    pub receiver: Slot,
}

#[repr(C)]
pub struct Class {
    pub hdr: Hdr,
    pub name: Slot,
    pub qualname: Slot,
    /// Tuple.
    pub bases: Slot,
    /// Tuple, this class first.
    pub mro: Slot,
    /// A CELLS Dict.
    pub dict: Slot,
    /// The Shape of a fresh instance.
    pub root_shape: Slot,
    /// Tuple of the attribute names that `__slots__` of this class and its bases give; EMPTY: none of them has any.
    pub slot_names: Slot,
    /// Kind of the instances.
    pub instance_kind: u64,
    /// `class::trait_bits::*`: which special methods are not the built-in ones.
    pub traits: AtomicU64,
    /// The cell of `__init__` (compressed) << 32 | the epoch in which it was found; 0: not yet.
    pub init: AtomicU64,
}

#[repr(C)]
pub struct Property {
    pub hdr: Hdr,
    pub get: Slot,
    pub set: Slot,
    pub del: Slot,
    pub doc: Slot,
}

/// StaticMethod and ClassMethod.
#[repr(C)]
pub struct Wrapper {
    pub hdr: Hdr,
    pub func: Slot,
}

#[repr(C)]
pub struct Super {
    pub hdr: Hdr,
    pub class: Slot,
    pub receiver: Slot,
    /// The class whose mro is walked.
    pub start: Slot,
}

#[repr(C)]
pub struct Module {
    pub hdr: Hdr,
    /// A CELLS Dict.
    pub dict: Slot,
    pub name: Slot,
}

#[repr(C)]
pub struct Exception {
    pub hdr: Hdr,
    pub attrs: Slot,
    /// Tuple.
    pub args: Slot,
    pub cause: Slot,
    pub context: Slot,
    pub traceback: Slot,
    /// `__suppress_context__`: True or False.
    pub suppress: Slot,
}

/// One line of a traceback, outermost first through `next`.
#[repr(C)]
pub struct Traceback {
    pub hdr: Hdr,
    pub next: Slot,
    /// A Code.
    pub code: Slot,
    pub pc: u32,
    /// How many inlined comprehensions of the code this line is in.
    pub depth: u32,
}

/// A call that can be suspended: a generator, coroutine or asynchronous generator (`generator.rs`). While it is
/// suspended, its registers lie here; while it runs, on the stack of the thread that resumed it.
#[repr(C)]
pub struct Generator {
    pub hdr: Hdr,
    /// The Function that runs.
    pub func: Slot,
    /// While suspended: the exception that it is handling; EMPTY: none of its own.
    pub handled: Slot,
    /// EMPTY, or a Tuple of the names that a script gave it.
    pub names: Slot,
    /// Behind the instruction that suspended it.
    pub pc: AtomicPtr<crate::bytecode::op::Insn>,
    /// Who may touch it: `generator::SUSPENDED` and its like.
    pub state: AtomicU32,
    /// How many of `regs` are in use.
    pub live: AtomicU32,
    /// `generator::bits::*`.
    pub bits: AtomicU32,
    /// How many `regs` there are.
    pub room: u32,
    pub regs: [AtomicU64; 0],
}

/// An object that owns a Rust value. `data` is a leaked `Box<Box<dyn Any + Send + Sync>>`, dropped by the finalizer.
#[repr(C)]
pub struct Host {
    pub hdr: Hdr,
    pub attrs: Slot,
    /// Two plain value slots for natives that need them.
    pub extra: [Slot; 2],
    pub data: *mut (),
}

/// A Host with more values than two, and bits that are changed in one step (`wide.rs`). Its header has the flag WIDE.
#[repr(C)]
pub struct Wide {
    pub host: Host,
    pub bits: AtomicU32,
    pub number: AtomicU32,
    pub words: [Slot; 0],
}

/// A fixed-size struct of the heap.
///
/// # Safety
/// `Self` must be `repr(C)`, begin with `Hdr`, and be the struct of kind `KIND`.
pub unsafe trait HeapObject {
    const KIND: Kind;
}

macro_rules! heap_objects {
    ($($t:ident = $k:ident),* $(,)?) => { $(
        // SAFETY: repr(C), Hdr first, and the only struct of this kind (checked by reading the table).
        unsafe impl HeapObject for $t { const KIND: Kind = Kind::$k; }
    )* };
}

heap_objects! {
    Shape = Shape, Chunk = Chunk, Instance = Instance, Cell = Cell, Str = Str, StrBuf = StrBuf, Bytes = Bytes, Int = Int,
    ByteArray = ByteArray, MemoryView = MemoryView,
    Float = Float, Tuple = Tuple, List = List, ListBuf = ListBuf, Dict = Dict, Table = Table, Set = Set, SetTable = SetTable,
    Range = Range, Slice = Slice, DictView = DictView, Iter = Iter, Code = Code, Function = Function, Native = Native,
    BoundMethod = BoundMethod, Class = Class, Property = Property, Super = Super, Module = Module, Exception = Exception,
    Traceback = Traceback, Host = Host, Generator = Generator,
}

/// Where the values of an object are, in words from its start.
pub enum Words {
    /// No values.
    None,
    /// `count` words from `first` on.
    Fixed { first: usize, count: usize },
    /// Computed from the object.
    Custom,
}

/// The layout rule of a kind. `SUBCLASS` objects have one attribute word behind their payload in addition.
pub const fn words(kind: Kind) -> Words {
    use Words::*;
    match kind {
        Kind::Shape => Fixed { first: 1, count: 6 },
        Kind::Cell => Fixed { first: 1, count: 3 },
        Kind::List | Kind::Dict | Kind::Set | Kind::FrozenSet | Kind::ByteArray => {
            Fixed { first: 1, count: 1 }
        }
        // The registers are no typed words: see `generator::registers`.
        Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => Fixed { first: 1, count: 3 },
        Kind::Range | Kind::Slice | Kind::Super => Fixed { first: 1, count: 3 },
        Kind::DictView | Kind::MappingProxy | Kind::StaticMethod | Kind::ClassMethod => {
            Fixed { first: 1, count: 1 }
        }
        Kind::Iter => Fixed { first: 2, count: 4 },
        Kind::Function => Fixed { first: 1, count: 10 },
        Kind::Native => Fixed { first: 2, count: 1 },
        Kind::BoundMethod | Kind::Module | Kind::MemoryView => Fixed { first: 1, count: 2 },
        Kind::Class => Fixed { first: 1, count: 7 },
        Kind::Property => Fixed { first: 1, count: 4 },
        Kind::Exception => Fixed { first: 1, count: 6 },
        Kind::Traceback => Fixed { first: 1, count: 2 },
        Kind::Chunk
        | Kind::ListBuf
        | Kind::Table
        | Kind::SetTable
        | Kind::Str
        | Kind::Tuple
        | Kind::Instance
        | Kind::Host
        | Kind::Code => Custom,
        _ => None,
    }
}

/// Whether an object carries the attribute word of a subclass of a built-in type.
#[inline(always)]
pub fn is_subclass_instance(hdr: &Hdr) -> bool {
    hdr.flags.load(std::sync::atomic::Ordering::Relaxed) & flag::SUBCLASS != 0
}
