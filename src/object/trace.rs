//! Where the values of an object are: what the collector follows, and the word that leads to attributes.
//! Must not know how marking goes on.

use super::header::{Hdr, Kind, Slot, flag};
use super::layout::{
    Chunk, Code, Exception, ExternalStr, Function, Host, Instance, ListBuf, SetTable, Shape, Str, Table,
    Tuple, Words, is_subclass_instance, words,
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

/// Visits the values in the object whose cell is `addr..end`. Its shape is the caller's business.
///
/// # Safety
/// A wholly written object begins at `addr`, nobody writes to it, and the shape in its header is live.
#[inline]
pub unsafe fn children(addr: usize, end: usize, visit: &mut impl FnMut(Value)) {
    // SAFETY: promised by the caller; the ranges visited are those of the object's layout.
    unsafe {
        let hdr = &*ptr::with_exposed_provenance::<Hdr>(addr);
        match words(hdr.kind) {
            Words::None => {}
            Words::Fixed { first, count } => slots(addr + first * 8, count, visit),
            Words::Custom => custom(addr, hdr, visit),
        }
        if is_subclass_instance(hdr) {
            slots(end - size_of::<Slot>(), 1, visit);
        }
    }
}

/// # Safety
/// `count` Slots begin at `addr`.
#[inline]
unsafe fn slots(addr: usize, count: usize, visit: &mut impl FnMut(Value)) {
    // SAFETY: promised by the caller.
    let slots = unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance::<Slot>(addr), count) };
    slots.iter().filter_map(Slot::get).for_each(visit);
}

/// The kinds whose values are not at fixed places.
///
/// # Safety
/// As `children`.
unsafe fn custom(addr: usize, hdr: &Hdr, visit: &mut impl FnMut(Value)) {
    // SAFETY: the kind says which struct this is, and each struct says how many words follow it.
    unsafe {
        match hdr.kind {
            Kind::Tuple => {
                let len = (*ptr::with_exposed_provenance::<Tuple>(addr)).len;
                slots(addr + size_of::<Tuple>(), len as usize, visit);
            }
            Kind::ListBuf => {
                let buf = &*ptr::with_exposed_provenance::<ListBuf>(addr);
                let len = buf.len.load(Acquire).min(buf.cap.load(Acquire));
                slots(addr + size_of::<ListBuf>(), len as usize, visit);
            }
            Kind::Instance => {
                let shape = heap::expand(hdr.shape.load(Acquire)).addr();
                let inline = (*ptr::with_exposed_provenance::<Shape>(shape)).inline_cap as usize;
                slots(addr + offset_of!(Instance, attrs), 1 + inline, visit);
            }
            Kind::Chunk => {
                let cap = (*ptr::with_exposed_provenance::<Chunk>(addr)).cap as usize;
                slots(addr + offset_of!(Chunk, next), 1, visit);
                slots(addr + size_of::<Chunk>(), cap, visit);
            }
            Kind::Table => {
                let table = &*ptr::with_exposed_provenance::<Table>(addr);
                let used = table.used.load(Acquire).min(table.entry_cap) as usize;
                slots(addr + size_of::<Table>() + table.index_cap as usize * 8, used * 2, visit);
            }
            Kind::SetTable => {
                let table = &*ptr::with_exposed_provenance::<SetTable>(addr);
                for i in 0..table.cap as usize {
                    (*table.entries.as_ptr().add(i)).key.get().into_iter().for_each(&mut *visit);
                }
            }
            Kind::Str if hdr.flags.load(Relaxed) & flag::EXTERNAL != 0 => {
                slots(addr + offset_of!(ExternalStr, buf), 2, visit);
            }
            Kind::Code => code(&*ptr::with_exposed_provenance::<Code>(addr), visit),
            _ => {}
        }
    }
}

/// Module, names of sites (their caches are no values), cells of globals, constants.
///
/// # Safety
/// As `children`.
unsafe fn code(code: &Code, visit: &mut impl FnMut(Value)) {
    code.module.get().into_iter().for_each(&mut *visit);
    if code.plain.is_null() || code.data.is_null() {
        return;
    }
    // SAFETY: `plain` is a live Arc's, and D has `data_len` words.
    unsafe {
        let plain = &*code.plain;
        let data = code.data.expose_provenance();
        for site in 0..plain.sites.len() {
            slots(data + (plain.sites_at() + site * SITE_WORDS) * 8, 1, visit);
        }
        slots(data + plain.globals_at() * 8, plain.data_len() - plain.globals_at(), visit);
    }
}

const _: () = assert!(size_of::<Str>() == 24 && offset_of!(ExternalStr, index) == 32);
