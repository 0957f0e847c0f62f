//! Mini's front end: source text to syntax tree. Knows nothing of bytecode or values.

pub mod ast;
pub mod source;
mod syntax_error;

pub use source::{LineIndex, Span};
pub use syntax_error::{ErrorKind, SyntaxError};
