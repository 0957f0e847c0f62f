//! `asyncio.gather` of coroutines, tasks and futures as they usually are: one object is the callback of all children, and
//! counts those that are done. What is unusual is gathered by `asyncio.tasks.mini`. Must not know the loop's turns.
//!
//! Values of the object: the future of all results, once it is made, and the list of the children; then the list of children
//! in the order in which they were done. The object is put into the loop's queue once for each of them, so the n-th time
//! that its turn comes it is for the n-th of that list.

use super::asyncio_future::{self as futures, FUTURE_TYPE};
use super::asyncio_loop::{self as event_loop, Loop};
use super::asyncio_ready as ready;
use super::asyncio_task as tasks;
use crate::object::future::{self, CANCELLED, FAILED, QUIET};
use crate::object::layout::{BoundMethod, List, Wide};
use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Slot, Value, exc, list, tuple, types, wide};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use std::sync::atomic::Ordering::AcqRel;

/// Role of these objects among wide objects.
pub const GATHERING: u32 = 9;
/// Exceptions are results.
const TAKES_EXCEPTIONS: u32 = 1 << 8;

/// Children in the order in which they were done.
const DONE: usize = 0;

/// `_gather(futures, return_exceptions)`: a gathering of them; None where something about them or the loop is unusual.
pub fn gather(th: &mut Thread, args: Args) -> R {
    let given = tuple::items(args.get(0));
    let takes_exceptions = th.is_true(args.get(1))?;
    let Some(of) = th.running_loop.and_then(event_loop::of) else { return Ok(Value::NONE) };
    if !makes_plain_tasks(th, of)? || !given.iter().all(|v| is_plain(of, v.value())) || !all_differ(given) {
        return Ok(Value::NONE);
    }
    let children = th.m.new_list_with_capacity(given.len())?;
    let bits = GATHERING | if takes_exceptions { TAKES_EXCEPTIONS } else { 0 };
    let gathering = new(&mut th.m, bits, children)?;
    for v in given {
        let child = child(th, of, v.value())?;
        if let Some(children) = list::of(children) {
            list::push(&mut th.m, children, wide::value(child))?;
        }
        if future::is_done(child) {
            note_done(th, of.value(), gathering, child)?;
        } else {
            futures::add_entry(&mut th.m, child, wide::value(gathering))?;
        }
    }
    Ok(wide::value(gathering))
}

fn new(m: &mut Mutator, bits: u32, children: Value) -> R<&'static Wide> {
    let class = type_tables::class_of(&GATHERING_TYPE).unwrap_or(Value::NONE);
    let (extra, words) = ([None, Some(children)], [Some(m.new_list(&[])?)]);
    wide::new(m, &wide::Plan { class, base: class, bits, number: 0, extra, words: &words })
}

/// Whether the loop's tasks are made by its own `create_task`, and nothing is to be noted about them.
fn makes_plain_tasks(th: &mut Thread, of: Loop) -> R<bool> {
    if of.debugs() || of.has_task_factory() {
        return Ok(false);
    }
    let name = th.name("create_task")?;
    let method = th.get_attr_opt(of.value(), name)?;
    let method = method.and_then(types::cast::<BoundMethod>);
    Ok(method.is_some_and(|method| types::kind_of(method.func.value()) == Kind::Native))
}

/// A coroutine, or a future or task of this loop whose class is not derived.
fn is_plain(of: Loop, v: Value) -> bool {
    if types::kind_of(v) == Kind::Coroutine {
        return true;
    }
    let class = types::class_of(v);
    let known = type_tables::class_of(&FUTURE_TYPE) == Some(class) || tasks::task_class() == class;
    known && future::of(v).and_then(future::event_loop) == Some(of.value())
}

/// Whether nothing is given twice. Coroutines that were made one after another are in order already.
fn all_differ(given: &[Slot]) -> bool {
    let mut words: Vec<u64> = given.iter().map(Slot::bits).collect();
    words.sort_unstable();
    words.windows(2).all(|pair| pair.first() != pair.last())
}

/// What is waited for: a coroutine becomes a task.
fn child(th: &mut Thread, of: Loop, v: Value) -> R<&'static Wide> {
    if let Some(f) = future::of(v) {
        return Ok(f);
    }
    let parts = tasks::Parts { event_loop: of.value(), coro: v, name: None, context: None };
    let task = tasks::new_task(th, &parts)?;
    wide::set(task, QUIET);
    Ok(task)
}

/// A child is done: at the loop's next turn it is counted.
pub fn note_done(
    th: &mut Thread,
    event_loop: Value,
    gathering: &'static Wide,
    child: &'static Wide,
) -> R<()> {
    let Some(of) = event_loop::of(event_loop) else { return Ok(()) };
    of.check_open(th)?;
    if let Some(done) = done_list(gathering) {
        list::push(&mut th.m, done, wide::value(child))?;
    }
    ready::push(th, of, wide::value(gathering))
}

fn done_list(gathering: &'static Wide) -> Option<&'static List> {
    wide::word(gathering, DONE).get().and_then(list::of)
}

/// One more child is done.
pub fn one_more(th: &mut Thread, gathering: &'static Wide) -> R<()> {
    let count = gathering.number.fetch_add(1, AcqRel) as usize;
    let child = done_list(gathering).and_then(|done| list::get(done, count)).and_then(future::of);
    let Some(child) = child else { return Ok(()) };
    let outer = gathering.host.extra[0].get().and_then(future::of);
    let Some(outer) = outer.filter(|outer| !future::is_done(outer)) else {
        // Somebody has seen it.
        future::mark_seen(child);
        return Ok(());
    };
    if !wide::has(gathering, TAKES_EXCEPTIONS) {
        let bits = future::bits(child);
        if bits & (CANCELLED | FAILED) != 0 {
            let error = outcome_raised(&mut th.m, child)?;
            return futures::set_exception(th, outer, error).map(drop);
        }
    }
    match gathering.host.extra[1].get().and_then(list::of) {
        Some(children) if count + 1 >= list::len(children) => finish(th, outer, children),
        _ => Ok(()),
    }
}

/// The exception of a child that failed or was cancelled, as whoever waits for it would get it.
fn outcome_raised(m: &mut Mutator, child: &'static Wide) -> R {
    future::mark_seen(child);
    if wide::has(child, CANCELLED) {
        future::cancelled_error(m, child)
    } else {
        Ok(future::result_slot(child).value())
    }
}

/// All children are done.
fn finish(th: &mut Thread, outer: &'static Wide, children: &'static List) -> R<()> {
    let name = th.name("_cancel_requested")?;
    let asked = th.get_attr(wide::value(outer), name)?;
    let results = th.m.new_list_with_capacity(list::len(children))?;
    for child in list::items(children).iter().filter_map(|slot| future::of(slot.value())) {
        let result = outcome(&mut th.m, child)?;
        if let Some(results) = list::of(results) {
            list::push(&mut th.m, results, result)?;
        }
    }
    if !th.is_true(asked)? {
        return futures::set_result(th, outer, results).map(drop);
    }
    // Whatever became of the children: who cancels this wants to see it cancelled.
    let last = list::items(children).last().and_then(|slot| future::of(slot.value()));
    let error = match last {
        Some(last) => future::cancelled_error(&mut th.m, last)?,
        None => future::new_cancelled(&mut th.m, None)?,
    };
    futures::set_exception(th, outer, error).map(drop)
}

/// The result of a child that is done, or its exception.
fn outcome(m: &mut Mutator, child: &'static Wide) -> R {
    if wide::has(child, CANCELLED) {
        let message = match wide::word(child, future::MESSAGE).get().filter(|v| !v.is_none()) {
            Some(message) => message,
            None => m.new_str("")?,
        };
        return exc::new_exception(m, future::cancelled_class(), &[message]);
    }
    future::mark_seen(child);
    Ok(future::result_slot(child).value())
}

fn this(th: &mut Thread, args: Args) -> R<&'static Wide> {
    wide::of_role(args.get(0), GATHERING).ok_or_else(|| th.type_error("a gathering is expected"))
}

fn children(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|gathering| gathering.host.extra[1].value())
}

fn report_to(th: &mut Thread, args: Args) -> R {
    this(th, args)?.host.extra[0].set(args.get(1));
    Ok(Value::NONE)
}

/// As CPython shows the callback that a child has.
fn repr(th: &mut Thread, _: Args) -> R {
    th.new_str("gather.<locals>._done_callback")
}

pub static GATHERING_TYPE: TypeDef = TypeDef {
    name: "_Gathering",
    kind: Kind::Host,
    doc: "Counts children that are done.",
    methods: &[
        NativeDef::full("report_to", "self, outer, /", report_to, "Say which future gets the results."),
        NativeDef::full("__repr__", "self, /", repr, "Show the callback."),
    ],
    properties: &[NativeDef::full("children", "self", children, "A list of what is waited for.")],
    ..TypeDef::BARE
};
