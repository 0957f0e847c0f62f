//! The two kinds that own memory outside the heap, Host and Code: what becomes of it when they die.
//! Must not know when that is.

use crate::bytecode::code::{Code as Plain, SITE_WORDS};
use crate::object::header::{Hdr, Kind};
use crate::object::layout::{Code, Host};
use std::any::Any;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What dead Host objects owned. Drop it when the world runs again: a destructor may take locks or close files.
#[derive(Default)]
pub struct Garbage {
    pub hosts: Vec<Box<dyn Any + Send + Sync>>,
    pub codes: Vec<Arc<Plain>>,
}

/// The data segment of a Code: these words, in memory that the Code's death frees. Its length must be the plain code's
/// `data_len`.
pub fn new_code_data(words: Box<[u64]>) -> *mut u64 {
    Box::into_raw(words).cast()
}

/// Takes what the object owns.
///
/// # Safety
/// `addr` is a cell of kind Host or Code that nobody will use again.
pub unsafe fn bury(addr: usize, garbage: &mut Garbage) {
    // SAFETY: promised by the caller: a whole object, and ours alone. `data` and `plain` came out of Box and Arc.
    unsafe {
        match (*ptr::with_exposed_provenance::<Hdr>(addr)).kind {
            Kind::Host => {
                let host = ptr::with_exposed_provenance_mut::<Host>(addr);
                let data = std::mem::replace(&mut (*host).data, ptr::null_mut());
                if !data.is_null() {
                    garbage.hosts.push(*Box::from_raw(data.cast::<Box<dyn Any + Send + Sync>>()));
                }
            }
            Kind::Code => {
                let code = ptr::with_exposed_provenance_mut::<Code>(addr);
                let plain = std::mem::replace(&mut (*code).plain, ptr::null());
                if plain.is_null() {
                    return;
                }
                let plain = Arc::from_raw(plain);
                let data = (*code).linked();
                (*code).data.store(ptr::null_mut(), Ordering::Relaxed);
                if let Some(data) = data {
                    drop(Box::from_raw(ptr::slice_from_raw_parts_mut(data, plain.data_len())));
                }
                garbage.codes.push(plain);
            }
            _ => {}
        }
    }
}

/// Empties those inline caches of a Code that mention a dead object: a shape's number or a method's address may soon
/// be another's. A cache holds compressed references in its halves, or one address; what is neither is left alone.
///
/// # Safety
/// `addr` is a cell of kind Host or Code, and the world stands still.
pub unsafe fn forget_dead_caches(addr: usize, base: usize, is_dead: &dyn Fn(usize) -> bool) {
    // SAFETY: promised by the caller; D has `data_len` words, the sites' among them.
    unsafe {
        if (*ptr::with_exposed_provenance::<Hdr>(addr)).kind != Kind::Code {
            return;
        }
        let code = &*ptr::with_exposed_provenance::<Code>(addr);
        let Some(data) = code.linked().filter(|_| !code.plain.is_null()) else { return };
        let plain = &*code.plain;
        for site in 0..plain.sites.len() {
            let caches = data.add(plain.sites_at() + site * SITE_WORDS + 1);
            let stale = |cache: u64| {
                let halves = [cache as u32, (cache >> 32) as u32];
                let reference = |half: u32| base + half as usize * super::size::GRANULE;
                is_dead(cache as usize) || halves.into_iter().map(reference).any(is_dead)
            };
            if (0..SITE_WORDS - 1).any(|i| stale(*caches.add(i))) {
                (0..SITE_WORDS - 1).for_each(|i| *caches.add(i) = 0);
            }
        }
    }
}
