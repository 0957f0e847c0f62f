//! The type `mappingproxy`: a class's namespace as a dict that cannot be changed. Must not know classes.

use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Value, dict, func, iter};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// The dict behind the receiver.
fn this(args: Args) -> Value {
    func::proxied(args.get(0)).unwrap_or(Value::NONE)
}

fn keys(m: &mut Mutator, args: Args) -> R {
    iter::new_view(m, this(args), 0)
}

fn values(m: &mut Mutator, args: Args) -> R {
    iter::new_view(m, this(args), 1)
}

fn items(m: &mut Mutator, args: Args) -> R {
    iter::new_view(m, this(args), 2)
}

fn get(th: &mut Thread, args: Args) -> R {
    Ok(th.dict_get(this(args), args.get(1))?.unwrap_or_else(|| args.get(2)))
}

fn copy(m: &mut Mutator, args: Args) -> R {
    match dict::of(this(args)) {
        Some(d) => dict::copy(m, d).map(dict::value),
        None => m.new_dict(),
    }
}

fn construct(th: &mut Thread, args: Args) -> R {
    if dict::of(args.get(1)).is_some() {
        return func::new_proxy(&mut th.m, args.get(1));
    }
    let class = th.type_name(args.get(1));
    Err(th.type_error(format!("mappingproxy() argument must be a mapping, not {class}")))
}

/// `mappingproxy`.
pub static TYPE: TypeDef = TypeDef {
    name: "mappingproxy",
    kind: Kind::MappingProxy,
    doc: "What a dict holds, for reading only.",
    construct: Some(NativeDef::full("mappingproxy", "cls, mapping", construct, "A view of a dict.")),
    methods: &[
        NativeDef::data("copy", "self, /", copy, "A new dict of the same items."),
        NativeDef::full("get", "self, key, default=, /", get, "The value under key, or default."),
        NativeDef::data("items", "self, /", items, "A view of the items."),
        NativeDef::data("keys", "self, /", keys, "A view of the keys."),
        NativeDef::data("values", "self, /", values, "A view of the values."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};
