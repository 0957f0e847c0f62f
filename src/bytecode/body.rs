//! What running a code object takes, and its head does not tell. The library's code is read from the binary only when it is
//! first needed: of most functions of an imported module that is never, and what tracebacks mark is needed by few programs.
//! Must not know what needs it.

use super::code::{Body, Code};
use super::frozen::{Readable, Unread};
use std::ops::Deref;
use std::sync::OnceLock;

/// A part of it that is there, or is read when somebody first asks. Two threads may ask at once.
#[derive(Clone, Debug, Default)]
pub struct Lazy<T> {
    read: OnceLock<Box<T>>,
    unread: Unread,
}

impl<T> Lazy<T> {
    /// To be read when it is asked for.
    pub fn later(unread: Unread) -> Lazy<T> {
        Lazy { read: OnceLock::new(), unread }
    }
}

impl<T> From<T> for Lazy<T> {
    fn from(part: T) -> Lazy<T> {
        Lazy { read: Box::new(part).into(), unread: Unread::default() }
    }
}

impl<T: Readable> Deref for Lazy<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // What the build has written can be read.
        self.read.get_or_init(|| Box::new(self.unread.read().unwrap_or_default()))
    }
}

impl<T: Readable + PartialEq> PartialEq for Lazy<T> {
    fn eq(&self, other: &Lazy<T>) -> bool {
        **self == **other
    }
}

impl Deref for Code {
    type Target = Body;

    #[inline]
    fn deref(&self) -> &Body {
        &self.body
    }
}
