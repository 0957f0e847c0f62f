//! Exceptions as text: the frames, the source lines, the causes, the message. Must not know where the text goes.

use super::exc_fields;
use super::frame;
use super::groups;
use super::suggest;
use super::thread::Thread;
use crate::bytecode::code::Mark;
use crate::object::{Exc, Slot, Value, Word, class, exc, str, tuple, types};
use std::collections::HashMap;

const HEADER: &str = "Traceback (most recent call last):\n";
const GROUP_HEADER: &str = "Exception Group Traceback (most recent call last):\n";
/// Groups inside so many others are not shown, nor more than so many parts of one.
const DEEPEST_GROUP: usize = 10;
const WIDEST_GROUP: usize = 15;
const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";
/// The same line is printed so often in a row; then only counted.
const REPEATS: usize = 3;
/// Of longer tracebacks, the last so many lines are printed.
const LONGEST: usize = 1000;

/// One line of a traceback.
#[derive(Clone)]
pub struct Line {
    pub file: String,
    pub line: u32,
    pub function: String,
    /// The part of the source line that is marked.
    pub mark: Mark,
}

impl Line {
    fn is_repeated_by(&self, other: &Line) -> bool {
        (self.line, &self.file, &self.function) == (other.line, &other.file, &other.function)
    }
}

/// Source files that were read for one text.
#[derive(Default)]
pub struct Sources(HashMap<String, Vec<String>>);

impl Sources {
    /// A line of a file, without white space around it; empty if there is none.
    pub fn line(&mut self, file: &str, line: u32) -> String {
        self.whole_line(file, line).trim().to_owned()
    }

    /// What is printed below a line of a traceback: the source line, and marks below that.
    pub fn shown(&mut self, line: &Line) -> String {
        let whole = self.whole_line(&line.file, line.line);
        if whole.trim().is_empty() {
            return String::new();
        }
        format!("    {}\n{}", whole.trim(), marks(whole, line.mark))
    }

    fn whole_line(&mut self, file: &str, line: u32) -> &str {
        // Embedded modules, strings: no file has such a name.
        if file.starts_with('<') {
            return "";
        }
        let lines = self.0.entry(file.to_owned()).or_insert_with(|| {
            let bytes = std::fs::read(file).unwrap_or_default();
            String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
        });
        (line as usize).checked_sub(1).and_then(|i| lines.get(i)).map_or("", String::as_str)
    }
}

/// The frames of an exception, the outermost first.
pub fn lines_of(exception: Value) -> Vec<Line> {
    let entries = exc::cast(exception).map(exc::traceback_entries).unwrap_or_default();
    entries.into_iter().map(|(code, place)| line_of(code, place)).collect()
}

fn line_of(code: &crate::object::layout::Code, place: exc::Place) -> Line {
    let plain = frame::plain(code);
    let (name, line, mark) = plain.place_at(place.pc as usize, place.depth as usize);
    Line { file: plain.filename.to_string(), line, function: name.to_string(), mark }
}

/// The source line that a frame of a traceback was at.
pub(super) fn line_number(traceback: &crate::object::layout::Traceback) -> u32 {
    let code = traceback.code.get().and_then(types::cast::<crate::object::layout::Code>);
    let place = exc::place(traceback);
    code.map_or(0, |code| frame::plain(code).place_at(place.pc as usize, place.depth as usize).1)
}

/// The frames of a traceback object, the outermost first.
pub fn lines_of_traceback(traceback: Value) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at: Word = Some(traceback);
    while let Some(tb) = at.and_then(types::cast::<crate::object::layout::Traceback>) {
        if let Some(code) = tb.code.get().and_then(types::cast::<crate::object::layout::Code>) {
            lines.push(line_of(code, exc::place(tb)));
        }
        at = tb.next.get();
    }
    lines
}

/// The frames of the calls that led here, the outermost first.
pub fn lines_of_stack(th: &Thread) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for f in frame::walk(th.base, th.pc) {
        let plain = frame::plain(f.code);
        let depths = (0..=plain.depth_at(f.at)).rev();
        let place = |depth| exc::Place { pc: f.at as u32, depth: depth as u32 };
        lines.extend(depths.map(|depth| line_of(f.code, place(depth))));
    }
    lines.reverse();
    lines
}

/// Everything that is printed for an exception: what led to it, its frames, its message, and those of its parts.
pub fn format_exception(th: &mut Thread, exception: Value) -> String {
    format(th, exception, Page::default())
}

/// As `format_exception`, in the way the interpreter itself prints: later lines of a message have no margin.
pub fn format_uncaught(th: &mut Thread, exception: Value) -> String {
    format(th, exception, Page { loose: true, ..Page::default() })
}

fn format(th: &mut Thread, exception: Value, mut page: Page) -> String {
    let saved = th.m.pending.take();
    let scope = th.scope();
    th.root(exception);
    push_chain(th, &mut page, exception);
    th.close(scope);
    th.m.pending = saved;
    page.text
}

/// Text in the making. Inside exception groups it is indented, behind a margin.
#[derive(Default)]
struct Page {
    text: String,
    depth: usize,
    /// The innermost group has printed its last part, and nobody yet the line below.
    open: bool,
    sources: Sources,
    /// Exceptions that are on the page, or will be: each is shown once as a cause or context.
    seen: Vec<Value>,
    /// Only the first line of a message gets the margin.
    loose: bool,
}

impl Page {
    fn indent(&self) -> String {
        "  ".repeat(self.depth)
    }

    fn push(&mut self, text: &str, margin: char) {
        if self.depth == 0 {
            return self.text.push_str(text);
        }
        for line in text.split_inclusive('\n') {
            self.text.push_str(&format!("{}{margin} {line}", self.indent()));
        }
    }
}

fn push_chain(th: &mut Thread, page: &mut Page, exception: Value) {
    for (exception, link) in chain(exception, &mut page.seen).into_iter().rev() {
        if groups::is_group(exception) {
            push_group(th, page, exception);
        } else {
            push_one(th, page, exception, HEADER, '|');
        }
        page.push(link, '|');
    }
}

fn push_one(th: &mut Thread, page: &mut Page, exception: Value, header: &str, margin: char) {
    if exc::cast(exception).is_some_and(|e| e.traceback.get().is_some()) {
        page.push(header, margin);
        let mut lines = String::new();
        push_lines(&mut lines, &lines_of(exception), &mut page.sources);
        page.push(&lines, '|');
    }
    let text = message_of(th, exception, page.loose);
    let notes = notes_of(th, exception);
    if page.loose && page.depth > 0 {
        // What comes before the message, the place of a SyntaxError, keeps its margin.
        let own = text.lines().take_while(|l| l.starts_with("  ")).map(|l| l.len() + 1).sum::<usize>();
        let (place, message) = text.split_at_checked(own).unwrap_or(("", &text));
        page.push(place, '|');
        let line = format!("{}{margin} {message}", page.indent(), margin = '|');
        page.text.push_str(&line);
    } else {
        page.push(&text, '|');
    }
    page.push(&notes, '|');
}

/// A group, and its parts one after the other under numbered lines.
fn push_group(th: &mut Thread, page: &mut Page, group: Value) {
    if page.depth > DEEPEST_GROUP {
        return page.push(&format!("... (max_group_depth is {DEEPEST_GROUP})\n"), '|');
    }
    let outermost = page.depth == 0;
    page.depth += usize::from(outermost);
    push_one(th, page, group, GROUP_HEADER, if outermost { '+' } else { '|' });
    let members = groups::members(th, group);
    let shown = members.len().min(WIDEST_GROUP + 1);
    page.open = false;
    for (i, member) in members.iter().take(shown).enumerate() {
        let is_last = i + 1 == shown;
        page.open |= is_last;
        let title = if i < WIDEST_GROUP { (i + 1).to_string() } else { "...".to_owned() };
        let corner = if i == 0 { "+-" } else { "  " };
        let line = format!("{}{corner}+---------------- {title} ----------------\n", page.indent());
        page.text.push_str(&line);
        page.depth += 1;
        if i < WIDEST_GROUP {
            push_chain(th, page, *member);
        } else {
            let more = members.len() - WIDEST_GROUP;
            let s = if more > 1 { "s" } else { "" };
            page.push(&format!("and {more} more exception{s}\n"), '|');
        }
        if is_last && std::mem::take(&mut page.open) {
            let line = format!("{}+------------------------------------\n", page.indent());
            page.text.push_str(&line);
        }
        page.depth -= 1;
    }
    page.depth -= usize::from(outermost);
}

/// The exception, what led to it, what led to that; each with the words between it and the one before.
fn chain(exception: Value, seen: &mut Vec<Value>) -> Vec<(Value, &'static str)> {
    let mut found = vec![(exception, "")];
    seen.push(exception);
    let mut at = exception;
    while let Some(e) = exc::cast(at) {
        let suppressed = e.suppress.value() == Value::TRUE;
        let next = match (e.cause.get(), e.context.get()) {
            (Some(cause), _) if !cause.is_none() => Some((cause, CAUSE)),
            (_, Some(context)) if !suppressed => Some((context, CONTEXT)),
            _ => None,
        };
        let next = next.filter(|(v, _)| !v.is_none() && !seen.contains(v));
        let Some(next) = next else { break };
        found.push(next);
        seen.push(next.0);
        at = next.0;
    }
    found
}

/// Frames as text, a run of the same one shortened.
fn push_lines(out: &mut String, lines: &[Line], sources: &mut Sources) {
    let mut rest = lines.get(lines.len().saturating_sub(LONGEST)..).unwrap_or(lines);
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|l| first.is_repeated_by(l)).count();
        for line in rest.iter().take(run.min(REPEATS)) {
            push_line(out, line, &sources.shown(line));
        }
        if run > REPEATS {
            let more = run - REPEATS;
            let s = if more > 1 { "s" } else { "" };
            out.push_str(&format!("  [Previous line repeated {more} more time{s}]\n"));
        }
        rest = rest.get(run..).unwrap_or(&[]);
    }
}

fn push_line(out: &mut String, line: &Line, source: &str) {
    out.push_str(&format!("  File \"{}\", line {}, in {}\n", line.file, line.line, line.function));
    out.push_str(source);
}

/// The line of marks below a source line; empty where they would say nothing.
fn marks(source: &str, mark: Mark) -> String {
    let indent = source.chars().take_while(|c| c.is_whitespace()).count();
    let length = source.trim_end().chars().count();
    let (start, end) = (mark.start as usize, if mark.end == Mark::OPEN { length } else { mark.end as usize });
    let (left, right) = (mark.inner.0 as usize, mark.inner.1 as usize);
    let is_whole = end.saturating_sub(start) == length - indent && right == 0;
    if mark.end == 0 || is_whole || start < indent || end <= start || end > length {
        return String::new();
    }
    let space = " ".repeat(4 + start - indent);
    if right == 0 {
        return format!("{space}{}\n", "^".repeat(end - start));
    }
    let (before, inside) = (left.saturating_sub(start), right.saturating_sub(left));
    let after = end.saturating_sub(right);
    format!("{space}{}{}{}\n", "~".repeat(before), "^".repeat(inside), "~".repeat(after))
}

/// The last lines: class and message, with the place of a SyntaxError before and notes behind.
pub fn format_exception_only(th: &mut Thread, exception: Value) -> String {
    let text = message_of(th, exception, false);
    text + &notes_of(th, exception)
}

/// Class and message, with the place of a SyntaxError before.
fn message_of(th: &mut Thread, exception: Value, by_interpreter: bool) -> String {
    let saved = th.m.pending.take();
    let class = types::class_of(exception);
    let name = class_name(th, class);
    let mut out = String::new();
    let message = if class::is_subclass(class, types::exc_class(Exc::SyntaxError)) {
        push_place(th, &mut out, exception, by_interpreter)
    } else {
        None
    };
    let mut message = match message {
        Some(message) => message,
        None => text_of(th, exception, "<exception str() failed>"),
    };
    if let Some(name) = suggest::for_exception(th, exception) {
        message.push_str(&format!(". Did you mean: '{name}'?"));
    }
    let colon = if message.is_empty() { "" } else { ": " };
    out.push_str(&format!("{name}{colon}{message}\n"));
    th.m.pending = saved;
    out
}

/// `module.Class`, for built-in and main-module classes without the module.
fn class_name(th: &mut Thread, class: Value) -> String {
    let name = th.qualified_name(class).unwrap_or_default();
    name.strip_prefix("__main__.").unwrap_or(&name).to_owned()
}

fn text_of(th: &mut Thread, v: Value, otherwise: &str) -> String {
    match th.str(v) {
        Ok(text) => str::as_str(text).unwrap_or("").to_owned(),
        Err(_) => {
            th.m.pending = None;
            otherwise.to_owned()
        }
    }
}

/// Where a SyntaxError is: file, line, the line itself with carets. Returns its bare message.
fn push_place(th: &mut Thread, out: &mut String, exception: Value, by_interpreter: bool) -> Option<String> {
    // The interpreter itself marks only the start of what a subclass is about, and leaves white space at the line's end.
    let whole = !by_interpreter || types::class_of(exception) == types::exc_class(Exc::SyntaxError);
    let mut field =
        |name: &str| exc_fields::value(th, exception, name).ok().flatten().filter(|v| !v.is_none());
    let line = field("lineno").and_then(crate::object::int::as_i64)?;
    let (file, text) = (field("filename"), field("text").and_then(str::as_str));
    let (offset, end_line) = (field("offset"), field("end_lineno"));
    let (end, message) = (field("end_offset"), field("msg"));
    let number = |v: Word| v.and_then(crate::object::int::as_i64);
    let file = file.and_then(str::as_str).unwrap_or("<string>");
    out.push_str(&format!("  File \"{file}\", line {line}\n"));
    if let Some(text) = text {
        let text = text.trim_end_matches(['\n', '\r']);
        let shown = text.trim_start_matches([' ', '\t', '\x0c']);
        let indent = text.chars().count() - shown.chars().count();
        let kept = if by_interpreter { shown } else { shown.trim_end() };
        out.push_str(&format!("    {kept}\n"));
        if let Some(offset) = number(offset).filter(|n| *n >= 1) {
            let same_line = number(end_line).is_none_or(|l| l == line);
            let length = text.chars().count() as i64;
            let end = number(end).filter(|n| *n > 0 && same_line).unwrap_or(if same_line {
                offset
            } else {
                length + 1
            });
            let end = if end <= offset || !whole { offset + 1 } else { end };
            if let Some(column) = (offset as usize - 1).checked_sub(indent) {
                let spaces: String =
                    shown.chars().take(column).map(|c| if c.is_whitespace() { c } else { ' ' }).collect();
                let pad = " ".repeat(column.saturating_sub(spaces.chars().count()));
                out.push_str(&format!("    {spaces}{pad}{}\n", "^".repeat((end - offset) as usize)));
            }
        }
    }
    Some(message.map_or("<no detail available>".to_owned(), |m| text_of(th, m, "")))
}

fn notes_of(th: &mut Thread, exception: Value) -> String {
    let mut out = String::new();
    let Ok(key) = th.name("__notes__") else { return out };
    let Some(notes) = crate::object::shape::get(exception, key) else { return out };
    let items: Vec<Value> = match crate::object::list::of(notes) {
        Some(l) => crate::object::list::items(l).iter().filter_map(Slot::get).collect(),
        None => tuple::items(notes).iter().filter_map(Slot::get).collect(),
    };
    for note in items {
        let text = text_of(th, note, "<note str() failed>");
        text.split('\n').for_each(|line| {
            out.push_str(line);
            out.push('\n');
        });
    }
    out
}
