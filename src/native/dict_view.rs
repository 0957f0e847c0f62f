//! The views of a dict: `dict_keys`, `dict_values`, `dict_items`.

use super::dict::BEHIND;
use crate::object::header::Kind;
use crate::object::iter::{self, Tag};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, dict, func};
use crate::vm::container_ops::contains;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

fn reversed(m: &mut Mutator, args: Args) -> R {
    let Some(view) = iter::view_of(args.get(0)) else { return Ok(Value::NONE) };
    let tag = match view.what {
        0 => Tag::DictKeysReverse,
        1 => Tag::DictValuesReverse,
        _ => Tag::DictItemsReverse,
    };
    let d = view.dict.value();
    let stamp = Value::int_unchecked(dict::of(d).map_or(0, dict::stamp) as i64);
    iter::new(m, tag, &[d, BEHIND, stamp])
}

fn isdisjoint(th: &mut Thread, args: Args) -> R {
    let mut it = th.iter(args.get(1))?;
    while let Some(v) = it.next(th)? {
        if contains(th, args.get(0), v)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn mapping(m: &mut Mutator, args: Args) -> R {
    let dict = iter::view_of(args.get(0)).map_or(Value::NONE, |view| view.dict.value());
    func::new_proxy(m, dict)
}

static MAPPING: [NativeDef; 1] = [NativeDef::data("mapping", "self", mapping, "The dict, for reading only.")];

const REVERSED: NativeDef = NativeDef::data("__reversed__", "self, /", reversed, "An iterator from the end.");

const fn view(tag: Tag, methods: &'static [NativeDef]) -> TypeDef {
    TypeDef {
        name: tag.class_name(),
        kind: Kind::DictView,
        doc: "What a dict holds, as it changes.",
        construct: None,
        methods,
        class_methods: &[],
        properties: &MAPPING,
        subclassable: false,
    }
}

static SET_METHODS: [NativeDef; 2] = [
    REVERSED,
    NativeDef::full("isdisjoint", "self, other, /", isdisjoint, "Whether there is no common element."),
];
static METHODS: [NativeDef; 1] = [REVERSED];

static KEYS: TypeDef = view(Tag::KeysView, &SET_METHODS);
static VALUES: TypeDef = view(Tag::ValuesView, &METHODS);
static ITEMS: TypeDef = view(Tag::ItemsView, &SET_METHODS);

/// The views, by tag.
pub static VIEW_TYPES: [(Tag, &TypeDef); 3] =
    [(Tag::KeysView, &KEYS), (Tag::ValuesView, &VALUES), (Tag::ItemsView, &ITEMS)];
