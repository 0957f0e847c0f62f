//! Literals and other expressions without parts, chosen where rules have edges. Must not know templates.

use crate::rng::Rng;

const INTS: [&str; 26] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "-5",
    "16",
    "63",
    "64",
    "100",
    "255",
    "256",
    "1000",
    "12345",
    "-32769",
    "2**31",
    "2**53 + 1",
    "-2**61",
    "2**61 - 1",
    "2**62",
    "2**63 - 1",
    "-2**64",
    "10**18",
    "10**25 + 7",
];
const FLOATS: [&str; 24] = [
    "0.0",
    "-0.0",
    "1.0",
    "0.5",
    "1.5",
    "2.5",
    "-2.25",
    "3.14159",
    "0.1",
    "1e16",
    "123456789.125",
    "1e-5",
    "1e-4",
    "1e22",
    "1.7976931348623157e308",
    "5e-324",
    "-1e100",
    "float('inf')",
    "float('-inf')",
    "float('nan')",
    "100.0",
    "9007199254740993.0",
    "1/3",
    "-7.0",
];
const STRS: [&str; 36] = [
    "''",
    "'a'",
    "'b'",
    "'x'",
    "'abc'",
    "'Hello World'",
    "'a,b,,c'",
    "'  padded '",
    "'123'",
    "'-42'",
    "'3.5'",
    "'été'",
    "'日本語'",
    "'😀x'",
    "'it\\'s'",
    "'\"q\"'",
    "'tab\\tnew\\nline'",
    "'ABC def'",
    "'aXbXc'",
    "'\\x00'",
    "'ß'",
    "'mississippi'",
    "'{}'",
    "'{0} {1}'",
    "'%d'",
    "'_id'",
    "'0x1f'",
    "'1_000'",
    "'line1\\nline2\\r\\nline3'",
    "'aaa'",
    "'zebra'",
    "'Ab'",
    "'١٢'",
    "'ǆ'",
    "r'\\n'",
    "'a' 'b'",
];
const BYTES: [&str; 14] = [
    "b''",
    "b'a'",
    "b'abc'",
    "b'\\x00\\xff'",
    "b'hello world'",
    "b'1,2,3'",
    "b' pad '",
    "b'\\''",
    "b'AbC'",
    "b'123'",
    "b'\\n\\t'",
    "bytes(3)",
    "b'\\xc3\\xa9'",
    "b'aaa'",
];
const EXCEPTIONS: [&str; 16] = [
    "ValueError",
    "TypeError",
    "KeyError",
    "IndexError",
    "ZeroDivisionError",
    "ArithmeticError",
    "LookupError",
    "Exception",
    "AttributeError",
    "OverflowError",
    "RuntimeError",
    "StopIteration",
    "AssertionError",
    "NameError",
    "(ValueError, TypeError)",
    "UnicodeError",
];

/// A literal of this type; `None` for types that have none.
pub fn literal(rng: &mut Rng, kind: char) -> Option<String> {
    let fixed = |text: &str| Some(text.to_string());
    match kind {
        'i' => Some(int(rng)),
        'n' => Some((rng.below(10) as i64 - 3).to_string()),
        'j' => Some(rng.below(5).to_string()),
        'f' => fixed(rng.pick(&FLOATS)),
        'b' => fixed(rng.pick(&["True", "False"])),
        's' | 'q' => fixed(rng.pick(&STRS)),
        'y' => fixed(rng.pick(&BYTES)),
        'l' => Some(list(rng, int)),
        'm' => Some(list(rng, |rng| rng.pick(&STRS).to_string())),
        't' => Some(tuple(rng)),
        'd' => Some(dict(rng)),
        'e' => Some(set(rng)),
        'c' => fixed(rng.pick(&["abs", "int", "(lambda x: x * 2)", "bool", "round"])),
        'h' => fixed(rng.pick(&["2", "8", "10", "16", "36", "0", "3", "1"])),
        'X' => fixed(rng.pick(&EXCEPTIONS)),
        'z' => Some(slice(rng)),
        'P' => Some(int_spec(rng)),
        'Q' => Some(float_spec(rng)),
        'R' => Some(str_spec(rng)),
        'V' => Some(percent_spec(rng)),
        'O' => fixed(rng.pick(&[
            "+", "-", "*", "/", "//", "%", ">>", "&", "|", "^", "@", "<", "<=", ">", ">=", "==", "!=", "in",
            "not in", "is", "and", "or",
        ])),
        'C' => fixed(rng.pick(&["", "!r", "!s", "!a"])),
        _ => None,
    }
}

fn int(rng: &mut Rng) -> String {
    match rng.below(10) {
        0..6 => (rng.below(24) as i64 - 4).to_string(),
        6 => format!("{:#x}", rng.next() >> rng.below(64)),
        _ => rng.pick(&INTS).to_string(),
    }
}

fn list(rng: &mut Rng, item: fn(&mut Rng) -> String) -> String {
    let items: Vec<String> = (0..rng.below(6)).map(|_| item(rng)).collect();
    format!("[{}]", items.join(", "))
}

fn tuple(rng: &mut Rng) -> String {
    let items: Vec<String> = (0..rng.below(4)).map(|_| int(rng) + ", ").collect();
    format!("({})", items.concat())
}

fn dict(rng: &mut Rng) -> String {
    let items: Vec<String> =
        (0..rng.below(4)).map(|_| format!("{}: {}", rng.pick(&STRS), int(rng))).collect();
    format!("{{{}}}", items.join(", "))
}

fn set(rng: &mut Rng) -> String {
    let items: Vec<String> = (0..rng.below(4) + 1).map(|_| int(rng)).collect();
    if rng.percent(10) { "set()".to_string() } else { format!("{{{}}}", items.join(", ")) }
}

fn slice(rng: &mut Rng) -> String {
    let bound = |rng: &mut Rng| match rng.below(3) {
        0 => String::new(),
        _ => (rng.below(9) as i64 - 4).to_string(),
    };
    let (start, stop) = (bound(rng), bound(rng));
    match rng.below(3) {
        0 => format!("{start}:{stop}:{}", rng.pick(&["1", "2", "-1", "-2", "3", ""])),
        _ => format!("{start}:{stop}"),
    }
}

/// Mostly a valid format specification; sometimes one that is refused.
fn int_spec(rng: &mut Rng) -> String {
    let fill = rng.pick(&["", "", "<", ">", "^", "=", "*^", "0<", "x="]);
    let sign = rng.pick(&["", "", "+", "-", " "]);
    let alt = rng.pick(&["", "", "#"]);
    let width = rng.pick(&["", "", "5", "08", "12", "0", "3"]);
    let group = rng.pick(&["", "", "", ",", "_"]);
    let kind = rng.pick(&["", "", "d", "x", "X", "o", "b", "c", "n", "e", "f", ".2f", ".3", "g", "%", "s"]);
    format!("{fill}{sign}{alt}{width}{group}{kind}")
}

fn float_spec(rng: &mut Rng) -> String {
    let fill = rng.pick(&["", "", "<", ">", "^", "=", "*^", "0="]);
    let sign = rng.pick(&["", "", "+", "-", " "]);
    let alt = rng.pick(&["", "", "", "z", "#"]);
    let width = rng.pick(&["", "", "9", "012", "3"]);
    let group = rng.pick(&["", "", "", ",", "_"]);
    let precision = rng.pick(&["", ".0", ".1", ".3", ".10", ".17"]);
    let kind = rng.pick(&["", "e", "E", "f", "F", "g", "G", "%", "n", "d"]);
    format!("{fill}{sign}{alt}{width}{group}{precision}{kind}")
}

fn str_spec(rng: &mut Rng) -> String {
    let fill = rng.pick(&["", "<", ">", "^", "*<", "é>", "-^", "="]);
    let width = rng.pick(&["", "5", "12", "1", "05"]);
    let precision = rng.pick(&["", "", ".2", ".0", ".10"]);
    format!("{fill}{width}{precision}{}", rng.pick(&["", "", "s", "d"]))
}

fn percent_spec(rng: &mut Rng) -> String {
    let flags = rng.pick(&["", "", "", "-", "0", "+", " ", "#", "-0", "+0"]);
    let width = rng.pick(&["", "", "5", "10", "2"]);
    let precision = rng.pick(&["", "", "", ".2", ".0", ".5", "."]);
    let kind =
        rng.pick(&["d", "d", "i", "s", "r", "s", "x", "X", "o", "f", "e", "g", "G", "a", "c", "%", "u", "y"]);
    format!("%{flags}{width}{precision}{kind}")
}
