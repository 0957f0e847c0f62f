//! Running translated patterns: the linear-time engine for most, the backtracking one where look-around or references need
//! it. Must not know scripts' objects: texts and places in bytes.

use super::re_syntax::{END, Translated};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, meta, util::syntax};
use smallvec::SmallVec;
use std::sync::OnceLock;

/// Where a match may lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Anywhere from the start on.
    Search,
    /// At the start.
    Match,
    /// From start to end.
    Full,
    /// As `Search`, but not the empty text at the start.
    Advance,
}

/// Begin and end of the whole match and of each group.
pub type Spans = SmallVec<[Option<(usize, usize)>; 4]>;

/// More steps back than any sensible pattern needs; then the search is given up.
const BACKTRACK_LIMIT: usize = 50_000_000;
/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 64 << 20;

enum Engine {
    Plain(Box<meta::Regex>),
    Fancy(Box<fancy_regex::Regex>),
}

/// Why there is no answer.
#[derive(Clone)]
pub enum Failure {
    /// An engine has something against the pattern.
    Refused(String),
    /// The search took too many steps.
    GivenUp(String),
}

/// A pattern, with its engines made when they are first needed: a module may compile dozens and use none.
pub struct Program {
    pub translated: Translated,
    /// By mode, and whether the text ends in a line break.
    engines: [OnceLock<Result<Engine, Failure>>; 8],
    /// As `engines`, for texts in ASCII: without Unicode's classes engines are smaller and faster. `None`: the pattern
    /// has characters that need Unicode.
    ascii: [OnceLock<Option<Box<meta::Regex>>>; 8],
}

/// What is searched, and how.
#[derive(Clone, Copy)]
pub struct Query<'t> {
    pub text: &'t str,
    /// Whether the text is known to be ASCII.
    pub ascii: bool,
    pub at: usize,
    pub mode: Mode,
    /// Whether the groups are wanted, too.
    pub groups: bool,
    /// A match is likely to begin right at `at`.
    pub here: bool,
}

impl Program {
    /// Errors: what the engine has against the pattern as a text; what it has against its size comes with the first
    /// search.
    pub fn new(translated: Translated) -> Result<Program, String> {
        let program = Program {
            translated,
            engines: [const { OnceLock::new() }; 8],
            ascii: [const { OnceLock::new() }; 8],
        };
        let (mode, line_end, fancy) = program.kind(Mode::Search, false);
        let text = program.text(mode, line_end, fancy);
        if fancy {
            fancy_regex::Expr::parse_tree(&text).map_err(|e| e.to_string())?;
        } else {
            syntax::parse_with(&text, &syntax_of(true)).map_err(|e| e.to_string())?;
        }
        Ok(program)
    }

    /// Of an engine: the mode, whether `$` may stand before a last line break, whether it has to be the backtracking one.
    fn kind(&self, mode: Mode, line_end: bool) -> (Mode, bool, bool) {
        let line_end = line_end && self.translated.end;
        let fancy = self.translated.fancy || line_end || mode == Mode::Advance;
        // One plain engine can be told where to begin; the other one cannot.
        let mode = if mode == Mode::Match && !fancy { Mode::Search } else { mode };
        (mode, line_end, fancy)
    }

    fn engine(&self, mode: Mode, line_end: bool) -> Result<&Engine, Failure> {
        let (mode, line_end, fancy) = self.kind(mode, line_end);
        let slot = &self.engines[mode as usize * 2 + line_end as usize];
        slot.get_or_init(|| self.build(mode, line_end, fancy)).as_ref().map_err(Clone::clone)
    }

    /// The plain engine for texts in ASCII, if there is one.
    fn ascii_engine(&self, mode: Mode, line_end: bool) -> Option<&meta::Regex> {
        let (mode, line_end, fancy) = self.kind(mode, line_end);
        if fancy {
            return None;
        }
        let slot = &self.ascii[mode as usize * 2 + line_end as usize];
        let build = || {
            let text = self.text(mode, line_end, false);
            let built = needs_no_unicode(&text).then(|| plain(&text, false))?;
            built.ok().map(Box::new)
        };
        slot.get_or_init(build).as_deref()
    }

    /// The pattern as engines of this kind take it.
    fn text(&self, mode: Mode, line_end: bool, fancy: bool) -> String {
        let end = if line_end { "(?=\\n?\\z)" } else { "\\z" };
        let text = self.translated.text.replace(END, end);
        match mode {
            Mode::Search => text,
            Mode::Match => format!("\\G(?:{text})"),
            Mode::Full if fancy => format!("\\G(?:{text})\\z"),
            Mode::Full => format!("(?:{text})\\z"),
            Mode::Advance => format!("(?:{text})(?!\\G)"),
        }
    }

    fn build(&self, mode: Mode, line_end: bool, fancy: bool) -> Result<Engine, Failure> {
        let text = self.text(mode, line_end, fancy);
        if fancy {
            let built = fancy_regex::RegexBuilder::new(&text)
                .backtrack_limit(BACKTRACK_LIMIT)
                .delegate_size_limit(SIZE_LIMIT)
                .build();
            return built.map(|re| Engine::Fancy(Box::new(re))).map_err(|e| Failure::Refused(e.to_string()));
        }
        plain(&text, true).map(|re| Engine::Plain(Box::new(re))).map_err(Failure::Refused)
    }

    /// The first match.
    pub fn find(&self, query: Query) -> Result<Option<Spans>, Failure> {
        let line_end = query.text.ends_with('\n');
        if query.ascii
            && let Some(re) = self.ascii_engine(query.mode, line_end)
        {
            return Ok(plain_find(re, query));
        }
        match self.engine(query.mode, line_end)? {
            Engine::Plain(re) => Ok(plain_find(re, query)),
            Engine::Fancy(re) => {
                let found = re.captures_from_pos(query.text, query.at);
                let found = found.map_err(|e| Failure::GivenUp(e.to_string()))?;
                Ok(found
                    .map(|caps| (0..caps.len()).map(|i| caps.get(i).map(|m| (m.start(), m.end()))).collect()))
            }
        }
    }
}

/// Whether a translated pattern means the same without Unicode, in a text in ASCII.
fn needs_no_unicode(pattern: &str) -> bool {
    let ascii = |digits: &str| {
        let digits = digits.split('}').next().unwrap_or("");
        u32::from_str_radix(digits, 16).is_ok_and(|c| c < 128)
    };
    pattern.is_ascii() && pattern.split("\\x{").skip(1).all(ascii)
}

fn syntax_of(unicode: bool) -> syntax::Config {
    syntax::Config::new().nest_limit(1000).unicode(unicode).utf8(unicode)
}

fn plain(pattern: &str, unicode: bool) -> Result<meta::Regex, String> {
    meta::Regex::builder()
        .syntax(syntax_of(unicode))
        .configure(meta::Config::new().nfa_size_limit(Some(SIZE_LIMIT)))
        .build(pattern)
        .map_err(|e| e.to_string())
}

fn plain_find(re: &meta::Regex, query: Query) -> Option<Spans> {
    let input = Input::new(query.text).range(query.at..query.text.len());
    let anchored = input.clone().anchored(Anchored::Yes);
    if query.mode != Mode::Search {
        return plain_spans(re, &anchored, query.groups);
    }
    // A search for groups runs forward for the end, backward for the start and forward again; if the match begins here
    // there is no need to run backward.
    let here = if query.here && query.groups { plain_spans(re, &anchored, true) } else { None };
    here.or_else(|| plain_spans(re, &input, query.groups))
}

fn plain_spans(re: &meta::Regex, input: &Input, groups: bool) -> Option<Spans> {
    if !groups || re.captures_len() == 1 {
        return re.search(input).map(|m| smallvec::smallvec![Some((m.start(), m.end()))]);
    }
    let mut slots: SmallVec<[Option<NonMaxUsize>; 16]> = smallvec::smallvec![None; re.captures_len() * 2];
    re.search_slots(input, &mut slots)?;
    let span = |pair: &[Option<NonMaxUsize>]| match pair {
        [Some(start), Some(end)] => Some((start.get(), end.get())),
        _ => None,
    };
    Some(slots.chunks(2).map(span).collect())
}
