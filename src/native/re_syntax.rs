//! From the syntax of Python's regular expressions to that of the engines: one recursive descent that checks, in CPython's
//! words, and writes. Must not know how the result is run.
//!
//! Flags are worked in where they count, so that the result depends on no settings but its own `(?i:...)`. What is not
//! supported: the locale flag.

use crate::object::text_repr;
use mini_grammar::char_names;
use std::fmt::Write;

pub const IGNORECASE: i64 = 2;
pub const LOCALE: i64 = 4;
pub const MULTILINE: i64 = 8;
pub const DOTALL: i64 = 16;
pub const UNICODE: i64 = 32;
pub const VERBOSE: i64 = 64;
pub const ASCII: i64 = 256;

/// What stands for `$` (without MULTILINE) until it is known whether a text ends in a line break.
pub const END: char = '\u{f8ff}';

/// A translated pattern.
#[derive(Default)]
pub struct Translated {
    pub text: String,
    pub flags: i64,
    /// Number of groups.
    pub groups: usize,
    pub names: Vec<(String, usize)>,
    /// The groups in the order of their closing parentheses.
    pub closed: Vec<usize>,
    /// Needs the engine with look-around and references.
    pub fancy: bool,
    /// Has a `$` that may match before a line break at the end.
    pub end: bool,
    /// May prefer the empty text to a longer one.
    pub lazy_empty: bool,
}

/// What is wrong, and at which character.
pub type Problem = (String, usize);
type Parse<T> = Result<T, Problem>;

/// How many characters a part can match.
#[derive(Clone, Copy, PartialEq)]
struct Width {
    low: u64,
    high: u64,
}

const ONE: Width = Width { low: 1, high: 1 };
const NONE: Width = Width { low: 0, high: 0 };
const MANY: u64 = 1 << 32;

impl Width {
    fn then(self, other: Width) -> Width {
        Width { low: (self.low + other.low).min(MANY), high: (self.high + other.high).min(MANY) }
    }

    fn or(self, other: Width) -> Width {
        Width { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    fn times(self, low: u64, high: u64) -> Width {
        let high = if self.high == 0 { 0 } else { self.high.saturating_mul(high) };
        Width { low: self.low.saturating_mul(low).min(MANY), high: high.min(MANY) }
    }
}

struct Parser {
    source: Vec<char>,
    at: usize,
    out: Translated,
    bytes: bool,
    /// Widths of groups that are closed, by number.
    widths: Vec<Option<Width>>,
    /// In a look-behind: the first group that would begin inside the outermost one.
    behind: Option<usize>,
    /// The groups that conditions ask for, and where: they may begin later.
    asked: Vec<(usize, usize)>,
    depth: usize,
    lazy: bool,
}

/// Translates a pattern. `bytes`: its characters stand for bytes.
pub fn translate(pattern: &str, flags: i64, bytes: bool) -> Parse<Translated> {
    let mut p = Parser {
        source: pattern.chars().collect(),
        at: 0,
        out: Translated { flags, ..Translated::default() },
        bytes,
        widths: vec![None],
        behind: None,
        asked: Vec::new(),
        depth: 0,
        lazy: false,
    };
    p.global_flags()?;
    let flags = p.out.flags;
    if bytes && flags & UNICODE != 0 {
        return Err(("cannot use UNICODE flag with a bytes pattern".to_owned(), usize::MAX));
    }
    if flags & LOCALE != 0 {
        return Err(("the LOCALE flag is not supported".to_owned(), usize::MAX));
    }
    if flags & ASCII != 0 && flags & UNICODE != 0 {
        return Err(("ASCII and UNICODE flags are incompatible".to_owned(), usize::MAX));
    }
    if !bytes && flags & ASCII == 0 {
        p.out.flags |= UNICODE;
    }
    if flags & IGNORECASE != 0 {
        p.out.text.push_str("(?i)");
    }
    let width = p.alternatives(p.out.flags)?;
    if p.at < p.source.len() {
        return Err(("unbalanced parenthesis".to_owned(), p.at));
    }
    if let Some((number, at)) = p.asked.iter().find(|(number, _)| *number >= p.widths.len()) {
        return Err((format!("invalid group reference {number}"), *at));
    }
    p.out.lazy_empty = width.low == 0 && p.lazy;
    Ok(p.out)
}

fn flag_of(c: char) -> Option<i64> {
    Some(match c {
        'i' => IGNORECASE,
        'L' => LOCALE,
        'm' => MULTILINE,
        's' => DOTALL,
        'x' => VERBOSE,
        'a' => ASCII,
        'u' => UNICODE,
        _ => return None,
    })
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(unicode_ident::is_xid_continue)
}

/// Appends a character that stands for itself.
fn literal(out: &mut String, c: char) {
    match c {
        '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' | '#' | '&'
        | '-' | '~' => {
            out.push('\\');
            out.push(c);
        }
        END => out.push_str("\\x{f8ff}"),
        c if c.is_control() || c == ' ' => {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{{{:x}}}", c as u32);
        }
        c => out.push(c),
    }
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.source.get(self.at).copied()
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.source.get(self.at + i) == Some(&c))
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.looking_at(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn fail<T>(&self, message: impl Into<String>, at: usize) -> Parse<T> {
        Err((message.into(), at))
    }

    /// `(?imsxau)` at the very start, for the whole pattern.
    fn global_flags(&mut self) -> Parse<()> {
        loop {
            if self.out.flags & VERBOSE != 0 {
                self.skip_verbose();
            }
            let letters = self.source.get(self.at + 2..).unwrap_or(&[]);
            let n = letters.iter().take_while(|c| flag_of(**c).is_some()).count();
            if !self.looking_at("(?") || n == 0 || letters.get(n) != Some(&')') {
                return Ok(());
            }
            for c in letters.iter().take(n) {
                let bit = flag_of(*c).unwrap_or(0);
                self.check_flag(*c, self.at + 3)?;
                self.out.flags |= bit;
            }
            self.at += n + 3;
        }
    }

    fn check_flag(&self, c: char, at: usize) -> Parse<()> {
        match c {
            'L' if !self.bytes => self.fail("bad inline flags: cannot use 'L' flag with a str pattern", at),
            'u' if self.bytes => self.fail("bad inline flags: cannot use 'u' flag with a bytes pattern", at),
            _ => Ok(()),
        }
    }

    fn skip_verbose(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if " \t\n\r\u{b}\u{c}".contains(c) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn alternatives(&mut self, flags: i64) -> Parse<Width> {
        self.depth += 1;
        if self.depth > 200 {
            return self.fail("pattern is nested too deeply", self.at);
        }
        let mut width = self.sequence(flags)?;
        while self.take("|") {
            self.out.text.push('|');
            self.lazy = true;
            width = width.or(self.sequence(flags)?);
        }
        self.depth -= 1;
        Ok(width)
    }

    fn sequence(&mut self, flags: i64) -> Parse<Width> {
        let mut width = NONE;
        loop {
            if flags & VERBOSE != 0 {
                self.skip_verbose();
            }
            let Some(c) = self.peek().filter(|c| *c != '|' && *c != ')') else { return Ok(width) };
            let (start, written) = (self.at, self.out.text.len());
            if let Some((_, _, end)) = self.repetition(c) {
                let _ = end;
                return self.fail("nothing to repeat", start);
            }
            let item = self.item(c, flags)?;
            let Some(item) = item else { continue };
            width = width.then(self.repeated(item, flags, written)?);
        }
    }

    /// A repetition that begins here: least and greatest number, and where it ends.
    fn repetition(&self, c: char) -> Option<(u64, u64, usize)> {
        match c {
            '*' => Some((0, MANY, self.at + 1)),
            '+' => Some((1, MANY, self.at + 1)),
            '?' => Some((0, 1, self.at + 1)),
            '{' => self.braces(),
            _ => None,
        }
    }

    fn braces(&self) -> Option<(u64, u64, usize)> {
        let close = self.source.get(self.at..)?.iter().position(|c| *c == '}')? + self.at;
        let text: String = self.source.get(self.at + 1..close)?.iter().collect();
        let number = |t: &str, missing: u64| {
            if t.is_empty() {
                return Some(missing);
            }
            if t.bytes().all(|b| b.is_ascii_digit()) { Some(t.parse().unwrap_or(MANY)) } else { None }
        };
        let (low, high) = match text.split_once(',') {
            Some((low, high)) => (number(low, 0)?, number(high, MANY)?),
            None if text.is_empty() => return None,
            None => (number(&text, 0)?, number(&text, 0)?),
        };
        Some((low, high, close + 1))
    }

    /// The repetition behind an item that was written from `written` on.
    fn repeated(&mut self, item: (Width, bool), flags: i64, written: usize) -> Parse<Width> {
        let (width, repeatable) = item;
        if flags & VERBOSE != 0 {
            self.skip_verbose();
        }
        let start = self.at;
        let Some((low, high, end)) = self.peek().and_then(|c| self.repetition(c)) else { return Ok(width) };
        if low > high {
            return self.fail("min repeat greater than max repeat", start + 1);
        }
        if high < MANY && high > 100_000 || low > 100_000 {
            return self.fail("the repetition number is too large", start);
        }
        if !repeatable {
            return self.fail("nothing to repeat", start);
        }
        self.at = end;
        self.out.text.insert_str(written, "(?:");
        self.out.text.push(')');
        match (low, high) {
            (0, 1) => self.out.text.push('?'),
            (0, MANY) => self.out.text.push('*'),
            (1, MANY) => self.out.text.push('+'),
            (low, MANY) => self.out.text.push_str(&format!("{{{low},}}")),
            (low, high) => self.out.text.push_str(&format!("{{{low},{high}}}")),
        }
        if self.take("?") {
            self.out.text.push('?');
            self.lazy = true;
        } else if self.take("+") {
            self.out.text.insert_str(written, "(?>");
            self.out.text.push(')');
            self.out.fancy = true;
        }
        if self.peek().is_some_and(|c| self.repetition(c).is_some()) {
            return self.fail("multiple repeat", self.at);
        }
        Ok(width.times(low, high))
    }

    /// One item, and whether it can be repeated; `None` for a comment.
    fn item(&mut self, c: char, flags: i64) -> Parse<Option<(Width, bool)>> {
        self.at += 1;
        let out = &mut self.out.text;
        match c {
            '.' => out.push_str(if flags & DOTALL != 0 { "(?s:.)" } else { "[^\\n]" }),
            '^' => {
                out.push_str(if flags & MULTILINE != 0 { "(?m:^)" } else { "\\A" });
                return Ok(Some((NONE, false)));
            }
            '$' => {
                if flags & MULTILINE != 0 {
                    out.push_str("(?m:$)");
                } else {
                    out.push(END);
                    self.out.end = true;
                }
                return Ok(Some((NONE, false)));
            }
            '[' => self.set(flags)?,
            '(' => return self.group(flags),
            '\\' => return self.escape(flags).map(Some),
            c => literal(out, c),
        }
        Ok(Some((ONE, true)))
    }

    /// `\d` and its like, as a class or as part of one.
    fn category(&self, c: char, flags: i64) -> Option<&'static str> {
        let ascii = self.bytes || flags & ASCII != 0;
        Some(match (c, ascii) {
            ('d', false) => "\\d",
            ('D', false) => "\\D",
            ('w', false) => "\\w",
            ('W', false) => "\\W",
            ('s', false) => "[\\s\\x1c-\\x1f]",
            ('S', false) => "[^\\s\\x1c-\\x1f]",
            ('d', true) => "[0-9]",
            ('D', true) => "[^0-9]",
            ('w', true) => "[0-9A-Za-z_]",
            ('W', true) => "[^0-9A-Za-z_]",
            ('s', true) => "[ \\t\\n\\r\\x0b\\x0c]",
            ('S', true) => "[^ \\t\\n\\r\\x0b\\x0c]",
            _ => return None,
        })
    }

    /// What follows a backslash outside a class.
    fn escape(&mut self, flags: i64) -> Parse<(Width, bool)> {
        let start = self.at - 1;
        let Some(c) = self.peek() else { return self.fail("bad escape (end of pattern)", start) };
        if let Some(class) = self.category(c, flags) {
            self.at += 1;
            self.out.text.push_str(class);
            return Ok((ONE, true));
        }
        let ascii = self.bytes || flags & ASCII != 0;
        let place = match (c, ascii) {
            ('A', _) => "\\A",
            ('Z', _) => "\\z",
            ('b', false) => "\\b",
            ('B', false) => "\\B",
            ('b', true) => "(?-u:\\b)",
            ('B', true) => "(?-u:\\B)",
            _ => "",
        };
        if !place.is_empty() {
            self.at += 1;
            self.out.text.push_str(place);
            return Ok((NONE, true));
        }
        if c.is_ascii_digit() && c != '0' {
            return self.number_escape(start);
        }
        let c = self.escaped_char(start, false)?;
        literal(&mut self.out.text, c);
        Ok((ONE, true))
    }

    /// `\1` or `\101`.
    fn number_escape(&mut self, start: usize) -> Parse<(Width, bool)> {
        let digit = |i: usize| self.source.get(start + 1 + i).and_then(|c| c.to_digit(10));
        let octal = [digit(0), digit(1), digit(2)].map(|d| d.filter(|d| *d < 8));
        if let [Some(a), Some(b), Some(c)] = octal {
            let value = a * 64 + b * 8 + c;
            if value > 0o377 {
                let text: String = self.source.iter().skip(start).take(4).collect();
                return self.fail(format!("octal escape value {text} outside of range 0-0o377"), start);
            }
            self.at = start + 4;
            literal(&mut self.out.text, char::from_u32(value).unwrap_or('\0'));
            return Ok((ONE, true));
        }
        let mut number = digit(0).unwrap_or(0) as usize;
        self.at = start + 2;
        if let Some(second) = digit(1) {
            number = number * 10 + second as usize;
            self.at += 1;
        }
        self.reference(number, start + 1, start)
    }

    /// Refuses, in a look-behind, a group that is not complete where it begins.
    fn check_behind(&self, number: usize) -> Parse<()> {
        let Some(first) = self.behind else { return Ok(()) };
        if !matches!(self.widths.get(number), Some(Some(_))) {
            return self.fail("cannot refer to an open group", self.at);
        }
        if number >= first {
            let message = "cannot refer to group defined in the same lookbehind subpattern";
            return self.fail(message, self.at);
        }
        Ok(())
    }

    /// A reference to a group; `at` and `open` are where it is wrong: no group, or one that is still open.
    fn reference(&mut self, number: usize, at: usize, open: usize) -> Parse<(Width, bool)> {
        match self.widths.get(number) {
            None => self.fail(format!("invalid group reference {number}"), at),
            Some(None) => self.fail("cannot refer to an open group", open),
            Some(Some(width)) => {
                let width = *width;
                self.check_behind(number)?;
                self.out.fancy = true;
                // Writing to a String cannot fail.
                let _ = write!(self.out.text, "(?:\\{number})");
                Ok((width, true))
            }
        }
    }

    /// The character of an escape that stands for one. `at` is past the backslash.
    fn escaped_char(&mut self, start: usize, in_set: bool) -> Parse<char> {
        let Some(c) = self.peek() else { return self.fail("bad escape (end of pattern)", start) };
        self.at += 1;
        let plain = match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'b' if in_set => '\u{8}',
            'x' => return self.hex(start, 2, 'x'),
            'u' if !self.bytes => return self.hex(start, 4, 'u'),
            'U' if !self.bytes => return self.hex(start, 8, 'U'),
            'N' if !self.bytes => return self.named_char(start),
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(d) = self.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = value * 8 + d;
                    self.at += 1;
                }
                if value > 0o377 {
                    let text: String = self.source.iter().skip(start).take(4).collect();
                    return self.fail(format!("octal escape value {text} outside of range 0-0o377"), start);
                }
                char::from_u32(value).unwrap_or('\0')
            }
            'N' if !self.bytes && self.peek() != Some('{') => return self.fail("missing {", self.at),
            c if c.is_ascii_alphanumeric() => return self.fail(format!("bad escape \\{c}"), start),
            c => c,
        };
        Ok(plain)
    }

    /// `\N{NAME}`.
    fn named_char(&mut self, start: usize) -> Parse<char> {
        if !self.take("{") {
            return self.fail("missing {", self.at);
        }
        let from = self.at;
        let name: String = self.source.iter().skip(from).take_while(|c| **c != '}').collect();
        self.at += name.chars().count();
        match (self.take("}"), name.is_empty()) {
            (_, true) => self.fail("missing character name", from),
            (false, _) => self.fail("missing }, unterminated name", from),
            _ => match char_names::character(&name) {
                Some(c) => Ok(c),
                None => self.fail(format!("undefined character name {}", text_repr::repr_str(&name)), start),
            },
        }
    }

    fn hex(&mut self, start: usize, digits: usize, letter: char) -> Parse<char> {
        let text: String =
            self.source.iter().skip(self.at).take(digits).take_while(|c| c.is_ascii_hexdigit()).collect();
        if text.len() != digits {
            return self.fail(format!("incomplete escape \\{letter}{text}"), start);
        }
        self.at += digits;
        match u32::from_str_radix(&text, 16).ok().and_then(char::from_u32) {
            Some(c) => Ok(c),
            None => self.fail(format!("bad escape \\{letter}{text}"), start),
        }
    }

    /// One member of a set: a character, or the text of a category.
    fn member(&mut self, flags: i64, open: usize) -> Parse<Result<char, &'static str>> {
        let start = self.at;
        let Some(c) = self.peek() else { return self.fail("unterminated character set", open) };
        self.at += 1;
        if c != '\\' {
            return Ok(Ok(c));
        }
        let Some(next) = self.peek() else { return self.fail("bad escape (end of pattern)", start) };
        if let Some(class) = self.category(next, flags) {
            self.at += 1;
            return Ok(Err(class));
        }
        if next == '8' || next == '9' {
            return self.fail(format!("bad escape \\{next}"), start);
        }
        self.escaped_char(start, true).map(Ok)
    }

    /// What follows `[`.
    fn set(&mut self, flags: i64) -> Parse<()> {
        let open = self.at - 1;
        self.out.text.push('[');
        if self.take("^") {
            self.out.text.push('^');
        }
        let first = self.at;
        while self.at == first || self.peek() != Some(']') {
            let start = self.at;
            let member = self.member(flags, open)?;
            let range = self.looking_at("-") && self.source.get(self.at + 1).is_some_and(|c| *c != ']');
            if range {
                self.at += 1;
                let end = self.member(flags, open)?;
                let shown: String = self.source.iter().skip(start).take(self.at - start).collect();
                match (member, end) {
                    (Ok(low), Ok(high)) if low <= high => {
                        literal(&mut self.out.text, low);
                        self.out.text.push('-');
                        literal(&mut self.out.text, high);
                    }
                    _ => return self.fail(format!("bad character range {shown}"), start),
                }
                continue;
            }
            match member {
                Ok(c) => literal(&mut self.out.text, c),
                Err(class) => self.out.text.push_str(class),
            }
        }
        self.at += 1;
        self.out.text.push(']');
        Ok(())
    }

    /// Closes a group that began at `start`.
    fn close(&mut self, start: usize) -> Parse<()> {
        if !self.take(")") {
            return self.fail("missing ), unterminated subpattern", start);
        }
        self.out.text.push(')');
        Ok(())
    }

    /// What follows `(`.
    fn group(&mut self, flags: i64) -> Parse<Option<(Width, bool)>> {
        let start = self.at - 1;
        if !self.take("?") {
            return self.capture(None, flags, start).map(Some);
        }
        let Some(c) = self.peek() else { return self.fail("unexpected end of pattern", self.at) };
        self.at += 1;
        match c {
            'P' => self.named(flags, start).map(Some),
            ':' => self.wrapped("(?:", flags, start).map(|w| Some((w, true))),
            '>' => {
                self.out.fancy = true;
                self.wrapped("(?>", flags, start).map(|w| Some((w, true)))
            }
            '#' => {
                while self.peek().is_some_and(|c| c != ')') {
                    self.at += 1;
                }
                if self.take(")") { Ok(None) } else { self.fail("missing ), unterminated comment", start) }
            }
            '=' | '!' => self.look(if c == '=' { "(?=" } else { "(?!" }, flags, start),
            '<' => self.look_behind(flags, start),
            '(' => self.conditional(flags, start).map(Some),
            c if flag_of(c).is_some() || c == '-' => self.scoped_flags(c, flags, start).map(Some),
            c => self.fail(format!("unknown extension ?{c}"), start + 1),
        }
    }

    fn wrapped(&mut self, opening: &str, flags: i64, start: usize) -> Parse<Width> {
        self.out.text.push_str(opening);
        let width = self.alternatives(flags)?;
        self.close(start)?;
        Ok(width)
    }

    fn capture(&mut self, name: Option<(String, usize)>, flags: i64, start: usize) -> Parse<(Width, bool)> {
        let number = self.widths.len();
        self.out.groups = number;
        self.widths.push(None);
        if let Some((name, at)) = name {
            if let Some((_, other)) = self.out.names.iter().find(|(n, _)| *n == name) {
                let message =
                    format!("redefinition of group name '{name}' as group {number}; was group {other}");
                return self.fail(message, at);
            }
            self.out.names.push((name, number));
        }
        let width = self.wrapped("(", flags, start)?;
        if let Some(slot) = self.widths.get_mut(number) {
            *slot = Some(width);
        }
        self.out.closed.push(number);
        Ok((width, true))
    }

    /// A name up to `end`, and where it began.
    fn name(&mut self, end: char) -> Parse<(String, usize)> {
        let at = self.at;
        let name: String = self.source.iter().skip(at).take_while(|c| **c != end).collect();
        let n = name.chars().count();
        if self.source.get(at + n) != Some(&end) {
            if n == 0 {
                return self.fail("missing group name", at);
            }
            return self.fail(format!("missing {end}, unterminated name"), at);
        }
        if n == 0 {
            return self.fail("missing group name", at);
        }
        self.at += n + 1;
        Ok((name, at))
    }

    fn checked_name(&mut self, end: char) -> Parse<(String, usize)> {
        let (name, at) = self.name(end)?;
        if !is_name(&name) {
            return self.fail(format!("bad character in group name '{name}'"), at);
        }
        Ok((name, at))
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        self.out.names.iter().find(|(n, _)| n == name).map(|(_, number)| *number)
    }

    /// What follows `(?P`.
    fn named(&mut self, flags: i64, start: usize) -> Parse<(Width, bool)> {
        if self.take("<") {
            let name = self.checked_name('>')?;
            return self.capture(Some(name), flags, start);
        }
        if self.take("=") {
            let (name, at) = self.checked_name(')')?;
            return match self.number_of(&name) {
                Some(number) => self.reference(number, at, at),
                None => self.fail(format!("unknown group name '{name}'"), at),
            };
        }
        match self.peek() {
            Some(c) => self.fail(format!("unknown extension ?P{c}"), start + 1),
            None => self.fail("unexpected end of pattern", self.at),
        }
    }

    fn look(&mut self, opening: &str, flags: i64, start: usize) -> Parse<Option<(Width, bool)>> {
        self.out.fancy = true;
        self.wrapped(opening, flags, start)?;
        Ok(Some((NONE, true)))
    }

    /// What follows `(?<`.
    fn look_behind(&mut self, flags: i64, start: usize) -> Parse<Option<(Width, bool)>> {
        let opening = match self.peek() {
            Some('=') => "(?<=",
            Some('!') => "(?<!",
            Some(c) => return self.fail(format!("unknown extension ?<{c}"), start + 1),
            None => return self.fail("unexpected end of pattern", self.at),
        };
        self.at += 1;
        self.out.fancy = true;
        let outer = self.behind;
        self.behind = outer.or(Some(self.widths.len()));
        let width = self.wrapped(opening, flags, start)?;
        self.behind = outer;
        if width.low != width.high {
            return self.fail("look-behind requires fixed-width pattern", usize::MAX);
        }
        Ok(Some((NONE, true)))
    }

    /// What follows `(?(`.
    fn conditional(&mut self, flags: i64, start: usize) -> Parse<(Width, bool)> {
        let (name, at) = self.name(')')?;
        let number = match (name.parse::<usize>(), self.number_of(&name)) {
            (Ok(0), _) => return self.fail("bad group number", at),
            (Ok(n), _) | (_, Some(n)) => n,
            _ if is_name(&name) => return self.fail(format!("unknown group name '{name}'"), at),
            _ => return self.fail(format!("bad character in group name '{name}'"), at),
        };
        self.asked.push((number, at));
        self.check_behind(number)?;
        self.out.fancy = true;
        let _ = write!(self.out.text, "(?({number})");
        let mut width = self.sequence(flags)?;
        if self.take("|") {
            self.out.text.push('|');
            width = width.or(self.sequence(flags)?);
            if self.looking_at("|") {
                return self.fail("conditional backref with more than two branches", self.at);
            }
        } else {
            width = width.or(NONE);
        }
        self.close(start)?;
        Ok((width, true))
    }

    /// `(?i-s:...)`.
    fn scoped_flags(&mut self, first: char, flags: i64, start: usize) -> Parse<(Width, bool)> {
        let (mut on, mut off, mut c) = (0, 0, first);
        while let Some(bit) = flag_of(c) {
            self.check_flag(c, self.at)?;
            on |= bit;
            let Some(next) = self.peek() else { return self.fail("missing -, : or )", self.at) };
            c = next;
            self.at += 1;
        }
        if c == ')' {
            return self.fail("global flags not at the start of the expression", start);
        }
        if c == '-' {
            let Some(mut next) = self.peek() else { return self.fail("missing flag", self.at) };
            if flag_of(next).is_none() {
                return self
                    .fail(if next.is_alphabetic() { "unknown flag" } else { "missing flag" }, self.at);
            }
            while let Some(bit) = flag_of(next) {
                off |= bit;
                self.at += 1;
                let Some(after) = self.peek() else { return self.fail("missing :", self.at) };
                next = after;
            }
            if next != ':' {
                return self.fail(if next.is_alphabetic() { "unknown flag" } else { "missing :" }, self.at);
            }
            self.at += 1;
        } else if c != ':' {
            return self
                .fail(if c.is_alphabetic() { "unknown flag" } else { "missing -, : or )" }, self.at - 1);
        }
        let mut inner = (flags | on) & !off;
        if on & ASCII != 0 {
            inner &= !UNICODE;
        }
        let opening = match (on & IGNORECASE != 0, off & IGNORECASE != 0) {
            (true, _) => "(?i:",
            (_, true) => "(?-i:",
            _ => "(?:",
        };
        self.wrapped(opening, inner, start).map(|w| (w, true))
    }
}
