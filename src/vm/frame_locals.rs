//! The variables of a running frame, as `locals()` and `frame.f_locals` show them. Must not know who asks.

use super::attr_store::note_escape;
use super::frame::{self, Frame};
use super::thread::Thread;
use crate::bytecode::text::Text;
use crate::bytecode::written;
use crate::object::layout::Cell;
use crate::object::{R, Value, Word, dict, func, tuple, types};

/// A dict of the frame's variables: a copy, but of a module or class body the namespace itself.
pub fn of_frame(th: &mut Thread, frame: &Frame) -> R {
    let plain = frame::plain(frame.code);
    if plain.flags.module {
        return Ok(func::module_dict(frame.code.module.value()).unwrap_or(Value::NONE));
    }
    if plain.flags.class_body {
        return Ok(frame.register(0).unwrap_or(Value::NONE));
    }
    if frame::flags(frame.base) == frame::CTOR {
        Value::from_bits(frame::link(frame.base, 3)).into_iter().for_each(note_escape);
    }
    let result = th.new_dict()?;
    let written = written::before(plain, frame.at);
    let readable = |(i, name): &(usize, &Text)| !name.starts_with('.') && written.contains(*i as u32);
    for (i, name) in plain.varnames.iter().enumerate().filter(readable) {
        let in_cell = plain.cell_regs.contains(&(i as u16));
        let v = frame.register(i).and_then(|v| if in_cell { cell_value(v) } else { Some(v) });
        put(th, result, name, v)?;
    }
    let cells = tuple::items(frame.function.cells.value());
    for (name, cell) in plain.freevars.iter().zip(cells).filter(|(name, _)| &***name != "__class__") {
        put(th, result, name, cell_value(cell.value()))?;
    }
    Ok(result)
}

fn cell_value(v: Value) -> Word {
    types::cast::<Cell>(v).and_then(|c| c.value.get())
}

fn put(th: &mut Thread, variables: Value, name: &str, v: Word) -> R<()> {
    let Some(v) = v else { return Ok(()) };
    let name = th.m.intern(name)?;
    dict::insert_str(&mut th.m, variables, name, v)
}
