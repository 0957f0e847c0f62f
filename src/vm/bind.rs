//! Matching arguments to parameters, in place: the arguments lie in the callee's first registers, and end up in the
//! order positional, keyword-only, `*args`, `**kwargs`. Errors are worded as CPython words them.
//! Must not know how the call is made afterwards.

use super::call;
use super::frame;
use super::keyword_cache::{FEW, Places};
use super::native::{Args, NativeDef, NativeFn, Params};
use super::thread::Thread;
use crate::bytecode::code::Code as Plain;
use crate::object::layout::{Function, Module};
use crate::object::{Kind, R, Raised, Slot, Value, Word, dict, str, tuple, types};

/// A callee and its registers.
struct Target<'a> {
    function: &'static Function,
    plain: &'a Plain,
    base: *mut u64,
}

impl Target<'_> {
    fn get(&self, i: usize) -> Word {
        // SAFETY: a parameter register of the new frame; `new` has checked that they fit.
        Value::from_bits(unsafe { *self.base.add(i) })
    }

    fn put(&self, i: usize, w: Word) {
        // SAFETY: as `get`.
        unsafe { *self.base.add(i) = w.map_or(0, Value::bits) };
    }

    fn positional(&self) -> usize {
        self.plain.nparams as usize
    }

    /// Positional and keyword-only.
    fn named(&self) -> usize {
        self.positional() + self.plain.nkwonly as usize
    }
}

fn target(th: &mut Thread, f: Value, base: *mut u64, given: usize) -> R<Target<'static>> {
    let function = types::cast::<Function>(f);
    let parts = function.and_then(|f| Some((f, frame::code_of(f)?)));
    let Some((function, code)) = parts else { return Err(th.type_error("object is not callable")) };
    let plain = frame::plain(code);
    let words = (code.nregs as usize).max(given + 2);
    if base.wrapping_add(words) > th.limit {
        return Err(th.recursion_error(" (register stack is full)"));
    }
    Ok(Target { function, plain, base })
}

/// Fills in what is missing behind `n` positional arguments, if defaults are all that is missing. False: nothing was done.
/// There is room for the function's registers.
#[inline(always)]
pub(super) fn defaults_alone(f: &Function, base: *mut u64, n: usize) -> bool {
    let wanted = f.simple_args as usize;
    if wanted == n {
        return true;
    }
    let defaults = f.defaults.get().map_or(&[][..], tuple::items);
    // Without `simple_args`, or with too many arguments, this is more than there are defaults.
    let missing = wanted.wrapping_sub(n);
    let Some(last) = defaults.len().checked_sub(missing).and_then(|first| defaults.get(first..)) else {
        return false;
    };
    for (i, default) in last.iter().enumerate() {
        // SAFETY: a parameter's register, by the caller; the items of a tuple are not EMPTY.
        unsafe { *base.add(n + i) = default.bits() };
    }
    true
}

/// Binds `n` positional arguments that lie at `base` and the keyword arguments behind them, if every parameter gets its
/// own and nothing is left over. False: it is not so, and the arguments lie as they did.
pub(super) fn named_alone(th: &mut Thread, f: Value, base: *mut u64, n: usize, names: Value) -> bool {
    let Some(function) = types::cast::<Function>(f) else { return false };
    let (Some(code_value), Some(code)) = (function.code.get(), frame::code_of(function)) else {
        return false;
    };
    let (count, given) = (code.simple_args, tuple::items(names).len());
    if count > u32::from(u8::MAX)
        || given > FEW
        || n + given > count as usize
        || base.wrapping_add(code.nregs as usize) > th.limit
    {
        return false;
    }
    let t = Target { function, plain: frame::plain(code), base };
    let known = th.lookup.keywords();
    let places = match known.find(names, code_value, n) {
        Some(places) => *places,
        None => {
            let Some(places) = places_of(&t, n, tuple::items(names)) else { return false };
            known.note(names, code_value, n, places);
            places
        }
    };
    let (places, count) = (&places[..given], count as usize);
    let mut values = [None; FEW];
    for (i, value) in values.iter_mut().enumerate().take(given) {
        *value = t.get(n + i);
    }
    let complete = given == count - n || put_defaults(&t, n..count, places, &values);
    if complete {
        for (place, value) in places.iter().zip(values) {
            t.put(usize::from(*place), value);
        }
    }
    complete
}

/// Puts defaults where nothing is given. False: one is missing, and the values given lie where they did.
fn put_defaults(t: &Target, unfilled: std::ops::Range<usize>, places: &[u8], values: &[Word; FEW]) -> bool {
    let defaults = t.function.defaults.get().map_or(&[][..], tuple::items);
    let first_default = unfilled.end - defaults.len().min(unfilled.end);
    let n = unfilled.start;
    for i in unfilled.filter(|i| !places.iter().any(|place| usize::from(*place) == *i)) {
        match i.checked_sub(first_default).and_then(|i| defaults.get(i)?.get()) {
            Some(default) => t.put(i, Some(default)),
            None => {
                values.iter().take(places.len()).enumerate().for_each(|(i, value)| t.put(n + i, *value));
                return false;
            }
        }
    }
    true
}

/// The parameters of these names behind `n` positional arguments; `None`: one is no parameter, is for an argument that
/// is there, or comes twice.
fn places_of(t: &Target, n: usize, names: &[Slot]) -> Option<Places> {
    let mut places = [0; FEW];
    for (i, name) in names.iter().enumerate() {
        let text = name.get().and_then(str::as_str)?;
        let from = n.max(t.plain.nposonly as usize);
        let found = t.plain.varnames.get(from..t.positional())?.iter().position(|p| same(p, text))?;
        let place = u8::try_from(from + found).ok().filter(|at| !places[..i].contains(at))?;
        places[i] = place;
    }
    Some(places)
}

/// Two names; short ones are compared without a call.
#[inline(always)]
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().eq(b.bytes())
}

/// Binds `n` positional arguments that lie at `base`.
pub fn positional(th: &mut Thread, f: Value, base: *mut u64, n: usize) -> R<()> {
    let t = target(th, f, base, n)?;
    if n == t.positional() && t.named() == n && !t.plain.flags.varargs && !t.plain.flags.varkw {
        return Ok(());
    }
    let extra = collect_extra(th, &t, n)?;
    clear_unfilled(&t, n);
    finish(th, &t, n, extra, None)
}

/// Binds `n` positional arguments that lie at `base`, and keyword arguments.
pub fn keywords(th: &mut Thread, f: Value, base: *mut u64, n: usize, given: &[(Value, Value)]) -> R<()> {
    let t = target(th, f, base, n + given.len())?;
    let extra = collect_extra(th, &t, n)?;
    clear_unfilled(&t, n);
    let mut rest = None;
    if t.plain.flags.varkw {
        rest = Some(if given.is_empty() { th.m.new_bare_dict()? } else { th.m.new_dict()? });
    }
    for (i, (name, value)) in given.iter().enumerate() {
        if place_keyword(th, &t, *name, *value)? {
            continue;
        }
        let Some(rest) = rest else { return Err(unexpected_keyword(th, &t, *name, given)) };
        // The names are interned.
        if i < FEW && given.iter().take(i).all(|(known, _)| known != name) {
            dict::add_str(&mut th.m, rest, *name, *value)?;
        } else {
            dict::insert_str(&mut th.m, rest, *name, *value)?;
        }
    }
    finish(th, &t, n, extra, rest)
}

/// Empties the parameters that no positional argument is for. Where `*args` has taken arguments away, keyword-only
/// parameters begin.
fn clear_unfilled(t: &Target, n: usize) {
    for i in n.min(t.positional())..t.named() {
        t.put(i, None);
    }
}

/// Takes the arguments beyond the positional parameters away, as a tuple if there is `*args`.
fn collect_extra(th: &mut Thread, t: &Target, n: usize) -> R<Word> {
    if !t.plain.flags.varargs {
        return Ok(None);
    }
    let first = t.positional().min(n);
    let extra = tuple::from_fn(&mut th.m, n - first, |i| t.get(first + i))?;
    Ok(Some(tuple::value(extra)))
}

/// Puts a keyword argument where it belongs. False: there is no parameter for it.
fn place_keyword(th: &mut Thread, t: &Target, name: Value, value: Value) -> R<bool> {
    let text = str::as_str(name).unwrap_or("");
    let first = t.plain.nposonly as usize;
    let names = t.plain.varnames.get(first..t.named()).unwrap_or(&[]);
    match names.iter().position(|p| same(p, text)).map(|i| first + i) {
        Some(i) if t.get(i).is_some() => {
            Err(th.type_error(format!("{}() got multiple values for argument '{text}'", qualname(t))))
        }
        Some(i) => {
            t.put(i, Some(value));
            Ok(true)
        }
        None => Ok(false),
    }
}

#[cold]
fn unexpected_keyword(th: &mut Thread, t: &Target, name: Value, given: &[(Value, Value)]) -> Raised {
    let posonly = t.plain.varnames.iter().take(t.plain.nposonly as usize);
    let is_given = |name: &&str| given.iter().any(|(key, _)| str::as_str(*key) == Some(*name));
    let passed: Vec<&str> = posonly.map(|n| &**n).filter(is_given).collect();
    if !passed.is_empty() {
        let f = qualname(t);
        return th.type_error(format!(
            "{f}() got some positional-only arguments passed as keyword arguments: '{}'",
            passed.join(", ")
        ));
    }
    let text = str::as_str(name).unwrap_or("");
    th.type_error(format!("{}() got an unexpected keyword argument '{text}'", qualname(t)))
}

/// Fills defaults, complains, and puts `*args` and `**kwargs` in place.
fn finish(th: &mut Thread, t: &Target, n: usize, extra: Word, rest: Word) -> R<()> {
    if n > t.positional() && !t.plain.flags.varargs {
        return Err(too_many(th, t, n));
    }
    fill_defaults(th, t, n)?;
    let mut at = t.named();
    if t.plain.flags.varargs {
        t.put(at, extra);
        at += 1;
    }
    if t.plain.flags.varkw {
        let rest = match rest {
            Some(d) => d,
            None => th.m.new_bare_dict()?,
        };
        t.put(at, Some(rest));
    }
    Ok(())
}

/// Fills the parameters behind the first `n` that have no value.
fn fill_defaults(th: &mut Thread, t: &Target, n: usize) -> R<()> {
    let defaults = t.function.defaults.get().map_or(&[][..], tuple::items);
    let first_default = t.positional() - defaults.len().min(t.positional());
    let missing = |i: &usize| t.get(*i).is_none();
    let mut complete = true;
    for i in (n..t.positional()).filter(missing) {
        let default = i.checked_sub(first_default).and_then(|i| defaults.get(i)?.get());
        complete &= default.is_some();
        t.put(i, default);
    }
    if !complete {
        return Err(missing_arguments(th, t, 0..t.positional(), "positional"));
    }
    if t.named() == t.positional() {
        return Ok(());
    }
    put_keyword_defaults(t);
    if (t.positional()..t.named()).any(|i| t.get(i).is_none()) {
        return Err(missing_arguments(th, t, t.positional()..t.named(), "keyword-only"));
    }
    Ok(())
}

/// Fills the keyword-only parameters that have no value. Defaults mostly come in the order of the parameters.
fn put_keyword_defaults(t: &Target) {
    let Some(defaults) = t.function.kwdefaults.get().and_then(dict::of) else { return };
    let (first, end) = (t.positional(), t.named());
    let names = t.plain.varnames.get(first..end).unwrap_or(&[]);
    let (mut at, mut next) = (0, 0);
    let step = dict::steps(defaults);
    while let Some((after, key, value)) = step(at) {
        at = after;
        let text = str::as_str(key).unwrap_or("");
        let is = |i: &usize| same(&names[*i], text);
        let Some(i) = (next..names.len()).find(is).or_else(|| (0..next).find(is)) else { continue };
        if t.get(first + i).is_none() {
            t.put(first + i, Some(value));
        }
        next = i + 1;
    }
}

fn qualname(t: &Target) -> String {
    super::qualname::text(t.function).to_owned()
}

#[cold]
fn missing_arguments(th: &mut Thread, t: &Target, range: std::ops::Range<usize>, what: &str) -> Raised {
    let names: Vec<String> =
        range.filter(|i| t.get(*i).is_none()).map(|i| format!("'{}'", t.plain.varnames[i])).collect();
    let list = match names.as_slice() {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    };
    let s = if names.len() == 1 { "" } else { "s" };
    th.type_error(format!("{}() missing {} required {what} argument{s}: {list}", qualname(t), names.len()))
}

#[cold]
fn too_many(th: &mut Thread, t: &Target, n: usize) -> Raised {
    let max = t.positional();
    let defaults = t.function.defaults.get().map_or(0, |d| tuple::items(d).len());
    let takes =
        if defaults > 0 { format!("from {} to {max}", max - defaults.min(max)) } else { max.to_string() };
    let s = if max == 1 && defaults == 0 { "" } else { "s" };
    let given_kw = (max..t.named()).filter(|i| t.get(*i).is_some()).count();
    let was = if n == 1 && given_kw == 0 { "was" } else { "were" };
    let given = if given_kw > 0 {
        let (a, b) = (if n == 1 { "" } else { "s" }, if given_kw == 1 { "" } else { "s" });
        format!("{n} positional argument{a} (and {given_kw} keyword-only argument{b})")
    } else {
        n.to_string()
    };
    th.type_error(format!("{}() takes {takes} positional argument{s} but {given} {was} given", qualname(t)))
}

/// Slots of a native's arguments that need no memory of their own.
const SHORT: usize = 12;

/// The slots of a call without keywords, and how many; `None` if they are many, or too few are given.
fn plain_slots(p: &Params, args: &[Word]) -> Option<([Word; SHORT], usize)> {
    let (positional, rest) = args.split_at(args.len().min(p.max as usize));
    let behind = p.max as usize + p.kwonly as usize + p.varkw as usize;
    let mut slots = [None; SHORT];
    if !positional.is_empty() {
        slots.get_mut(..positional.len())?.copy_from_slice(positional);
    }
    slots.get_mut(behind..behind + rest.len())?.copy_from_slice(rest);
    let complete = slots.iter().take(p.min as usize).all(Option::is_some);
    complete.then_some((slots, behind + rest.len()))
}

/// Calls a native that has keyword-only parameters, none of which is given. `None`: it is another one, or gets a wrong number of
/// arguments, and nothing was done.
#[inline(never)]
pub fn without_keywords(th: &mut Thread, def: &NativeDef, args: &[Word]) -> Option<R> {
    let p = &def.params;
    if p.varkw || args.len() > p.max as usize && !p.varargs {
        return None;
    }
    let (slots, count) = plain_slots(p, args)?;
    let slots = Args(slots.get(..count)?);
    match def.run {
        NativeFn::Data(f) => Some(f(&mut th.m, slots)),
        NativeFn::Full(f) => Some(f(th, slots)),
        _ => None,
    }
}

/// Calls a native whose arguments need checking, defaults or keywords.
pub fn native(th: &mut Thread, def: &NativeDef, owner: Word, args: &[Word], given: &[(Value, Value)]) -> R {
    let p = &def.params;
    let (max, kwonly) = (p.max as usize, p.kwonly as usize);
    // Methods belong to a class; constructors and class methods, which get one first, to nothing.
    let method = owner.is_none_or(|o| types::kind_of(o) == Kind::Class);
    if args.len() > max && !p.varargs {
        if !given.is_empty() && p.kwonly == 0 && p.posonly == p.max && !p.varkw {
            let name = native_name(def, owner, method, args);
            return Err(th.type_error(format!("{name}() takes no keyword arguments")));
        }
        return Err(native_count(th, def, owner, args, method));
    }
    if given.is_empty()
        && let Some((slots, count)) = plain_slots(p, args)
    {
        return call::run_native(th, def, Args(slots.get(..count).unwrap_or(&slots)));
    }
    let mut slots: smallvec::SmallVec<[Word; SHORT]> = smallvec::SmallVec::new();
    slots.extend_from_slice(args.get(..max).unwrap_or(args));
    slots.resize(max + kwonly, None);
    // Without keywords there is no dict for them: the native finds its slot EMPTY.
    let rest = if p.varkw && !given.is_empty() { Some(th.m.new_dict()?) } else { None };
    for (name, value) in given {
        let text = str::as_str(*name).unwrap_or("");
        let named = p.kwonly > 0 || p.posonly < p.max;
        let found = if named { p.names().position(|n| n == text) } else { None };
        let found = found.filter(|i| *i >= p.posonly as usize);
        match (found, rest) {
            (Some(i), _) if slots[i].is_some() => {
                let message = if i < args.len() {
                    format!("argument for {}() given by name ('{text}') and position ({})", def.name, i + 1)
                } else {
                    format!("{}() got multiple values for argument '{text}'", def.name)
                };
                return Err(th.type_error(message));
            }
            (Some(i), _) => slots[i] = Some(*value),
            (None, Some(d)) => dict::insert_str(&mut th.m, d, *name, *value)?,
            (None, None) if p.kwonly == 0 && p.posonly == p.max => {
                let name = native_name(def, owner, method, args);
                return Err(th.type_error(format!("{name}() takes no keyword arguments")));
            }
            (None, None) => {
                // `sorted` hands its keywords on to `list.sort`.
                let name = if def.name == "sorted" { "sort" } else { def.name };
                return Err(th.type_error(format!("'{text}' is an invalid keyword argument for {name}()")));
            }
        }
    }
    if slots.iter().take(p.min as usize).any(Option::is_none) {
        return Err(native_missing(th, def, owner, &slots, args, method));
    }
    if p.varkw {
        slots.push(rest);
    }
    slots.extend_from_slice(args.get(max..).unwrap_or(&[]));
    // The arguments stay alive in the caller's registers; a fresh **kwargs dict is rooted by this frame's `rest`.
    let result = call::run_native(th, def, Args(&slots));
    std::hint::black_box(rest);
    result
}

fn class_qualname(class: Value) -> String {
    let name = crate::object::class::cast(class).and_then(|c| str::as_str(c.qualname.value()));
    name.unwrap_or("?").to_owned()
}

fn native_name(def: &NativeDef, owner: Word, method: bool, args: &[Word]) -> String {
    let first = args.first().copied().flatten().filter(|_| method);
    if let Some(class) = first.filter(|v| owner.is_none() && crate::object::class::cast(*v).is_some()) {
        // A class method, or the constructor itself.
        let (class, whole) = (crate::object::class::name(class), class_qualname(class));
        return if class == def.name { class } else { format!("{whole}.{}", def.name) };
    }
    match owner.filter(|_| method).or_else(|| first.map(types::class_of)) {
        Some(class) => format!("{}.{}", crate::object::class::name(class), def.name),
        None => function_name(def, owner),
    }
}

/// The name of a function of a module, with the module's unless that is `builtins`.
fn function_name(def: &NativeDef, owner: Word) -> String {
    let module = owner.and_then(types::cast::<Module>).and_then(|m| str::as_str(m.name.value()));
    match module.filter(|name| *name != "builtins") {
        Some(module) => format!("{module}.{}", def.name),
        None => def.name.to_owned(),
    }
}

/// The methods of text that count their arguments in other words than the rest.
const SEARCHES: [&str; 7] = ["find", "rfind", "index", "rindex", "count", "startswith", "endswith"];

/// The special methods that count their arguments as ordinary ones do.
const COUNTED_BY_NAME: [&str; 9] = [
    "__ceil__",
    "__floor__",
    "__trunc__",
    "__format__",
    "__reversed__",
    "__dir__",
    "__enter__",
    "__exit__",
    "__init_subclass__",
];

fn is_counted_by_name(name: &str, owner: Word) -> bool {
    let is_of = |kinds: &[Kind]| kinds.iter().any(|&kind| owner == Some(types::class_of_kind(kind)));
    match name {
        "__contains__" => is_of(&[Kind::Dict, Kind::Set, Kind::FrozenSet]),
        "__getitem__" => is_of(&[Kind::Dict, Kind::List]),
        _ => COUNTED_BY_NAME.contains(&name),
    }
}

fn is_counted_without_name(name: &str, owner: Word) -> bool {
    match name {
        "__mul__" | "__rmul__" | "__imul__" => {
            [Kind::Str, Kind::Bytes, Kind::ByteArray, Kind::List, Kind::Tuple]
                .into_iter()
                .any(|kind| owner == Some(types::class_of_kind(kind)))
        }
        _ => matches!(name, "__pow__" | "__rpow__" | "__setitem__" | "__setattr__" | "__get__" | "__set__"),
    }
}

#[cold]
fn native_count(th: &mut Thread, def: &NativeDef, owner: Word, args: &[Word], method: bool) -> Raised {
    let given = args.len();
    let own = if method { 1 } else { 0 };
    let (min, max) =
        ((def.params.min as usize).saturating_sub(own), (def.params.max as usize).saturating_sub(own));
    let (given, name) = (given.saturating_sub(own), def.name);
    let of_text = [Kind::Str, Kind::Bytes, Kind::ByteArray]
        .into_iter()
        .any(|kind| owner == Some(types::class_of_kind(kind)));
    let full = native_name(def, owner, method, args);
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let keywords = def.params.posonly < def.params.max;
    let most = max + def.params.kwonly as usize;
    let special = method && name.starts_with("__") && !is_counted_by_name(name, owner);
    let message = if special && is_counted_without_name(name, owner) {
        // CPython has an empty name for them.
        match (min == max, given < min) {
            (true, _) => format!(" expected {max} argument{}, got {given}", s(max)),
            (_, true) => format!(" expected at least {min} argument{}, got {given}", s(min)),
            _ => format!(" expected at most {max} argument{}, got {given}", s(max)),
        }
    } else if special && min == max {
        format!("expected {max} argument{}, got {given}", s(max))
    } else if def.params.kwonly > 0 && max == 0 && given > most {
        format!("{name}() takes at most {most} argument{} ({given} given)", s(most))
    } else if def.params.kwonly > 0 && max == 0 {
        format!("{name}() takes no positional arguments")
    } else if matches!(name, "sorted" | "reversed" | "staticmethod" | "classmethod") {
        format!("{name} expected 1 argument, got {given}")
    } else if name == "memoryview" {
        format!("{name}() takes at most 1 argument ({given} given)")
    } else if def.params.kwonly > 0 && min == max {
        format!("{name}() takes exactly {max} positional argument{} ({given} given)", s(max))
    } else if min == max && max == 0 {
        format!("{full}() takes no arguments ({given} given)")
    } else if min == max && max == 1 {
        format!("{full}() takes exactly one argument ({given} given)")
    } else if min == max {
        format!("{name} expected {max} argument{}, got {given}", s(max))
    } else if keywords || (of_text && SEARCHES.contains(&name)) {
        let (which, n) = if given < min { ("at least", min) } else { ("at most", max) };
        format!("{name}() takes {which} {n} argument{} ({given} given)", s(n))
    } else if given < min {
        format!("{name} expected at least {min} argument{}, got {given}", s(min))
    } else {
        format!("{name} expected at most {max} argument{}, got {given}", s(max))
    };
    th.type_error(message)
}

#[cold]
fn native_missing(
    th: &mut Thread,
    def: &NativeDef,
    owner: Word,
    slots: &[Word],
    args: &[Word],
    method: bool,
) -> Raised {
    let p = &def.params;
    if p.posonly == p.max {
        return native_count(th, def, owner, args, method);
    }
    let at = slots.iter().position(Option::is_none).unwrap_or(0);
    if at < p.posonly as usize {
        let own = usize::from(method);
        let least = usize::from(p.min) - own;
        let (given, s) = (args.len() - own, if least == 1 { "" } else { "s" });
        let message = format!("{}() takes at least {least} positional argument{s} ({given} given)", def.name);
        return th.type_error(message);
    }
    let name = p.names().nth(at).unwrap_or("?");
    let position = if method { at } else { at + 1 };
    th.type_error(format!("{}() missing required argument '{name}' (pos {position})", def.name))
}
