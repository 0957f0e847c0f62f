//! The prompt's own commands, which begin with `%`: experiments with the GIL, and a look at threads and code.
//! Must not know how a command is typed.

use super::run;
use crate::bytecode::dis;
use crate::gil::{self, PolicySpec};
use crate::interp::{stats, threads};
use crate::native::print::to_stdout;
use crate::object::layout::{BoundMethod, Function, Property};
use crate::object::{R, Slot, Value, class, dict, func, str, types};
use crate::vm::thread::Thread;
use crate::vm::{frame, link};
use std::time::Instant;

type Run = fn(&mut Thread, Value, &str) -> R<()>;

/// A command: its name, what is written behind it, what it does.
pub struct Command {
    pub name: &'static str,
    argument: &'static str,
    does: &'static str,
    run: Run,
}

pub static COMMANDS: [Command; 7] = [
    Command { name: "help", argument: "", does: "list these commands", run: help },
    Command {
        name: "gil",
        argument: "[POLICY]",
        does: "show who may run; or set it at once, threads alive",
        run: policy,
    },
    Command {
        name: "stats",
        argument: "",
        does: "what each thread held, waited and was blocked so far",
        run: ledger,
    },
    Command {
        name: "threads",
        argument: "",
        does: "the living threads: state, line, times",
        run: living_threads,
    },
    Command {
        name: "dis",
        argument: "NAME",
        does: "the bytecode of a function, a method or a class",
        run: disassemble,
    },
    Command { name: "time", argument: "EXPR", does: "run it, and tell how long that took", run: time },
    Command { name: "reset", argument: "", does: "forget all names", run: reset },
];

/// Obeys a line that begins with `%`. Errors: what the code in it raised.
pub fn obey(th: &mut Thread, module: Value, line: &str) -> R<()> {
    let line = line.strip_prefix('%').unwrap_or(line).trim();
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = argument.trim();
    let Some(command) = COMMANDS.iter().find(|c| c.name == name) else {
        let names: Vec<String> = COMMANDS.iter().map(|c| format!("%{}", c.name)).collect();
        return to_stdout(th, &format!("There is no command %{name}. There are: {}\n", names.join(" ")));
    };
    match (command.argument, argument) {
        ("", "") => {}
        ("", _) => return to_stdout(th, &format!("%{name} takes no argument\n")),
        (wanted, "") if !wanted.starts_with('[') => {
            return to_stdout(th, &format!("usage: %{name} {wanted}\n"));
        }
        _ => {}
    }
    (command.run)(th, module, argument)
}

fn help(th: &mut Thread, _: Value, _: &str) -> R<()> {
    let mut text = String::new();
    for command in &COMMANDS {
        let shown = format!("%{} {}", command.name, command.argument);
        text.push_str(&format!("{shown:<16} {}\n", command.does));
    }
    to_stdout(th, &text)
}

fn policy(th: &mut Thread, _: Value, argument: &str) -> R<()> {
    if !argument.is_empty() {
        match argument.parse::<PolicySpec>() {
            Ok(spec) => th.waiting(|member| gil::set_policy(member, spec)),
            Err(error) => return to_stdout(th, &format!("%gil: {error}\n")),
        }
    }
    to_stdout(th, &format!("{}\n", gil::policy()))
}

fn ledger(th: &mut Thread, _: Value, _: &str) -> R<()> {
    to_stdout(th, &stats::as_table())
}

fn living_threads(th: &mut Thread, _: Value, _: &str) -> R<()> {
    let table = threads::as_table(th);
    to_stdout(th, &table)
}

fn disassemble(th: &mut Thread, module: Value, argument: &str) -> R<()> {
    let scope = th.scope();
    let value = run::evaluate(th, module, argument)?;
    th.root(value);
    let listings: Vec<String> = functions(value).into_iter().filter_map(listing).collect();
    th.close(scope);
    if listings.is_empty() {
        return to_stdout(th, &format!("%dis: {argument} has no bytecode: it is not written in Mini\n"));
    }
    to_stdout(th, &listings.join("\n"))
}

/// The functions that a value is made of.
fn functions(value: Value) -> Vec<Value> {
    if let Some(bound) = types::cast::<BoundMethod>(value) {
        return vec![bound.func.value()];
    }
    if let Some(property) = types::cast::<Property>(value) {
        return [&property.get, &property.set, &property.del].into_iter().filter_map(Slot::get).collect();
    }
    match class::cast(value).and_then(|c| c.dict.get()) {
        Some(namespace) => dict::entries(namespace).into_iter().flat_map(|(_, v)| functions(v)).collect(),
        None => vec![func::unwrap_wrapper(value).unwrap_or(value)],
    }
}

fn listing(function: Value) -> Option<String> {
    let code = frame::code_of(types::cast::<Function>(function)?)?;
    Some(dis::disassemble(frame::plain(code)))
}

fn time(th: &mut Thread, module: Value, argument: &str) -> R<()> {
    let before = gil::snapshot();
    let start = Instant::now();
    let result = run::run(th, module, argument);
    let wall = start.elapsed().as_secs_f64() * 1e3;
    let after = gil::snapshot();
    let me = th.m.member.id();
    let mine = |shot: &gil::Snapshot| {
        shot.accounts.iter().find(|a| a.id == me).map(|a| a.figures).unwrap_or_default()
    };
    let (before, after) = (mine(&before), mine(&after));
    let ms = |to: u64, from: u64| to.saturating_sub(from) as f64 / 1e6;
    result?;
    let text = format!(
        "wall {wall:.3} ms   held {:.3} ms   waited {:.3} ms   blocked {:.3} ms\n",
        ms(after.held, before.held),
        ms(after.waited, before.waited),
        ms(after.blocked, before.blocked),
    );
    to_stdout(th, &text)
}

/// Names that every module has stay.
fn reset(th: &mut Thread, module: Value, _: &str) -> R<()> {
    for module in [module, link::builtins()] {
        let Some(names) = func::module_dict(module) else { continue };
        for (name, _) in dict::entries(names) {
            let text = str::as_str(name).unwrap_or("");
            let typed = module != link::builtins() && !(text.starts_with("__") && text.ends_with("__"));
            if typed || text == "_" {
                th.dict_del(names, name)?;
            }
        }
    }
    Ok(())
}
