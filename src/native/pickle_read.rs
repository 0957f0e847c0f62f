//! The reading half of `_pickle`: runs the little program that a pickle is. Must not know how a global is found: a
//! function of `pickle.mini` (or a script's `find_class`) is asked for each; nothing else that a pickle names is called.

use super::pickle_ops as op;
use super::pickle_write::fail;
use crate::object::{Exc, Kind, R, Raised, Value, bytes, dict, int, list, set, str, tuple, types};
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use crate::vm::{attr, set_ops};
use rustc_hash::FxHashMap;

struct Reader {
    data: Vec<u8>,
    at: usize,
    /// Where more bytes come from: an object with `read` and `readline`.
    file: Option<Value>,
    find: Value,
    persistent_load: Option<Value>,
    /// What a STRING of Python 2 becomes: its bytes, or text in this encoding.
    encoding: &'static str,
    /// Where on the thread's rooted values this reader's stack begins.
    bottom: usize,
    marks: Vec<usize>,
    memo: FxHashMap<u64, Value>,
    /// A list: what is in the memo stays alive.
    kept: Value,
    /// Opcodes run.
    steps: usize,
}

/// `_pickle.load(data, file, find, persistent_load, encoding)`: the value, and how many bytes of `data` it took.
pub fn load(th: &mut Thread, args: Args) -> R {
    let data = match bytes::as_bytes(args.get(0)) {
        Some(data) => data.to_vec(),
        None => Vec::new(),
    };
    let scope = th.scope();
    let mut reader = Reader {
        data,
        at: 0,
        file: args.opt_not_none(1),
        find: args.get(2),
        persistent_load: args.opt_not_none(3),
        encoding: str::as_str(args.get(4)).unwrap_or("ASCII"),
        bottom: th.m.rooted.len(),
        marks: Vec::new(),
        memo: FxHashMap::default(),
        kept: th.m.new_list(&[])?,
        steps: 0,
    };
    let result = th.nested(" while unpickling an object", |th| reader.run(th));
    th.close(scope);
    result
}

impl Reader {
    fn run(&mut self, th: &mut Thread) -> R {
        loop {
            let code = self.opcode(th)?;
            if code == op::STOP {
                return self.pop(th);
            }
            self.step(th, code)?;
            self.steps += 1;
            if self.steps.is_multiple_of(1024) {
                crate::vm::poll::poll_in_native(th)?;
            }
        }
    }

    fn opcode(&mut self, th: &mut Thread) -> R<u8> {
        if self.at == self.data.len() && self.file.is_none() {
            return Err(th.raise(Exc::EOFError, "Ran out of input"));
        }
        if self.file.is_some() && self.more(th, 1)? < 1 {
            return Err(th.raise(Exc::EOFError, "Ran out of input"));
        }
        Ok(self.take(th, 1)?[0])
    }

    /// Has `n` bytes at hand, if the file has them; how many are.
    fn more(&mut self, th: &mut Thread, n: usize) -> R<usize> {
        let have = self.data.len() - self.at;
        if have < n
            && let Some(file) = self.file
        {
            let missing = th.m.new_int((n - have) as i64)?;
            let got = th.call_method(file, "read", &[missing])?;
            let Some(got) = bytes::as_bytes(got) else {
                return Err(th.type_error("read() returned non-bytes object"));
            };
            if self.at == self.data.len() {
                self.data.clear();
                self.at = 0;
            }
            self.data.extend_from_slice(got);
        }
        Ok(self.data.len() - self.at)
    }

    fn take(&mut self, th: &mut Thread, n: usize) -> R<&[u8]> {
        if self.data.len() - self.at < n && self.more(th, n)? < n {
            return Err(fail(th, "UnpicklingError", "pickle data was truncated"));
        }
        let from = self.at;
        self.at += n;
        Ok(self.data.get(from..self.at).unwrap_or(&[]))
    }

    /// A little-endian number of `n` bytes.
    fn uint(&mut self, th: &mut Thread, n: usize) -> R<u64> {
        let digits = self.take(th, n)?;
        Ok(digits.iter().rev().fold(0, |all, digit| all << 8 | u64::from(*digit)))
    }

    fn size(&mut self, th: &mut Thread, n: usize) -> R<usize> {
        let size = self.uint(th, n)?;
        match usize::try_from(size) {
            Ok(size) if size <= isize::MAX as usize => Ok(size),
            _ => Err(fail(th, "UnpicklingError", "a length in the pickle exceeds the system's maximum size")),
        }
    }

    /// The bytes behind a length of `n` bytes.
    fn sized(&mut self, th: &mut Thread, n: usize) -> R<&[u8]> {
        let size = self.size(th, n)?;
        self.take(th, size)
    }

    /// A line without its end.
    fn line(&mut self, th: &mut Thread) -> R<String> {
        let rest = self.data.get(self.at..).unwrap_or(&[]);
        let line = match (rest.iter().position(|b| *b == b'\n'), self.file) {
            (Some(end), _) => {
                let line = rest.get(..end).unwrap_or(&[]).to_vec();
                self.at += end + 1;
                line
            }
            (None, Some(file)) => {
                let mut line = rest.to_vec();
                self.at = self.data.len();
                let got = th.call_method(file, "readline", &[])?;
                line.extend_from_slice(bytes::as_bytes(got).unwrap_or(&[]));
                if line.pop() != Some(b'\n') {
                    return Err(fail(th, "UnpicklingError", "pickle data was truncated"));
                }
                line
            }
            (None, None) => return Err(fail(th, "UnpicklingError", "pickle data was truncated")),
        };
        // Names are in UTF-8; texts are in Latin-1, with escapes.
        Ok(String::from_utf8(line).unwrap_or_else(|e| e.as_bytes().iter().map(|b| char::from(*b)).collect()))
    }

    fn push(&mut self, th: &mut Thread, v: Value) {
        th.m.rooted.push(v);
    }

    /// What may be popped: not what is below the newest mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(self.bottom)
    }

    fn pop(&mut self, th: &mut Thread) -> R {
        if th.m.rooted.len() <= self.floor() {
            return Err(underflow(th));
        }
        th.m.rooted.pop().ok_or(Raised)
    }

    fn top(&mut self, th: &mut Thread) -> R {
        let floor = self.floor();
        match th.m.rooted.get(floor..).and_then(|above| above.last()) {
            Some(v) => Ok(*v),
            None => Err(underflow(th)),
        }
    }

    /// What lies above the newest mark, which is taken away. The values stay alive: the caller holds them in an object or drops them.
    fn above_mark(&mut self, th: &mut Thread) -> R<Vec<Value>> {
        match self.marks.pop() {
            Some(mark) => Ok(th.m.rooted.split_off(mark.min(th.m.rooted.len()))),
            None => Err(fail(th, "UnpicklingError", "could not find MARK")),
        }
    }

    /// As `above_mark`, as a tuple: nothing is without a root meanwhile.
    fn tuple_above_mark(&mut self, th: &mut Thread) -> R {
        let Some(mark) = self.marks.pop() else {
            return Err(fail(th, "UnpicklingError", "could not find MARK"));
        };
        self.tuple_from(th, mark)
    }

    fn tuple_from(&mut self, th: &mut Thread, from: usize) -> R {
        if from < self.floor() || from > th.m.rooted.len() {
            return Err(underflow(th));
        }
        let items = th.m.rooted.get(from..).unwrap_or(&[]).to_vec();
        let made = th.m.new_tuple(&items)?;
        th.m.rooted.truncate(from);
        Ok(made)
    }

    fn remember(&mut self, th: &mut Thread, n: u64) -> R<()> {
        let v = self.top(th)?;
        if let Some(kept) = list::of(self.kept) {
            list::push(&mut th.m, kept, v)?;
        }
        self.memo.insert(n, v);
        Ok(())
    }

    fn recall(&mut self, th: &mut Thread, n: u64) -> R<()> {
        match self.memo.get(&n).copied() {
            Some(v) => {
                self.push(th, v);
                Ok(())
            }
            None => Err(fail(th, "UnpicklingError", &format!("Memo value not found at index {n}"))),
        }
    }

    /// One opcode: first those that push something read from the bytes.
    fn step(&mut self, th: &mut Thread, code: u8) -> R<()> {
        let v = match code {
            op::NONE => Value::NONE,
            op::NEWTRUE => Value::TRUE,
            op::NEWFALSE => Value::FALSE,
            op::BININT1 => Value::int_unchecked(self.uint(th, 1)? as i64),
            op::BININT2 => Value::int_unchecked(self.uint(th, 2)? as i64),
            op::BININT => Value::int_unchecked(i64::from(self.uint(th, 4)? as u32 as i32)),
            op::LONG1 => self.long(th, 1)?,
            op::LONG4 => self.long(th, 4)?,
            op::BINFLOAT => {
                let bits = self.uint(th, 8)?;
                th.m.new_float(f64::from_bits(bits.swap_bytes()))?
            }
            op::SHORT_BINUNICODE => self.text(th, 1)?,
            op::BINUNICODE => self.text(th, 4)?,
            op::BINUNICODE8 => self.text(th, 8)?,
            op::SHORT_BINBYTES => self.bytes(th, 1)?,
            op::BINBYTES => self.bytes(th, 4)?,
            op::BINBYTES8 => self.bytes(th, 8)?,
            op::BYTEARRAY8 => {
                let data = self.sized(th, 8)?.to_vec();
                th.m.new_bytearray(&data)?
            }
            op::SHORT_BINSTRING => self.old_string(th, 1)?,
            op::BINSTRING => self.old_string(th, 4)?,
            op::EMPTY_LIST => th.m.new_list(&[])?,
            op::EMPTY_TUPLE => th.m.new_tuple(&[])?,
            op::EMPTY_DICT => th.m.new_dict()?,
            op::EMPTY_SET => th.m.new_set()?,
            op::INT | op::LONG | op::FLOAT | op::STRING | op::UNICODE => self.written(th, code)?,
            _ => return self.arrange(th, code),
        };
        self.push(th, v);
        Ok(())
    }

    fn long(&mut self, th: &mut Thread, n: usize) -> R {
        let digits = self.sized(th, n)?;
        let n = dashu_int::IBig::from_le_bytes(digits);
        th.m.new_bigint(&n)
    }

    fn text(&mut self, th: &mut Thread, n: usize) -> R {
        let data = self.sized(th, n)?.to_vec();
        match std::str::from_utf8(&data) {
            Ok(text) => th.new_str(text),
            Err(_) => {
                let data = th.m.new_bytes(&data)?;
                let how = th.new_str("utf-8")?;
                th.call_method(data, "decode", &[how])
            }
        }
    }

    fn bytes(&mut self, th: &mut Thread, n: usize) -> R {
        let data = self.sized(th, n)?.to_vec();
        th.m.new_bytes(&data)
    }

    fn old_string(&mut self, th: &mut Thread, n: usize) -> R {
        let data = self.bytes(th, n)?;
        self.old_text(th, data)
    }

    fn old_text(&mut self, th: &mut Thread, data: Value) -> R {
        if self.encoding == "bytes" {
            return Ok(data);
        }
        let encoding = th.new_str(self.encoding)?;
        th.call_method(data, "decode", &[encoding])
    }

    /// Protocol 0: values as lines of text.
    fn written(&mut self, th: &mut Thread, code: u8) -> R {
        let line = self.line(th)?;
        match (code, line.as_str()) {
            (op::INT, "01") => Ok(Value::TRUE),
            (op::INT, "00") => Ok(Value::FALSE),
            (op::INT | op::LONG, digits) => int::parse(&mut th.m, digits.trim_end_matches('L'), 10),
            (op::FLOAT, _) => {
                let text = th.new_str(&line)?;
                th.call(types::class_of_kind(Kind::Float), &[text])
            }
            (op::STRING, _) => {
                let module = crate::vm::import::import_dotted(th, "pickle")?;
                let text = th.new_str(&line)?;
                let data = th.call_method(module, "_unquoted", &[text])?;
                self.old_text(th, data)
            }
            _ => match unescaped(&line) {
                Some(text) => th.new_str(&text),
                None => Err(fail(th, "UnpicklingError", "a UNICODE line ends in the middle of an escape")),
            },
        }
    }

    /// Opcodes that move what is on the stack, or keep it.
    fn arrange(&mut self, th: &mut Thread, code: u8) -> R<()> {
        match code {
            op::MARK => self.marks.push(th.m.rooted.len()),
            op::POP => {
                if self.marks.last() == Some(&th.m.rooted.len()) {
                    self.marks.pop();
                } else {
                    self.pop(th)?;
                }
            }
            op::POP_MARK => drop(self.above_mark(th)?),
            op::DUP => {
                let v = self.top(th)?;
                self.push(th, v);
            }
            op::MEMOIZE => self.remember(th, self.memo.len() as u64)?,
            op::BINPUT => {
                let n = self.uint(th, 1)?;
                self.remember(th, n)?;
            }
            op::LONG_BINPUT => {
                let n = self.uint(th, 4)?;
                self.remember(th, n)?;
            }
            op::BINGET => {
                let n = self.uint(th, 1)?;
                self.recall(th, n)?;
            }
            op::LONG_BINGET => {
                let n = self.uint(th, 4)?;
                self.recall(th, n)?;
            }
            op::GET | op::PUT => {
                let line = self.line(th)?;
                let Ok(n) = line.parse() else { return Err(th.value_error("a memo index must be a number")) };
                if code == op::GET { self.recall(th, n)? } else { self.remember(th, n)? }
            }
            op::FRAME => {
                // What is in a frame is read like all else; it is asked for at once.
                let n = self.size(th, 8)?;
                if self.more(th, n)? < n {
                    return Err(fail(th, "UnpicklingError", "pickle data was truncated"));
                }
            }
            op::PROTO => {
                let n = self.uint(th, 1)?;
                if n > 5 {
                    return Err(th.value_error(format!("unsupported pickle protocol: {n}")));
                }
            }
            _ => return self.build(th, code),
        }
        Ok(())
    }

    /// Opcodes that make containers and fill them.
    fn build(&mut self, th: &mut Thread, code: u8) -> R<()> {
        let v = match code {
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => {
                let n = (code - op::TUPLE1) as usize + 1;
                self.tuple_from(th, th.m.rooted.len().saturating_sub(n))?
            }
            op::TUPLE => self.tuple_above_mark(th)?,
            op::LIST => {
                let items = self.tuple_above_mark(th)?;
                th.collect(items)?
            }
            op::FROZENSET => {
                let items = self.tuple_above_mark(th)?;
                set_ops::from_iterable(th, items, Kind::FrozenSet)?
            }
            op::DICT => {
                let items = self.tuple_above_mark(th)?;
                let made = th.m.new_dict()?;
                self.set_items(th, made, items)?;
                made
            }
            op::APPEND | op::SETITEM => {
                let n = if code == op::APPEND { 1 } else { 2 };
                let items = self.tuple_from(th, th.m.rooted.len().saturating_sub(n))?;
                let into = self.top(th)?;
                return if n == 1 { self.append(th, into, items) } else { self.set_items(th, into, items) };
            }
            op::APPENDS | op::SETITEMS | op::ADDITEMS => {
                let items = self.tuple_above_mark(th)?;
                let into = self.top(th)?;
                return match code {
                    op::APPENDS => self.append(th, into, items),
                    op::SETITEMS => self.set_items(th, into, items),
                    _ => self.add_items(th, into, items),
                };
            }
            _ => return self.make(th, code),
        };
        self.push(th, v);
        Ok(())
    }

    fn append(&mut self, th: &mut Thread, into: Value, items: Value) -> R<()> {
        if let Some(l) = list::of(into).filter(|_| types::is_exactly(into, Kind::List)) {
            return list::extend_slots(&mut th.m, l, tuple::items(items));
        }
        for item in tuple::items(items) {
            th.call_method(into, "append", &[item.value()])?;
        }
        Ok(())
    }

    fn set_items(&mut self, th: &mut Thread, into: Value, items: Value) -> R<()> {
        let plain = dict::of(into).is_some() && types::is_exactly(into, Kind::Dict);
        for pair in tuple::items(items).chunks(2) {
            let [key, value] = pair else {
                return Err(fail(th, "UnpicklingError", "odd number of items for SETITEMS"));
            };
            if plain {
                th.dict_set(into, key.value(), value.value())?;
            } else {
                th.set_item(into, key.value(), value.value())?;
            }
        }
        Ok(())
    }

    fn add_items(&mut self, th: &mut Thread, into: Value, items: Value) -> R<()> {
        let plain = set::of(into).is_some() && types::is_exactly(into, Kind::Set);
        for item in tuple::items(items) {
            if plain {
                th.set_add(into, item.value())?;
            } else {
                th.call_method(into, "add", &[item.value()])?;
            }
        }
        Ok(())
    }

    /// Opcodes that find globals, call them, and give objects their state.
    fn make(&mut self, th: &mut Thread, code: u8) -> R<()> {
        let v = match code {
            op::GLOBAL => {
                let (module, name) = (self.line(th)?, self.line(th)?);
                let (module, name) = (th.new_str(&module)?, th.new_str(&name)?);
                th.call(self.find, &[module, name])?
            }
            op::STACK_GLOBAL => {
                let (name, module) = (self.pop(th)?, self.pop(th)?);
                if types::kind_of(name) != Kind::Str || types::kind_of(module) != Kind::Str {
                    return Err(fail(th, "UnpicklingError", "STACK_GLOBAL requires str"));
                }
                th.call(self.find, &[module, name])?
            }
            op::REDUCE => {
                let (args, f) = (self.pop(th)?, self.pop(th)?);
                call_with(th, f, &[], args, &[])?
            }
            op::NEWOBJ => {
                let (args, class) = (self.pop(th)?, self.pop(th)?);
                new_object(th, class, args, &[])?
            }
            op::NEWOBJ_EX => {
                let (keywords, args, class) = (self.pop(th)?, self.pop(th)?, self.pop(th)?);
                let entries = dict::entries(keywords);
                let made = new_object(th, class, args, &entries)?;
                // Entries beyond the first few lie where the collector does not look: the dict keeps them alive.
                std::hint::black_box(keywords);
                made
            }
            op::BUILD => {
                // The state stays where it is until all of it has been used.
                let state = self.top(th)?;
                let n = th.m.rooted.len();
                let object = th.m.rooted.get(self.floor()..n - 1).and_then(|below| below.last()).copied();
                let Some(object) = object else { return Err(underflow(th)) };
                set_state(th, object, state)?;
                th.m.rooted.truncate(n - 1);
                return Ok(());
            }
            op::PERSID => {
                let line = self.line(th)?;
                let id = th.new_str(&line)?;
                self.persistent(th, id)?
            }
            op::BINPERSID => {
                let id = self.pop(th)?;
                self.persistent(th, id)?
            }
            op::INST => {
                let (module, name) = (self.line(th)?, self.line(th)?);
                let (module, name) = (th.new_str(&module)?, th.new_str(&name)?);
                let class = th.call(self.find, &[module, name])?;
                let args = self.tuple_above_mark(th)?;
                call_with(th, class, &[], args, &[])?
            }
            op::OBJ => {
                let all = self.tuple_above_mark(th)?;
                let [class, rest @ ..] = tuple::items(all) else { return Err(underflow(th)) };
                let args = tuple::value(tuple::from_slots(&mut th.m, rest)?);
                call_with(th, class.value(), &[], args, &[])?
            }
            _ => {
                let shown = char::from(code);
                let key = if shown.is_ascii_graphic() { shown.to_string() } else { format!("\\x{code:02x}") };
                return Err(fail(th, "UnpicklingError", &format!("invalid load key, '{key}'.")));
            }
        };
        self.push(th, v);
        Ok(())
    }

    fn persistent(&mut self, th: &mut Thread, id: Value) -> R {
        match self.persistent_load {
            Some(f) => th.call(f, &[id]),
            None => {
                let message = "A load persistent id instruction was encountered, but no persistent_load function was specified.";
                Err(fail(th, "UnpicklingError", message))
            }
        }
    }
}

/// A text of protocol 0: escapes stand for what Latin-1 has not, for backslashes and for line ends.
fn unescaped(line: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at)?);
        let n = match rest.as_bytes().get(at + 1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        if n == 0 {
            out.push('\\');
        } else {
            let digits = rest.get(at + 2..at + 2 + n)?;
            out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        }
        rest = rest.get(if n == 0 { at + 1 } else { at + 2 + n }..)?;
    }
    out.push_str(rest);
    Some(out)
}

fn underflow(th: &mut Thread) -> Raised {
    fail(th, "UnpicklingError", "unpickling stack underflow")
}

/// Calls with `first` and the items of the tuple `args`.
fn call_with(th: &mut Thread, f: Value, first: &[Value], args: Value, keywords: &[(Value, Value)]) -> R {
    if types::kind_of(args) != Kind::Tuple {
        return Err(fail(th, "UnpicklingError", "arguments must be a tuple"));
    }
    let all: Vec<Value> =
        first.iter().copied().chain(tuple::items(args).iter().map(|slot| slot.value())).collect();
    th.call_kw(f, &all, keywords)
}

fn new_object(th: &mut Thread, class: Value, args: Value, keywords: &[(Value, Value)]) -> R {
    if types::kind_of(class) != Kind::Class {
        let got = th.type_name(class);
        return Err(fail(th, "UnpicklingError", &format!("NEWOBJ class argument must be a type, not {got}")));
    }
    let name = th.name("__new__")?;
    let make = th.get_attr(class, name)?;
    call_with(th, make, &[class], args, keywords)
}

/// `__setstate__`, or else the attributes and the values of slots that the state holds.
fn set_state(th: &mut Thread, object: Value, state: Value) -> R<()> {
    let name = th.name("__setstate__")?;
    if let Some(setter) = th.get_attr_opt(object, name)? {
        return th.call(setter, &[state]).map(drop);
    }
    let (attributes, slots) = match tuple::items(state) {
        [attributes, slots] => (attributes.value(), slots.value()),
        _ => (state, Value::NONE),
    };
    if attributes != Value::NONE {
        let name = th.name("__dict__")?;
        let own = th.get_attr(object, name)?;
        if types::kind_of(attributes) != Kind::Dict {
            return Err(fail(th, "UnpicklingError", "state is not a dictionary"));
        }
        for (key, value) in dict::entries(attributes) {
            th.set_item(own, key, value)?;
        }
    }
    for (key, value) in dict::entries(slots) {
        let key = crate::object::intern::intern_value(&mut th.m, key)?;
        attr::set(th, object, key, value)?;
    }
    Ok(())
}
