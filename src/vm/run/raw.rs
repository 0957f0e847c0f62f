//! What the loop's arms read and write of heap objects and frames without a call, on raw words.
//! Must not know instructions.

use super::Mode;
use super::word::{int, is_int, is_ref, own_chain};
use crate::gil;
use crate::object::code::is_unlinked;
use crate::object::header::{Hdr, flag};
use crate::object::layout::{Cell, Function, List, ListBuf, Tuple};
use crate::object::mutator::Mutator;
use crate::object::num::CmpOp;
use crate::object::{Kind, Slot, Value, str_index};
use crate::vm::frame::{self, LINK};
use crate::vm::ops::compare;
use crate::vm::site;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicU64, Ordering};

/// The header of a reference.
///
/// # Safety
/// `x` is a reference to a live object.
#[inline(always)]
pub(super) unsafe fn hdr<'a>(x: u64) -> &'a Hdr {
    // SAFETY: by the caller.
    unsafe { &*(x as *const Hdr) }
}

/// The kind of an object without flags, which a list or a tuple has only as an instance of a subclass; `None_` for others.
///
/// # Safety
/// `x` is a reference to a live object.
#[inline(always)]
pub(super) unsafe fn plain_kind(x: u64) -> Kind {
    // SAFETY: by the caller.
    let hdr = unsafe { hdr(x) };
    if hdr.flags.load(Ordering::Relaxed) == 0 { hdr.kind } else { Kind::None_ }
}

/// The data segment of the frame at `base`.
#[inline(always)]
pub(super) fn data(base: *mut u64) -> *const u64 {
    frame::code(base).map_or(std::ptr::null(), |code| code.data.load(Ordering::Acquire))
}

/// Whether `x op y` holds, of two plain strings: nothing that the frame would have to be saved for can happen.
#[inline(always)]
pub(super) unsafe fn texts(op: CmpOp, x: u64, y: u64) -> Option<bool> {
    const STR: u16 = Kind::Str as u16;
    const INTERNED: u16 = STR | (flag::INTERNED as u16) << 8;
    const MASK: u16 = 0xff | (flag::SUBCLASS as u16) << 8;
    if !is_ref(x | y) {
        return None;
    }
    let both = |hdr: &Hdr| hdr.kind as u16 | (hdr.flags.load(Ordering::Relaxed) as u16) << 8;
    // SAFETY: two references.
    let (a, b) = unsafe { (both(hdr(x)), both(hdr(y))) };
    if a == INTERNED && b == INTERNED && matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Some((x == y) == (op == CmpOp::Eq));
    }
    // SAFETY: references, so not 0.
    (a & MASK == STR && b & MASK == STR).then(|| unsafe { compare::texts(op, v(x), v(y)) })
}

/// A word of a register as a value: what an instruction reads is filled.
#[inline(always)]
pub(super) unsafe fn v(bits: u64) -> Value {
    debug_assert!(bits != 0, "an empty register is read");
    // SAFETY: the compiler follows which variables are bound, and has others checked before they are read; the verifier
    // follows all registers on its own (`bytecode/filled.rs`). So the word is not 0, and a Value is any other word.
    unsafe { std::mem::transmute::<u64, Value>(bits) }
}

/// Registers as values; the compiler has filled them all.
#[inline(always)]
pub(super) unsafe fn values<'a>(first: *mut u64, count: usize) -> &'a [Value] {
    // SAFETY: the registers of a run are inside the frame and hold values; a word of a value is not 0.
    unsafe { std::slice::from_raw_parts(first.cast(), count) }
}

#[inline(always)]
pub(super) unsafe fn cell_value(cell: u64) -> u64 {
    // SAFETY: the register holds a Cell.
    unsafe { (*(cell as *const Cell)).value.bits() }
}

/// The value of a global's cell, or of the built-in behind it.
#[inline(always)]
pub(super) unsafe fn global_value(cell: u64) -> u64 {
    // SAFETY: a constant of verified code that is a Cell, whose fallback is one.
    unsafe {
        let cell = cell as *const Cell;
        match (*cell).value.bits() {
            0 => (*((*cell).fallback.bits() as *const Cell)).value.bits(),
            word => word,
        }
    }
}

/// The cell number `n` of the running function.
#[inline(always)]
pub(super) unsafe fn free_cell(r: *mut u64, n: usize) -> u64 {
    // SAFETY: link word 4 is the running Function; it has as many cells as its code has free variables.
    unsafe {
        let function = *r.sub(LINK) as *const Function;
        let cells = (*function).cells.bits() as *const Tuple;
        (*(&raw const (*cells).items).cast::<Slot>().add(n)).bits()
    }
}

/// Whether a frame of this function fits the stack and the recursion limit; counts it if so.
///
/// # Safety
/// `th` and `f` are live, `base` is in the thread's stack.
#[inline(always)]
pub(super) unsafe fn enters(th: *mut Thread, f: *const Function, base: *mut u64) -> bool {
    // SAFETY: by the caller.
    unsafe {
        let depth = (*th).depth - 1;
        if base.wrapping_add((*f).nregs as usize) > (*th).limit || depth < 0 {
            return false;
        }
        (*th).depth = depth;
        true
    }
}

/// A word of a site; another thread may be writing it.
#[inline(always)]
pub(super) unsafe fn site_word(k: *const u64, n: usize) -> u64 {
    // SAFETY: `n` is inside the data segment; the words of sites are only accessed atomically.
    unsafe { (*k.add(n).cast::<AtomicU64>()).load(Ordering::Relaxed) }
}

/// What the site's two caches know of objects of this shape: a slot, or a method's cell.
///
/// # Safety
/// `site` is the index of a site.
#[inline(always)]
pub(super) unsafe fn cached(k: *const u64, site: usize, shape: u32) -> Option<u32> {
    // SAFETY: by the caller.
    unsafe {
        let mut cache = site_word(k, site + 1);
        if shape != cache as u32 {
            cache = site_word(k, site + 3);
        }
        (shape == cache as u32).then_some((cache >> 32) as u32)
    }
}

/// The data segment of the function that is being called. Same as `data`; but where the call's word holds it too, it
/// is taken from there: the processor then need not wait for the function, which came through a cell and a register,
/// before it reads the callee's instructions. (A comparison is predicted; a chain of loads is not.)
///
/// # Safety
/// `word` is the word of a call.
#[inline(always)]
pub(super) unsafe fn call_word(word: *const u64, data: *mut u64) -> *const u64 {
    // SAFETY: by the caller; it is only accessed atomically, and used only if it equals an address that is valid.
    unsafe {
        let word = &*word.cast::<AtomicU64>();
        let known = word.load(Ordering::Relaxed);
        if known == data as u64 {
            return own_chain(known) as *const u64;
        }
        std::hint::cold_path();
        // The first callee stays: a call of many functions must not make processors fight for this word.
        if known == 0 && !is_unlinked(data) {
            word.store(data as u64, Ordering::Relaxed);
        }
        data
    }
}

/// The word at word offset `n` of an object.
#[inline(always)]
pub(super) unsafe fn slot_word(object: u64, n: u32) -> u64 {
    // SAFETY: the shape that the cache was filled for has this slot inside the object.
    unsafe { (*(object as *const Slot).add(n as usize)).bits() }
}

/// `list[index]` or `tuple[index]` for an index in range; else 0.
#[inline(always)]
pub(super) unsafe fn list_item(list: u64, index: u64) -> u64 {
    // SAFETY: a reference; the kind says what it is; the index is checked against the buffer's own length.
    unsafe {
        if !is_ref(list) || !is_int(index) {
            return 0;
        }
        let at = int(index) as u64;
        match plain_kind(list) {
            Kind::List => {
                let buf = (*(list as *const List)).buf.bits() as *const ListBuf;
                if at < (*buf).len.load(Ordering::Acquire) {
                    let slot = (&raw const (*buf).items).cast::<Slot>().add(at as usize);
                    return (*slot).bits();
                }
                0
            }
            Kind::Tuple => {
                let tuple = list as *const Tuple;
                if at < (*tuple).len {
                    return (*(&raw const (*tuple).items).cast::<Slot>().add(at as usize)).bits();
                }
                0
            }
            _ => 0,
        }
    }
}

/// Writes the two or three items of a tuple to registers. False: it is something else, and nothing was done.
#[inline(always)]
pub(super) unsafe fn unpack_tuple(tuple: u64, registers: *mut u64, count: usize) -> bool {
    // SAFETY: a reference; the kind says what it is; `count` registers are there. All are read before the first is
    // written, since the tuple may lie in one of them.
    unsafe {
        if !is_ref(tuple)
            || plain_kind(tuple) != Kind::Tuple
            || (*(tuple as *const Tuple)).len != count as u64
        {
            return false;
        }
        let slots = (&raw const (*(tuple as *const Tuple)).items).cast::<Slot>();
        if count == 2 {
            let (first, second) = ((*slots).bits(), (*slots.add(1)).bits());
            *registers = first;
            *registers.add(1) = second;
            return true;
        }
        if count == 3 {
            let (first, second, third) = ((*slots).bits(), (*slots.add(1)).bits(), (*slots.add(2)).bits());
            *registers = first;
            *registers.add(1) = second;
            *registers.add(2) = third;
            return true;
        }
        false
    }
}

/// `list[index] = value` for a plain list and an index in range. False: nothing was done.
#[inline(always)]
pub(super) unsafe fn set_list_item<M: Mode>(th: *mut Thread, list: u64, index: u64, value: u64) -> bool {
    // SAFETY: as `list_item`.
    unsafe {
        if !is_ref(list) || !is_int(index) || plain_kind(list) != Kind::List {
            return false;
        }
        let member = (*th).m.member;
        if M::FREE && !gil::busy_enter(member, list, &hdr(list).lock) {
            return false;
        }
        let buf = (*(list as *const List)).buf.bits() as *const ListBuf;
        let at = int(index) as u64;
        let inside = at < (*buf).len.load(Ordering::Relaxed);
        if inside {
            (*(&raw const (*buf).items).cast::<Slot>().add(at as usize)).set_bits(value);
        }
        if M::FREE {
            gil::busy_leave(member);
        }
        inside
    }
}

/// `InitAttr` as it mostly is: the frame at `base` runs the `__init__` of register 0, called for a new object, which has the
/// shape that the second cache word of the store is for. No other thread knows the object: neither its own code so far nor a
/// hook of the class has handed it on. False: nothing was done.
#[inline(always)]
pub(super) unsafe fn init_attr(base: *mut u64, grow: u64, value: Value) -> bool {
    // SAFETY: a register of the running frame.
    let object = unsafe { *base };
    if frame::link(base, 3) != object {
        return false;
    }
    // In frames that run no `__init__` this word is no reference.
    debug_assert_eq!(frame::flags(base), frame::CTOR);
    // SAFETY: a reference, and for `grow_at_site` as in `attr_grows`.
    unsafe {
        let hdr = hdr(object);
        if hdr.shape.load(Ordering::Relaxed) != grow as u32
            || hdr.flags.load(Ordering::Relaxed) & flag::ESCAPED != 0
        {
            return false;
        }
        site::grow_at_site(object, (grow >> 32) as u32, value);
        true
    }
}

/// Adds the attribute that the second cache word of a store describes: shape after << 32 | shape before. False: the
/// object is not of that shape.
#[inline(always)]
pub(super) unsafe fn attr_grows<M: Mode>(m: &Mutator, object: u64, grow: u64, value: Value) -> bool {
    let (before, after) = (grow as u32, (grow >> 32) as u32);
    // SAFETY: a reference; the cache was filled for objects of shape `before` with room for one slot more.
    unsafe {
        if hdr(object).shape.load(Ordering::Relaxed) != before {
            return false;
        }
        if M::FREE {
            return site::grow_shared_at_site(m, object, before, after, value);
        }
        site::grow_at_site(object, after, value);
        true
    }
}

/// Appends to a list that no other thread can know yet. False: it must grow.
#[inline(always)]
pub(super) unsafe fn append_in_place(list: u64, value: u64) -> bool {
    // SAFETY: the register holds a List that the running frame made; len <= cap, slots up to cap exist.
    unsafe {
        let buf = (*(list as *const List)).buf.bits() as *const ListBuf;
        let len = (*buf).len.load(Ordering::Relaxed);
        if len >= (*buf).cap.load(Ordering::Relaxed) {
            return false;
        }
        (*(&raw const (*buf).items).cast::<Slot>().add(len as usize)).set_bits(value);
        (*buf).len.store(len + 1, Ordering::Release);
        true
    }
}

/// The next item of a loop over a list or tuple; 0: at the end, or another kind of loop.
#[inline(always)]
pub(super) unsafe fn sequence_next(state: *mut u64) -> u64 {
    // SAFETY: the four registers of the loop's state; word 1 is an index while word 0 is a list or tuple.
    unsafe {
        let index = *state.add(1);
        let word = list_item(*state, index);
        if word != 0 {
            *state.add(1) = index + 4;
            return word;
        }
        if is_ref(*state) && hdr(*state).kind == Kind::Str { next_ascii(state) } else { 0 }
    }
}

/// The next character of a loop over a string, if it is an ASCII one that has been made before; else 0.
///
/// # Safety
/// `state` is the four registers of a loop.
#[inline(never)]
unsafe fn next_ascii(state: *mut u64) -> u64 {
    // SAFETY: by the caller. The index of a string is a small int, that of an iterator object EMPTY.
    unsafe {
        let (Some(text), Some(at)) = (Value::from_bits(*state), Value::from_bits(*state.add(1))) else {
            return 0;
        };
        let Some(c) = str_index::ascii_byte(text, at) else { return 0 };
        *state.add(1) += 4;
        c.bits()
    }
}
