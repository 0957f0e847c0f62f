//! What running a code object takes, and its head does not tell. The library's code is read from the binary only when it is
//! first needed: of most functions of an imported module that is never. Must not know what needs it.

use super::code::{Body, Code};
use super::frozen::Unread;
use std::ops::Deref;
use std::sync::OnceLock;

/// A body that is there, or is read when somebody first asks. Two threads may ask at once.
#[derive(Clone, Debug, Default)]
pub struct Lazy {
    read: OnceLock<Box<Body>>,
    unread: Unread,
}

impl Lazy {
    /// A body to be read when it is asked for.
    pub fn later(unread: Unread) -> Lazy {
        Lazy { read: OnceLock::new(), unread }
    }
}

impl From<Body> for Lazy {
    fn from(body: Body) -> Lazy {
        Lazy { read: Box::new(body).into(), unread: Unread::default() }
    }
}

impl Deref for Lazy {
    type Target = Body;

    #[inline]
    fn deref(&self) -> &Body {
        // What the build has written can be read.
        self.read.get_or_init(|| Box::new(self.unread.body().unwrap_or_default()))
    }
}

impl PartialEq for Lazy {
    fn eq(&self, other: &Lazy) -> bool {
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
