//! What Python asks about a character and Rust's `char` answers differently or not at all. Must not know strings.

use super::unicode_tables::{ALPHA, DIGIT, FOLD, NUMERIC, PRINTABLE, TITLE, ZEROS};

fn member(toggles: &[u32], c: char) -> bool {
    toggles.partition_point(|at| *at <= u32::from(c)) % 2 == 1
}

fn mapped(table: &[(u32, &'static str)], c: char) -> Option<&'static str> {
    let i = table.binary_search_by_key(&u32::from(c), |(from, _)| *from).ok()?;
    table.get(i).map(|(_, to)| *to)
}

/// Whether `repr` shows the character as it is.
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() { matches!(c, ' '..='~') } else { member(PRINTABLE, c) }
}

/// A letter (general category L*).
pub fn is_alpha(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { member(ALPHA, c) }
}

/// A digit of any script, superscripts and circled ones included.
pub fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { member(DIGIT, c) }
}

/// Any character with a numeric value, fractions and Han numerals included.
pub fn is_numeric(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { member(NUMERIC, c) }
}

/// The value of a decimal digit of any script.
pub fn decimal(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= u32::from(c)).checked_sub(1)?)?;
    Some(u32::from(c) - zero).filter(|n| *n < 10)
}

/// White space as `str.split` and `str.strip` see it: Unicode's, and the four ASCII separators.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// A character that ends a line in `str.splitlines`.
pub fn is_line_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A titlecase letter such as 'ǅ'.
pub fn is_title(c: char) -> bool {
    matches!(u32::from(c), 453 | 456 | 459 | 498 | 8072..=8079 | 8088..=8095 | 8104..=8111 | 8124 | 8140 | 8188)
}

/// Whether case applies to the character.
pub fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || is_title(c)
}

/// Adds the titlecase form.
pub fn push_title(out: &mut String, c: char) {
    match mapped(TITLE, c) {
        Some(text) => out.push_str(text),
        None => out.extend(c.to_uppercase()),
    }
}

/// Adds the form for caseless comparison.
pub fn push_folded(out: &mut String, c: char) {
    match mapped(FOLD, c) {
        Some(text) => out.push_str(text),
        None => out.extend(c.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_differ_where_python_says() {
        assert!(
            is_printable('é') && !is_printable('\u{a0}') && !is_printable('\u{200b}') && is_printable('😀')
        );
        assert!(
            is_alpha('ǅ')
                && is_alpha('中')
                && !is_alpha('Ⅷ')
                && is_numeric('Ⅷ')
                && is_numeric('中') == is_numeric('国')
        );
        assert!(
            is_digit('²') && decimal('²').is_none() && decimal('٣') == Some(3) && decimal('𝟗') == Some(9)
        );
        assert!(is_space('\x1c') && is_space('\u{3000}') && !is_space('\u{200b}'));
    }

    #[test]
    fn special_cases() {
        let mut out = String::new();
        push_folded(&mut out, 'ß');
        push_title(&mut out, 'ǆ');
        push_title(&mut out, 'ﬁ');
        assert_eq!(out, "ssǅFi");
    }
}
