//! The heap against a model: what is reachable survives, what is not makes room.

use super::LocalHeap;
use super::central::Heap;
use super::size::BLOCK;
use crate::gil::{self, Member};
use crate::object::Kind;
use crate::object::header::Hdr;
use crate::object::layout::{Bytes, Host, Tuple};
use crate::object::value::Value;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};

const MB: usize = 1 << 20;

struct Bench {
    heap: &'static Heap,
    local: LocalHeap,
    member: &'static Member,
}

fn heap(limit: usize) -> &'static Heap {
    Box::leak(Box::new(Heap::new(256 * MB, limit).expect("address space")))
}

fn hdr(kind: Kind) -> Hdr {
    Hdr { shape: AtomicU32::new(0), kind, flags: AtomicU8::new(0), lock: AtomicU16::new(0) }
}

impl Bench {
    fn new(limit: usize) -> Bench {
        Bench::on(heap(limit))
    }

    fn on(heap: &'static Heap) -> Bench {
        Bench { heap, local: LocalHeap::of(heap), member: gil::register("test", false) }
    }

    /// A tuple of these values.
    fn tuple(&mut self, items: &[Value]) -> Option<Value> {
        let at = self.local.alloc(size_of::<Tuple>() + items.len() * 8, self.member)?;
        assert_eq!(at.addr().get() % 16, 0);
        let p = at.as_ptr().cast::<Tuple>();
        // SAFETY: fresh, and large enough.
        unsafe {
            p.cast::<Hdr>().write(hdr(Kind::Tuple));
            (&raw mut (*p).len).write(items.len() as u64);
            let slots = (&raw mut (*p).items).cast::<Value>();
            items.iter().enumerate().for_each(|(i, v)| slots.add(i).write(*v));
        }
        Some(Value::from_addr(at.addr().get()))
    }

    /// A bytes object of `len` bytes, all `fill`.
    fn bytes(&mut self, len: usize, fill: u8) -> Option<Value> {
        let at = self.local.alloc(size_of::<Bytes>() + len, self.member)?;
        let p = at.as_ptr().cast::<Bytes>();
        // SAFETY: fresh, and large enough.
        unsafe {
            p.cast::<Hdr>().write(hdr(Kind::Bytes));
            (&raw mut (*p).len).write(len as u64);
            (&raw mut (*p).bytes).cast::<u8>().write_bytes(fill, len);
        }
        Some(Value::from_addr(at.addr().get()))
    }

    fn collect(&mut self, roots: &[Value]) -> super::Collected {
        let Bench { heap, local, member } = self;
        member.withdraw(gil::Events::COLLECT);
        let visit_roots = &mut |marker: &mut super::Marker| roots.iter().for_each(|v| marker.visit(*v));
        heap.collect(&mut |visit| visit(local), visit_roots)
    }

    fn wants_collection(&self) -> bool {
        self.member.pending().has(gil::Events::COLLECT)
    }
}

/// Whether a bytes object still is what `bytes` made.
fn intact(v: Value, len: usize, fill: u8) -> bool {
    // SAFETY: the tests only ask about live bytes objects.
    unsafe {
        let p = &*(v.addr() as *const Bytes);
        p.hdr.kind == Kind::Bytes
            && p.len == len as u64
            && std::slice::from_raw_parts(p.bytes.as_ptr(), len).iter().all(|b| *b == fill)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_reachable_survive_and_only_they(
        steps in prop::collection::vec((0usize..40, 0usize..3000, any::<u8>(), any::<prop::sample::Index>()), 1..300),
    ) {
        let mut b = Bench::new(0);
        // Roots: tuples of one bytes object each, with what the bytes must hold.
        let mut model: HashMap<Value, (Value, usize, u8)> = HashMap::new();
        let mut order: Vec<Value> = Vec::new();
        for (what, len, fill, victim) in steps {
            match what {
                0 => {
                    let roots: Vec<Value> = model.keys().copied().collect();
                    b.collect(&roots);
                    let live: usize = model.values().map(|(_, len, _)| len + 48).sum();
                    prop_assert!(b.heap.lock().stats.live_bytes >= live.saturating_sub(model.len() * 24));
                }
                1..10 if !order.is_empty() => {
                    model.remove(&order.swap_remove(victim.index(order.len())));
                }
                _ => {
                    let len = if what == 39 { len * 50 } else { len };
                    let data = b.bytes(len, fill).expect("memory");
                    let root = b.tuple(&[data, Value::NONE]).expect("memory");
                    prop_assert!(model.insert(root, (data, len, fill)).is_none(), "handed out twice");
                    order.push(root);
                }
            }
            for (root, (data, len, fill)) in &model {
                prop_assert!(intact(*data, *len, *fill));
                prop_assert_eq!(b.heap.space.find_cell(root.addr() + 9), Some(root.addr()));
            }
        }
        let roots: Vec<Value> = model.keys().copied().collect();
        b.collect(&roots);
        let cells: HashSet<usize> = model.iter().flat_map(|(root, (data, ..))| [root.addr(), data.addr()]).collect();
        let space = &b.heap.space;
        let found = (space.base()..space.base() + 8 * MB).step_by(16).filter(|at| space.find_cell(*at) == Some(*at));
        prop_assert_eq!(found.filter(|at| !cells.contains(at)).count(), 0, "the dead are no cells");
    }
}

#[test]
fn dead_blocks_are_used_again_by_other_classes() {
    let mut b = Bench::new(0);
    for round in 0..50 {
        for _ in 0..2000 {
            b.bytes(round * 97 + 1, 1).expect("memory");
        }
        b.collect(&[]);
    }
    assert!(b.heap.lock().top as usize * BLOCK < 16 * MB);
}

#[test]
fn unused_cells_of_a_gap_are_no_cells_after_retiring() {
    let mut b = Bench::new(0);
    let v = b.tuple(&[Value::NONE]).expect("memory");
    let next = v.addr() + 32;
    assert_eq!(b.heap.space.find_cell(next), Some(next), "handed out");
    b.local.retire();
    assert_eq!(b.heap.space.find_cell(next), None);
    assert_eq!(b.heap.space.find_cell(v.addr() + 31), Some(v.addr()));
    assert_eq!(b.heap.space.find_cell(0), None);
    assert_eq!(b.tuple(&[Value::NONE]).map(Value::addr), Some(next), "the block is not lost");
}

#[test]
fn large_objects_extend_in_place_while_there_is_room() {
    let mut b = Bench::new(0);
    let v = b.bytes(100_000, 7).expect("memory");
    let size = b.heap.try_extend(v.addr(), 100_000, 120_000).expect("within its blocks");
    assert_eq!(size, 4 * BLOCK);
    assert_eq!(b.heap.try_extend(v.addr(), size, 10 * BLOCK), Some(10 * BLOCK));
    let wall = b.bytes(100_000, 8).expect("memory");
    assert_eq!(b.heap.try_extend(v.addr(), 10 * BLOCK, 11 * BLOCK), None);
    assert_eq!(b.heap.space.find_cell(v.addr() + 9 * BLOCK), Some(v.addr()));
    b.collect(&[v]);
    assert_eq!(b.heap.try_extend(v.addr(), 10 * BLOCK, 11 * BLOCK), Some(11 * BLOCK), "the wall is gone");
    assert!(intact(v, 100_000, 7) && b.heap.space.find_cell(wall.addr()) == Some(v.addr()));
}

#[test]
fn garbage_is_no_reason_for_a_memory_error() {
    for percent in [1, 10, 25, 33, 40, 49] {
        let mut b = Bench::new(64 * MB);
        let mut kept = Value::NONE;
        for i in 0..300 {
            kept = b.bytes(64 * MB * percent / 100, i as u8).unwrap_or_else(|| panic!("{percent} % at {i}"));
            if b.wants_collection() {
                b.collect(&[kept]);
            }
        }
        assert!(intact(kept, 64 * MB * percent / 100, 43));
    }
}

#[test]
fn who_keeps_everything_gets_an_error_and_can_handle_it() {
    for size in [10, 1000, 30_000, 3 * MB] {
        let mut b = Bench::new(64 * MB);
        let (mut kept, mut collections) = (Vec::new(), 0);
        while let Some(v) = b.bytes(size, 1) {
            kept.push(v);
            if b.wants_collection() {
                b.collect(&kept);
                collections += 1;
            }
        }
        assert!(
            kept.len() * (size + 38) > 35 * MB && collections < 30,
            "{} x {size}, {collections}",
            kept.len()
        );
        for _ in 0..1000 {
            b.bytes(100, 2).expect("the handler has its reserve");
        }
        b.collect(&[]);
        b.bytes(40 * MB, 3).expect("all is free again");
    }
}

#[test]
fn threads_allocate_apart() {
    let heap = heap(0);
    let work = |id: u8| {
        let mut b = Bench::on(heap);
        let mine: Vec<_> = (0..20_000usize).filter_map(|i| Some((b.bytes(i % 700, id)?, i % 700))).collect();
        assert_eq!(mine.len(), 20_000);
        assert!(mine.iter().all(|(v, len)| intact(*v, *len, id)));
    };
    std::thread::scope(|s| (0..4).for_each(|id| drop(s.spawn(move || work(id)))));
}

#[test]
fn the_death_of_a_host_frees_its_value() {
    let mut b = Bench::new(0);
    let value = Arc::new(5);
    let at = b.local.alloc(size_of::<Host>(), b.member).expect("memory");
    let p = at.as_ptr().cast::<Host>();
    let data: Box<dyn std::any::Any + Send + Sync> = Box::new(value.clone());
    // SAFETY: fresh, and large enough.
    unsafe {
        p.cast::<u64>().write_bytes(0, size_of::<Host>() / 8);
        p.cast::<Hdr>().write(hdr(Kind::Host));
        (&raw mut (*p).data).write(Box::into_raw(Box::new(data)).cast());
    }
    b.heap.lock().finalizable.push(at.addr().get());
    b.collect(&[Value::from_addr(at.addr().get())]);
    assert_eq!(Arc::strong_count(&value), 2);
    let garbage = b.heap.collect(&mut |visit| visit(&mut b.local), &mut |_| ()).garbage;
    assert_eq!(garbage.hosts.len(), 1);
    drop(garbage);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn cells_that_are_said_to_come_cleared_do() {
    let mut b = Bench::new(64 * MB);
    let sizes = [32, 48, 200, 513, 5000, super::SMALL_MAX];
    for round in 0..3 {
        let mut kept = Vec::new();
        for (i, size) in sizes.iter().cycle().take(3000).enumerate() {
            assert!(super::comes_cleared(*size));
            let at = b.local.alloc(*size, b.member).expect("room").as_ptr();
            // SAFETY: a cell of this size that nobody else has.
            let bytes = unsafe { std::slice::from_raw_parts(at, *size) };
            assert!(bytes.iter().all(|byte| *byte == 0), "round {round}, {size} bytes");
            // SAFETY: as above; it becomes a bytes object, dead or, every fifth, alive.
            unsafe {
                at.write_bytes(0xff, *size);
                at.cast::<Hdr>().write(hdr(Kind::Bytes));
                at.add(size_of::<Hdr>()).cast::<u64>().write((*size - size_of::<Bytes>()) as u64);
            }
            kept.extend(i.is_multiple_of(5).then(|| Value::from_addr(at.addr())));
        }
        b.collect(&kept);
    }
}
