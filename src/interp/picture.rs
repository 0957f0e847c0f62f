//! What `mini ps` shows of one process: its threads, who holds the GIL and who waits for it, and the tasks of its event
//! loops, as lines whose tabs say how deep they stand in the tree. Made by a thread that runs no Mini code.

use super::threads;
use crate::bytecode::code::Code as Plain;
use crate::gil::{self, Account, Phase};
use crate::native::asyncio_loop;
use crate::object::layout::{Code, Function, Generator};
use crate::object::{Value, future, generator, list, str, types, wide};
use crate::rt::waits;
use crate::vm::{coroutine, frame, poll};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// What is found of one thread while the world stands still.
#[derive(Default)]
struct Found {
    line: Option<String>,
    awaited: Option<String>,
    tasks: Vec<String>,
}

/// The lines of this process.
pub fn of_process() -> String {
    let shot = gil::snapshot();
    let found = gil::stop_from_outside(look);
    let pid = std::process::id();
    let mut out =
        format!("process {pid}  {}  {}  up {:.1} s\n", command_line(), gil::policy(), shot.wall as f64 / 1e9);
    let living: Vec<&Account> = shot.accounts.iter().filter(|a| a.state != gil::State::Gone).collect();
    if gil::policy().has_gil() {
        let named = |phase| {
            let names: Vec<&str> =
                living.iter().filter(|a| a.phase == phase).map(|a| a.name.as_str()).collect();
            if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
        };
        let _ =
            writeln!(out, "\tGIL: held by {}, waited for by {}", named(Phase::Held), named(Phase::Waiting));
    }
    for account in living {
        thread(&mut out, account, found.get(&account.id).unwrap_or(&Found::default()));
    }
    out
}

fn thread(out: &mut String, account: &Account, found: &Found) {
    let doing = super::dump::doing(account.phase, found.awaited.as_deref());
    let (held, waited) = (account.figures.held as f64 / 1e9, account.figures.waited as f64 / 1e9);
    let line = found.line.as_ref().map_or(String::new(), |line| format!("  {line}"));
    let _ = writeln!(
        out,
        "\tthread {} {}  {doing}  held {held:.3} s, waited {waited:.3} s{line}",
        account.name, account.id
    );
    for task in &found.tasks {
        let _ = writeln!(out, "\t\ttask {task}");
    }
}

fn look(_: &gil::World) -> HashMap<u64, Found> {
    let mut awaited = waits::all_said();
    let mut found = HashMap::new();
    poll::for_each_thread(|t| {
        let id = t.m.member.id();
        let tasks = t.running_loop.map_or(Vec::new(), tasks_of);
        found.insert(id, Found { line: threads::line_of(t), awaited: awaited.remove(&id), tasks });
    });
    found
}

/// The tasks of a loop that are not done, with where each of them waits.
fn tasks_of(event_loop: Value) -> Vec<String> {
    let current = asyncio_loop::current_task(event_loop);
    let tasks = asyncio_loop::of(event_loop).and_then(asyncio_loop::Loop::tasks);
    let tasks = tasks.map_or(&[][..], list::items).iter().filter_map(|slot| slot.get());
    tasks
        .filter_map(|v| {
            let task = future::task_of(v)?;
            let name = wide::word(task, future::NAME).get().unwrap_or(Value::NONE);
            let name = match (str::as_str(name), name.as_small()) {
                (Some(text), _) => text.to_owned(),
                (None, Some(number)) => format!("Task-{number}"),
                (None, None) => "?".to_owned(),
            };
            let doing = if current == Some(v) { "runs" } else { "waits" };
            let stack = wide::word(task, future::CORO).get().map_or(String::new(), stack_of);
            Some(format!("{name}  {doing}{stack}"))
        })
        .collect()
}

/// Where a coroutine stands, and those that it waits for: `  file:line in name`, outermost first.
fn stack_of(mut coro: Value) -> String {
    let mut out = String::new();
    // As deep as a page is long; a coroutine may wait for itself only by a mistake.
    for _ in 0..50 {
        let Some(g) = generator::of(coro) else { break };
        let Some((code, line)) = place_of(g) else { break };
        let arrow = if out.is_empty() { "  " } else { " > " };
        let _ = write!(out, "{arrow}{}:{line} in {}", code.filename, code.name);
        match coroutine::delegate_of(g) {
            Some(next) => coro = next,
            None => break,
        }
    }
    out
}

fn place_of(g: &'static Generator) -> Option<(&'static Plain, u32)> {
    let function = types::cast::<Function>(g.func.get()?)?;
    let code = types::cast::<Code>(function.code.get()?)?;
    let plain = frame::plain(code);
    Some((plain, plain.line_at(frame::index_of(code, g.pc.load(Ordering::Relaxed)))))
}

/// As it was started.
fn command_line() -> String {
    let bytes = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let words = bytes.split(|b| *b == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).replace(['\n', '\t'], " ")).collect::<Vec<_>>().join(" ")
}
