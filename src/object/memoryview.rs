//! Views of the bytes of a bytes object, a bytearray or shared memory: which of them, and as what kind of numbers. A bytearray counts the
//! views that look at it, because it must keep its size meanwhile. Must not know error texts, nor what indexing means.
//!
//! A view that is dropped without being released still counts until a collection finds it dead: see `forget_dead`.

use super::error::R;
use super::header::Slot;
use super::layout::{ByteArray, MemoryView};
use super::mutator::Mutator;
use super::value::Value;
use super::{bytearray, bytes, shared, types};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a view is made of.
#[derive(Clone, Copy)]
pub struct Parts {
    /// The bytes, the bytearray or the shared memory.
    pub base: Value,
    /// What a script sees as the object behind the view.
    pub obj: Value,
    /// Where item 0 begins, in bytes.
    pub start: usize,
    /// How many items there are.
    pub count: usize,
    /// From one item to the next, in bytes.
    pub stride: isize,
    pub format: Format,
    pub readonly: bool,
}

/// The kind of the items: a code of the module struct, in the machine's own layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Format {
    pub code: u8,
    /// Whether the script wrote `@` before the code.
    pub marked: bool,
}

impl Format {
    /// Single bytes, as ints.
    pub const BYTES: Format = Format { code: b'B', marked: false };

    /// Reads a format of one code.
    pub fn parse(text: &str) -> Option<Format> {
        let (marked, code) = match text.as_bytes() {
            [code] => (false, *code),
            [b'@', code] => (true, *code),
            _ => return None,
        };
        let format = Format { code, marked };
        (format.size() > 0).then_some(format)
    }

    /// Bytes of an item; 0: there is no such code.
    pub fn size(self) -> usize {
        match self.code {
            b'c' | b'b' | b'B' | b'?' => 1,
            b'h' | b'H' => 2,
            b'i' | b'I' | b'f' => 4,
            b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
            _ => 0,
        }
    }

    /// Whether items are single bytes.
    pub fn is_bytes(self) -> bool {
        matches!(self.code, b'c' | b'b' | b'B')
    }

    pub fn text(self) -> String {
        let code = char::from(self.code);
        if self.marked { format!("@{code}") } else { code.to_string() }
    }
}

const MARKED: u64 = 1 << 8;
const READONLY: u64 = 1 << 9;

/// Views of bytearrays: those that may be dropped without being released.
static VIEWS: Mutex<Vec<Value>> = Mutex::new(Vec::new());

fn views() -> MutexGuard<'static, Vec<Value>> {
    VIEWS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `v` as a view.
#[inline]
pub fn of(v: Value) -> Option<&'static MemoryView> {
    types::cast::<MemoryView>(v)
}

/// What a view is made of; `None`: it has been released.
pub fn parts(view: &MemoryView) -> Option<Parts> {
    let base = view.base.get()?;
    Some(Parts {
        base,
        obj: view.obj.value(),
        start: view.start as usize,
        count: view.count as usize,
        stride: view.stride as isize,
        format: Format { code: view.meta as u8, marked: view.meta & MARKED != 0 },
        readonly: view.meta & READONLY != 0,
    })
}

/// All bytes of a bytes object, a bytearray or shared memory, as items.
pub fn whole(base: Value, obj: Value) -> Option<Parts> {
    let (count, readonly) = match (bytearray::of(base), bytes::as_bytes(base)) {
        (Some(b), _) => (bytearray::len(b), false),
        (None, Some(bytes)) => (bytes.len(), true),
        (None, None) => (shared::of(base)?.len(), false),
    };
    Some(Parts { base, obj, start: 0, count, stride: 1, format: Format::BYTES, readonly })
}

/// A view.
pub fn new(m: &mut Mutator, p: Parts) -> R {
    let v = m.alloc::<MemoryView>(0)?;
    let marked = if p.format.marked { MARKED } else { 0 };
    let readonly = if p.readonly { READONLY } else { 0 };
    // SAFETY: a fresh cell of this struct, ours alone; every word behind the header is written.
    unsafe {
        (&raw mut (*v).base).write(Slot::new(p.base));
        (&raw mut (*v).obj).write(Slot::new(p.obj));
        (&raw mut (*v).start).write(p.start as u64);
        (&raw mut (*v).count).write(p.count as u64);
        (&raw mut (*v).stride).write(p.stride as i64);
        (&raw mut (*v).meta).write(u64::from(p.format.code) | marked | readonly);
        (&raw mut (*v).hash).write(AtomicU64::new(0));
    }
    let v = Value::from_addr(v as usize);
    if let Some(b) = bytearray::of(p.base) {
        b.views.fetch_add(1, Ordering::AcqRel);
        views().push(v);
    }
    Ok(v)
}

/// The view looks at nothing from now on.
pub fn release(view: &MemoryView) {
    if let Some(b) = view.base.swap(None).and_then(bytearray::of) {
        b.views.fetch_sub(1, Ordering::AcqRel);
    }
    view.obj.clear();
}

/// The views of a bytearray, as far as they have not been released.
pub fn views_of(b: &'static ByteArray) -> Vec<Value> {
    let base = Some(bytearray::value(b));
    views().iter().copied().filter(|v| of(*v).is_some_and(|view| view.base.get() == base)).collect()
}

/// A hook of the collector: views that died unreleased look at nothing any more.
pub fn forget_dead(is_live: &dyn Fn(Value) -> bool) {
    views().retain(|v| {
        let Some(base) = of(*v).and_then(|view| view.base.get()) else { return false };
        let live = is_live(*v);
        if let Some(b) = bytearray::of(base).filter(|_| !live && is_live(base)) {
            b.views.fetch_sub(1, Ordering::AcqRel);
        }
        live
    });
}

impl Parts {
    /// Whether item follows item.
    pub fn is_contiguous(&self) -> bool {
        self.count <= 1 || self.stride == self.format.size() as isize
    }

    /// Bytes of all items.
    pub fn nbytes(&self) -> usize {
        self.count * self.format.size()
    }

    /// Where item `i` begins.
    fn place(&self, i: usize) -> usize {
        (self.start as isize).wrapping_add(self.stride.wrapping_mul(i as isize)) as usize
    }

    /// The bytes of item `i`, and zeros behind them; `None`: the base has shrunk meanwhile (two threads raced).
    pub fn read(&self, i: usize) -> Option<[u8; 8]> {
        let (at, size) = (self.place(i), self.format.size());
        let mut item = [0; 8];
        match bytearray::of(self.base) {
            Some(b) => {
                for (k, byte) in item.iter_mut().enumerate().take(size) {
                    *byte = bytearray::get(b, at.wrapping_add(k))?;
                }
            }
            None if shared::of(self.base).is_some() => return shared::of(self.base)?.number(at, size),
            None => {
                let from = bytes::as_bytes(self.base)?.get(at..at.wrapping_add(size))?;
                item.iter_mut().zip(from).for_each(|(to, byte)| *to = *byte);
            }
        }
        Some(item)
    }

    /// Replaces the bytes of item `i`.
    pub fn write(&self, m: &mut Mutator, i: usize, item: &[u8]) {
        if let Some(b) = bytearray::of(self.base) {
            bytearray::overwrite(m, b, self.place(i), item);
        } else if let Some(memory) = shared::of(self.base) {
            let mut number = [0; 8];
            number.iter_mut().zip(item).for_each(|(to, byte)| *to = *byte);
            memory.set_number(self.place(i), item.len().min(8), number);
        }
    }

    /// The bytes of all items, one item after the other.
    pub fn bytes(&self) -> Vec<u8> {
        let size = self.format.size();
        if self.is_contiguous() {
            let range = self.start..self.start.wrapping_add(self.nbytes());
            return match (bytearray::of(self.base), shared::of(self.base)) {
                (Some(b), _) => bytearray::part(b, range),
                (None, Some(memory)) => memory.part(range),
                (None, None) => {
                    bytes::as_bytes(self.base).and_then(|all| all.get(range)).unwrap_or(&[]).to_vec()
                }
            };
        }
        let mut out = Vec::with_capacity(self.nbytes());
        for item in (0..self.count).filter_map(|i| self.read(i)) {
            out.extend(item.iter().take(size));
        }
        out
    }

    /// Replaces the bytes of all items.
    pub fn fill(&self, m: &mut Mutator, with: &[u8]) {
        let size = self.format.size();
        if self.is_contiguous() {
            let cut = with.get(..self.nbytes()).unwrap_or(with);
            if let Some(b) = bytearray::of(self.base) {
                bytearray::overwrite(m, b, self.start, cut);
            } else if let Some(memory) = shared::of(self.base) {
                memory.overwrite(self.start, cut);
            }
            return;
        }
        for (i, item) in with.chunks_exact(size).take(self.count).enumerate() {
            self.write(m, i, item);
        }
    }
}
