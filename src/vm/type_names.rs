//! What error messages call the class of a value. CPython's classes that are written in C carry their module there
//! (`itertools.chain`) and in no `__name__`. Must not know what the messages say.

use crate::object::{Value, class, intern, str, types};

/// The classes that CPython has written in C, by module; a module without names is C altogether.
const IN_C: [(&str, &[&str]); 14] = [
    ("itertools", &[]),
    ("re", &["Match", "Pattern"]),
    ("array", &["array"]),
    ("_collections", &[]),
    (
        "_io",
        &[
            "BufferedRWPair",
            "BufferedRandom",
            "BufferedReader",
            "BufferedWriter",
            "BytesIO",
            "FileIO",
            "StringIO",
            "TextIOWrapper",
        ],
    ),
    ("_struct", &[]),
    ("_thread", &[]),
    ("collections", &["OrderedDict", "defaultdict", "deque"]),
    ("datetime", &["date", "datetime", "time", "timedelta", "timezone", "tzinfo"]),
    ("decimal", &["Context", "Decimal"]),
    ("functools", &["KeyWrapper", "_lru_cache_wrapper", "partial"]),
    ("operator", &["attrgetter", "itemgetter", "methodcaller"]),
    ("types", &["GenericAlias", "SimpleNamespace", "UnionType"]),
    ("weakref", &["ReferenceType"]),
];

/// The class of a value, as messages name it.
pub fn of(v: Value) -> String {
    of_class(types::class_of(v))
}

/// A class, as messages name it.
pub fn of_class(class: Value) -> String {
    let name = class::name(class);
    // The modules that are C altogether are written in Rust here.
    let by_script = class::traits(class) & class::trait_bits::HEAP_TYPE != 0;
    if by_script && !IN_C.iter().any(|(_, names)| names.contains(&name.as_str())) {
        return name;
    }
    let module = intern::known("__module__").and_then(|key| class::find_own(class, key));
    let Some(module) = module.and_then(|cell| cell.value.get()).and_then(str::as_str) else { return name };
    let in_c =
        |(of, names): &(&str, &[&str])| *of == module && (names.is_empty() || names.contains(&name.as_str()));
    if IN_C.iter().any(in_c) {
        return format!("{module}.{name}");
    }
    name
}
