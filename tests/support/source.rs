//! A light look at Rust source, for the tests that enforce the rules of the house: code without its comments and
//! literals, and without its `#[cfg(test)]` items. Good for searching, not a parser.

/// The text with comments and the insides of string and character literals blanked out. Lines keep their numbers.
pub fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = skip(&chars, i);
        if end == i {
            out.push(chars[i]);
            i += 1;
            continue;
        }
        out.extend(chars[i..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        i = end;
    }
    out
}

/// End of the comment or literal that starts at `i`; `i` itself if none does.
fn skip(chars: &[char], i: usize) -> usize {
    let at = |k: usize| chars.get(k).copied().unwrap_or('\0');
    match (at(i), at(i + 1)) {
        ('/', '/') => (i..chars.len()).find(|k| at(*k) == '\n').unwrap_or(chars.len()),
        ('/', '*') => block_comment(chars, i),
        ('"', _) => quoted(chars, i + 1, '"'),
        // 'a' or '\n' is a literal; 'a without a closing quote is a lifetime.
        ('\'', '\\') => quoted(chars, i + 1, '\''),
        ('\'', _) if at(i + 2) == '\'' => i + 3,
        ('r', '"' | '#') if i == 0 || !is_name(at(i - 1)) || at(i - 1) == 'b' => raw_string(chars, i),
        _ => i,
    }
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut i = start;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                i += 1;
                continue;
            }
        }
        i += 2;
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn quoted(chars: &[char], start: usize, quote: char) -> usize {
    let mut i = start;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            c if c == quote => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let mut i = start + 1 + hashes;
    if chars.get(i) != Some(&'"') {
        return start; // r#name
    }
    i += 1;
    while i < chars.len() {
        let closes =
            chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        if closes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    chars.len()
}

pub fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `code_only` with every item under `#[cfg(test)]` (or `all(test`, `any(test`, `loom`) blanked out as well.
pub fn shipped_code(text: &str) -> String {
    let code = code_only(text);
    let mut out: Vec<String> = Vec::new();
    let mut skipping: Option<Item> = None;
    for line in code.lines() {
        let attribute =
            ["#[cfg(test)]", "#[cfg(all(test", "#[cfg(any(test", "#[cfg(loom)]", "#[cfg(all(loom"]
                .iter()
                .find_map(|marker| line.find(marker));
        let from = match (&skipping, attribute) {
            (None, Some(column)) => {
                skipping = Some(Item::default());
                // The attribute's own brackets do not belong to the item.
                line[column..].find(']').map_or(line.len(), |end| column + end + 1)
            }
            (None, None) => {
                out.push(line.to_string());
                continue;
            }
            (Some(_), _) => 0,
        };
        if skipping.as_mut().is_some_and(|item| item.ends_in(&line[from..])) {
            skipping = None;
        }
        out.push(String::new());
    }
    out.join("\n")
}

/// Follows the brackets of an item to its end.
#[derive(Default)]
struct Item {
    depth: usize,
}

impl Item {
    /// An item ends with the brace that closes its body, or with a `;` outside of all brackets.
    fn ends_in(&mut self, line: &str) -> bool {
        for c in line.chars() {
            match c {
                '{' | '(' | '[' => self.depth += 1,
                '}' | ')' | ']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 && c == '}' {
                        return true;
                    }
                }
                ';' if self.depth == 0 => return true,
                _ => {}
            }
        }
        false
    }
}
