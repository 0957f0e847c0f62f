//! Where the values of an object are: what the collector follows, and the word that leads to attributes.
//! Must not know how marking goes on.

use super::header::{Hdr, Kind, Slot, flag};
use super::layout::{
    Chunk, Code, Exception, ExternalStr, Function, Host, Instance, ListBuf, SetEntry, SetTable, Shape, Str,
    Table, Tuple, Wide, Words, is_subclass_instance, words,
};
use super::value::Value;
use super::{heap, types};
use crate::bytecode::code::SITE_WORDS;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// The word that leads to an object's overflow attributes (its first Chunk); `None` if it cannot have attributes.
///
/// An instance of a subclass of a built-in type (flag SUBCLASS) has it in the last 8 bytes of its cell, behind the
/// payload: whoever makes one asks for 8 bytes more and sets the flag; the word is EMPTY in a fresh cell.
#[inline]
pub fn attrs_word(v: Value) -> Option<&'static Slot> {
    if !v.is_ref() {
        return None;
    }
    let hdr = types::hdr(v);
    let at = match hdr.kind {
        Kind::Instance => v.addr() + offset_of!(Instance, attrs),
        Kind::Function => v.addr() + offset_of!(Function, attrs),
        Kind::Exception => v.addr() + offset_of!(Exception, attrs),
        Kind::Host => v.addr() + offset_of!(Host, attrs),
        _ if is_subclass_instance(hdr) => heap::cell_end(v) - size_of::<Slot>(),
        _ => return None,
    };
    // SAFETY: a Slot inside the cell of a live object: a field of its struct, or the last word, which the maker of a
    // SUBCLASS object has set aside.
    Some(unsafe { &*ptr::with_exposed_provenance(at) })
}

/// Slots in a row: `count` of them, `stride` bytes from one to the next.
#[derive(Clone, Copy)]
pub struct Span {
    pub at: usize,
    pub count: usize,
    pub stride: usize,
}

impl Span {
    fn words(at: usize, count: usize) -> Span {
        Span { at, count, stride: size_of::<Slot>() }
    }

    /// The values in it.
    ///
    /// # Safety
    /// The slots must be there for `'a`.
    #[inline]
    pub unsafe fn values<'a>(self) -> impl Iterator<Item = Value> + 'a {
        // SAFETY: promised by the caller.
        (0..self.count).filter_map(move |i| unsafe {
            (*ptr::with_exposed_provenance::<Slot>(self.at + i * self.stride)).get()
        })
    }

    /// The first `count` slots, and those behind them.
    #[inline]
    pub fn split(self, count: usize) -> (Span, Span) {
        let count = count.min(self.count);
        let rest = Span { at: self.at + count * self.stride, count: self.count - count, ..self };
        (Span { count, ..self }, rest)
    }
}

/// Visits the values in the object whose cell is `addr..end`, by spans. Its shape is the caller's business.
///
/// # Safety
/// A wholly written object begins at `addr`, nobody writes to it, and the shape in its header is live.
#[inline]
pub unsafe fn children(addr: usize, end: usize, visit: &mut impl FnMut(Span)) {
    // SAFETY: promised by the caller; the ranges visited are those of the object's layout.
    unsafe {
        let hdr = &*ptr::with_exposed_provenance::<Hdr>(addr);
        match words(hdr.kind) {
            Words::None => {}
            Words::Fixed { first, count } => visit(Span::words(addr + first * 8, count)),
            Words::Custom => custom(addr, end, hdr, visit),
        }
        if is_subclass_instance(hdr) {
            visit(Span::words(end - size_of::<Slot>(), 1));
        }
    }
}

/// The kinds whose values are not at fixed places.
///
/// # Safety
/// As `children`.
unsafe fn custom(addr: usize, end: usize, hdr: &Hdr, visit: &mut impl FnMut(Span)) {
    // SAFETY: the kind says which struct this is, and each struct says how many words follow it.
    unsafe {
        match hdr.kind {
            Kind::Tuple => {
                let len = (*ptr::with_exposed_provenance::<Tuple>(addr)).len;
                visit(Span::words(addr + size_of::<Tuple>(), len as usize));
            }
            Kind::ListBuf => {
                let buf = &*ptr::with_exposed_provenance::<ListBuf>(addr);
                let len = buf.len.load(Acquire).min(buf.cap.load(Acquire));
                visit(Span::words(addr + size_of::<ListBuf>(), len as usize));
            }
            Kind::Instance => {
                let shape = heap::expand(hdr.shape.load(Acquire)).addr();
                let inline = (*ptr::with_exposed_provenance::<Shape>(shape)).inline_cap as usize;
                visit(Span::words(addr + offset_of!(Instance, attrs), 1 + inline));
            }
            Kind::Host => {
                visit(Span::words(addr + offset_of!(Host, attrs), 3));
                if hdr.flags.load(Relaxed) & flag::WIDE != 0 {
                    let first = addr + offset_of!(Wide, words);
                    visit(Span::words(first, (end - first) / 8));
                }
            }
            Kind::Chunk => {
                let cap = (*ptr::with_exposed_provenance::<Chunk>(addr)).cap as usize;
                visit(Span::words(addr + offset_of!(Chunk, next), 1));
                visit(Span::words(addr + size_of::<Chunk>(), cap));
            }
            Kind::Table => {
                let table = &*ptr::with_exposed_provenance::<Table>(addr);
                let used = table.used.load(Acquire).min(table.entry_cap) as usize;
                visit(Span::words(addr + size_of::<Table>() + table.index_cap as usize * 8, used * 2));
            }
            Kind::SetTable => {
                let table = &*ptr::with_exposed_provenance::<SetTable>(addr);
                let at = (&raw const table.entries).expose_provenance() + offset_of!(SetEntry, key);
                visit(Span { at, count: table.cap as usize, stride: size_of::<SetEntry>() });
            }
            Kind::Str if hdr.flags.load(Relaxed) & flag::EXTERNAL != 0 => {
                visit(Span::words(addr + offset_of!(ExternalStr, buf), 2));
            }
            Kind::Code => code(&*ptr::with_exposed_provenance::<Code>(addr), visit),
            _ => {}
        }
    }
}

/// Module, names of the function and of sites (their caches are no values), cells of globals, constants.
///
/// # Safety
/// As `children`.
unsafe fn code(code: &Code, visit: &mut impl FnMut(Span)) {
    visit(Span::words((&raw const code.module).expose_provenance(), 3));
    let Some(data) = code.linked().filter(|_| !code.plain.is_null()) else { return };
    // SAFETY: `plain` is a live Arc's, and D has `data_len` words.
    unsafe {
        let plain = &*code.plain;
        let data = data.expose_provenance();
        for site in 0..plain.sites.len() {
            visit(Span::words(data + (plain.sites_at() + site * SITE_WORDS) * 8, 1));
        }
        visit(Span::words(data + plain.globals_at() * 8, plain.data_len() - plain.globals_at()));
    }
}

const _: () = assert!(size_of::<Str>() == 24 && offset_of!(ExternalStr, index) == 32);
