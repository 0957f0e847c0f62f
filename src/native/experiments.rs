//! Module `_experiments`: the texts of the laboratory's experiments (`lab/*.mini`), which every Python can run.
//! Must not know what becomes of them: that is `stdlib/_lab.mini` and its neighbours.

use crate::object::{R, Value, list, str};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;

mod texts {
    include!(concat!(env!("OUT_DIR"), "/experiments.rs"));
}
use texts::EXPERIMENTS;

fn names(th: &mut Thread, _: Args) -> R {
    let names = th.new_list(&[])?;
    for (name, _) in EXPERIMENTS {
        let name = th.new_str(name)?;
        if let Some(list) = list::of(names) {
            list::push(th, list, name)?;
        }
    }
    Ok(names)
}

fn source(th: &mut Thread, args: Args) -> R {
    let wanted = str::as_str(args.get(0));
    match EXPERIMENTS.iter().find(|(name, _)| Some(*name) == wanted) {
        Some((_, text)) => th.new_str(text),
        None => Ok(Value::NONE),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_experiments",
    doc: "The texts of the laboratory's experiments.",
    functions: &[
        NativeDef::full("names", "", names, "The names of all texts, sorted."),
        NativeDef::full("source", "name, /", source, "The text of this name; None if there is none."),
    ],
    types: &[],
    init: None,
};
