//! Lists, dicts and sets against models, and with several threads in one container.

use super::layout::{Dict, List, Set};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{Kind, Slot, dict, key, list, set, slice, table};
use crate::gil;
use proptest::prelude::*;

fn mutator(free: bool) -> Mutator {
    let mut m = Mutator::new(gil::register("test", false));
    m.free = free;
    m
}

fn int(n: i64) -> Value {
    Value::small(n).expect("small")
}

fn as_vec(l: &List) -> Vec<i64> {
    list::items(l).iter().filter_map(Slot::get).filter_map(Value::as_small).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn lists_behave_as_vecs(
        free in any::<bool>(),
        steps in prop::collection::vec((0u8..11, any::<usize>(), -6i64..6, 0usize..9), 1..120),
    ) {
        let mut m = mutator(free);
        let m = &mut m;
        let l = list::from_fn(m, 0, |_| None).expect("memory");
        let mut model: Vec<i64> = Vec::new();
        for (what, at, n, count) in steps {
            let len = model.len();
            let i = at % (len + 1);
            let more: Vec<i64> = (0..count as i64).collect();
            let values: Vec<Value> = more.iter().map(|n| int(*n)).collect();
            match what {
                0 | 1 => {
                    list::push(m, l, int(n)).expect("memory");
                    model.push(n);
                }
                2 => {
                    list::insert(m, l, i, int(n)).expect("memory");
                    model.insert(i, n);
                }
                3 => prop_assert_eq!(list::pop(m, l).and_then(Value::as_small), model.pop()),
                4 => {
                    let expected = (i < len).then(|| model.remove(i));
                    prop_assert_eq!(list::remove_at(m, l, i).and_then(Value::as_small), expected);
                }
                5 => {
                    let stop = (i + count).min(len);
                    list::splice(m, l, i, stop, &values[..count / 2]).expect("memory");
                    model.splice(i..stop, more[..count / 2].iter().copied());
                }
                6 => {
                    let b = slice::bounds(Some(n), None, Some(count as i64 + 2), len);
                    list::remove_stepped(m, l, b.start, b.step as usize, b.count);
                    let gone: Vec<usize> = (0..b.count).map(|k| b.start + k * (count + 2)).collect();
                    let mut at = 0..;
                    model.retain(|_| !gone.contains(&at.next().expect("endless")));
                }
                7 => {
                    list::reverse(m, l);
                    model.reverse();
                }
                8 => {
                    list::extend_slots(m, l, list::items(l)).expect("memory");
                    model.extend_from_within(..);
                    model.truncate(200);
                    list::splice(m, l, 200, usize::MAX, &[]).expect("memory");
                }
                9 => {
                    list::extend(m, l, &values).expect("memory");
                    model.extend(&more);
                }
                _ => {
                    let b = slice::bounds(None, None, Some(-2), len);
                    let part = list::stepped(m, list::items(l), b.start, b.step, b.count).expect("memory");
                    prop_assert_eq!(as_vec(part), model.iter().rev().step_by(2).copied().collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(as_vec(l), model.clone());
            let all = list::slots(list::buf(l));
            prop_assert!(all.iter().skip(model.len()).all(|s| s.get().is_none()), "EMPTY behind the length");
        }
    }
}

#[test]
fn a_large_list_costs_little() {
    let mut m = mutator(false);
    let l = list::from_fn(&mut m, 0, |_| None).expect("memory");
    for n in 0..1_000_000 {
        list::push(&mut m, l, int(n)).expect("memory");
    }
    assert!(list::slots(list::buf(l)).len() <= 1_250_000);
    assert_eq!(list::get(l, 999_999), Some(int(999_999)));
}

/// `d[k] = v` for keys that need no Mini code.
fn put(m: &mut Mutator, d: &'static Dict, k: Value, v: Value) {
    let hash = key::hash(k).expect("plain");
    loop {
        let t = dict::table(d);
        let seen = table::used(t);
        let done = match dict::look(&mut table::probe(t, hash), k) {
            dict::Look::Found(entry) => dict::replace(m, d, t, entry, v),
            _ => dict::insert(m, d, t, seen, hash, k, v).expect("memory"),
        };
        if done {
            return;
        }
    }
}

fn find(d: &Dict, k: Value) -> Word {
    let t = dict::table(d);
    match dict::look(&mut table::probe(t, key::hash(k)?), k) {
        dict::Look::Found(entry) => dict::value_at(d, t, entry),
        _ => None,
    }
}

fn take(m: &mut Mutator, d: &'static Dict, k: Value) -> Word {
    loop {
        let t = dict::table(d);
        let dict::Look::Found(entry) = dict::look(&mut table::probe(t, key::hash(k)?), k) else {
            return None;
        };
        if let Some(old) = dict::remove(m, d, t, entry) {
            return old;
        }
    }
}

fn pairs(d: &Dict) -> Vec<(i64, i64)> {
    let mut at = 0;
    std::iter::from_fn(|| {
        let (next, k, v) = dict::next_entry(d, at)?;
        at = next;
        Some((k.as_small()?, v.as_small()?))
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn dicts_keep_their_order(
        free in any::<bool>(),
        shift in prop::sample::select(vec![0u32, 3, 20, 40]),
        steps in prop::collection::vec((0u8..12, -20i64..20, any::<i32>()), 1..300),
    ) {
        let mut m = mutator(free);
        let m = &mut m;
        let mut d = dict::new(m, 0).expect("memory");
        let mut model: Vec<(i64, i64)> = Vec::new();
        for (what, k, v) in steps {
            let (k, v) = (k << shift, v as i64);
            let known = model.iter().position(|(known, _)| *known == k);
            match what {
                0..=6 => {
                    put(m, d, int(k), int(v));
                    match known {
                        Some(i) => model[i].1 = v,
                        None => model.push((k, v)),
                    }
                }
                7..=9 => {
                    let expected = known.map(|i| model.remove(i).1);
                    prop_assert_eq!(take(m, d, int(k)).and_then(Value::as_small), expected);
                }
                10 => {
                    let got = dict::pop_last(m, d).expect("memory");
                    let got = got.and_then(|(k, v)| Some((k.as_small()?, v.as_small()?)));
                    prop_assert_eq!(got, model.pop());
                }
                _ => d = dict::copy(m, d).expect("memory"),
            }
            prop_assert_eq!(pairs(d), model.clone());
            prop_assert_eq!(dict::len(d), model.len());
            let expected = model.iter().find(|(known, _)| *known == k).map(|(_, v)| *v);
            prop_assert_eq!(find(d, int(k)).and_then(Value::as_small), expected);
        }
    }
}

/// Runs `work` in several threads without a GIL; each gets its number.
fn in_threads(work: impl Fn(&mut Mutator, i64) + Sync) {
    std::thread::scope(|scope| {
        for t in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(&mut mutator(true), t));
        }
    });
}

const THREADS: i64 = 4;
const ROUNDS: i64 = 4000;

#[test]
fn no_append_is_lost_and_no_store_is_undone() {
    let mut m = mutator(true);
    let l = list::from_fn(&mut m, THREADS as usize, |_| Some(int(-1))).expect("memory");
    in_threads(|m, t| {
        for n in 0..ROUNDS {
            assert!(list::set(m, l, t as usize, int(n)));
            list::push(m, l, int(t * ROUNDS + n)).expect("memory");
            // Only this thread writes here: growth by another must not bring back an older item.
            assert_eq!(list::get(l, t as usize), Some(int(n)));
        }
    });
    let mut pushed = as_vec(l).split_off(THREADS as usize);
    pushed.sort();
    assert_eq!(pushed, (0..THREADS * ROUNDS).collect::<Vec<_>>());
}

#[test]
fn lists_survive_any_mix_of_writers() {
    let mut m = mutator(true);
    let l = list::from_fn(&mut m, 10, |i| Some(int(i as i64))).expect("memory");
    in_threads(|m, t| {
        let mut random = t as u64 * 7919 + 1;
        for _ in 0..ROUNDS {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let i = (random >> 33) as usize % 20;
            match (random >> 60) % 8 {
                0 | 1 => list::push(m, l, int(7)).expect("memory"),
                2 => drop(list::pop(m, l)),
                3 => drop(list::remove_at(m, l, i)),
                4 => list::insert(m, l, i, int(8)).expect("memory"),
                5 => list::splice(m, l, i, i + 3, &[int(9)]).expect("memory"),
                6 if random >> 56 == 0 => list::clear(m, l).expect("memory"),
                6 => list::reverse(m, l),
                _ => drop(list::set(m, l, i, int(1))),
            }
            let seen = list::get(l, i).and_then(Value::as_small);
            assert!(seen.is_none_or(|n| (0..10).contains(&n)), "a word that nobody wrote");
        }
    });
    let all = list::slots(list::buf(l));
    assert!(all.iter().take(list::len(l)).all(|s| s.get().is_some()));
    assert!(all.iter().skip(list::len(l)).all(|s| s.get().is_none()));
}

#[test]
fn no_insertion_into_a_dict_is_lost() {
    let mut m = mutator(true);
    let d = dict::new(&mut m, 0).expect("memory");
    in_threads(|m, t| {
        for n in 0..ROUNDS {
            put(m, d, int(-1 - t), int(n));
            put(m, d, int(t * ROUNDS + n), int(t));
            assert_eq!(find(d, int(-1 - t)), Some(int(n)), "growth must not bring back an older value");
            if n % 3 == 0 {
                assert_eq!(take(m, d, int(t * ROUNDS + n)), Some(int(t)));
            }
        }
    });
    let mut keys: Vec<i64> = pairs(d).into_iter().map(|(k, _)| k).collect();
    assert_eq!(keys.len(), dict::len(d));
    keys.sort();
    let kept = (0..THREADS * ROUNDS).filter(|k| (k % ROUNDS) % 3 != 0);
    assert_eq!(keys, (-THREADS..0).chain(kept).collect::<Vec<_>>());
}

#[test]
fn a_key_that_several_threads_insert_is_there_once() {
    let mut m = mutator(true);
    let d = dict::new(&mut m, 0).expect("memory");
    let s = set::new(&mut m, Kind::Set).expect("memory");
    in_threads(|m, t| {
        for n in 0..ROUNDS {
            put(m, d, int(n), int(t));
            add(m, s, n);
            if n % 5 == t {
                discard(m, s, n);
                add(m, s, n);
            }
        }
    });
    let expected: Vec<i64> = (0..ROUNDS).collect();
    let mut keys: Vec<i64> = pairs(d).into_iter().map(|(k, _)| k).collect();
    keys.sort();
    assert_eq!(keys, expected);
    let mut elements = elements(s);
    assert_eq!(elements.len(), set::len(s));
    elements.sort();
    assert_eq!(elements, expected);
}

fn add(m: &mut Mutator, s: &'static Set, n: i64) {
    let hash = key::small_hash(n);
    loop {
        let t = set::table(s);
        let seen = set::changes(t);
        match set::look(&mut set::probe(t, hash), int(n)) {
            set::Look::Found(..) => return,
            _ if set::insert(m, s, t, seen, hash, int(n)).expect("memory") => return,
            _ => {}
        }
    }
}

fn discard(m: &mut Mutator, s: &'static Set, n: i64) {
    loop {
        let t = set::table(s);
        match set::look(&mut set::probe(t, key::small_hash(n)), int(n)) {
            set::Look::Found(entry, now) if !set::remove(m, s, t, entry, now) => {}
            _ => return,
        }
    }
}

fn elements(s: &Set) -> Vec<i64> {
    let mut at = 0;
    std::iter::from_fn(|| {
        let (next, _, k) = set::next_entry(s, at)?;
        at = next;
        k.as_small()
    })
    .collect()
}
