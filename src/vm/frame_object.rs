//! What a script may ask of a frame: `traceback.tb_frame` has its code, its line and its globals; `sys._getframe()` its
//! callers and variables besides, as they are at that moment. Must not know how frames lie on the stack.

use super::roots;
use super::thread::Thread;
use super::{attr, coroutine, frame, frame_locals};
use crate::object::class::{self, Blueprint, trait_bits};
use crate::object::layout::{Code, Function, Generator, Traceback};
use crate::object::{Kind, R, Slot, Value, Word, func, generator, shape, types};

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
    let (key, doc) = (th.name("__doc__")?, th.new_str("A call: its code, the line it was at, its globals.")?);
    attr::set_in_namespace(&mut th.m, class::cast(made).and_then(|c| c.dict.get()), key, doc)?;
    Ok(CLASS.set_if_empty(made).err().unwrap_or(made))
}

/// The frame of a line of a traceback.
pub fn of_traceback(th: &mut Thread, traceback: &Traceback) -> R {
    let line = super::traceback::line_number(traceback).into();
    new(th, traceback.code.value(), line, Value::NONE)
}

/// The running frame `depth` calls above the one that asks. EMPTY: there are not so many.
pub fn of_running(th: &mut Thread, depth: usize) -> R<Word> {
    let frames: Vec<frame::Frame> = frame::walk(th.base, th.pc).skip(depth).collect();
    let scope = th.scope();
    let made = chain(th, &frames);
    th.close(scope);
    made
}

/// The frame of a generator or coroutine, without its variables: where it stands, or runs. EMPTY: it is at its end.
pub fn of_call(th: &mut Thread, g: &Generator) -> R<Word> {
    let Some(code) = types::cast::<Function>(g.func.value()).and_then(frame::code_of) else {
        return Ok(None);
    };
    let line = match coroutine::line_of(g, code) {
        Some(line) => line,
        None if generator::state(g) == generator::RUNNING => {
            let its = frame::walk(th.base, th.pc).find(|f| std::ptr::eq(f.code, code));
            its.map_or(0, |f| f.line())
        }
        None => return Ok(None),
    };
    let code = Value::from_addr(std::ptr::from_ref(code).addr());
    new(th, code, line.into(), Value::NONE).map(Some)
}

/// The first of these frames, the others behind it as its callers.
fn chain(th: &mut Thread, frames: &[frame::Frame]) -> R<Word> {
    let mut inner = None;
    for f in frames.iter().rev() {
        let line = u64::from(f.line());
        let made = new(th, f.function.code.value(), line, inner.unwrap_or(Value::NONE))?;
        th.root(made);
        let (name, variables) = (th.name("f_locals")?, frame_locals::of_frame(th, f)?);
        shape::set(&mut th.m, made, name, variables)?;
        inner = Some(made);
    }
    Ok(inner)
}

fn new(th: &mut Thread, code: Value, line: u64, back: Value) -> R {
    let class = class(th)?;
    let Some(root) = class::cast(class).and_then(class::root) else { return Ok(Value::NONE) };
    let module = types::cast::<Code>(code).map_or(Value::NONE, |c| c.module.value());
    let line = th.m.new_int(line as i64)?;
    let frame = shape::new_instance(&mut th.m, root)?;
    let globals = func::module_dict(module).unwrap_or(Value::NONE);
    for (name, v) in [("f_code", code), ("f_lineno", line), ("f_globals", globals), ("f_back", back)] {
        let name = th.m.intern(name)?;
        shape::set(&mut th.m, frame, name, v)?;
    }
    Ok(frame)
}
