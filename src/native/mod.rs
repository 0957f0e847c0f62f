//! The built-in types' methods, the built-in functions, and the Rust halves of standard modules, as tables.
//! Must not know the eval loop.

pub mod bytes;
pub mod bytes_args;
pub mod bytes_case;
pub mod bytes_search;
pub mod bytes_split;
pub mod codecs;
pub mod dict;
pub mod dict_view;
pub mod dir;
pub mod dunders;
pub mod float;
pub mod float_hex;
pub mod int;
pub mod iterators;
pub mod libm;
pub mod list;
pub mod math;
pub mod math_int;
pub mod math_sum;
pub mod mersenne;
pub mod num;
pub mod num_args;
pub mod percent;
pub mod percent_convert;
pub mod random;
pub mod range;
pub mod reduce;
pub mod registry;
pub mod set;
pub mod slice;
pub mod str;
pub mod str_case;
pub mod str_format;
pub mod str_pad;
pub mod str_search;
pub mod str_split;
pub mod str_translate;
pub mod string_builtins;
pub mod text_args;
pub mod tuple;

pub use registry::{
    fill_builtins, finish, flush_standard_streams, install, modules, report_uncaught, search_path,
    set_start_values, types,
};
