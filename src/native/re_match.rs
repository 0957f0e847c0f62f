//! What a match looks like to scripts: the class `re.Match`. Must not know how matches are found.

use super::re::{Searched, group_number, searched};
use super::re_engine::Spans;
use super::re_template;
use super::support;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Slot, Value, func, str, text_repr, tuple, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use smallvec::SmallVec;

/// Where a match's object keeps what, in the tuple that is its second word (the first is the subject): the pattern, where
/// the search began and was to end, then begin and end of the match and of each group, as places in the raw bytes of the
/// subject. -1: took no part. Plain objects, because most matches die young, and what a Box owns has to be buried.
const PATTERN: usize = 0;
const POS: usize = 1;
const ENDPOS: usize = 2;
const FIRST: usize = 3;

/// A new match object, of a search between the two `bounds`.
pub fn new(m: &mut Mutator, pattern: Value, subject: Value, spans: &Spans, bounds: [usize; 2]) -> R {
    let number = |at: usize| Value::int_unchecked(at as i64);
    let mut places: SmallVec<[Value; 16]> =
        SmallVec::from_elem(Value::int_unchecked(-1), FIRST + 2 * spans.len());
    places[PATTERN] = pattern;
    places[POS] = number(bounds[0]);
    places[ENDPOS] = number(bounds[1]);
    for (place, span) in places[FIRST..].chunks_exact_mut(2).zip(spans) {
        if let Some((start, end)) = *span {
            place.copy_from_slice(&[number(start), number(end)]);
        }
    }
    let places = m.new_tuple(&places)?;
    let class = type_tables::class_of(&MATCH).unwrap_or(Value::NONE);
    func::new_pair(m, class, class, [Some(subject), Some(places)])
}

/// A match: its places, its subject, its pattern.
pub struct Parts {
    places: &'static [Slot],
    pub subject: Searched,
    pub pattern: Value,
}

/// The parts of a match object.
pub fn parts(th: &mut Thread, v: Value) -> R<Parts> {
    let is_match = v.is_ref() && Some(types::class_of(v)) == type_tables::class_of(&MATCH);
    let ([Some(subject), Some(places)], true) = (func::pair(v), is_match) else {
        return Err(support::not_a(&mut th.m, "re.Match", v));
    };
    let places = tuple::items(places);
    let pattern = places.get(PATTERN).map_or(Value::NONE, Slot::value);
    Ok(Parts { places, subject: searched(subject), pattern })
}

impl Parts {
    /// The number of the group that a script names.
    fn number(&self, th: &mut Thread, v: Value) -> R<usize> {
        let n = match types::kind_of(v) {
            Kind::Int | Kind::Bool => usize::try_from(th.index(v)?).ok(),
            Kind::Str => group_number(self.pattern, str::as_str(v).unwrap_or("")),
            _ if th.lookup_override(v, "__index__").is_some() => usize::try_from(th.index(v)?).ok(),
            _ => None,
        };
        n.filter(|n| *n < self.count()).ok_or_else(|| th.raise(Exc::IndexError, "no such group"))
    }

    /// The number of spans: the groups' and that of the whole.
    fn count(&self) -> usize {
        self.places.len().saturating_sub(FIRST) / 2
    }

    fn place(&self, i: usize) -> Option<usize> {
        self.places.get(i).and_then(|slot| usize::try_from(slot.value().as_small()?).ok())
    }

    /// One of the search's bounds, as scripts count.
    fn bound(&self, which: usize) -> Value {
        Value::int_unchecked(self.subject.place(self.place(which).unwrap_or(0)) as i64)
    }

    fn span(&self, n: usize) -> Option<(usize, usize)> {
        self.place(FIRST + 2 * n).zip(self.place(FIRST + 2 * n + 1))
    }

    fn spans(&self) -> Spans {
        (0..self.count()).map(|n| self.span(n)).collect()
    }

    /// The text of a group, or the default if it took no part.
    pub fn text(&self, th: &mut Thread, n: usize, default: Value) -> R {
        match self.span(n) {
            Some((start, end)) => self.subject.piece(th, start, end),
            None => Ok(default),
        }
    }
}

fn group(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    match args.rest(1) {
        [] => parts.text(th, 0, Value::NONE),
        [one] => {
            let n = parts.number(th, one.unwrap_or(Value::NONE))?;
            parts.text(th, n, Value::NONE)
        }
        several => {
            let mut texts: Vec<Value> = Vec::new();
            for v in several.iter().flatten() {
                let n = parts.number(th, *v)?;
                texts.push(parts.text(th, n, Value::NONE)?);
            }
            th.new_tuple(&texts)
        }
    }
}

fn getitem(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    let n = parts.number(th, args.get(1))?;
    parts.text(th, n, Value::NONE)
}

fn groups(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    let default = args.opt(1).unwrap_or(Value::NONE);
    let texts: R<Vec<Value>> = (1..parts.count()).map(|n| parts.text(th, n, default)).collect();
    let texts = texts?;
    th.new_tuple(&texts)
}

fn groupdict(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    let default = args.opt(1).unwrap_or(Value::NONE);
    let dict = th.new_dict()?;
    for (name, n) in super::re::names(parts.pattern) {
        let text = parts.text(th, *n, default)?;
        super::support::put(&mut th.m, dict, name, text)?;
    }
    Ok(dict)
}

/// Begin and end of the group in argument 1, as scripts count; -1 if it took no part.
fn ends(th: &mut Thread, args: Args) -> R<[Value; 2]> {
    let parts = parts(th, args.get(0))?;
    let n = args.opt(1).map_or(Ok(0), |v| parts.number(th, v))?;
    Ok(match parts.span(n) {
        Some((start, end)) => [start, end].map(|at| Value::int_unchecked(parts.subject.place(at) as i64)),
        None => [Value::int_unchecked(-1); 2],
    })
}

fn start(th: &mut Thread, args: Args) -> R {
    ends(th, args).map(|[start, _]| start)
}

fn end(th: &mut Thread, args: Args) -> R {
    ends(th, args).map(|[_, end]| end)
}

fn span(th: &mut Thread, args: Args) -> R {
    let both = ends(th, args)?;
    th.new_tuple(&both)
}

fn expand(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    let template = re_template::parse(th, args.get(1), parts.pattern)?;
    let mut out = Vec::new();
    template.fill(&mut th.m, &mut out, parts.subject.raw, &parts.spans())?;
    parts.subject.made(th, &out)
}

/// How much of what was matched a match shows.
const REPR_CHARS: usize = 50;

fn repr(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    let text = parts.text(th, 0, Value::NONE)?;
    let shown = match str::as_str(text) {
        Some(text) => text_repr::repr_str(text),
        None => {
            let shown = th.repr(text)?;
            str::as_str(shown).unwrap_or("").to_owned()
        }
    };
    let shown: String = shown.chars().take(REPR_CHARS).collect();
    let (start, end) = parts.span(0).unwrap_or((0, 0));
    let (start, end) = (parts.subject.place(start), parts.subject.place(end));
    th.new_str(&format!("<re.Match object; span=({start}, {end}), match={shown}>"))
}

fn string(th: &mut Thread, args: Args) -> R {
    parts(th, args.get(0)).map(|p| p.subject.value)
}

fn pattern(th: &mut Thread, args: Args) -> R {
    parts(th, args.get(0)).map(|p| p.pattern)
}

fn pos(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    Ok(parts.bound(POS))
}

fn endpos(th: &mut Thread, args: Args) -> R {
    let parts = parts(th, args.get(0))?;
    Ok(parts.bound(ENDPOS))
}

/// The group that was closed last.
fn last(th: &mut Thread, args: Args) -> R<Option<(usize, Value)>> {
    let parts = parts(th, args.get(0))?;
    let n = super::re::closed(parts.pattern).iter().rev().find(|n| parts.span(**n).is_some());
    Ok(n.map(|n| (*n, parts.pattern)))
}

fn lastindex(th: &mut Thread, args: Args) -> R {
    Ok(last(th, args)?.map_or(Value::NONE, |(n, _)| Value::int_unchecked(n as i64)))
}

fn lastgroup(th: &mut Thread, args: Args) -> R {
    let Some((n, pattern)) = last(th, args)? else { return Ok(Value::NONE) };
    match super::re::names(pattern).iter().find(|(_, number)| *number == n) {
        Some((name, _)) => th.new_str(name),
        None => Ok(Value::NONE),
    }
}

fn regs(th: &mut Thread, args: Args) -> R {
    let n = parts(th, args.get(0))?.count();
    let spans = (0..n).map(|i| span(th, Args(&[args.opt(0), Some(Value::int_unchecked(i as i64))])));
    let spans: R<Vec<Value>> = spans.collect();
    let spans = spans?;
    th.new_tuple(&spans)
}

fn itself(_: &mut Thread, args: Args) -> R {
    Ok(args.get(0))
}

pub static MATCH: TypeDef = TypeDef {
    name: "Match",
    doc: "Where a pattern matched.",
    methods: &[
        NativeDef::full("group", "self, /, *groups", group, "The text of groups."),
        NativeDef::full("__getitem__", "self, group, /", getitem, "The text of one group."),
        NativeDef::full("groups", "self, default=", groups, "The texts of all groups."),
        NativeDef::full("groupdict", "self, default=", groupdict, "The texts of named groups."),
        NativeDef::full("start", "self, group=, /", start, "Where a group begins."),
        NativeDef::full("end", "self, group=, /", end, "Where a group ends."),
        NativeDef::full("span", "self, group=, /", span, "Where a group begins and ends."),
        NativeDef::full("expand", "self, template", expand, "A template with the groups filled in."),
        NativeDef::full("__repr__", "self, /", repr, "Show place and text."),
        NativeDef::full("__copy__", "self, /", itself, "The match itself."),
        NativeDef::full("__deepcopy__", "self, memo, /", itself, "The match itself."),
    ],
    properties: &[
        NativeDef::full("string", "self", string, "The text that was searched."),
        NativeDef::full("re", "self", pattern, "The pattern."),
        NativeDef::full("pos", "self", pos, "Where the search began."),
        NativeDef::full("endpos", "self", endpos, "Where the search was to end."),
        NativeDef::full("lastindex", "self", lastindex, "The number of the group closed last."),
        NativeDef::full("lastgroup", "self", lastgroup, "The name of the group closed last."),
        NativeDef::full("regs", "self", regs, "Places of all groups."),
    ],
    ..TypeDef::BARE
};
