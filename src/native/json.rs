//! Module `_json`: the table of what `json.mini` needs. Must not know JSON.

use super::{json_read, json_write};
use crate::vm::native::{ModuleDef, NativeDef};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_json",
    doc: "The native half of json.",
    functions: &[
        NativeDef::full(
            "scan",
            "text, at, strict, object_hook, object_pairs_hook, parse_float, parse_int, parse_constant, /",
            json_read::scan,
            "Read one value.",
        ),
        NativeDef::full(
            "write",
            "value, default, indent, item_separator, key_separator, sort_keys, skipkeys, ensure_ascii, \
             allow_nan, check_circular, /",
            json_write::write,
            "Return a value as JSON.",
        ),
        NativeDef::full("quote", "text, ensure_ascii, /", json_write::quote, "Return a text as JSON."),
    ],
    types: &[],
    init: None,
};
