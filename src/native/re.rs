//! Module `_re`: compiled patterns, and searching with them. Must not know the syntax (`re_syntax`) or how an engine works
//! (`re_engine`).

use super::re_engine::{Failure, Mode, Program, Query, Spans};
use super::re_match;
use super::re_scanner;
use super::re_syntax;
use super::re_template::{self, Template};
use super::support::{of_host, put};
use crate::gil::Cause;
use crate::object::iter::{self, Tag};
use crate::object::layout::Host;
use crate::object::{Exc, Kind, R, Raised, Value, bytes, func, list, str, str_index, types};
use crate::vm::import;
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use std::borrow::Cow;

/// A compiled pattern. Its object's first word is the text it was made of.
struct Pattern {
    program: Program,
    bytes: bool,
}

fn pattern_of(v: Value) -> Option<&'static Pattern> {
    func::host::<Pattern>(v)
}

/// Names and numbers of a pattern's named groups.
pub fn names(pattern: Value) -> &'static [(String, usize)] {
    pattern_of(pattern).map_or(&[], |p| &p.program.translated.names)
}

/// The groups in the order of their closing parentheses.
pub fn closed(pattern: Value) -> &'static [usize] {
    pattern_of(pattern).map_or(&[], |p| &p.program.translated.closed)
}

/// The number of groups.
pub fn group_count(pattern: Value) -> usize {
    pattern_of(pattern).map_or(0, |p| p.program.translated.groups)
}

/// The number of a named group.
pub fn group_number(pattern: Value, name: &str) -> Option<usize> {
    names(pattern).iter().find(|(n, _)| n == name).map(|(_, number)| *number)
}

/// Raises `re.error`.
pub fn fail(th: &mut Thread, message: &str, pattern: Value, at: usize) -> Raised {
    let raise = |th: &mut Thread| -> R {
        let module = import::import_dotted(th, "re")?;
        let message = th.new_str(message)?;
        let at = i64::try_from(at).map_or(Value::NONE, Value::int_unchecked);
        th.call_method(module, "_fail", &[message, pattern, at])
    };
    match raise(th) {
        Ok(_) => th.value_error(message),
        Err(raised) => raised,
    }
}

/// A text that is or was searched: its value and its bytes.
#[derive(Clone, Copy)]
pub struct Searched {
    pub value: Value,
    pub raw: &'static [u8],
    bytes: bool,
}

/// A text to search, and what engines see of it (of bytes: a character for each).
struct Subject {
    of: Searched,
    text: Cow<'static, str>,
    ascii: bool,
}

impl std::ops::Deref for Subject {
    type Target = Searched;

    fn deref(&self) -> &Searched {
        &self.of
    }
}

/// The str or bytes that a match was found in.
pub fn searched(value: Value) -> Searched {
    match str::as_str(value) {
        Some(text) => Searched { value, raw: text.as_bytes(), bytes: false },
        None => Searched { value, raw: bytes::as_bytes(value).unwrap_or(&[]), bytes: true },
    }
}

/// A value as something that can be searched.
fn subject_of(th: &mut Thread, value: Value) -> R<Subject> {
    if let Some(s) = str::view(value) {
        let text = Cow::Borrowed(str::text(s));
        return Ok(Subject { of: searched(value), text, ascii: str::is_ascii(s) });
    }
    let value = crate::vm::ops::bytearray::as_bytes_object(&mut th.m, value)?;
    let Some(raw) = bytes::as_bytes(value) else {
        let got = th.type_name(value);
        return Err(th.type_error(format!("expected string or bytes-like object, got '{got}'")));
    };
    let text = match std::str::from_utf8(raw).ok().filter(|t| t.is_ascii()) {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(raw.iter().map(|b| char::from(*b)).collect()),
    };
    let ascii = matches!(text, Cow::Borrowed(_));
    Ok(Subject { of: Searched { value, raw, bytes: true }, text, ascii })
}

impl Subject {
    /// Of a place as scripts count, the place in `text`.
    fn offset(&self, th: &mut Thread, i: usize) -> R<usize> {
        match str::view(self.value) {
            Some(s) => str_index::byte_offset(&mut th.m, s, i),
            None if self.ascii => Ok(i.min(self.raw.len())),
            None => Ok(self.text.char_indices().nth(i).map_or(self.text.len(), |(at, _)| at)),
        }
    }

    /// Of a place in `text`, the place in `raw`.
    fn to_raw(&self, at: usize) -> usize {
        if self.text.len() == self.raw.len() {
            return at;
        }
        self.text.get(..at).map_or(at, |t| t.chars().count())
    }

    /// Of places in `text`, the places in `raw`.
    fn all_to_raw(&self, spans: Spans) -> Spans {
        if self.text.len() == self.raw.len() {
            return spans;
        }
        spans.into_iter().map(|s| s.map(|(a, b)| (self.to_raw(a), self.to_raw(b)))).collect()
    }
}

impl Searched {
    /// Of a place in `raw`, the place as scripts count.
    pub fn place(&self, at: usize) -> usize {
        match str::view(self.value) {
            Some(s) => str_index::char_number(s, at),
            None => at,
        }
    }

    /// A part of it as a value.
    pub fn piece(&self, th: &mut Thread, start: usize, end: usize) -> R {
        self.made(th, self.raw.get(start..end).unwrap_or(&[]))
    }

    /// New text of its type.
    pub fn made(&self, th: &mut Thread, raw: &[u8]) -> R {
        if self.bytes {
            return th.new_bytes(raw);
        }
        match std::str::from_utf8(raw) {
            Ok(text) => th.new_str(text),
            Err(_) => th.new_str(&String::from_utf8_lossy(raw)),
        }
    }
}

/// `_re.compile(pattern, flags)`.
fn compile(th: &mut Thread, args: Args) -> R {
    let source = args.get(0);
    let subject = match types::kind_of(source) {
        Kind::Str | Kind::Bytes => subject_of(th, source)?,
        _ => return Err(th.type_error("first argument must be string or compiled pattern")),
    };
    let flags = th.index(args.get(1))?;
    let translated = match re_syntax::translate(&subject.text, flags, subject.bytes) {
        Ok(translated) => translated,
        Err((message, usize::MAX)) if message.contains("flag") => return Err(th.value_error(message)),
        Err((message, at)) => return Err(fail(th, &message, source, at)),
    };
    let program = match Program::new(translated) {
        Ok(program) => program,
        Err(problem) => return Err(refuse(th, &problem, source)),
    };
    let class = type_tables::class_of(&PATTERN).unwrap_or(Value::NONE);
    let v = func::new_host(th, class, Box::new(Pattern { program, bytes: subject.bytes }))?;
    if let Some(host) = types::cast::<Host>(v) {
        host.extra[0].set(source);
    }
    Ok(v)
}

/// A pattern that an engine does not take.
fn refuse(th: &mut Thread, problem: &str, source: Value) -> Raised {
    let message = format!("pattern not supported: {}", problem.lines().last().unwrap_or(""));
    fail(th, &message, source, 0)
}

/// A search in progress: pattern, subject, where to go on.
pub struct Scan {
    pattern: &'static Pattern,
    object: Value,
    subject: Subject,
    pos: usize,
    end: usize,
    turn: Turn,
}

/// Where a search goes on.
#[derive(Clone, Copy)]
pub struct Turn {
    at: usize,
    /// The last match was empty: the next one here must not be.
    advance: bool,
    /// The last match began where its search did, as in a text that is all tokens; so may the next one.
    here: bool,
}

/// Texts at least this long are searched without keeping other threads from running.
const LONG: usize = 1 << 16;

impl Scan {
    /// Begins with the arguments `self, string, pos=, endpos=`.
    fn begin(th: &mut Thread, args: Args) -> R<Scan> {
        let pattern = of_host::<Pattern>(&mut th.m, args.get(0), "re.Pattern")?;
        let subject = subject_of(th, args.get(1))?;
        if pattern.bytes != subject.bytes {
            return Err(th.type_error(if pattern.bytes {
                "cannot use a bytes pattern on a string-like object"
            } else {
                "cannot use a string pattern on a bytes-like object"
            }));
        }
        let mut bound = |i: usize, default: usize| -> R<usize> {
            match args.opt(i) {
                Some(v) => {
                    let n = th.clamped_index(v)?.max(0) as usize;
                    subject.offset(th, n.min(subject.raw.len()))
                }
                None => Ok(default),
            }
        };
        let (pos, end) = (bound(2, 0)?, bound(3, subject.text.len())?);
        let pos = pos.min(subject.text.len());
        let end = end.min(subject.text.len());
        let turn = Turn { at: pos, advance: false, here: false };
        Ok(Scan { pattern, object: args.get(0), subject, pos, end, turn })
    }

    /// The text and the pattern, which have to be kept alive.
    pub fn values(&self) -> [Value; 2] {
        [self.subject.value, self.object]
    }

    /// Where it begins.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    fn find(&self, th: &mut Thread, turn: Turn, mode: Mode, groups: bool) -> R<Option<Spans>> {
        if turn.at > self.end {
            return Ok(None);
        }
        let Some(text) = self.subject.text.get(..self.end) else { return Ok(None) };
        let program = &self.pattern.program;
        let query = Query { text, ascii: self.subject.ascii, at: turn.at, mode, groups, here: turn.here };
        let found = if text.len() - turn.at >= LONG {
            th.detach(Cause::Blocking, || program.find(query))
        } else {
            program.find(query)
        };
        match found {
            Ok(found) => Ok(found),
            Err(Failure::Refused(problem)) => {
                let source = types::cast::<Host>(self.object).and_then(|host| host.extra[0].get());
                Err(refuse(th, &problem, source.unwrap_or(Value::NONE)))
            }
            Err(Failure::GivenUp(problem)) => {
                let message = format!("the search was given up: {problem}");
                Err(th.raise(Exc::RecursionError, message))
            }
        }
    }

    /// The next of all matches, its places in `raw`.
    fn next(&mut self, th: &mut Thread, groups: bool) -> R<Option<Spans>> {
        let mut turn = self.turn;
        let found = self.next_after(th, &mut turn, groups);
        self.turn = turn;
        found
    }

    /// As `next`, where others may be searching, too, from turns of their own.
    fn next_after(&self, th: &mut Thread, turn: &mut Turn, groups: bool) -> R<Option<Spans>> {
        let mut mode = Mode::Search;
        if std::mem::take(&mut turn.advance) {
            if self.pattern.program.translated.lazy_empty {
                mode = Mode::Advance;
            } else {
                let c = self.subject.text.get(turn.at..).and_then(|t| t.chars().next());
                turn.at += c.map_or(1, char::len_utf8);
            }
        }
        let Some(spans) = self.find(th, *turn, mode, groups)? else { return Ok(None) };
        if let Some((start, end)) = spans.first().copied().flatten() {
            *turn = Turn { at: end, advance: start == end, here: start == turn.at };
        }
        Ok(Some(self.subject.all_to_raw(spans)))
    }

    /// The next match as an object, or None.
    pub fn next_match(&self, th: &mut Thread, turn: &mut Turn) -> R {
        match self.next_after(th, turn, true)? {
            Some(spans) => self.new_match(th, &spans),
            None => Ok(Value::NONE),
        }
    }

    fn new_match(&self, th: &mut Thread, spans: &Spans) -> R {
        let bounds = [self.pos, self.end].map(|at| self.subject.to_raw(at));
        re_match::new(&mut th.m, self.object, self.subject.value, spans, bounds)
    }

    fn once(&self, th: &mut Thread, mode: Mode) -> R {
        match self.find(th, self.turn, mode, true)? {
            Some(spans) => {
                let spans = self.subject.all_to_raw(spans);
                self.new_match(th, &spans)
            }
            None => Ok(Value::NONE),
        }
    }

    fn group(&self, th: &mut Thread, spans: &Spans, n: usize, default: Option<Value>) -> R {
        match (spans.get(n).copied().flatten(), default) {
            (Some((start, end)), _) => self.subject.piece(th, start, end),
            (None, Some(default)) => Ok(default),
            (None, None) => self.subject.made(th, &[]),
        }
    }
}

fn search(th: &mut Thread, args: Args) -> R {
    Scan::begin(th, args)?.once(th, Mode::Search)
}

fn match_(th: &mut Thread, args: Args) -> R {
    Scan::begin(th, args)?.once(th, Mode::Match)
}

fn fullmatch(th: &mut Thread, args: Args) -> R {
    Scan::begin(th, args)?.once(th, Mode::Full)
}

fn push(th: &mut Thread, out: Value, v: Value) -> R<()> {
    match list::of(out) {
        Some(l) => list::push(th, l, v),
        None => Ok(()),
    }
}

fn findall(th: &mut Thread, args: Args) -> R {
    let mut scan = Scan::begin(th, args)?;
    let groups = scan.pattern.program.translated.groups;
    let out = th.new_list(&[])?;
    while let Some(spans) = scan.next(th, groups > 0)? {
        let item = match groups {
            0 | 1 => scan.group(th, &spans, groups, None)?,
            _ => {
                let texts: R<Vec<Value>> = (1..=groups).map(|n| scan.group(th, &spans, n, None)).collect();
                let texts = texts?;
                th.new_tuple(&texts)?
            }
        };
        push(th, out, item)?;
    }
    Ok(out)
}

/// One match is looked for when it is asked for: a long text has many, and the first may be enough.
fn finditer(th: &mut Thread, args: Args) -> R {
    let scan = Scan::begin(th, args)?;
    let scanner = re_scanner::new(&mut th.m, scan)?;
    let name = th.m.intern("search")?;
    let search = th.get_attr(scanner, name)?;
    iter::new(th, Tag::Callable, &[search, Value::NONE])
}

/// How often at most, of an argument in which 0 means always.
fn limit(th: &mut Thread, v: Option<Value>) -> R<usize> {
    let n = v.map_or(Ok(0), |v| th.index(v))?;
    Ok(match n {
        0 => usize::MAX,
        n => usize::try_from(n).unwrap_or(0),
    })
}

fn split(th: &mut Thread, args: Args) -> R {
    let limit = limit(th, args.opt(2))?;
    let mut scan = Scan::begin(th, Args(&[args.opt(0), args.opt(1)]))?;
    let groups = scan.pattern.program.translated.groups;
    let out = th.new_list(&[])?;
    let (mut from, mut n) = (0, 0);
    while n < limit {
        let Some(spans) = scan.next(th, groups > 0)? else { break };
        let Some((start, end)) = spans.first().copied().flatten() else { break };
        let piece = scan.subject.piece(th, from, start)?;
        push(th, out, piece)?;
        for g in 1..=groups {
            let text = scan.group(th, &spans, g, Some(Value::NONE))?;
            push(th, out, text)?;
        }
        from = end;
        n += 1;
    }
    let rest = scan.subject.piece(th, from, scan.subject.raw.len())?;
    push(th, out, rest)?;
    Ok(out)
}

/// What takes the place of a match.
enum Replacement {
    Template(Template),
    Function(Value),
}

/// `(new text, number of replacements)`.
fn replaced(th: &mut Thread, args: Args) -> R<(Value, i64)> {
    let limit = limit(th, args.opt(3))?;
    let mut scan = Scan::begin(th, Args(&[args.opt(0), args.opt(2)]))?;
    let given = args.get(1);
    let text = match types::kind_of(given) {
        Kind::Str | Kind::Bytes => true,
        Kind::Function | Kind::Native | Kind::BoundMethod | Kind::Class => false,
        _ => th.lookup_special(given, "__call__").is_none(),
    };
    let replacement = if text {
        Replacement::Template(re_template::parse(th, given, args.get(0))?)
    } else {
        Replacement::Function(given)
    };
    let groups = scan.pattern.program.translated.groups > 0 || !text;
    let (mut out, mut from, mut n) = (Vec::new(), 0, 0);
    while (n as usize) < limit {
        let Some(spans) = scan.next(th, groups)? else { break };
        let Some((start, end)) = spans.first().copied().flatten() else { break };
        th.m.push_bytes(&mut out, scan.subject.raw.get(from..start).unwrap_or(&[]))?;
        from = end;
        n += 1;
        match &replacement {
            Replacement::Template(template) => {
                template.fill(&mut th.m, &mut out, scan.subject.raw, &spans)?;
            }
            Replacement::Function(f) => {
                let found = scan.new_match(th, &spans)?;
                let text = th.call(*f, &[found])?;
                if !text.is_none() {
                    let text = subject_of_kind(th, text, scan.subject.bytes)?;
                    th.m.push_bytes(&mut out, text)?;
                }
            }
        }
    }
    let subject = args.get(2);
    if n == 0 && str::view(subject).map_or(types::kind_of(subject) == Kind::Bytes, str::is_exact) {
        return Ok((subject, 0));
    }
    th.m.push_bytes(&mut out, scan.subject.raw.get(from..).unwrap_or(&[]))?;
    Ok((scan.subject.made(th, &out)?, n))
}

/// The bytes of what a replacement function returned.
fn subject_of_kind(th: &mut Thread, v: Value, want_bytes: bool) -> R<&'static [u8]> {
    let (text, raw) = (str::as_str(v), bytes::as_bytes(v));
    match (text, raw) {
        (Some(text), _) if !want_bytes => Ok(text.as_bytes()),
        (_, Some(raw)) if want_bytes => Ok(raw),
        _ => {
            let got = th.type_name(v);
            let want = if want_bytes { "a bytes-like object" } else { "str instance" };
            Err(th.type_error(format!("sequence item 0: expected {want}, {got} found")))
        }
    }
}

fn sub(th: &mut Thread, args: Args) -> R {
    replaced(th, args).map(|(v, _)| v)
}

fn subn(th: &mut Thread, args: Args) -> R {
    let (v, n) = replaced(th, args)?;
    th.new_tuple(&[v, Value::int_unchecked(n)])
}

fn source(th: &mut Thread, args: Args) -> R {
    of_host::<Pattern>(&mut th.m, args.get(0), "re.Pattern")?;
    Ok(types::cast::<Host>(args.get(0)).map_or(Value::NONE, |h| h.extra[0].value()))
}

fn flags(th: &mut Thread, args: Args) -> R {
    let pattern = of_host::<Pattern>(&mut th.m, args.get(0), "re.Pattern")?;
    Ok(Value::int_unchecked(pattern.program.translated.flags))
}

fn groups(_: &mut Thread, args: Args) -> R {
    Ok(Value::int_unchecked(group_count(args.get(0)) as i64))
}

fn groupindex(th: &mut Thread, args: Args) -> R {
    let dict = th.new_dict()?;
    for (name, n) in names(args.get(0)) {
        put(&mut th.m, dict, name, Value::int_unchecked(*n as i64))?;
    }
    func::new_proxy(&mut th.m, dict)
}

/// The flags that a repr names.
const SHOWN: [(i64, &str); 7] = [
    (re_syntax::IGNORECASE, "re.IGNORECASE"),
    (re_syntax::LOCALE, "re.LOCALE"),
    (re_syntax::MULTILINE, "re.MULTILINE"),
    (re_syntax::DOTALL, "re.DOTALL"),
    (re_syntax::VERBOSE, "re.VERBOSE"),
    (128, "re.DEBUG"),
    (re_syntax::ASCII, "re.ASCII"),
];

fn repr(th: &mut Thread, args: Args) -> R {
    let text = source(th, args)?;
    let text = th.repr(text)?;
    let shown: String = str::as_str(text).unwrap_or("").chars().take(200).collect();
    let bits = flags(th, args)?.as_small().unwrap_or(0);
    let names: Vec<&str> = SHOWN.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    let names = if names.is_empty() { String::new() } else { format!(", {}", names.join("|")) };
    th.new_str(&format!("re.compile({shown}{names})"))
}

fn same(th: &mut Thread, args: Args) -> R {
    let (Some(a), Some(b)) = (pattern_of(args.get(0)), pattern_of(args.get(1))) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let texts = [0, 1].map(|i| types::cast::<Host>(args.get(i)).map_or(Value::NONE, |h| h.extra[0].value()));
    let equal = a.program.translated.flags == b.program.translated.flags && a.bytes == b.bytes;
    Ok(Value::bool(equal && th.eq(texts[0], texts[1])?))
}

fn hash(th: &mut Thread, args: Args) -> R {
    let text = source(th, args)?;
    let hash = th.hash(text)?;
    th.new_int(hash)
}

fn itself(_: &mut Thread, args: Args) -> R {
    Ok(args.get(0))
}

/// `(re._compile, (text, flags))`.
fn reduce(th: &mut Thread, args: Args) -> R {
    let parts = [source(th, args)?, flags(th, args)?];
    let module = import::import_dotted(th, "re")?;
    let name = th.m.intern("_compile")?;
    let compile = th.get_attr(module, name)?;
    let parts = th.new_tuple(&parts)?;
    th.new_tuple(&[compile, parts])
}

const PLACES: &str = "self, string, pos=, endpos=";

static PATTERN: TypeDef = TypeDef {
    name: "Pattern",
    doc: "A compiled regular expression.",
    methods: &[
        NativeDef::full("search", PLACES, search, "The first match anywhere."),
        NativeDef::full("match", PLACES, match_, "A match at the beginning."),
        NativeDef::full("fullmatch", PLACES, fullmatch, "A match of the whole text."),
        NativeDef::full("findall", PLACES, findall, "The texts of all matches."),
        NativeDef::full("finditer", PLACES, finditer, "All matches."),
        NativeDef::full("split", "self, string, maxsplit=", split, "The texts between matches."),
        NativeDef::full("sub", "self, repl, string, count=", sub, "The text with matches replaced."),
        NativeDef::full("subn", "self, repl, string, count=", subn, "As sub(), and how many there were."),
        NativeDef::full("__repr__", "self, /", repr, "Show the pattern."),
        NativeDef::full("__eq__", "self, other, /", same, "Equal text and flags."),
        NativeDef::full("__hash__", "self, /", hash, "Agree with ==."),
        NativeDef::full("__copy__", "self, /", itself, "The pattern itself."),
        NativeDef::full("__deepcopy__", "self, memo, /", itself, "The pattern itself."),
        NativeDef::full("__reduce__", "self, /", reduce, "How to compile it again, for pickle."),
    ],
    properties: &[
        NativeDef::full("pattern", "self", source, "The text it was made of."),
        NativeDef::full("flags", "self", flags, "The flags, also those in the text."),
        NativeDef::full("groups", "self", groups, "The number of groups."),
        NativeDef::full("groupindex", "self", groupindex, "The numbers of named groups."),
    ],
    ..TypeDef::BARE
};

fn init(th: &mut Thread, _: Value) -> R<()> {
    for def in [&PATTERN, &re_match::MATCH] {
        let namespace =
            type_tables::class_of(def).and_then(crate::object::class::cast).and_then(|c| c.dict.get());
        let (name, text) = (th.m.intern("__module__")?, th.m.intern("re")?);
        crate::vm::attr::set_in_namespace(&mut th.m, namespace, name, text)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_re",
    doc: "The native half of re.",
    functions: &[NativeDef::full("compile", "pattern, flags, /", compile, "Compile a pattern.")],
    types: &[&PATTERN, &re_match::MATCH, &re_scanner::SCANNER],
    init: Some(init),
};
