//! Mini's front end: source text to syntax tree. Knows nothing of bytecode or values.
//!
//! ```
//! use mini_grammar::{Mode, ast, parse};
//! let module = parse("x = 1\n", Mode::Module)?;
//! assert!(ast::dump(&module).starts_with("Module("));
//! # Ok::<(), mini_grammar::SyntaxError>(())
//! ```

pub mod ast;
pub mod char_names;
mod check;
mod depth;
mod dump;
mod errors;
mod fstring;
pub mod highlight;
mod items;
mod layout;
mod literals;
mod names;
mod nodes;
mod numbers;
mod parameters;
mod parser;
mod patterns;
mod soft;
pub mod source;
mod statements;
mod strings;
mod syntax_error;
mod tokens;
mod warning;

pub use numbers::set_max_decimal_digits;
pub use parser::{Mode, dump_tokens, parse, parse_warned};
pub use source::{LineIndex, Span};
pub use syntax_error::{ErrorKind, Finder, SyntaxError};
pub use warning::{Category, Warning};
