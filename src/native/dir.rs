//! `dir()`: the names of an object's attributes. Must not know how they are looked up.

use crate::object::{Kind, R, Value, Word, class, dict, func, shape, str, types};
use crate::vm::fields;
use crate::vm::thread::Thread;

/// The sorted names that `dir(v)` lists.
pub fn names(th: &mut Thread, v: Value) -> R {
    let mut names: Vec<String> = Vec::new();
    match types::kind_of(v) {
        Kind::Module => add_namespace(&mut names, func::module_dict(v)),
        Kind::Class => add_classes(&mut names, v),
        _ => {
            if v.is_ref() && shape::attrs_word(v).is_some() {
                let own = shape::attributes(v).into_iter();
                names.extend(own.filter_map(|(k, _)| str::as_str(k)).map(ToOwned::to_owned));
            }
            add_classes(&mut names, types::class_of(v));
            names.extend(fields::names(v).map(ToOwned::to_owned));
            names.push("__class__".to_owned());
        }
    }
    names.sort();
    names.dedup();
    let values: R<Vec<Value>> = names.iter().map(|n| th.m.new_str(n)).collect();
    let values = values?;
    th.m.new_list(&values)
}

fn add_namespace(names: &mut Vec<String>, namespace: Word) {
    let items = namespace.map(dict::entries).unwrap_or_default().into_iter();
    names.extend(items.filter_map(|(k, _)| str::as_str(k)).map(ToOwned::to_owned));
}

fn add_classes(names: &mut Vec<String>, class: Value) {
    for c in class::mro(class).iter().filter_map(|s| class::cast(s.get()?)) {
        add_namespace(names, c.dict.get());
    }
}
