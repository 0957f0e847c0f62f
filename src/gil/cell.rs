//! An atomic pointer to a member. Members are never freed (they are reused), so a pointer once stored stays good;
//! this is the one place that relies on it, and the reason for the `unsafe` here.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::member::Member;

/// `None`, or a member that lives for ever.
#[derive(Debug)]
pub struct MemberCell(AtomicPtr<Member>);

impl MemberCell {
    /// An empty cell.
    pub const fn empty() -> MemberCell {
        MemberCell(AtomicPtr::new(ptr::null_mut()))
    }

    /// The member in the cell. Safe in a signal handler.
    pub fn get(&self) -> Option<&'static Member> {
        as_member(self.0.load(Ordering::SeqCst))
    }

    /// Puts a member, or nothing.
    pub fn set(&self, member: Option<&'static Member>) {
        self.0.store(as_ptr(member), Ordering::SeqCst);
    }

    /// Puts the member if the cell still holds `old`.
    pub fn swap_if(&self, old: Option<&'static Member>, new: &'static Member) -> bool {
        self.0.compare_exchange(as_ptr(old), as_ptr(Some(new)), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Empties the cell if it holds this member.
    pub fn clear_if(&self, member: &'static Member) {
        let old = as_ptr(Some(member));
        let _ = self.0.compare_exchange(old, ptr::null_mut(), Ordering::SeqCst, Ordering::SeqCst);
    }

    /// True if the cell holds this member.
    #[inline]
    pub fn is(&self, member: &'static Member) -> bool {
        ptr::eq(self.0.load(Ordering::SeqCst), member)
    }
}

/// Who owns the GIL.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// Nobody: take it.
    Free,
    /// There is no GIL: everyone may run.
    Off,
    /// This thread.
    Held(&'static Member),
}

/// The word of the GIL.
#[derive(Debug)]
pub struct OwnerCell(AtomicPtr<Member>);

/// Marks "there is no GIL"; no member has this address.
const OFF: *mut Member = ptr::without_provenance_mut(1);

impl OwnerCell {
    /// A GIL that nobody holds.
    pub const fn free() -> OwnerCell {
        OwnerCell(AtomicPtr::new(ptr::null_mut()))
    }

    /// Who owns it now.
    pub fn get(&self) -> Owner {
        match self.0.load(Ordering::SeqCst) {
            OFF => Owner::Off,
            p => as_member(p).map_or(Owner::Free, Owner::Held),
        }
    }

    /// True if there is no GIL.
    #[inline]
    pub fn is_off(&self) -> bool {
        self.0.load(Ordering::SeqCst) == OFF
    }

    /// True if this member owns it.
    #[inline]
    pub fn is(&self, member: &'static Member) -> bool {
        ptr::eq(self.0.load(Ordering::SeqCst), member)
    }

    /// Takes it if it is free.
    #[inline]
    pub fn take(&self, member: &'static Member) -> bool {
        let new = as_ptr(Some(member));
        self.0.compare_exchange(ptr::null_mut(), new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Puts the owner; for whoever owns it, or has stopped the world.
    #[inline]
    pub fn set(&self, owner: Owner) {
        let new = match owner {
            Owner::Free => ptr::null_mut(),
            Owner::Off => OFF,
            Owner::Held(member) => as_ptr(Some(member)),
        };
        self.0.store(new, Ordering::SeqCst);
    }
}

fn as_ptr(member: Option<&'static Member>) -> *mut Member {
    member.map_or(ptr::null_mut(), |m| ptr::from_ref(m).cast_mut())
}

fn as_member(p: *mut Member) -> Option<&'static Member> {
    // SAFETY: every non-null pointer passed here came from a `&'static Member` through `as_ptr`; only shared
    // references are ever made from it.
    unsafe { p.cast_const().as_ref() }
}
