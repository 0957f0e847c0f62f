//! How Rust functions look to scripts: the definition table entry, the argument view, the parameter list.
//! Must not know any particular function.
//!
//! Two signatures, because collection happens only where Mini code can run:
//! * `Data`: takes the `Mutator`; cannot call Mini code and cannot block, so it never sees a collection.
//! * `Full`: takes the `Thread`; may call Mini code or detach. Whatever it keeps across such a call must be an argument,
//!   be on the native stack as a `Value`, or be in a rooted scope; a `Vec<Value>` is invisible to the collector.

use super::thread::Thread;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, Word};

/// The two kinds of native code.
#[derive(Clone, Copy)]
pub enum NativeFn {
    Data(fn(&mut Mutator, Args) -> R),
    Full(fn(&mut Thread, Args) -> R),
    /// As `Data`; of the arguments from number `from` on, what is no number is asked for its `__index__` before.
    Indexed {
        from: usize,
        run: fn(&mut Mutator, Args) -> R,
    },
    /// As `Full`; with `takes` arguments, the first of them a generator, the eval loop resumes that itself.
    Resume {
        takes: usize,
        run: fn(&mut Thread, Args) -> R,
    },
    /// As `Full`; of one argument, an instance of a class written in Mini, the eval loop calls this method itself, and
    /// `settle` says what becomes of the answer.
    Ask {
        method: &'static str,
        settle: fn(&mut Thread, Value) -> R,
        run: fn(&mut Thread, Args) -> R,
    },
    /// As `Full`; the method `__call__` of objects that call another with more arguments, which the eval loop does itself.
    Forward {
        parts: fn(Value) -> Option<Forwarded>,
        run: fn(&mut Thread, Args) -> R,
    },
}

/// What an object calls when it is called.
pub struct Forwarded {
    pub func: Value,
    /// A tuple of the arguments put before those of the call.
    pub args: Value,
    /// A dict of keyword arguments; those of the call go before.
    pub keywords: Value,
}

/// One function, method or constructor written in Rust.
pub struct NativeDef {
    pub name: &'static str,
    pub params: Params,
    pub run: NativeFn,
    pub doc: &'static str,
}

impl NativeDef {
    /// A native that never runs Mini code. `params` as in a Python signature, without `self`'s parentheses:
    /// `"self, sub, start=, end=, /"`, `"iterable, /, *, key=, reverse="`, `"*args, sep=, end="`, `"self, **kwargs"`.
    /// A parameter with `=` is optional (its slot is EMPTY when absent); a method's first parameter is `self`.
    pub const fn data(
        name: &'static str,
        params: &'static str,
        run: fn(&mut Mutator, Args) -> R,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef { name, params: Params::parse(params), run: NativeFn::Data(run), doc }
    }

    /// As `data`, for what takes numbers from argument `from` on: it gets the ints of objects with `__index__`.
    pub const fn indexed(
        name: &'static str,
        from: usize,
        params: &'static str,
        run: fn(&mut Mutator, Args) -> R,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef { name, params: Params::parse(params), run: NativeFn::Indexed { from, run }, doc }
    }

    /// A native that may run Mini code or block.
    pub const fn full(
        name: &'static str,
        params: &'static str,
        run: fn(&mut Thread, Args) -> R,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef { name, params: Params::parse(params), run: NativeFn::Full(run), doc }
    }
}

impl NativeDef {
    /// As `full`, for what resumes its first argument if called with `takes` arguments.
    pub const fn resumes(
        name: &'static str,
        params: &'static str,
        takes: usize,
        run: fn(&mut Thread, Args) -> R,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef { name, params: Params::parse(params), run: NativeFn::Resume { takes, run }, doc }
    }
}

impl NativeDef {
    /// As `full`, for a `__call__` that calls what `parts` says.
    pub const fn forwards(
        params: &'static str,
        parts: fn(Value) -> Option<Forwarded>,
        run: fn(&mut Thread, Args) -> R,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef {
            name: "__call__",
            params: Params::parse(params),
            run: NativeFn::Forward { parts, run },
            doc,
        }
    }
}

impl NativeDef {
    /// As `full`, for what mostly asks a special method of its one argument.
    pub const fn asks(
        name: &'static str,
        params: &'static str,
        (method, settle): (&'static str, fn(&mut Thread, Value) -> R),
        run: fn(&mut Thread, Args) -> R,
        doc: &'static str,
    ) -> NativeDef {
        NativeDef { name, params: Params::parse(params), run: NativeFn::Ask { method, settle, run }, doc }
    }
}

/// A parameter list, digested at compile time. Names are read from `text` only when keywords are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    pub text: &'static str,
    /// Required and all positional parameters.
    pub min: u16,
    pub max: u16,
    /// Of these, positional-only.
    pub posonly: u16,
    /// Keyword-only parameters.
    pub kwonly: u16,
    pub varargs: bool,
    pub varkw: bool,
    /// How many arguments it takes if that is always the same number, and all are positional; else no number of arguments.
    pub exact: u32,
}

impl Params {
    /// Reads a parameter list; see `NativeDef::data` for the form.
    pub const fn parse(text: &'static str) -> Params {
        let t = text.as_bytes();
        let mut p = Params {
            text,
            min: 0,
            max: 0,
            posonly: 0,
            kwonly: 0,
            varargs: false,
            varkw: false,
            exact: u32::MAX,
        };
        let (mut i, mut after_star) = (0, false);
        while i < t.len() {
            let start = i;
            let mut optional = false;
            while i < t.len() && t[i] != b',' {
                optional |= t[i] == b'=';
                i += 1;
            }
            match t[start] {
                b'/' => p.posonly = p.max,
                b'*' if start + 1 < t.len() && t[start + 1] == b'*' => p.varkw = true,
                b'*' => {
                    p.varargs = i - start > 1;
                    after_star = true;
                }
                _ if after_star => p.kwonly += 1,
                _ => {
                    p.max += 1;
                    if !optional {
                        p.min += 1;
                    }
                }
            }
            i += 1;
            while i < t.len() && t[i] == b' ' {
                i += 1;
            }
        }
        if p.plain() && p.min == p.max && !p.varargs {
            p.exact = p.min as u32;
        }
        p
    }

    /// Whether positional arguments can be passed as they lie, with no binding beyond a count check.
    pub const fn plain(&self) -> bool {
        self.kwonly == 0 && !self.varkw
    }

    /// Whether `n` positional arguments can be passed as they lie.
    #[inline(always)]
    pub const fn takes(&self, n: usize) -> bool {
        self.exact == n as u32
            || self.plain() && n >= self.min as usize && (n <= self.max as usize || self.varargs)
    }

    /// Whether any parameter can be given by name.
    pub const fn takes_keywords(&self) -> bool {
        self.kwonly > 0 || self.varkw || self.posonly < self.max
    }

    /// Names of the positional parameters, then of the keyword-only ones.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let names = self.text.split(',').map(|p| p.trim().trim_end_matches('='));
        names.filter(|p| !p.is_empty() && !p.starts_with('*') && *p != "/")
    }

    /// Index of `*args`' first item, and of `**kwargs`' dict if there is one just before it.
    pub const fn rest_at(&self) -> usize {
        self.max as usize + self.kwonly as usize + self.varkw as usize
    }
}

/// The arguments of a native call: positional parameters, keyword-only ones, the `**kwargs` dict, then the rest (`*args`).
/// Without keyword-only parameters and `**kwargs`, the slice simply ends where the caller stopped.
#[derive(Clone, Copy)]
pub struct Args<'a>(pub &'a [Word]);

impl<'a> Args<'a> {
    /// Required argument `i` (the binder has checked that it is there).
    #[inline]
    pub fn get(self, i: usize) -> Value {
        self.opt(i).unwrap_or(Value::NONE)
    }

    /// Optional argument `i`.
    #[inline]
    pub fn opt(self, i: usize) -> Word {
        self.0.get(i).copied().flatten()
    }

    /// Optional argument `i`, None counting as absent.
    pub fn opt_not_none(self, i: usize) -> Word {
        self.opt(i).filter(|v| !v.is_none())
    }

    /// Arguments from `i` on (`*args`).
    pub fn rest(self, i: usize) -> &'a [Word] {
        self.0.get(i..).unwrap_or(&[])
    }

    #[inline]
    pub fn len(self) -> usize {
        self.0.len()
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// A built-in type as a table: what `boot` turns into a class.
pub struct TypeDef {
    pub name: &'static str,
    pub kind: crate::object::Kind,
    pub doc: &'static str,
    /// `__new__` and `__init__` in one: gets the class first, then the arguments. `None`: not callable.
    pub construct: Option<NativeDef>,
    /// Methods; the first argument is the receiver (already checked to be of the kind).
    pub methods: &'static [NativeDef],
    /// `classmethod`s: the first argument is the class.
    pub class_methods: &'static [NativeDef],
    /// Read-only properties: called with the object.
    pub properties: &'static [NativeDef],
    /// Whether a class written in Mini may derive from it.
    pub subclassable: bool,
}

/// A module's Rust half.
pub struct ModuleDef {
    pub name: &'static str,
    pub doc: &'static str,
    pub functions: &'static [NativeDef],
    pub types: &'static [&'static TypeDef],
    /// Adds constants and whatever else a table cannot say.
    pub init: Option<fn(&mut Thread, module: Value) -> R<()>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_lists() {
        let p = Params::parse("iterable, /, *, key=, reverse=");
        assert_eq!((p.min, p.max, p.posonly, p.kwonly), (1, 1, 1, 2));
        assert_eq!(p.names().collect::<Vec<_>>(), ["iterable", "key", "reverse"]);
        let p = Params::parse("self, sub, start=, end=, /");
        assert_eq!((p.min, p.max, p.posonly, p.varargs), (2, 4, 4, false));
        let p = Params::parse("*args, sep=, end=");
        assert_eq!((p.max, p.kwonly, p.varargs, p.rest_at()), (0, 2, true, 2));
        assert!(Params::parse("").plain() && Params::parse("self, **kwargs").varkw);
    }
}
