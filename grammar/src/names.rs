//! Identifiers beyond ASCII, and the wording for characters that may not stand in one.

use unicode_normalization::UnicodeNormalization;

/// An identifier as it is compared: spellings that Unicode calls compatible are one name.
pub fn normal(name: &str) -> Box<str> {
    if name.is_ascii() { name.into() } else { name.nfkc().collect::<String>().into() }
}

/// A character that no identifier may hold, `offset` bytes into the text.
pub struct BadCharacter {
    pub message: String,
    pub offset: usize,
}

/// The length of the identifier that `text` starts with. As in CPython, every non-ASCII character is taken
/// for part of an identifier, and then refused if it may not be.
pub fn scan(text: &str) -> Result<usize, BadCharacter> {
    let mut length = 0;
    for (offset, letter) in text.char_indices() {
        let valid = match offset {
            0 => letter == '_' || unicode_ident::is_xid_start(letter),
            _ => unicode_ident::is_xid_continue(letter),
        };
        if !valid && letter.is_ascii() {
            break;
        }
        if !valid {
            return Err(BadCharacter { message: describe(letter), offset });
        }
        length = offset + letter.len_utf8();
    }
    Ok(length)
}

fn describe(letter: char) -> String {
    let code = letter as u32;
    if is_printable(letter) {
        format!("invalid character '{letter}' (U+{code:04X})")
    } else {
        format!("invalid non-printable character U+{code:04X}")
    }
}

/// Not control, format, separator, private or non-character. Unassigned characters count as printable:
/// telling them would take a table of Unicode for the sake of one word in a message.
fn is_printable(letter: char) -> bool {
    let code = letter as u32;
    let format = matches!(code,
        0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x180E | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB | 0x110BD | 0x110CD | 0x13430..=0x1343F
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF);
    let private = matches!(code, 0xE000..=0xF8FF | 0xF0000..=0x10FFFF);
    let nothing = (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE;
    !(letter.is_control() || letter.is_whitespace() || format || private || nothing)
}
