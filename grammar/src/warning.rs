//! What a program may say and hardly means: told to the user, and no error.

use crate::source::Span;
use crate::syntax_error::Finder;

/// Of what category the warning is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    SyntaxWarning,
    DeprecationWarning,
}

/// One warning about a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub category: Category,
    pub message: String,
    /// CPython tells what it finds while it reads before what it finds when it compiles.
    pub finder: Finder,
    pub span: Span,
}
