//! Colours for the line being edited: its pieces, and the bracket that matches the one at the cursor.
//! Must not know the editor.

use mini_grammar::Span;
use mini_grammar::highlight::{Class, Piece, pieces};

const RESET: &str = "\x1b[0m";
const MATCH: &str = "\x1b[1;7m";
const PROMPT: &str = "\x1b[1;35m";

/// The prompt in its colour.
pub fn prompt(text: &str) -> String {
    format!("{PROMPT}{text}{RESET}")
}

fn color(class: Class) -> &'static str {
    match class {
        Class::Keyword => "\x1b[1;34m",
        Class::Number => "\x1b[36m",
        Class::String => "\x1b[32m",
        Class::Comment => "\x1b[90m",
        Class::Name | Class::Operator | Class::Open | Class::Close => "",
    }
}

/// What has to be known of the lines above: the opening of the string that they end in, or nothing.
pub fn context(before: &str) -> String {
    let found = pieces(before);
    let inside =
        found.last().is_some_and(|p| p.class == Class::String && p.span.end as usize == before.len());
    let opening = |text: &str| {
        let quotes = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let opens = quotes.starts_with("\"\"\"") || quotes.starts_with("'''");
        opens.then(|| text.get(..text.len() - quotes.len() + 3).unwrap_or("").to_owned())
    };
    let mut strings = found.iter().rev().take_while(|p| inside && p.class == Class::String);
    strings.find_map(|p| opening(p.span.of(before))).unwrap_or_default()
}

/// `line` in colours, behind what `context` gave for the lines above it; the cursor is at byte `cursor`.
pub fn line(context: &str, line: &str, cursor: Option<usize>) -> String {
    let text = format!("{context}{line}");
    let found = pieces(&text);
    let pair = cursor.and_then(|at| matching(&found, (context.len() + at) as u32));
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = context.len();
    for (i, piece) in found.iter().enumerate() {
        let (start, end) = (piece.span.start as usize, piece.span.end as usize);
        let Some(shown) = text.get(start.max(at)..end).filter(|shown| !shown.is_empty()) else { continue };
        out.push_str(text.get(at..start).unwrap_or(""));
        at = end;
        let color = if pair.is_some_and(|(a, b)| i == a || i == b) { MATCH } else { color(piece.class) };
        push_painted(&mut out, shown, color);
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// Each line of a piece on its own: an editor may draw them apart.
fn push_painted(out: &mut String, shown: &str, color: &str) {
    for (i, part) in shown.split('\n').enumerate() {
        if i > 0 {
            out.push('\n');
        }
        match color {
            "" => out.push_str(part),
            _ if part.is_empty() => {}
            _ => out.extend([color, part, RESET]),
        }
    }
}

/// The bracket under the cursor, or else just before it, and its counterpart, as indices of pieces.
fn matching(found: &[Piece], cursor: u32) -> Option<(usize, usize)> {
    let bracket = |span: fn(&Span) -> u32| {
        found.iter().position(|p| matches!(p.class, Class::Open | Class::Close) && span(&p.span) == cursor)
    };
    let here = bracket(|span| span.start).or_else(|| bracket(|span| span.end))?;
    let mut depth = 0;
    let opens = found.get(here)?.class == Class::Open;
    let (inwards, outwards) = if opens { (Class::Open, Class::Close) } else { (Class::Close, Class::Open) };
    let mut step = |i: &usize| {
        depth += match found.get(*i).map(|p| p.class) {
            Some(class) if class == inwards => 1,
            Some(class) if class == outwards => -1,
            _ => 0,
        };
        depth == 0
    };
    let there = if opens { (here..found.len()).find(&mut step) } else { (0..=here).rev().find(&mut step) };
    Some((here, there?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(painted: &str) -> String {
        let mut parts = painted.split("\x1b[");
        let first = parts.next().unwrap_or("").to_owned();
        first + &parts.map(|p| p.split_once('m').map_or("", |(_, rest)| rest)).collect::<String>()
    }

    #[test]
    fn painting_changes_no_text() {
        for text in [
            "def f(x):\n    return 'a' # b",
            "x = 'abc",
            "f(",
            "é = '''ü\n",
            "a ) b",
            "%gil off",
            "\t\"\u{1F600}\"",
        ] {
            assert_eq!(plain(&line("", text, Some(1))), text);
            assert_eq!(plain(&line("x = '''\n", text, None)), text);
        }
    }

    #[test]
    fn lines_inside_a_string() {
        assert_eq!(context("x = 1\ndef f():\n"), "");
        assert_eq!(context("'''a'''\n"), "");
        assert_eq!(context("x = 1\ny = rb'''a\n\nb\n"), "rb'''");
        assert_eq!(context("f(\"\"\"a\n"), "\"\"\"");
        assert_eq!(context("f'''a\n"), "f'''");
    }

    #[test]
    fn what_is_painted_how() {
        assert_eq!(line("", "if x", None), "\x1b[1;34mif\x1b[0m x");
        assert_eq!(line("'''a\n", "b''' + 1", None), "\x1b[32mb'''\x1b[0m + \x1b[36m1\x1b[0m");
    }

    #[test]
    fn brackets_that_match() {
        let marked = |text: &str, at: usize| line("", text, Some(at)).matches(MATCH).count();
        assert_eq!(marked("f(a[0])", 7), 2);
        assert_eq!(marked("f(a[0])", 1), 2);
        assert_eq!(marked("f(a[0]", 1), 0);
        assert_eq!(marked("f('(')", 4), 0);
        assert_eq!(marked("x", 0), 0);
    }
}
