//! Guards of objects that several threads change at once when the GIL is off: the busy word of in-place writers and
//! the object lock of structural writers. With a GIL they do nothing. Must not know what is being guarded.
//!
//! Between taking a guard and dropping it nothing may allocate, poll, block or call Mini code.

use super::header::Hdr;
use super::mutator::Mutator;
use crate::gil::{self, Member};
use std::sync::atomic::AtomicU16;

/// An announced in-place write.
#[must_use]
pub struct InPlace(Option<&'static Member>);

/// A held object lock.
#[must_use]
pub struct Structural<'a>(Option<&'a AtomicU16>);

/// Announces an in-place write. `None`: a structural change is on; take `locked` instead.
#[inline(always)]
pub fn in_place(m: &Mutator, hdr: &Hdr) -> Option<InPlace> {
    if !m.free {
        return Some(InPlace(None));
    }
    gil::busy_enter(m.member, address(hdr), &hdr.lock).then_some(InPlace(Some(m.member)))
}

/// Takes the object lock, and waits until nobody writes in place: nothing changes but what the caller changes.
#[inline(always)]
pub fn structural<'a>(m: &Mutator, hdr: &'a Hdr) -> Structural<'a> {
    let guard = locked(m, hdr);
    if m.free {
        gil::wait_until_not_busy(address(hdr));
    }
    guard
}

/// Takes the object lock alone: for changes that in-place writers of other words of the object cannot disturb.
#[inline(always)]
pub fn locked<'a>(m: &Mutator, hdr: &'a Hdr) -> Structural<'a> {
    if !m.free {
        return Structural(None);
    }
    gil::lock_object(&hdr.lock);
    Structural(Some(&hdr.lock))
}

#[inline(always)]
fn address(hdr: &Hdr) -> u64 {
    std::ptr::from_ref(hdr) as u64
}

impl Drop for InPlace {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(member) = self.0 {
            gil::busy_leave(member);
        }
    }
}

impl Drop for Structural<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(lock) = self.0 {
            gil::unlock_object(lock);
        }
    }
}
