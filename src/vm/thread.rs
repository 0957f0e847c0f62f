//! A Mini thread as the VM sees it. Must not know how threads are started or joined.

use crate::object::mutator::Mutator;

/// State of one running thread.
#[repr(C)]
pub struct Thread {
    pub m: Mutator,
}

impl std::ops::Deref for Thread {
    type Target = Mutator;
    fn deref(&self) -> &Mutator {
        &self.m
    }
}

impl std::ops::DerefMut for Thread {
    fn deref_mut(&mut self) -> &mut Mutator {
        &mut self.m
    }
}
