//! Module `unicodedata`: names, categories, values and normal forms of characters. Must not know strings' own methods.

use super::support::{self, type_name};
use crate::object::mutator::Mutator;
use crate::object::unicode_categories::{CATEGORIES, CATEGORY_NAMES, WIDTH_NAMES, WIDTHS};
use crate::object::{R, Value, str, unicode};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use mini_grammar::char_names;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// The argument of a function about one character.
fn character(m: &mut Mutator, v: Value, function: &str, place: &str) -> R<char> {
    let Some(text) = str::as_str(v) else {
        let got = type_name(v);
        return Err(
            m.type_error(format!("{function}() argument{place} must be a unicode character, not {got}"))
        );
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(m.type_error(format!("{function}() argument{place} must be a unicode character, not str"))),
    }
}

fn name(m: &mut Mutator, args: Args) -> R {
    let c = character(m, args.get(0), "name", " 1")?;
    match (char_names::name(c), args.opt(1)) {
        (Some(name), _) => m.new_str(&name),
        (_, Some(default)) => Ok(default),
        _ => Err(m.value_error("no such name")),
    }
}

fn lookup(m: &mut Mutator, args: Args) -> R {
    let Some(name) = str::as_str(args.get(0)) else {
        let got = type_name(args.get(0));
        return Err(m.type_error(format!("lookup() argument must be str, not {got}")));
    };
    match char_names::character(name) {
        Some(c) => m.new_char(c),
        None => {
            let message = m.new_str(&format!("undefined character name '{name}'"))?;
            Err(m.raise_with(crate::object::Exc::KeyError, &[message]))
        }
    }
}

/// What a table of `unicode_categories` says of a character.
fn value_at(table: &[u32], names: &'static [&'static str], c: char) -> &'static str {
    let at = table.partition_point(|entry| entry >> 5 <= u32::from(c)).saturating_sub(1);
    let number = table.get(at).map_or(0, |entry| entry & 31);
    names.get(number as usize).copied().unwrap_or("")
}

fn category(m: &mut Mutator, args: Args) -> R {
    let c = character(m, args.get(0), "category", "")?;
    m.new_str(value_at(CATEGORIES, CATEGORY_NAMES, c))
}

fn east_asian_width(m: &mut Mutator, args: Args) -> R {
    let c = character(m, args.get(0), "east_asian_width", "")?;
    m.new_str(value_at(WIDTHS, WIDTH_NAMES, c))
}

fn combining(m: &mut Mutator, args: Args) -> R {
    let c = character(m, args.get(0), "combining", "")?;
    m.new_int(i64::from(canonical_combining_class(c)))
}

fn decimal(m: &mut Mutator, args: Args) -> R {
    let c = character(m, args.get(0), "decimal", " 1")?;
    match (unicode::decimal(c), args.opt(1)) {
        (Some(n), _) => m.new_int(i64::from(n)),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(m.value_error("not a decimal")),
    }
}

/// The normal form of a text; `None` for a form that there is not.
fn normal_form(form: &str, text: &str) -> Option<String> {
    Some(match form {
        "NFC" => text.nfc().collect(),
        "NFD" => text.nfd().collect(),
        "NFKC" => text.nfkc().collect(),
        "NFKD" => text.nfkd().collect(),
        _ => return None,
    })
}

fn normalized(m: &mut Mutator, args: Args, function: &str) -> R<String> {
    for i in 0..2 {
        if str::as_str(args.get(i)).is_none() {
            let (place, got) = (i + 1, type_name(args.get(i)));
            return Err(m.type_error(format!("{function}() argument {place} must be str, not {got}")));
        }
    }
    let (form, text) = (str::as_str(args.get(0)).unwrap_or(""), str::as_str(args.get(1)).unwrap_or(""));
    normal_form(form, text).ok_or_else(|| m.value_error("invalid normalization form"))
}

fn normalize(m: &mut Mutator, args: Args) -> R {
    let text = normalized(m, args, "normalize")?;
    m.new_str(&text)
}

fn is_normalized(m: &mut Mutator, args: Args) -> R {
    let text = normalized(m, args, "is_normalized")?;
    Ok(Value::bool(str::as_str(args.get(1)) == Some(text.as_str())))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "unicodedata",
    doc: "What Unicode says about characters.",
    functions: &[
        NativeDef::data("name", "chr, default=, /", name, "The name of a character."),
        NativeDef::data("lookup", "name, /", lookup, "The character of a name."),
        NativeDef::data("category", "chr, /", category, "The general category."),
        NativeDef::data("east_asian_width", "chr, /", east_asian_width, "The width beside East Asian text."),
        NativeDef::data("combining", "chr, /", combining, "The canonical combining class."),
        NativeDef::data("decimal", "chr, default=, /", decimal, "The value of a decimal digit."),
        NativeDef::data("normalize", "form, unistr, /", normalize, "A text in a normal form."),
        NativeDef::data("is_normalized", "form, unistr, /", is_normalized, "Whether it is in a normal form."),
    ],
    types: &[],
    init: Some(init),
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    let version = th.new_str("14.0.0")?;
    support::set(th, module, "unidata_version", version)
}
