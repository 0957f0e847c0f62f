//! Data: words, the heap, and the raw operations of every built-in type.
//! Must not run Mini code, and must not block: what can do either lives in `vm` and `native`.

pub mod bigint;
pub mod bytearray;
pub mod bytes;
pub mod class;
pub mod code;
pub mod deque;
pub mod dict;
pub mod error;
pub mod exc;
pub mod find;
pub mod float;
pub mod format;
pub mod format_float;
pub mod format_int;
pub mod format_quick;
pub mod func;
pub mod future;
pub mod generator;
pub mod header;
pub mod heap;
pub mod int;
pub mod intern;
pub mod iter;
pub mod key;
pub mod layout;
pub mod limbs;
pub mod limbs_div;
pub mod list;
pub mod memoryview;
pub mod mro;
pub mod mutator;
pub mod num;
pub mod range;
pub mod set;
pub mod shape;
pub mod shared;
pub mod slice;
pub mod str;
pub mod str_ascii;
pub mod str_index;
pub mod str_join;
pub mod subclass;
pub mod sync;
pub mod table;
pub mod text_repr;
pub mod trace;
pub mod tuple;
pub mod types;
pub mod unicode;
pub mod unicode_categories;
pub mod unicode_error;
pub mod unicode_tables;
pub mod value;
pub mod wide;

#[cfg(test)]
mod tests;

pub use error::{Exc, R, Raised};
pub use header::{Hdr, Kind, Slot};
pub use value::{Value, Word};
