//! The standard library, embedded in the binary: its sources, and what they were compiled to when Mini was built.
//! Must not know how modules are run.

use crate::bytecode::code::Code;
use crate::bytecode::frozen;
use std::hint::black_box;
use std::sync::{Arc, Once};

mod compiled {
    include!(concat!(env!("OUT_DIR"), "/frozen.rs"));
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// Module name and source text; sorted by name.
        pub static SOURCES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../stdlib/", $name, ".mini")))),*];
    };
}

embedded! {
    "__future__", "_argparse_actions", "_argparse_help", "_at_fork", "_collections_chain",
    "_collections_counter", "_collections_user", "_configparser_errors", "_configparser_interpolation",
    "_datetime_calendar", "_datetime_span", "_datetime_text", "_decimal_context", "_decimal_format",
    "_decimal_functions", "_decimal_number", "_decimal_parts", "_difflib_matcher", "_doctest_check",
    "_doctest_find", "_doctest_unittest", "_html_entities", "_inspect_source", "_io_bases", "_io_layers",
    "_io_wrapper", "_lab", "_lab.axes", "_lab.catalog", "_lab.charts", "_lab.durations",
    "_lab.page", "_lab.peers", "_lab.report", "_lab.runs", "_lab.stamp", "_lab.tables", "_os_more", "_pathlib_glob", "_pathlib_pure", "_redis", "_subprocess_results", "_sync",
    "_timeit_command", "_typing_more",
    "_weakref_containers", "_weakref_proxy", "_weakref_reference", "abc", "argparse", "array", "ast", "asyncio", "asyncio._loops",
    "asyncio._pipes", "asyncio._processes", "asyncio._servers", "asyncio._socket_transports",
    "asyncio._sockets", "asyncio.base_events", "asyncio.base_futures", "asyncio.base_subprocess",
    "asyncio.base_tasks", "asyncio.constants", "asyncio.coroutines", "asyncio.events", "asyncio.exceptions",
    "asyncio.format_helpers", "asyncio.futures", "asyncio.locks", "asyncio.log", "asyncio.mixins",
    "asyncio.protocols", "asyncio.queues", "asyncio.runners", "asyncio.streams", "asyncio.subprocess",
    "asyncio.taskgroups", "asyncio.tasks", "asyncio.threads", "asyncio.timeouts", "asyncio.transports",
    "atexit", "base64", "bisect", "calendar", "codecs", "collections", "collections.abc", "colorsys",
    "concurrent", "concurrent.futures", "concurrent.futures.process", "concurrent.futures.thread",
    "configparser", "contextlib", "contextvars", "copy", "copyreg", "csv", "dataclasses", "datetime",
    "decimal", "difflib", "distributed", "doctest", "enum", "fnmatch", "fractions", "functools", "getopt",
    "getpass", "glob", "graphlib", "gzip", "hashlib", "heapq", "hmac", "html", "html.parser", "importlib",
    "importlib.metadata", "inspect", "io", "json", "json.decoder", "json.encoder", "json.tool", "keyword", "linecache", "logging", "multiprocessing",
    "multiprocessing._listener", "multiprocessing._proxies", "multiprocessing._workers", "multiprocessing.connection",
    "multiprocessing.context", "multiprocessing.managers", "multiprocessing.pool",
    "multiprocessing.popen_fork", "multiprocessing.popen_spawn_posix", "multiprocessing.process",
    "multiprocessing.queues", "multiprocessing.reduction", "multiprocessing.shared_memory",
    "multiprocessing.sharedctypes", "multiprocessing.spawn", "multiprocessing.synchronize",
    "multiprocessing.util", "numbers", "operator", "os", "pathlib", "pickle", "platform", "posixpath",
    "pprint", "queue", "random", "re", "reprlib", "sched", "secrets", "selectors", "shlex", "shutil",
    "signal", "socket", "socketserver", "stat", "statistics", "string", "struct", "subprocess", "tempfile", "textwrap",
    "threading", "timeit", "traceback", "types", "typing", "unittest", "unittest._assertions",
    "unittest._contexts", "unittest._mock_calls", "unittest._mock_objects", "unittest._params", "unittest.async_case", "unittest.case",
    "unittest.loader", "unittest.main", "unittest.mock", "unittest.result", "unittest.runner",
    "unittest.suite", "unittest.util", "urllib", "urllib.parse", "uuid", "warnings", "weakref", "zlib",
}

/// The source of an embedded module.
pub fn find(name: &str) -> Option<&'static str> {
    SOURCES.binary_search_by(|(n, _)| (*n).cmp(name)).ok().map(|i| SOURCES[i].1)
}

/// The compiled code of an embedded module.
pub fn code(name: &str) -> Option<Arc<Code>> {
    let at = compiled::MODULES.binary_search_by(|(n, _)| (*n).cmp(name)).ok()?;
    ROOM.call_once(make_room);
    frozen::module(compiled::MODULES.get(at)?.1)
}

static ROOM: Once = Once::new();

/// glibc's allocator lets the memory of any thread but the first grow by a page at a time, each a system call: hundreds in
/// the course of a large import. Blocks that are taken and given back make it grow at once; their pages are not touched.
fn make_room() {
    const BLOCKS: usize = 6;
    /// Larger ones would be mapped, and unmapped, each by itself.
    const BYTES: usize = 100 << 10;
    let blocks: [Vec<u8>; BLOCKS] = std::array::from_fn(|_| Vec::with_capacity(BYTES));
    // This one stays, or what is below it would be given back to the system.
    std::mem::forget(black_box(Vec::<u8>::with_capacity(BYTES)));
    drop(black_box(blocks));
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_compiled_before_is_what_compiling_gives() {
        for (name, text) in super::SOURCES {
            let filename = format!("<frozen {name}>");
            let now = crate::compile::compile_text(text, &filename, crate::compile::Mode::Module);
            assert_eq!(super::code(name), now.ok(), "{name}");
        }
    }

    #[test]
    fn every_module_of_the_library_is_embedded_in_order() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("stdlib/")
            .filter_map(|e| e.expect("entry").file_name().to_str()?.strip_suffix(".mini").map(str::to_owned))
            .collect();
        names.sort();
        let embedded: Vec<&str> = super::SOURCES.iter().map(|(n, _)| *n).collect();
        assert_eq!(embedded, names);
    }
}
