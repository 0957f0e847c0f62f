//! Wrong programs get CPython's words, at CPython's place. `errors.py` asks CPython and writes the
//! expectations.

use mini_grammar::{Mode, parse};

/// Reads a JSON string.
fn unescape(json: &str) -> String {
    let mut out = String::new();
    let inside = json.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(json);
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let digits: String = letters.by_ref().take(4).collect();
                out.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn verdict(program: &str) -> String {
    match parse(program, Mode::Module) {
        Ok(_) => "accepted".to_string(),
        Err(error) => format!("{} {}:{} {}", error.kind.name(), error.line, error.col, error.message),
    }
}

/// The verdict without its column.
fn without_place(verdict: &str) -> &str {
    verdict.splitn(3, ' ').nth(2).unwrap_or(verdict)
}

#[test]
fn errors_are_worded_and_placed_as_in_cpython() {
    let golden = include_str!("golden/errors.txt");
    let lines: Vec<&str> = golden.lines().collect();
    let mut wrong = Vec::new();
    for case in lines.chunks(2) {
        let program = unescape(case[0]);
        let (ours, theirs) = (verdict(&program), case[1].trim_start());
        // CPython 3.11 parses the fields of an f-string as programs of their own, and places errors in those.
        let is_fstring = program.starts_with("f'") || program.starts_with("f\"");
        let same = if is_fstring { without_place(&ours) == without_place(theirs) } else { ours == theirs };
        if !same {
            wrong.push(format!("{}\n    Mini:    {ours}\n    CPython: {theirs}", case[0]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), lines.len() / 2, wrong.join("\n"));
}
