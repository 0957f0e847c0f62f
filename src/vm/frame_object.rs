//! `traceback.tb_frame`: what a script may ask of a frame that is over: its code, its line, its globals.
//! Must not know running frames.

use super::attr;
use super::roots;
use super::thread::Thread;
use crate::object::class::{self, Blueprint, trait_bits};
use crate::object::layout::{Code, Traceback};
use crate::object::{Kind, R, Slot, Value, func, shape, types};

static CLASS: Slot = Slot::empty();

/// The class `frame`, made when it is first needed.
fn class(th: &mut Thread) -> R {
    if let Some(class) = CLASS.get() {
        return Ok(class);
    }
    let name = th.name("frame")?;
    let plan = Blueprint {
        name,
        qualname: name,
        bases: vec![types::class_of_kind(Kind::Instance)],
        kind: Kind::Instance,
        inline_cap: 4,
        traits: trait_bits::FINAL,
    };
    let made = class::new_class(&mut th.m, &plan)?;
    roots::keep(made);
    let (key, doc) = (th.name("__doc__")?, th.new_str("A call that is over, as a traceback shows it.")?);
    attr::set_in_namespace(&mut th.m, class::cast(made).and_then(|c| c.dict.get()), key, doc)?;
    Ok(CLASS.set_if_empty(made).err().unwrap_or(made))
}

/// The frame of a line of a traceback.
pub fn of_traceback(th: &mut Thread, traceback: &Traceback) -> R {
    let class = class(th)?;
    let Some(root) = class::cast(class).and_then(class::root) else { return Ok(Value::NONE) };
    let code = traceback.code.value();
    let module = types::cast::<Code>(code).map_or(Value::NONE, |c| c.module.value());
    let line = th.m.new_int(traceback.line as i64)?;
    let frame = shape::new_instance(&mut th.m, root)?;
    let globals = func::module_dict(module).unwrap_or(Value::NONE);
    for (name, v) in [("f_code", code), ("f_lineno", line), ("f_globals", globals), ("f_back", Value::NONE)] {
        let name = th.m.intern(name)?;
        shape::set(&mut th.m, frame, name, v)?;
    }
    Ok(frame)
}
