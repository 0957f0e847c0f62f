//! Names of characters as Unicode 14 has them, for `\N{...}` and the module `unicodedata`. Must not know syntax.

/// Runs of code points that Unicode 14 leaves unassigned and the table of names does not.
#[rustfmt::skip]
const NEWER: &[(u32, u32)] = &[
    (0x88f, 0x88f), (0x897, 0x897), (0xc5c, 0xc5c), (0xcdc, 0xcdc), (0xcf3, 0xcf3), (0xece, 0xece),
    (0x1acf, 0x1aeb), (0x1b4e, 0x1b4f), (0x1b7f, 0x1b7f), (0x1c89, 0x1c8a), (0x20c1, 0x20c1),
    (0x2427, 0x2429), (0x2b96, 0x2b96), (0x2ffc, 0x2fff), (0x31e4, 0x31ef), (0xa7cb, 0xa7cf),
    (0xa7d2, 0xa7d2), (0xa7d4, 0xa7d4), (0xa7da, 0xa7f1), (0xfbc3, 0xfbd2), (0xfd90, 0xfd91),
    (0xfdc8, 0xfdce), (0x105c0, 0x105f3), (0x10940, 0x10959), (0x10d40, 0x10d8f), (0x10ec2, 0x10eff),
    (0x1123f, 0x11241), (0x11380, 0x113e2), (0x116d0, 0x116e3), (0x11b00, 0x11bf9), (0x11db0, 0x11de9),
    (0x11f00, 0x11f5a), (0x1342f, 0x1342f), (0x13439, 0x143fa), (0x16100, 0x16139), (0x16d40, 0x16d79),
    (0x16ea0, 0x16ed3), (0x16ff2, 0x16ff6), (0x187f8, 0x187ff), (0x18cff, 0x18cff), (0x18d09, 0x18df2),
    (0x1b132, 0x1b132), (0x1b155, 0x1b155), (0x1cc00, 0x1cef0), (0x1d2c0, 0x1d2d3), (0x1df25, 0x1df2a),
    (0x1e030, 0x1e08f), (0x1e4d0, 0x1e6ff), (0x1f6d8, 0x1f6dc), (0x1f774, 0x1f77f), (0x1f7d9, 0x1f7d9),
    (0x1f8b2, 0x1f8d8), (0x1fa54, 0x1fa57), (0x1fa75, 0x1fa77), (0x1fa87, 0x1fa8f), (0x1faad, 0x1faaf),
    (0x1fabb, 0x1fabf), (0x1fac6, 0x1facf), (0x1fada, 0x1fadf), (0x1fae8, 0x1faef), (0x1faf7, 0x1faf8),
    (0x1fbcb, 0x1fbef), (0x1fbfa, 0x1fbfa), (0x2b739, 0x2b73f), (0x2cea2, 0x2cead), (0x2ebf0, 0x2ee5d),
    (0x31350, 0x33479),
];

fn is_newer(c: char) -> bool {
    let at = NEWER.partition_point(|(_, last)| *last < u32::from(c));
    NEWER.get(at).is_some_and(|(first, _)| *first <= u32::from(c))
}

/// The name of a character.
pub fn name(c: char) -> Option<String> {
    unicode_names2::name(c).filter(|_| !is_newer(c)).map(|name| name.to_string())
}

/// The character of a name or of one of its aliases. Case does not matter, but where the name is made by a rule.
pub fn character(text: &str) -> Option<char> {
    let c = unicode_names2::character(text).filter(|c| !is_newer(*c))?;
    let own = name(c).unwrap_or_default();
    let computed = own.starts_with("HANGUL SYLLABLE ") || own.starts_with("CJK UNIFIED IDEOGRAPH-");
    let is_own = if computed { text == own } else { text.eq_ignore_ascii_case(&own) };
    (is_own || (letters(text) != letters(&own) && is_spaced_well(text))).then_some(c)
}

/// What the loose rule by which the table is searched looks at.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn is_spaced_well(alias: &str) -> bool {
    alias
        .split(' ')
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
}
