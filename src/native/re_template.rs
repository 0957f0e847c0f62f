//! Templates of `sub` and `expand`: text with `\1` and `\g<name>`. Must not know how matches are found.

use super::re::{self, fail};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, bytes, str};
use crate::vm::thread::Thread;

enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

/// A template, taken apart.
pub struct Template(Vec<Piece>);

impl Template {
    /// Appends the template with the groups filled in. Raises MemoryError.
    pub fn fill(
        &self,
        m: &mut Mutator,
        out: &mut Vec<u8>,
        subject: &[u8],
        spans: &[Option<(usize, usize)>],
    ) -> R<()> {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => m.push_bytes(out, text),
            Piece::Group(n) => {
                let span = spans.get(*n).copied().flatten();
                m.push_bytes(out, span.and_then(|(a, b)| subject.get(a..b)).unwrap_or(&[]))
            }
        })
    }
}

struct Parser<'a> {
    source: &'a [char],
    at: usize,
    bytes: bool,
    text: Vec<u8>,
    pieces: Vec<Piece>,
}

/// Takes a template apart. Raises `re.error`.
pub fn parse(th: &mut Thread, template: Value, pattern: Value) -> R<Template> {
    let source: Vec<char> = match (str::as_str(template), bytes::as_bytes(template)) {
        (Some(text), _) => text.chars().collect(),
        (_, Some(bytes)) => bytes.iter().map(|b| char::from(*b)).collect(),
        _ => {
            let got = th.type_name(template);
            return Err(th.type_error(format!("decoding to str: need a bytes-like object, {got} found")));
        }
    };
    let is_bytes = bytes::as_bytes(template).is_some();
    let mut p = Parser { source: &source, at: 0, bytes: is_bytes, text: Vec::new(), pieces: Vec::new() };
    match p.run(pattern) {
        Ok(()) => Ok(Template(p.pieces)),
        Err(Wrong::Syntax(message, at)) => Err(fail(th, &message, template, at)),
        Err(Wrong::Name(name)) => {
            Err(th.raise(crate::object::Exc::IndexError, format!("unknown group name '{name}'")))
        }
    }
}

enum Wrong {
    Syntax(String, usize),
    Name(String),
}

impl Parser<'_> {
    fn push(&mut self, c: char) {
        if self.bytes {
            self.text.push(c as u32 as u8);
        } else {
            self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn group(&mut self, n: usize, pattern: Value, at: usize) -> Result<(), Wrong> {
        if n > re::group_count(pattern) {
            return Err(Wrong::Syntax(format!("invalid group reference {n}"), at));
        }
        let text = std::mem::take(&mut self.text);
        self.pieces.extend([Piece::Text(text), Piece::Group(n)]);
        Ok(())
    }

    fn digit(&self, i: usize, radix: u32) -> Option<u32> {
        self.source.get(i).and_then(|c| c.to_digit(radix))
    }

    fn run(&mut self, pattern: Value) -> Result<(), Wrong> {
        while let Some(c) = self.source.get(self.at).copied() {
            self.at += 1;
            if c == '\\' {
                self.escape(pattern)?;
            } else {
                self.push(c);
            }
        }
        let text = std::mem::take(&mut self.text);
        self.pieces.push(Piece::Text(text));
        Ok(())
    }

    fn escape(&mut self, pattern: Value) -> Result<(), Wrong> {
        let start = self.at - 1;
        let Some(c) = self.source.get(self.at).copied() else {
            return Err(Wrong::Syntax("bad escape (end of pattern)".to_owned(), start));
        };
        self.at += 1;
        match c {
            'g' => self.named(pattern),
            '0' => {
                let mut value = 0;
                for _ in 0..2 {
                    let Some(d) = self.digit(self.at, 8) else { break };
                    value = value * 8 + d;
                    self.at += 1;
                }
                self.push(char::from_u32(value).unwrap_or('\0'));
                Ok(())
            }
            '1'..='9' => self.numbered(pattern, start),
            _ => {
                let plain = match c {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    '\\' => '\\',
                    c if c.is_ascii_alphabetic() => {
                        return Err(Wrong::Syntax(format!("bad escape \\{c}"), start));
                    }
                    c => {
                        self.push('\\');
                        c
                    }
                };
                self.push(plain);
                Ok(())
            }
        }
    }

    /// `\12`, a group, or `\123`, a character by its octal number.
    fn numbered(&mut self, pattern: Value, start: usize) -> Result<(), Wrong> {
        let octal = [0, 1, 2].map(|i| self.digit(start + 1 + i, 8));
        if let [Some(a), Some(b), Some(c)] = octal {
            let value = a * 64 + b * 8 + c;
            if value > 0o377 {
                let shown: String = self.source.iter().skip(start).take(4).collect();
                let message = format!("octal escape value {shown} outside of range 0-0o377");
                return Err(Wrong::Syntax(message, start));
            }
            self.at = start + 4;
            self.push(char::from_u32(value).unwrap_or('\0'));
            return Ok(());
        }
        let mut n = self.digit(start + 1, 10).unwrap_or(0) as usize;
        if let Some(second) = self.digit(start + 2, 10) {
            n = n * 10 + second as usize;
            self.at = start + 3;
        }
        self.group(n, pattern, start + 1)
    }

    /// `\g<name>` or `\g<1>`.
    fn named(&mut self, pattern: Value) -> Result<(), Wrong> {
        if self.source.get(self.at) != Some(&'<') {
            return Err(Wrong::Syntax("missing <".to_owned(), self.at));
        }
        let at = self.at + 1;
        let name: String = self.source.iter().skip(at).take_while(|c| **c != '>').collect();
        let n = name.chars().count();
        if n == 0 {
            return Err(Wrong::Syntax("missing group name".to_owned(), at));
        }
        if self.source.get(at + n) != Some(&'>') {
            return Err(Wrong::Syntax("missing >, unterminated name".to_owned(), at));
        }
        self.at = at + n + 1;
        if name.bytes().all(|b| b.is_ascii_digit()) {
            return self.group(name.parse().unwrap_or(usize::MAX), pattern, at);
        }
        let mut chars = name.chars();
        let good = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
            && chars.all(unicode_ident::is_xid_continue);
        if !good {
            return Err(Wrong::Syntax(format!("bad character in group name '{name}'"), at));
        }
        match re::group_number(pattern, &name) {
            Some(n) => self.group(n, pattern, at),
            None => Err(Wrong::Name(name)),
        }
    }
}
