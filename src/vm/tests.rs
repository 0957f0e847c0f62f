//! The order of sets of ints, step by step against what CPython 3.11 printed (`testdata/set_order.py`).

use super::set_ops;
use super::thread::Thread;
use crate::gil;
use crate::object::{Value, set};

fn elements(s: Value) -> String {
    let mut at = 0;
    let each = std::iter::from_fn(|| {
        let (next, _, k) = set::next_entry(set::of(s)?, at)?;
        at = next;
        k.as_small()
    });
    each.map(|n| n.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn order_as_cpython() {
    let mut th = Thread::new(gil::register("test", false), 1 << 16).expect("address space");
    let th = &mut *th;
    for line in include_str!("testdata/set_order.txt").lines() {
        let [steps, a_expected, b_expected] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (mut a, b) = (th.new_set().expect("memory"), th.new_set().expect("memory"));
        for step in steps.split(' ') {
            let n: i64 = step[1..].parse().expect("an int");
            let n = Value::small(n).expect("small");
            match &step[..1] {
                "a" => drop(th.set_add(a, n)),
                "b" => drop(th.set_add(b, n)),
                "r" => drop(th.set_discard(a, n)),
                "p" => drop(set::pop(th, set::of(a).expect("a set"))),
                "U" => set_ops::update(th, a, b).expect("plain"),
                "D" => a = set_ops::difference(th, a, b).expect("plain"),
                "I" => a = set_ops::intersection(th, a, b).expect("plain"),
                "X" => a = set_ops::symmetric_difference(th, a, b).expect("plain"),
                _ => set_ops::difference_update(th, a, b).expect("plain"),
            }
        }
        assert_eq!(elements(a), a_expected, "{steps}");
        assert_eq!(elements(b), b_expected, "{steps}");
    }
}
