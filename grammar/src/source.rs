//! Places in source text: byte spans, and the index that turns an offset into a line and a column.
//! Knows nothing of tokens or syntax.

/// A half-open range of byte offsets into the source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The source text under the span; empty when the span does not fit `text`.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// The byte order mark, which some editors put before the first line and which is no part of it.
pub const BOM: &str = "\u{feff}";

/// Where each line of a source text starts. A line ends at `\n`, `\r\n` or a lone `\r`.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut starts = vec![if text.starts_with(BOM) { BOM.len() as u32 } else { 0 }];
        for (at, &byte) in bytes.iter().enumerate() {
            let ends_line = byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            if ends_line {
                starts.push(at as u32 + 1);
            }
        }
        LineIndex { starts }
    }

    /// How many lines there are; an empty text has one.
    pub fn lines(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The line that holds `offset`, counted from 1.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset).max(1) as u32
    }

    /// The offset at which `line` (from 1) starts; the last line's start when there are fewer.
    pub fn line_start(&self, line: u32) -> u32 {
        let at = (line.max(1) as usize - 1).min(self.starts.len() - 1);
        self.starts.get(at).copied().unwrap_or(0)
    }

    /// Line and column of `offset`, both counted from 1, the column in characters.
    pub fn position(&self, text: &str, offset: u32) -> (u32, u32) {
        let line = self.line(offset);
        let before = text.get(self.line_start(line) as usize..offset as usize).unwrap_or("");
        (line, before.chars().count() as u32 + 1)
    }

    /// The text of `line` (from 1) without its line end; empty beyond the last line.
    pub fn line_text<'s>(&self, text: &'s str, line: u32) -> &'s str {
        if line == 0 || line > self.lines() {
            return "";
        }
        let start = self.line_start(line) as usize;
        let end = self.starts.get(line as usize).map_or(text.len(), |&next| next as usize);
        text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }
}
