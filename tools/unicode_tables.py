#!/usr/bin/env python3.11
"""Writes src/object/unicode_tables.rs: the character properties that Python defines and Rust's `char` does not.

Run with the CPython whose answers Mini must give: python3.11 tools/unicode_tables.py > src/object/unicode_tables.rs
With the argument `categories`, writes src/object/unicode_categories.rs instead.
"""
import sys
import unicodedata

CHARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def toggles(test):
    """Code points where the answer changes, from False on."""
    out, inside = [], False
    for c in CHARS:
        if test(c) != inside:
            out.append(ord(c))
            inside = not inside
    return out


def rows(items, width=110):
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > width:
            yield line
            line = "   "
        line += " " + item + ","
    yield line


def table(name, doc, kind, items):
    print(f"\n/// {doc}\n#[rustfmt::skip]\npub static {name}: &[{kind}] = &[")
    print("\n".join(rows(items)))
    print("];")


def literal(text):
    return '"' + "".join("\\u{%x}" % ord(c) for c in text) + '"'


def changes(name, doc, new, old):
    table(name, doc, "(u32, &str)", [f"(0x{ord(c):x}, {literal(new(c))})" for c in CHARS if new(c) != old(c)])


def runs(name, of, names):
    """Where a property of several values changes, and to which of them."""
    found, before = [], None
    for c in range(0x110000):
        now = of(chr(c))
        if now != before:
            found.append(f"0x{c << 5 | names.index(now):x}")
            before = now
    table(name, f"Where {of.__name__} changes.", "u32", found)


def categories():
    """The general category and the width of every code point: where they change, and to what."""
    print("//! General categories and widths, made by tools/unicode_tables.py from Unicode", unicodedata.unidata_version + ".")
    print("//! An entry is a code point from which a value holds, shifted left by five, and the value's number.")
    for singular, plural, of in [
        ("CATEGORY", "CATEGORIES", unicodedata.category),
        ("WIDTH", "WIDTHS", unicodedata.east_asian_width),
    ]:
        names = sorted({of(chr(c)) for c in range(0x110000)})
        table(singular + "_NAMES", "Names of the values.", "&str", [f'"{name}"' for name in names])
        runs(plural, of, names)


if sys.argv[1:] == ["categories"]:
    categories()
    sys.exit()
print("//! Tables of character properties, made by tools/unicode_tables.py from Unicode", unicodedata.unidata_version + ".")
print("//! A property is the list of code points where it changes, so an odd number of entries at or before c means yes.")
table("PRINTABLE", "`str.isprintable` of one character.", "u32", [f"0x{c:x}" for c in toggles(str.isprintable)])
table("ALPHA", "`str.isalpha`.", "u32", [f"0x{c:x}" for c in toggles(str.isalpha)])
table("NUMERIC", "`str.isnumeric`.", "u32", [f"0x{c:x}" for c in toggles(str.isnumeric)])
table("DIGIT", "`str.isdigit`.", "u32", [f"0x{c:x}" for c in toggles(str.isdigit)])
table("ZEROS", "The zero of each run of ten decimal digits.", "u32",
      [f"0x{ord(c):x}" for c in CHARS if unicodedata.decimal(c, None) == 0])
changes("TITLE", "Characters whose titlecase is not their uppercase.", str.title, str.upper)
changes("FOLD", "Characters whose casefold is not their lowercase.", str.casefold, str.lower)
