//! Module `gc`: the collector as scripts see it. Must not know how it works.

use super::support::{c_int, int_arg, put};
use crate::object::{R, Value, heap, list};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{poll, weak};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

/// What scripts have asked for. Only `isenabled` and `get_threshold` read these: in a heap without reference counts the
/// collector is the only one who frees memory, so it cannot be switched off, and memory pressure alone starts it.
static ENABLED: AtomicBool = AtomicBool::new(true);
static THRESHOLDS: [AtomicI64; 3] = [AtomicI64::new(700), AtomicI64::new(10), AtomicI64::new(10)];

/// There are no generations: every collection is a full one.
fn collect(th: &mut Thread, args: Args) -> R {
    if let Some(generation) = args.opt(0)
        && !(0..=2).contains(&c_int(th, generation)?)
    {
        return Err(th.value_error("invalid generation"));
    }
    th.clear_used_registers(args);
    collect_all(th)?;
    Ok(Value::int_unchecked(0))
}

/// Collects, and gives every free page back to the system.
pub fn collect_all(th: &mut Thread) -> R<()> {
    heap::release_at_next_collection();
    poll::collect(th);
    weak::run_pending(th)
}

fn isenabled(_: &mut Thread, _: Args) -> R {
    Ok(Value::bool(ENABLED.load(Relaxed)))
}

fn enable(_: &mut Thread, _: Args) -> R {
    ENABLED.store(true, Relaxed);
    Ok(Value::NONE)
}

fn disable(_: &mut Thread, _: Args) -> R {
    ENABLED.store(false, Relaxed);
    Ok(Value::NONE)
}

fn three_ints(th: &mut Thread, ints: [i64; 3]) -> R {
    let items = [th.new_int(ints[0])?, th.new_int(ints[1])?, th.new_int(ints[2])?];
    th.new_tuple(&items)
}

fn get_threshold(th: &mut Thread, _: Args) -> R {
    three_ints(th, THRESHOLDS.each_ref().map(|n| n.load(Relaxed)))
}

fn set_threshold(th: &mut Thread, args: Args) -> R {
    for (i, threshold) in THRESHOLDS.iter().enumerate() {
        if let Some(value) = args.opt(i) {
            threshold.store(i64::from(c_int(th, value)?), Relaxed);
        }
    }
    Ok(Value::NONE)
}

/// KiB allocated since the last collection: objects are not counted one by one.
fn get_count(th: &mut Thread, _: Args) -> R {
    three_ints(th, [(heap::allocated_since() >> 10) as i64, 0, 0])
}

/// Three generations as in CPython; everything happens in the oldest, which also says what it costs.
fn get_stats(th: &mut Thread, _: Args) -> R {
    let stats = heap::stats();
    let all = th.new_list(&[])?;
    for generation in 0..3 {
        let dict = th.new_dict()?;
        let oldest = generation == 2;
        let n = |figure: u64| if oldest { figure as i64 } else { 0 };
        for (key, figure) in [("collections", n(stats.collections)), ("collected", 0), ("uncollectable", 0)] {
            let figure = th.new_int(figure)?;
            put(th, dict, key, figure)?;
        }
        if oldest {
            let live = th.new_int(stats.live_bytes as i64)?;
            put(th, dict, "live_bytes", live)?;
            for (key, pause) in [("pause_total", stats.pause_ns_total), ("pause_max", stats.pause_ns_max)] {
                let seconds = th.new_float(pause as f64 / 1e9)?;
                put(th, dict, key, seconds)?;
            }
        }
        if let Some(list) = list::of(all) {
            list::push(th, list, dict)?;
        }
    }
    Ok(all)
}

/// There is nothing to move out of the collector's way before a fork: it writes beside the objects, not into them.
fn freeze(_: &mut Thread, _: Args) -> R {
    Ok(Value::NONE)
}

fn get_freeze_count(_: &mut Thread, _: Args) -> R {
    Ok(Value::int_unchecked(0))
}

fn get_debug(_: &mut Thread, _: Args) -> R {
    Ok(Value::int_unchecked(0))
}

/// No flag has anything to say here; zero is the one that is taken.
fn set_debug(th: &mut Thread, args: Args) -> R {
    match int_arg(th, args.get(0))? {
        0 => Ok(Value::NONE),
        _ => Err(th.value_error("gc.set_debug: this collector has no debugging flags")),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "gc",
    doc: "The garbage collector.",
    functions: &[
        NativeDef::full("collect", "generation=", collect, "Collect now, and give free memory back."),
        NativeDef::full("isenabled", "", isenabled, "What enable() or disable() was called last."),
        NativeDef::full("enable", "", enable, "Undo disable()."),
        NativeDef::full(
            "disable",
            "",
            disable,
            "Remembered for isenabled(); under memory pressure Mini collects.",
        ),
        NativeDef::full("get_threshold", "", get_threshold, "What set_threshold() was given last."),
        NativeDef::full(
            "set_threshold",
            "threshold0, threshold1=, threshold2=, /",
            set_threshold,
            "Remembered for get_threshold(): only memory pressure starts a collection.",
        ),
        NativeDef::full(
            "get_count",
            "",
            get_count,
            "KiB allocated since the last collection, and two zeroes.",
        ),
        NativeDef::full("get_stats", "", get_stats, "Collections so far, and their pauses in seconds."),
        NativeDef::full("freeze", "", freeze, "Nothing: the collector never writes into objects."),
        NativeDef::full("unfreeze", "", freeze, "Nothing: see freeze()."),
        NativeDef::full("get_freeze_count", "", get_freeze_count, "0: see freeze()."),
        NativeDef::full("get_debug", "", get_debug, "0: there are no debugging flags."),
        NativeDef::full("set_debug", "flags, /", set_debug, "Takes only 0: there are no debugging flags."),
    ],
    types: &[],
    init: None,
};
