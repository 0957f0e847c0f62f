//! What a program may say and hardly means: told to the user, and no error.

use crate::source::Span;

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
    pub span: Span,
}
