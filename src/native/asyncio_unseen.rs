//! Exceptions of futures and tasks that nobody asked for before the future was garbage: they are told to the loop's handler.
//! Must not know how futures fail.
//!
//! A failed future has a record, and the record a weak word for the future and a twin of it, which is shown in its place.
//! When the collector empties the word it has the record called. Somebody who asks for the exception marks the record.

use super::asyncio_future::FUTURE_TYPE;
use super::asyncio_loop::{self as event_loop, Loop, RECORDS};
use super::asyncio_task::TASK_TYPE;
use super::support;
use crate::object::future::{self, CALLBACKS, LISTED, RECORD, SEEN, TASK, TASK_WORDS, TRACED, UNSEEN};
use crate::object::layout::Wide;
use crate::object::{Kind, R, Value, Word, func, list, types, wide};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::weak::{self, WeakWord};
use crate::vm::{poll, type_tables};

/// Records are looked through when there are so many, and twice as many as were left the last time.
const MANY: usize = 64;

/// A future has failed, and no task waits for it.
pub fn note(th: &mut Thread, f: &'static Wide) -> R<()> {
    let Some(of) = future::event_loop(f).and_then(event_loop::of) else { return Ok(()) };
    let Some(records) = of.list(RECORDS) else { return Ok(()) };
    let twin = twin(th, f)?;
    let class = type_tables::class_of(&RECORD_TYPE).unwrap_or(Value::NONE);
    let extra = [None, Some(wide::value(twin))];
    let plan = wide::Plan { class, base: class, bits: RECORD, number: 0, extra, words: &[] };
    let record = wide::new_owner(&mut th.m, &plan, Box::new(weak::word(wide::value(f))))?;
    let v = wide::value(record);
    // What is called when the future dies.
    record.host.extra[0].set(v);
    if let Some(word) = func::host::<WeakWord>(v) {
        weak::watch(v, word);
    }
    wide::word(f, CALLBACKS).set(v);
    list::push(&mut th.m, records, v)?;
    if list::len(records) >= of.data.records_limit() {
        purge(th, of)?;
    }
    Ok(())
}

fn twin(th: &mut Thread, f: &'static Wide) -> R<&'static Wide> {
    let bits = future::bits(f);
    let is_task = bits & wide::ROLE == TASK;
    let (def, count) = if is_task { (&TASK_TYPE, TASK_WORDS) } else { (&FUTURE_TYPE, future::FUTURE_WORDS) };
    let count = count + usize::from(bits & TRACED != 0);
    let words: [Word; TASK_WORDS + 1] =
        std::array::from_fn(|i| if i < count && i != CALLBACKS { wide::word(f, i).get() } else { None });
    let base = type_tables::class_of(def).unwrap_or(Value::NONE);
    let plan = wide::Plan {
        class: types::class_of(wide::value(f)),
        base,
        bits: bits & !(UNSEEN | LISTED),
        number: 0,
        extra: [future::event_loop(f), future::result_slot(f).get()],
        words: words.get(..count).unwrap_or(&words),
    };
    wide::new(&mut th.m, &plan)
}

/// Forgets records that nobody needs any more.
fn purge(th: &mut Thread, of: Loop) -> R<()> {
    let Some(records) = of.list(RECORDS) else { return Ok(()) };
    let needed = |v: &Value| {
        let is_open = wide::of_role(*v, RECORD).is_some_and(|record| !wide::has(record, SEEN));
        is_open && func::host::<WeakWord>(*v).is_some_and(|word| word.get().is_some())
    };
    let left: Vec<Value> = list::snapshot(list::value(records)).into_iter().filter(needed).collect();
    of.data.set_records_limit(left.len() * 2 + MANY);
    list::clear(&mut th.m, records)?;
    list::extend(&mut th.m, records, &left)
}

/// A loop ends: what was not asked for, and never will be, is told now.
pub fn tell(th: &mut Thread, of: Loop) -> R<()> {
    purge(th, of)?;
    if of.list(RECORDS).is_some_and(|records| list::len(records) > 0) {
        poll::collect(th);
        weak::run_pending(th)?;
    }
    Ok(())
}

/// The future is garbage.
fn died(th: &mut Thread, args: Args) -> R {
    let Some(record) = wide::of_role(args.get(0), RECORD) else { return Ok(Value::NONE) };
    if wide::set(record, SEEN) & SEEN != 0 {
        return Ok(Value::NONE);
    }
    let Some(f) = record.host.extra[1].get().and_then(future::of) else { return Ok(Value::NONE) };
    let Some(event_loop) = future::event_loop(f) else { return Ok(Value::NONE) };
    let class = crate::object::class::name(types::class_of(wide::value(f)));
    let message = th.new_str(&format!("{class} exception was never retrieved"))?;
    let context = th.m.new_dict()?;
    support::put(&mut th.m, context, "message", message)?;
    support::put(&mut th.m, context, "exception", future::result_slot(f).value())?;
    support::put(&mut th.m, context, "future", wide::value(f))?;
    if let Some(source) = future::source(f) {
        support::put(&mut th.m, context, "source_traceback", source)?;
    }
    th.call_method(event_loop, "call_exception_handler", &[context])
}

pub static RECORD_TYPE: TypeDef = TypeDef {
    name: "_Unseen",
    kind: Kind::Host,
    doc: "An exception that nobody has asked for.",
    methods: &[NativeDef::full("__call__", "self, /", died, "Tell the loop.")],
    ..TypeDef::BARE
};
