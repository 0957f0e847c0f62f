//! Running translated patterns: the linear-time engine for most, the backtracking one where look-around or references need
//! it. Must not know scripts' objects: texts and places in bytes.

use super::re_syntax::{END, Translated};
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, meta, util::syntax};
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
pub type Spans = Vec<Option<(usize, usize)>>;

/// More steps back than any sensible pattern needs; then the search is given up.
const BACKTRACK_LIMIT: usize = 50_000_000;
/// Bytes that a compiled pattern may take.
const SIZE_LIMIT: usize = 64 << 20;

enum Engine {
    Plain(Box<meta::Regex>),
    Fancy(Box<fancy_regex::Regex>),
}

/// A pattern, with its engines made when they are first needed.
pub struct Program {
    pub translated: Translated,
    /// By mode, and whether the text ends in a line break.
    engines: [OnceLock<Result<Engine, String>>; 8],
}

impl Program {
    /// Errors: what the engine has against the pattern.
    pub fn new(translated: Translated) -> Result<Program, String> {
        let program = Program { translated, engines: [const { OnceLock::new() }; 8] };
        program.engine(Mode::Search, false)?;
        Ok(program)
    }

    fn engine(&self, mode: Mode, line_end: bool) -> Result<&Engine, String> {
        let line_end = line_end && self.translated.end;
        let fancy = self.translated.fancy || line_end || mode == Mode::Advance;
        // One plain engine can be told where to begin; the other one cannot.
        let mode = if mode == Mode::Match && !fancy { Mode::Search } else { mode };
        let slot = &self.engines[mode as usize * 2 + line_end as usize];
        slot.get_or_init(|| self.build(mode, line_end, fancy)).as_ref().map_err(Clone::clone)
    }

    fn build(&self, mode: Mode, line_end: bool, fancy: bool) -> Result<Engine, String> {
        let end = if line_end { "(?=\\n?\\z)" } else { "\\z" };
        let text = self.translated.text.replace(END, end);
        let text = match mode {
            Mode::Search => text,
            Mode::Match => format!("\\G(?:{text})"),
            Mode::Full if fancy => format!("\\G(?:{text})\\z"),
            Mode::Full => format!("(?:{text})\\z"),
            Mode::Advance => format!("(?:{text})(?!\\G)"),
        };
        if fancy {
            let built = fancy_regex::RegexBuilder::new(&text)
                .backtrack_limit(BACKTRACK_LIMIT)
                .delegate_size_limit(SIZE_LIMIT)
                .build();
            return built.map(|re| Engine::Fancy(Box::new(re))).map_err(|e| e.to_string());
        }
        let built = meta::Regex::builder()
            .syntax(syntax::Config::new().nest_limit(1000))
            .configure(meta::Config::new().nfa_size_limit(Some(SIZE_LIMIT)))
            .build(&text);
        built.map(|re| Engine::Plain(Box::new(re))).map_err(|e| e.to_string())
    }

    /// The first match in `text` from `at` on. `groups`: whether the groups are wanted, too.
    /// Errors: the search was given up.
    pub fn find(&self, text: &str, at: usize, mode: Mode, groups: bool) -> Result<Option<Spans>, String> {
        let engine = self.engine(mode, text.ends_with('\n'))?;
        match engine {
            Engine::Plain(re) => {
                let anchored = if mode == Mode::Search { Anchored::No } else { Anchored::Yes };
                let input = Input::new(text).range(at..text.len()).anchored(anchored);
                Ok(if groups {
                    plain_groups(re, &input)
                } else {
                    re.search(&input).map(|m| vec![Some((m.start(), m.end()))])
                })
            }
            Engine::Fancy(re) => {
                let found = re.captures_from_pos(text, at).map_err(|e| e.to_string())?;
                Ok(found
                    .map(|caps| (0..caps.len()).map(|i| caps.get(i).map(|m| (m.start(), m.end()))).collect()))
            }
        }
    }
}

fn plain_groups(re: &meta::Regex, input: &Input) -> Option<Spans> {
    let mut slots: smallvec::SmallVec<[Option<NonMaxUsize>; 16]> =
        smallvec::smallvec![None; re.captures_len() * 2];
    re.search_slots(input, &mut slots)?;
    let span = |pair: &[Option<NonMaxUsize>]| match pair {
        [Some(start), Some(end)] => Some((start.get(), end.get())),
        _ => None,
    };
    Some(slots.chunks(2).map(span).collect())
}
