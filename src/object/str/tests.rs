//! Strings against Rust's own, on the real heap: making, growing, indexing, slicing, interning.

use super::*;
use crate::gil;
use crate::object::intern::interned;
use crate::object::str_index::*;
use crate::object::trace;

fn mutator() -> Mutator {
    Mutator::new(gil::register("test", false))
}

fn made(v: R) -> Value {
    v.expect("made")
}

fn content(v: Value) -> &'static str {
    as_str(v).expect("a string")
}

#[test]
fn short_strings_are_shared() {
    let mut m = mutator();
    assert_eq!(m.new_str("a"), m.intern("a"));
    assert_eq!(m.new_str(""), m.empty_str());
    assert_eq!(m.new_char('z'), m.new_str_parts(&["", "z", ""]));
    assert_eq!(content(made(m.new_str_parts(&["aé", "", "😀"]))), "aé😀");
}

#[test]
fn appending_in_a_loop_shares_a_buffer_and_keeps_every_prefix() {
    let mut m = mutator();
    for unit in ["ab", "aé", "€x😀"] {
        let (mut grown, mut model) = (made(m.new_str("")), String::new());
        let mut prefixes = Vec::new();
        for i in 0..400 {
            let tail = made(m.new_str(&format!("{unit}{i}")));
            let before = grown;
            grown = made(concat(&mut m, before, tail));
            model.push_str(content(tail));
            // A second continuation of the same string must not disturb the first.
            let other = made(m.new_str("fork"));
            let fork = made(concat(&mut m, before, other));
            assert!(content(fork).ends_with("fork") && content(grown) == model);
            prefixes.push((grown, model.len()));
        }
        assert!(prefixes.iter().all(|(v, len)| Some(content(*v)) == model.get(..*len)));
        let flat = made(m.new_str(&model));
        let (a, b) = (view(grown).expect("str"), view(flat).expect("str"));
        assert!(eq(a, b) && hash(a) == hash(b) && compare(a, b).is_eq());
    }
}

#[test]
fn characters_by_number() {
    let mut m = mutator();
    for unit in ["abc", "aé€😀"] {
        let model: Vec<char> = unit.repeat(100).chars().collect();
        let text: String = model.iter().collect();
        let flat = made(m.new_str(&text));
        let half = made(slice(&mut m, flat, 0, model.len() / 2));
        let rest = made(slice(&mut m, flat, model.len() / 2, usize::MAX));
        let external = made(concat(&mut m, half, rest));
        for v in [flat, external] {
            let s = view(v).expect("str");
            for (i, c) in model.iter().enumerate() {
                assert_eq!(content(made(char_at(&mut m, s, i))), c.to_string());
                let at = byte_offset(&mut m, s, i).expect("no allocation can fail here");
                assert_eq!(char_number(s, at), i);
            }
            for (start, stop) in [(0, 10), (63, 64), (64, 65), (100, 1000), (5, 4), (0, usize::MAX)] {
                let expected: String = model.iter().take(stop).skip(start).collect();
                assert_eq!(content(made(slice(&mut m, v, start, stop))), expected);
            }
            let expected: String = (0..20).map(|i| model[100 - 3 * i]).collect();
            assert_eq!(content(made(slice_step(&mut m, v, 100, -3, 20))), expected);
        }
    }
}

#[test]
fn repetition() {
    let mut m = mutator();
    for unit in ["x", "é", "abc", "€x😀"] {
        let v = made(m.new_str(unit));
        for n in [-1, 0, 1, 2, 7, 2000] {
            assert_eq!(content(made(repeat(&mut m, v, n))), unit.repeat(n.max(0) as usize));
        }
    }
}

#[test]
fn interning_is_by_text_and_weak() {
    let mut m = mutator();
    let names: Vec<Value> = (0..3000).map(|i| made(m.intern(&format!("interned {i}")))).collect();
    for (i, v) in names.iter().enumerate() {
        let twin = made(m.new_str(&format!("interned {i}")));
        assert_eq!(intern_value(&mut m, twin), Ok(*v));
    }
    let before = interned();
    retain_interned(&|v| !content(v).starts_with("interned 1"));
    assert!(interned() < before);
    assert_eq!(m.intern("interned 7"), Ok(names[7]));
    assert_ne!(m.intern("interned 17"), Ok(names[17]));
}

#[test]
fn an_instance_of_a_subclass_has_an_attribute_word() {
    let mut m = mutator();
    for text in ["", "seven", "exactly sixteen!", &"é".repeat(200)] {
        let v = made(m.new_str_subclass(0, text));
        assert_eq!(content(v), text);
        assert!(trace::attrs_word(v).is_some_and(|slot| slot.get().is_none()));
        assert!(!is_exact(view(v).expect("str")));
    }
}
