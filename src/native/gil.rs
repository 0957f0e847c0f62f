//! Module `gil`: Mini's own: the policy in force, changing it, and what every thread did with its time.
//! Must not know how policies work.

use super::gil_pick;
use super::support::{number, put};
use crate::gil::{self, Account, CAUSES, Call, Cause, Figures, PolicySpec, QueueKind};
use crate::object::{R, Value, str};
use crate::rt::fork;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use std::time::Duration;

fn policy(th: &mut Thread, _: Args) -> R {
    th.new_str(&gil::policy().to_string())
}

/// `set(spec=None, *, queue=None)`: `queue` is a word, or a function that decides.
fn set(th: &mut Thread, args: Args) -> R {
    let queue = args.opt_not_none(1);
    let mut spec = match args.opt_not_none(0) {
        Some(spec) => parsed(th, spec)?,
        None if queue.is_some() => gil::policy(),
        None => {
            let class = super::support::type_name(args.opt(0).unwrap_or(Value::NONE));
            return Err(th.type_error(format!("gil.set() argument must be str, not {class}")));
        }
    };
    if let Some(queue) = queue {
        if !spec.has_gil() {
            return Err(
                th.value_error("GIL policy 'off' takes no options: without a GIL nobody waits for it")
            );
        }
        spec.queue = match str::as_str(queue) {
            Some(word) => match format!("coop,queue={word}").parse::<PolicySpec>() {
                Ok(with) => with.queue,
                Err(problem) => return Err(th.value_error(format!("{problem}"))),
            },
            None => named(th, queue)?,
        };
    }
    gil_pick::put_in_force(th, spec)?;
    Ok(Value::NONE)
}

fn parsed(th: &mut Thread, spec: Value) -> R<PolicySpec> {
    let Some(text) = str::as_str(spec) else {
        let class = super::support::type_name(spec);
        return Err(th.type_error(format!("gil.set() argument must be str, not {class}")));
    };
    text.parse().map_err(|problem| th.value_error(format!("{problem}")))
}

fn named(th: &mut Thread, function: Value) -> R<QueueKind> {
    if !super::builtins::is_callable(th, function) {
        let class = super::support::type_name(function);
        let message = format!("gil.set() queue must be str or a function of a list of threads, not {class}");
        return Err(th.type_error(message));
    }
    gil_pick::name(function);
    Ok(QueueKind::User)
}

/// `fork_mode(mode=None, limit=None)`: sets what is given; what was in force before.
fn fork_mode(th: &mut Thread, args: Args) -> R {
    let before = fork::mode().0;
    let mode = match args.opt(0).filter(|v| !v.is_none()) {
        None => None,
        Some(v) => Some(named_mode(th, v)?),
    };
    if let Some(limit) = args.opt(1).filter(|v| !v.is_none()) {
        let seconds = number(th, limit, "fork_mode() limit must be a number, not {}")?;
        let Ok(limit) = Duration::try_from_secs_f64(seconds) else {
            return Err(th.value_error("fork_mode() limit must be a time in seconds, not negative"));
        };
        fork::set_patience(limit);
    }
    if let Some(mode) = mode {
        fork::set_mode(mode);
    }
    th.new_str(before)
}

fn named_mode(th: &mut Thread, v: Value) -> R<fork::Mode> {
    let Some(name) = str::as_str(v) else {
        let class = super::support::type_name(v);
        return Err(th.type_error(format!("fork_mode() argument must be str, not {class}")));
    };
    match fork::MODES.iter().find(|(known, _)| *known == name) {
        Some((_, mode)) => Ok(*mode),
        None => Err(th.value_error(format!("fork mode must be raw, checked or safe, not {name:?}"))),
    }
}

fn yield_now(th: &mut Thread, _: Args) -> R {
    th.waiting(gil::yield_now);
    Ok(Value::NONE)
}

fn seconds(th: &mut Thread, nanoseconds: u64) -> R {
    th.new_float(nanoseconds as f64 / 1e9)
}

fn switch_dict(th: &mut Thread, figures: &Figures) -> R {
    dict_by_cause(th, |cause| figures.switches_by(cause))
}

fn dict_by_cause(th: &mut Thread, count: impl Fn(Cause) -> u64) -> R {
    let dict = th.new_dict()?;
    for cause in CAUSES {
        let n = th.new_int(count(cause) as i64)?;
        put(th, dict, cause.name(), n)?;
    }
    Ok(dict)
}

/// By the names of blocking calls: how often, and for how long.
fn call_dict(th: &mut Thread, calls: &[Call]) -> R {
    let dict = th.new_dict()?;
    for call in calls {
        let one = th.new_dict()?;
        let count = th.new_int(call.count as i64)?;
        put(th, one, "count", count)?;
        let blocked = seconds(th, call.blocked)?;
        put(th, one, "blocked", blocked)?;
        put(th, dict, &gil::witness::call_name(call.number), one)?;
    }
    Ok(dict)
}

fn switches(th: &mut Thread, _: Args) -> R {
    let total = gil::snapshot().total();
    switch_dict(th, &total)
}

fn thread_dict(th: &mut Thread, account: &Account) -> R {
    let figures = &account.figures;
    let dict = th.new_dict()?;
    let name = th.new_str(&account.name)?;
    put(th, dict, "name", name)?;
    let Figures { held, waited, longest_wait, blocked, stopped, .. } = *figures;
    let times = [
        ("held", held),
        ("waited", waited),
        ("longest_wait", longest_wait),
        ("blocked", blocked),
        ("stopped", stopped),
    ];
    for (key, time) in times {
        let time = seconds(th, time)?;
        put(th, dict, key, time)?;
    }
    for (key, count) in [("acquisitions", figures.acquisitions), ("futile", figures.futile)] {
        let n = th.new_int(count as i64)?;
        put(th, dict, key, n)?;
    }
    let releases = dict_by_cause(th, |cause| figures.releases_by(cause))?;
    put(th, dict, "releases", releases)?;
    let calls = call_dict(th, &account.calls)?;
    put(th, dict, "calls", calls)?;
    let switches = switch_dict(th, figures)?;
    put(th, dict, "switches", switches)?;
    Ok(dict)
}

fn stats(th: &mut Thread, _: Args) -> R {
    let snapshot = gil::snapshot();
    let dict = th.new_dict()?;
    let spelled = th.new_str(&gil::policy().to_string())?;
    put(th, dict, "policy", spelled)?;
    let wall = seconds(th, snapshot.wall)?;
    put(th, dict, "wall", wall)?;
    let unowned = match snapshot.unowned {
        Some(time) => seconds(th, time)?,
        None => Value::NONE,
    };
    put(th, dict, "unowned", unowned)?;
    let threads = th.new_list(&[])?;
    for account in &snapshot.accounts {
        let one = thread_dict(th, account)?;
        if let Some(list) = crate::object::list::of(threads) {
            crate::object::list::push(th, list, one)?;
        }
    }
    put(th, dict, "threads", threads)?;
    let switches = switch_dict(th, &snapshot.total())?;
    put(th, dict, "switches", switches)?;
    Ok(dict)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "gil",
    doc: "The global interpreter lock: which policy is in force, and what it costs. Only Mini has this module.",
    functions: &[
        NativeDef::full("policy", "", policy, "The policy in force, as --gil spells it."),
        NativeDef::full("set", "spec=, /, *, queue=", set, "Change the policy; threads may be running."),
        NativeDef::full("stats", "", stats, "What every thread did with its time, as a dict."),
        NativeDef::full("switches", "", switches, "How often the GIL changed hands, by cause."),
        NativeDef::full(
            "fork_mode",
            "mode=, limit=",
            fork_mode,
            "What a fork does about locks that other threads hold: raw, checked or safe; the mode before.",
        ),
        NativeDef::full("yield_now", "", yield_now, "Offer the GIL to whoever waits for it."),
    ],
    types: &[],
    init: Some(gil_pick::init),
};
