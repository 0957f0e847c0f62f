//! A program as a tree of text: just enough structure to leave parts of it out. Must not know what the text means.

/// Text with expressions in it; `kind` is the type letter of `template.rs` that it was made for.
#[derive(Clone)]
pub struct Expr {
    pub kind: char,
    pub parts: Vec<Part>,
}

#[derive(Clone)]
pub enum Part {
    Text(String),
    Expr(Expr),
}

/// A statement: one line, or clauses that belong together (`try`, `except`, `finally`).
#[derive(Clone)]
pub enum Stmt {
    Line(Expr),
    Compound(Vec<Clause>),
}

/// `if x:` or its like, and its block. The header may have decorators above it.
#[derive(Clone)]
pub struct Clause {
    pub header: Expr,
    pub body: Vec<Stmt>,
}

impl Expr {
    pub fn text(kind: char, text: impl Into<String>) -> Expr {
        Expr { kind, parts: vec![Part::Text(text.into())] }
    }

    pub fn write(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Expr(inner) => inner.write(out),
            }
        }
    }

    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}

/// The helpers that generated programs may use, each with the word it is recognised by.
const HELPERS: [(&str, &str); 41] = [
    ("abc.", "import abc"),
    ("array.", "import array"),
    ("base64.", "import base64"),
    ("binascii.", "import binascii"),
    ("bisect.", "import bisect"),
    ("collections.", "import collections"),
    ("contextlib.", "import contextlib"),
    ("copy.", "import copy"),
    ("csv.", "import csv"),
    ("dataclasses.", "import dataclasses"),
    ("datetime.", "import datetime"),
    ("decimal.", "import decimal"),
    ("enum.", "import enum"),
    ("fnmatch.", "import fnmatch"),
    ("fractions.", "import fractions"),
    ("functools.", "import functools"),
    ("hashlib.", "import hashlib"),
    ("heapq.", "import heapq"),
    ("html.", "import html"),
    ("io.", "import io"),
    ("itertools.", "import itertools"),
    ("json.", "import json"),
    ("math.", "import math"),
    ("operator.", "import operator"),
    ("pprint.", "import pprint"),
    ("re.", "import re"),
    ("reprlib.", "import reprlib"),
    ("shlex.", "import shlex"),
    ("statistics.", "import statistics"),
    ("string.", "import string"),
    ("struct.", "import struct"),
    ("textwrap.", "import textwrap"),
    ("traceback.", "import traceback"),
    ("types.", "import types"),
    ("urllib.", "import urllib.parse"),
    // Values in loops are kept small, or a program could double one until the memory is full.
    ("I(", "def I(x): return x if -10**40 < x < 10**40 else x % 10**20"),
    ("S(", "def S(x): return x[:40]"),
    // Sets have no order.
    ("U(", "def U(x): return sorted(x, key=repr)"),
    (
        "shout",
        "def shout(f):\n    def g(*a, **k):\n        print('call', f.__name__, len(a), sorted(k))\n        \
         return f(*a, **k)\n    return g",
    ),
    (
        "twice(",
        "def twice(n):\n    def deco(f):\n        def g(*a, **k):\n            \
         return [f(*a, **k) for _ in range(n)][-1]\n        return g\n    return deco",
    ),
    (
        "counter(",
        "def counter(n, step=1):\n    i = 0\n    while i < n:\n        got = yield i * step\n        \
         i += got if type(got) is int and got > 0 else 1",
    ),
];

/// The program as source text, with the helpers that it uses.
pub fn render(body: &[Stmt]) -> String {
    let mut text = String::new();
    write_block(body, 0, &mut text);
    let mut whole = String::new();
    for (_, definition) in HELPERS.iter().filter(|(word, _)| calls(&text, word)) {
        whole.push_str(definition);
        whole.push('\n');
    }
    whole + &text
}

/// Whether the word stands there, and not as the end of a longer name.
fn calls(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.')
    })
}

fn write_block(body: &[Stmt], depth: usize, out: &mut String) {
    for stmt in body {
        match stmt {
            Stmt::Line(line) => write_lines(line, depth, out),
            Stmt::Compound(clauses) => {
                for clause in clauses {
                    write_lines(&clause.header, depth, out);
                    if clause.body.is_empty() {
                        write_lines(&Expr::text(' ', "pass"), depth + 1, out);
                    }
                    write_block(&clause.body, depth + 1, out);
                }
            }
        }
    }
}

fn write_lines(line: &Expr, depth: usize, out: &mut String) {
    for text in line.to_text().split('\n') {
        for _ in 0..depth {
            out.push_str("    ");
        }
        out.push_str(text);
        out.push('\n');
    }
}
