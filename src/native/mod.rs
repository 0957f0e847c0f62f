//! The built-in types' methods, the built-in functions, and the Rust halves of standard modules, as tables.
//! Must not know the eval loop.

mod asyncgen_hooks;
mod asyncio;
mod asyncio_future;
mod asyncio_gather;
mod asyncio_io;
pub mod asyncio_loop;
mod asyncio_ready;
mod asyncio_task;
mod asyncio_timers;
mod asyncio_transport;
mod asyncio_unseen;
pub mod awaitables;
pub mod binascii;
pub mod blake2;
mod builtins;
pub mod bytearray;
pub mod bytes;
pub mod bytes_args;
pub mod bytes_case;
pub mod bytes_search;
pub mod bytes_split;
pub mod codecs;
mod codecs_escape;
mod codecs_table;
pub mod contextvars;
pub mod deque;
pub mod descriptors;
pub mod dict;
pub mod dict_classes;
mod dict_view;
pub mod digest;
pub mod dir;
pub mod docs;
pub mod dunders;
mod epoll;
pub mod errno;
pub mod evaluate;
pub mod exception_group;
pub mod exceptions;
mod experiments;
mod fcntl;
pub mod float;
pub mod float_hex;
mod functools;
pub mod gc;
pub mod generator;
mod getters;
pub mod gil;
pub mod gil_pick;
pub mod heaps;
pub mod help;
pub mod int;
pub mod io;
pub mod io_buffer;
pub mod io_file;
pub mod io_std;
pub mod io_stream;
pub mod io_text;
pub mod iterators;
pub mod itertools;
pub mod json;
pub mod json_read;
pub mod json_write;
pub mod libm;
pub mod list;
mod lru_cache;
mod machine;
pub mod mapping_proxy;
pub mod math;
pub mod math_int;
pub mod math_sum;
mod member;
pub mod memoryview;
pub mod mersenne;
pub mod mp_connection;
pub mod mp_lock;
pub mod mp_memory;
mod mp_queue;
pub mod multiprocessing;
pub mod num;
pub mod num_args;
mod operators;
pub mod os;
pub mod os_files;
pub mod os_path;
mod os_process;
mod os_wait;
pub mod oserror;
mod partial;
pub mod percent;
pub mod percent_convert;
pub mod pickle;
pub mod pickle_ops;
pub mod pickle_read;
pub mod pickle_write;
mod posixsubprocess;
pub mod print;
pub mod random;
pub mod range;
pub mod re;
pub mod re_engine;
pub mod re_match;
pub mod re_scanner;
pub mod re_syntax;
pub mod re_template;
pub mod reduce;
pub mod reduction;
pub mod registry;
mod resource;
mod select;
pub mod set;
pub mod signals;
pub mod signature;
pub mod singletons;
pub mod slice;
mod socket;
mod socket_address;
mod socket_constants;
mod socket_io;
mod socket_message;
mod socket_names;
pub mod socket_wait;
pub mod str;
pub mod str_case;
pub mod str_format;
pub mod str_pad;
pub mod str_search;
pub mod str_split;
pub mod str_translate;
pub mod string_builtins;
pub mod struct_seq;
pub mod structs;
pub mod support;
pub mod sys;
pub mod text_args;
pub mod thread;
pub mod thread_local;
pub mod thread_lock;
pub mod time;
pub mod traceback;
pub mod tuple;
pub mod unicodedata;
mod uring;
pub mod weakref;
pub mod zlib;

use crate::vm::native::{ModuleDef, TypeDef};
pub use print::to_stderr as print_error;
pub use registry::{finish, flush_standard_streams, install, report_uncaught, search_path, set_start_values};

/// The modules whose code is Rust; others are found as sources.
pub static MODULES: &[&ModuleDef] = &[
    &asyncio::MODULE,
    &awaitables::MODULE,
    &binascii::MODULE,
    &unicodedata::MODULE,
    &builtins::MODULE,
    &contextvars::MODULE,
    &deque::MODULE,
    &digest::MODULE,
    &machine::MODULE,
    &errno::MODULE,
    &experiments::MODULE,
    &fcntl::MODULE,
    &functools::MODULE,
    &gc::MODULE,
    &getters::MODULE,
    &gil::MODULE,
    &heaps::MODULE,
    &io::MODULE,
    &itertools::MODULE,
    &json::MODULE,
    &math::MODULE,
    &memoryview::MODULE,
    &multiprocessing::MODULE,
    &os::MODULE,
    &pickle::MODULE,
    &posixsubprocess::MODULE,
    &random::MODULE,
    &re::MODULE,
    &resource::MODULE,
    &select::MODULE,
    &signals::MODULE,
    &socket::MODULE,
    &socket_names::MODULE,
    &structs::MODULE,
    &sys::MODULE,
    &thread::MODULE,
    &time::MODULE,
    &traceback::MODULE,
    &uring::MODULE,
    &weakref::MODULE,
    &zlib::MODULE,
];

/// The built-in types that a table describes, bases first.
pub static TYPES: &[&TypeDef] = &[
    &int::TYPE,
    &num::BOOL,
    &float::TYPE,
    &str::TYPE,
    &bytes::TYPE,
    &bytearray::TYPE,
    &memoryview::TYPE,
    &tuple::TYPE,
    &list::TYPE,
    &dict::TYPE,
    &set::TYPE,
    &set::FROZEN_TYPE,
    &range::TYPE,
    &slice::TYPE,
    &mapping_proxy::TYPE,
    &descriptors::METHOD,
    &descriptors::PROPERTY,
    &descriptors::STATIC_METHOD,
    &descriptors::CLASS_METHOD,
    &generator::GENERATOR,
    &generator::COROUTINE,
    &generator::ASYNC_GENERATOR,
];
