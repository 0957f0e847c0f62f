//! `repr`, `str`, `ascii` and `format` of any value. Must not know how containers are shown (`container_repr.rs`).

use super::container_repr::container_repr;
use super::exc_fields;
use super::fields;
use super::groups;
use super::qualname;
use super::thread::Thread;
use crate::object::layout::{BoundMethod, Cell, Code, Function, Module, Native, Super};
use crate::object::mutator::Mutator;
use crate::object::types::Manner;
use crate::object::{
    Exc, Kind, R, Value, Word, bytearray, bytes, class, exc, float, format, func, int, memoryview, str,
    text_repr, tuple, types, unicode_error,
};

impl Thread {
    /// `repr(v)`: a Str.
    pub fn repr(&mut self, v: Value) -> R {
        if v.is_small_int() {
            return self.int_text(v);
        }
        if let Some(f) = self.lookup_override(v, "__repr__") {
            return self.text_method(f, v, "__repr__");
        }
        if let Some(f) = self.native_repr(v) {
            return self.text_method(f, v, "__repr__");
        }
        self.repr_builtin(v)
    }

    /// As `repr`, for `str`: its words are the ones that complain.
    fn repr_for_str(&mut self, v: Value) -> R {
        match self.lookup_override(v, "__repr__") {
            Some(f) => self.text_method(f, v, "__str__"),
            None => self.repr(v),
        }
    }

    fn text_method(&mut self, f: Value, v: Value, name: &str) -> R {
        self.check_native_stack()?;
        let s = self.call(f, &[v])?;
        if str::as_str(s).is_some() {
            return Ok(s);
        }
        let class = self.type_name(s);
        Err(self.type_error(format!("{name} returned non-string (type {class})")))
    }

    /// The `__repr__` of a class of Rust objects, or of a named tuple.
    fn native_repr(&mut self, v: Value) -> Word {
        let own = match types::kind_of(v) {
            Kind::Host => true,
            Kind::Tuple => class::traits(types::class_of(v)) & class::trait_bits::REPR != 0,
            _ => false,
        };
        if own { self.lookup_special(v, "__repr__") } else { None }
    }

    fn float_text(&mut self, v: Value) -> R {
        let f = float::as_f64(v).unwrap_or(0.0);
        let mut buffer = float::Buffer::new();
        match float::plain_repr(f, &mut buffer) {
            Some(text) => self.m.new_str_counted(text, text.len()),
            None => self.m.new_str(&float::repr(f)),
        }
    }

    /// `repr(v)` as the built-in type has it.
    pub fn repr_builtin(&mut self, v: Value) -> R {
        let text = match types::kind_of(v) {
            Kind::None_ => "None".to_owned(),
            Kind::Bool => if v == Value::TRUE { "True" } else { "False" }.to_owned(),
            Kind::Ellipsis => "Ellipsis".to_owned(),
            Kind::NotImplemented => "NotImplemented".to_owned(),
            Kind::Int => return self.int_text(v),
            Kind::Float => return self.float_text(v),
            Kind::Str => {
                let text = str::as_str(v).unwrap_or("");
                self.m.room_for(text_repr::str_room(text))?;
                text_repr::repr_str(text)
            }
            Kind::Bytes => {
                let bytes = bytes::as_bytes(v).unwrap_or(&[]);
                self.m.room_for(text_repr::bytes_room(bytes))?;
                text_repr::repr_bytes(bytes)
            }
            Kind::ByteArray => bytearray_text(&mut self.m, v)?,
            Kind::MemoryView => memoryview_text(v),
            Kind::List
            | Kind::Tuple
            | Kind::Dict
            | Kind::Set
            | Kind::FrozenSet
            | Kind::Range
            | Kind::Slice
            | Kind::DictView
            | Kind::MappingProxy => return container_repr(self, v),
            Kind::Exception => return self.exception_repr(v),
            Kind::Class => format!("<class '{}'>", self.qualified_name(v)?),
            Kind::Function => function_text(v),
            Kind::Native => native_text(v),
            Kind::BoundMethod => return self.bound_text(v),
            Kind::Module => self.module_text(v),
            Kind::Super => types::cast::<Super>(v).map_or(String::new(), |s| {
                let (class, own) =
                    (class::name(s.class.value()), class::name(types::class_of(s.receiver.value())));
                match s.receiver.value().is_none() {
                    true => format!("<super: <class '{class}'>, NULL>"),
                    false => format!("<super: <class '{class}'>, <{own} object>>"),
                }
            }),
            Kind::Cell => cell_text(self, v),
            Kind::Code => code_text(v),
            Kind::StaticMethod | Kind::ClassMethod => {
                let inside = self.repr(func::unwrap_wrapper(v).unwrap_or(Value::NONE))?;
                format!("<{}({})>", self.type_name(v), str::as_str(inside).unwrap_or("?"))
            }
            Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => {
                let name = qualname::text_of_generator(v);
                format!("<{} object {name} at {:#x}>", self.type_name(v), v.bits())
            }
            _ => self.object_text(v)?,
        };
        self.m.new_str(&text)
    }

    /// The digits of an int. ValueError beyond `sys.set_int_max_str_digits`.
    fn int_text(&mut self, v: Value) -> R {
        match v.as_small() {
            Some(n) => {
                let mut buffer = [0u8; 24];
                let text = int::small_decimal(n, &mut buffer);
                self.m.new_str_counted(text, text.len())
            }
            None => {
                let digits = int::decimal(&mut self.m, v)?;
                self.m.new_str(&digits)
            }
        }
    }

    /// `<__main__.C object at 0x...>`
    pub fn object_text(&mut self, v: Value) -> R<String> {
        let class = types::class_of(v);
        let name = self.qualified_name(class)?;
        Ok(format!("<{name} object at {:#x}>", v.bits()))
    }

    /// `module.qualname` of a class, without `builtins.`.
    pub fn qualified_name(&mut self, class: Value) -> R<String> {
        let key = self.name("__module__")?;
        let module = class::find_own(class, key).and_then(|c| c.value.get()).and_then(str::as_str);
        let qualname = class::cast(class).and_then(|c| str::as_str(c.qualname.value())).unwrap_or("?");
        Ok(match module {
            Some(m) if m != "builtins" => format!("{m}.{qualname}"),
            _ => qualname.to_owned(),
        })
    }

    fn bound_text(&mut self, v: Value) -> R {
        let Some(b) = types::cast::<BoundMethod>(v) else { return self.m.new_str("<bound method>") };
        let (f, receiver) = (b.func.value(), b.receiver.value());
        let of_native = types::class_of(v) != types::class_of_kind(Kind::BoundMethod);
        if let Some(def) = fields::def(f).filter(|_| of_native) {
            let class = self.type_name(receiver);
            let what = if types::class_of(v) == types::class_of_manner(Manner::BoundSlot) {
                "method-wrapper"
            } else {
                "built-in method"
            };
            let name = if what == "method-wrapper" { format!("'{}'", def.name) } else { def.name.to_owned() };
            let text = format!("<{what} {name} of {class} object at {:#x}>", receiver.bits());
            return self.m.new_str(&text);
        }
        let key = self.name("__qualname__")?;
        let name = self.get_attr_opt(f, key)?.and_then(str::as_str).unwrap_or("?");
        let shown = self.repr(receiver)?;
        let text = format!("<bound method {name} of {}>", str::as_str(shown).unwrap_or("?"));
        self.m.new_str(&text)
    }

    fn has_spec(&mut self, module: Value) -> bool {
        self.name("__spec__").ok().and_then(|k| self.get_attr_opt(module, k).ok().flatten()).is_some()
    }

    fn module_text(&mut self, v: Value) -> String {
        let name = types::cast::<Module>(v).and_then(|m| str::as_str(m.name.value())).unwrap_or("?");
        let file = self.name("__file__").ok().and_then(|k| self.get_attr_opt(v, k).ok().flatten());
        match file.and_then(str::as_str) {
            Some(file) => format!("<module '{name}' from '{file}'>"),
            // Made by a script: only such a module has a `__spec__`, and that is None.
            None if self.has_spec(v) => format!("<module '{name}'>"),
            None => format!("<module '{name}' (built-in)>"),
        }
    }

    fn exception_repr(&mut self, v: Value) -> R {
        let args = exc::cast(v).map_or(Value::NONE, |e| e.args.value());
        let class = class::name(types::class_of(v));
        let shown = match tuple::items(args) {
            [one] => {
                let one = self.repr(one.value())?;
                format!("({})", str::as_str(one).unwrap_or(""))
            }
            _ => {
                let all = self.repr(args)?;
                str::as_str(all).unwrap_or("()").to_owned()
            }
        };
        self.m.new_str(&format!("{class}{shown}"))
    }

    /// `str(v)`: a Str.
    pub fn str(&mut self, v: Value) -> R {
        if v.is_small_int() {
            return self.int_text(v);
        }
        if str::view(v).is_some_and(str::is_exact) {
            return Ok(v);
        }
        if let Some(f) = self.lookup_override(v, "__str__") {
            return self.text_method(f, v, "__str__");
        }
        // Their `__str__` is their own, and does not ask `__repr__`.
        match types::kind_of(v) {
            Kind::Str => return self.m.new_str(str::as_str(v).unwrap_or("")),
            Kind::Bytes => {
                let bytes = bytes::as_bytes(v).unwrap_or(&[]);
                self.m.room_for(text_repr::bytes_room(bytes))?;
                return self.m.new_str(&text_repr::repr_bytes(bytes));
            }
            _ => {}
        }
        if types::kind_of(v) == Kind::Exception {
            return self.exception_text(v);
        }
        // A mappingproxy shows what is behind it.
        let shown = crate::object::func::proxied(v).unwrap_or(v);
        self.repr_for_str(shown)
    }

    /// `str(e)` of an exception: its one argument, or all of them.
    pub fn exception_text(&mut self, v: Value) -> R {
        let class = types::class_of(v);
        let is = |e| class::is_subclass(class, types::exc_class(e));
        let args = exc::cast(v).map_or(Value::NONE, |e| e.args.value());
        match tuple::items(args) {
            _ if is(Exc::SyntaxError) => self.syntax_error_text(v),
            [] => self.m.empty_str(),
            [key] if is(Exc::KeyError) => self.repr(key.value()),
            [errno, text, ..] if is(Exc::OSError) => self.os_error_text(v, errno.value(), text.value()),
            [encoding, object, start, end, reason]
                if is(Exc::UnicodeDecodeError) || is(Exc::UnicodeEncodeError) =>
            {
                let parts = [encoding, object, start, end, reason].map(|slot| slot.value());
                match unicode_error::message(parts[0], parts[1], parts[2], parts[3], parts[4]) {
                    Some(text) => self.m.new_str(&text),
                    None => self.repr(args),
                }
            }
            _ if is(Exc::BaseExceptionGroup) => groups::text(self, v),
            [one] => self.str(one.value()),
            _ => self.repr(args),
        }
    }

    /// `message (file, line 1)`, as far as file and line are known.
    fn syntax_error_text(&mut self, v: Value) -> R {
        let message = exc_fields::value(self, v, "msg")?.unwrap_or(Value::NONE);
        let message = self.str(message)?;
        let file = exc_fields::value(self, v, "filename")?.and_then(str::as_str);
        let file = file.map(|path| path.rsplit('/').next().unwrap_or(path).to_owned());
        let line = exc_fields::value(self, v, "lineno")?.and_then(crate::object::int::as_i64);
        let place = match (file, line.map(|n| format!("line {n}"))) {
            (Some(file), Some(line)) => format!("{file}, {line}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Ok(message),
        };
        let text = format!("{} ({place})", str::as_str(message).unwrap_or(""));
        self.m.new_str(&text)
    }

    fn os_error_text(&mut self, v: Value, errno: Value, text: Value) -> R {
        let (errno, text) = (self.str(errno)?, self.str(text)?);
        let mut out =
            format!("[Errno {}] {}", str::as_str(errno).unwrap_or(""), str::as_str(text).unwrap_or(""));
        for (name, lead) in [("filename", ": "), ("filename2", " -> ")] {
            let name = self.m.intern(name)?;
            if let Some(file) = self.get_attr_opt(v, name)?.filter(|f| !f.is_none()) {
                let shown = self.repr(file)?;
                out += lead;
                out += str::as_str(shown).unwrap_or("");
            }
        }
        self.m.new_str(&out)
    }

    /// `ascii(v)`: a Str.
    pub fn ascii(&mut self, v: Value) -> R {
        let shown = self.repr(v)?;
        let text = text_repr::ascii_of_repr(str::as_str(shown).unwrap_or(""));
        self.m.new_str(&text)
    }

    /// `format(v, spec)`: a Str.
    pub fn format(&mut self, v: Value, spec: &str) -> R {
        // Words that are no references, and strings of the class itself, have no method of their own.
        let built_in = !v.is_ref() && v != Value::NONE || str::view(v).is_some_and(str::is_exact);
        if !built_in && let Some(f) = self.lookup_override(v, "__format__") {
            let spec = self.m.new_str(spec)?;
            let s = self.call(f, &[v, spec])?;
            if str::as_str(s).is_some() {
                return Ok(s);
            }
            let class = self.type_name(s);
            return Err(self.type_error(format!("__format__ must return a str, not {class}")));
        }
        if spec.is_empty() {
            return self.str(v);
        }
        if let Some(done) = format::format_value(&mut self.m, v, spec)? {
            return Ok(done);
        }
        let class = self.type_name(v);
        Err(self.type_error(format!("unsupported format string passed to {class}.__format__")))
    }
}

/// Single quotes are escaped even between double ones.
fn bytearray_text(m: &mut Mutator, v: Value) -> R<String> {
    let bytes = bytearray::of(v).map(bytearray::snapshot).unwrap_or_default();
    m.room_for(text_repr::bytes_room(&bytes))?;
    let shown = text_repr::repr_bytes(&bytes);
    let shown = if shown.starts_with("b\"") { shown.replace('\'', "\\'") } else { shown };
    Ok(format!("{}({shown})", class::name(types::class_of(v))))
}

fn memoryview_text(v: Value) -> String {
    let released = memoryview::of(v).is_some_and(|view| memoryview::parts(view).is_none());
    format!("<{}memory at {:#x}>", if released { "released " } else { "" }, v.bits())
}

fn function_text(v: Value) -> String {
    let name = types::cast::<Function>(v).map_or("?", qualname::text);
    format!("<function {name} at {:#x}>", v.bits())
}

fn native_text(v: Value) -> String {
    let name = fields::def(v).map_or("?", |d| d.name);
    let owner = types::cast::<Native>(v).and_then(|n| n.owner.get()).filter(|o| class::cast(*o).is_some());
    match owner.map(class::name) {
        Some(class) if types::class_of(v) == types::class_of_manner(Manner::Slot) => {
            format!("<slot wrapper '{name}' of '{class}' objects>")
        }
        Some(class) => format!("<method '{name}' of '{class}' objects>"),
        None => format!("<built-in function {name}>"),
    }
}

fn cell_text(th: &mut Thread, v: Value) -> String {
    let inside = match types::cast::<Cell>(v).and_then(|c| c.value.get()) {
        Some(held) => format!("{} object at {:#x}", th.type_name(held), held.bits()),
        None => "empty".to_owned(),
    };
    format!("<cell at {:#x}: {inside}>", v.bits())
}

fn code_text(v: Value) -> String {
    match types::cast::<Code>(v).map(super::frame::plain) {
        Some(p) => {
            let (name, file, line) = (&p.name, &p.filename, p.first_line);
            format!("<code object {name} at {:#x}, file \"{file}\", line {line}>", v.bits())
        }
        None => String::new(),
    }
}
