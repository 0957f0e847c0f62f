//! The prompt: reads inputs, runs them, shows what comes of them, until the user leaves.
//!
//! `editor` and `helper` are rustyline on a thread of its own, `screen` shares the terminal between it and running
//! threads, `plain` reads where nothing can be edited; `input` tells whether an input is whole; `run` runs it, `commands`
//! obeys what begins with `%`, `complete` finds names. Must not know the command line.

mod commands;
mod complete;
mod editor;
mod helper;
mod history;
mod input;
mod paint;
mod plain;
mod run;
mod screen;

use crate::gil::{self, Cause};
use crate::interp::program::{self, Ended};
use crate::native::{self, support};
use crate::object::{Exc, R, Value, dict, func, str};
use crate::vm::thread::Thread;
use crate::vm::{import, poll};
use editor::{Line, Said};
use history::History;
use plain::Plain;
use std::io::IsTerminal;
use std::sync::OnceLock;

/// The code of past inputs lies mostly outside the heap, whose growth does not show it: collected every so many inputs.
const COLLECT_EVERY: usize = 100;

/// Where lines come from.
enum Lines {
    Edited(&'static Line),
    Plain(Plain),
}

/// The editor, once there is one.
static LINE: OnceLock<Line> = OnceLock::new();

/// What one look at the lines gave.
enum Typed {
    Input(String),
    Interrupted,
    End,
}

struct Prompt {
    /// `__main__`.
    module: Value,
    lines: Lines,
    history: History,
    /// The input before, which is not remembered twice.
    last: String,
}

/// Opens the prompt and stays in it; then ends the program as any other. `quiet`: a program was run before.
pub fn run(th: &mut Thread, quiet: bool) -> Ended {
    let result = stay(th, quiet);
    program::conclude(th, result.map(|()| Value::NONE))
}

fn stay(th: &mut Thread, quiet: bool) -> R<()> {
    let module = program::main_module(th)?;
    set_prompts(th)?;
    if !quiet {
        greet(th);
    }
    let mut prompt = open(th, module);
    let mut inputs = 0;
    loop {
        match prompt.read(th) {
            Typed::Input(text) => {
                if prompt.obey(th, &text).is_err() {
                    run::report(th)?;
                }
                inputs += 1;
                if inputs % COLLECT_EVERY == 0 {
                    poll::collect(th);
                }
            }
            Typed::Interrupted => {
                let newline = if matches!(prompt.lines, Lines::Plain(_)) { "\n" } else { "" };
                native::print_error(th, &format!("{newline}KeyboardInterrupt\n"));
            }
            Typed::End => return Ok(()),
        }
    }
}

fn greet(th: &mut Thread) {
    let version = env!("CARGO_PKG_VERSION");
    let policy = gil::policy();
    let text = format!(
        "Mini {version}, gil: {policy}\nhelp(x) explains x, %help lists the prompt's commands, Ctrl-D leaves.\n"
    );
    native::print_error(th, &text);
}

/// `sys.ps1` and `sys.ps2` exist only where there is a prompt.
fn set_prompts(th: &mut Thread) -> R<()> {
    let Some(sys) = sys(th)? else { return Ok(()) };
    for (name, text) in [("ps1", ">>> "), ("ps2", "... ")] {
        if support::get(th, sys, name).is_none() {
            support::set_str(th, sys, name, text)?;
        }
    }
    Ok(())
}

fn sys(th: &mut Thread) -> R<Option<Value>> {
    let name = th.name("sys")?;
    import::loaded(th, name)
}

fn open(th: &mut Thread, module: Value) -> Prompt {
    let (mut history, inputs) = if is_editable() { History::open() } else { History::none() };
    let last = inputs.last().cloned().unwrap_or_default();
    let lines = match is_editable().then(|| Line::start(inputs, has_colors())) {
        Some(Ok(line)) => {
            native::print::set_line_reader(read_for_input);
            Lines::Edited(LINE.get_or_init(|| line))
        }
        Some(Err(why)) => {
            native::print_error(th, &format!("mini: lines cannot be edited here: {why}\n"));
            history = History::none().0;
            Lines::Plain(Plain::default())
        }
        None => Lines::Plain(Plain::default()),
    };
    Prompt { module, lines, history, last }
}

fn is_editable() -> bool {
    let terminal = std::env::var("TERM").unwrap_or_default().to_ascii_lowercase();
    let able = !["dumb", "cons25", "emacs"].contains(&terminal.as_str());
    able && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

fn has_colors() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Prompt {
    /// One input, of as many lines as the parser wants.
    fn read(&mut self, th: &mut Thread) -> Typed {
        if let Some(complaint) = self.history.complaint() {
            native::print_error(th, &format!("mini: {complaint}\n"));
        }
        let mut text = String::new();
        loop {
            let first = text.is_empty();
            let prompt = prompt_text(th, if first { "ps1" } else { "ps2" });
            let line = match self.read_line(th, &prompt, &text) {
                Typed::Input(line) => line,
                // As an empty line would: whoever left a block wants it run, or to hear what is missing.
                Typed::End if !first => return Typed::Input(text),
                other => return other,
            };
            text.push_str(&line);
            if (first && line.starts_with('%')) || !input::needs_more(&text) {
                self.remember(&text);
                return Typed::Input(text);
            }
            text.push('\n');
        }
    }

    fn read_line(&mut self, th: &mut Thread, prompt: &str, before: &str) -> Typed {
        flush(th);
        let typed = match &mut self.lines {
            Lines::Edited(line) => edited(th, line, self.module, prompt, before),
            Lines::Plain(plain) => match plain.read(th, prompt) {
                Ok(Some(line)) => Typed::Input(line),
                Ok(None) => {
                    native::print_error(th, "\n");
                    Typed::End
                }
                Err(_) => {
                    th.m.pending = None;
                    plain.forget();
                    Typed::Interrupted
                }
            },
        };
        // A signal may have come just before the editor took care of them, or just after.
        if th.check_signals().is_err() {
            th.m.pending = None;
            return Typed::Interrupted;
        }
        typed
    }

    fn remember(&mut self, text: &str) {
        let text = text.trim_end();
        if text.is_empty() || text == self.last {
            return;
        }
        self.last = text.to_owned();
        if let Lines::Edited(line) = &self.lines {
            line.remember(text);
            self.history.append(text);
        }
    }

    /// Runs an input. Errors: what it raised.
    fn obey(&self, th: &mut Thread, text: &str) -> R<()> {
        if text.starts_with('%') {
            return commands::obey(th, self.module, text);
        }
        if matches!(text.trim(), "exit" | "quit") && !self.defines(th, text.trim())? {
            return Err(th.raise_with(Exc::SystemExit, &[]));
        }
        run::run(th, self.module, text)
    }

    fn defines(&self, th: &mut Thread, name: &str) -> R<bool> {
        let name = th.m.intern(name)?;
        Ok(func::module_dict(self.module).and_then(|names| dict::find_str(names, name)).is_some())
    }
}

/// A line of the editor, which may ask for completions meanwhile.
fn edited(th: &mut Thread, line: &Line, module: Value, prompt: &str, before: &str) -> Typed {
    line.read(prompt, Some(before));
    loop {
        match th.detach(Cause::Blocking, || line.wait()) {
            Said::Complete(text) => {
                let (start, candidates) = complete::candidates(th, module, before, &text);
                line.offer(start, candidates);
            }
            Said::Line(text) => return Typed::Input(text),
            Said::Interrupted => return Typed::Interrupted,
            Said::End => return Typed::End,
            Said::Garbled => {
                native::print_error(th, "mini: that was not UTF-8\n");
                return Typed::Input(String::new());
            }
            Said::Failed(why) => {
                native::print_error(th, &format!("mini: {why}\n"));
                return Typed::End;
            }
        }
    }
}

/// A line for the function `input`.
/// Errors: KeyboardInterrupt.
fn read_for_input(th: &mut Thread, prompt: &str) -> R<Option<String>> {
    let Some(line) = LINE.get() else { return Ok(None) };
    line.read(prompt, None);
    match th.detach(Cause::Blocking, || line.wait()) {
        Said::Line(text) => Ok(Some(text)),
        Said::Interrupted => Err(poll::keyboard_interrupt(th)),
        Said::Garbled => Err(th.value_error("the line is not UTF-8")),
        Said::Complete(_) | Said::End | Said::Failed(_) => Ok(None),
    }
}

/// `sys.ps1` or `sys.ps2`, which may be any object.
fn prompt_text(th: &mut Thread, name: &str) -> String {
    let shown = (|| {
        let sys = sys(th)?;
        let value = sys.and_then(|sys| support::get(th, sys, name));
        value.map(|value| th.str(value)).transpose()
    })();
    match shown {
        Ok(text) => text.and_then(str::as_str).unwrap_or("").to_owned(),
        Err(_) => {
            th.m.pending = None;
            String::new()
        }
    }
}

/// What the input printed must be seen before the next prompt.
fn flush(th: &mut Thread) {
    for name in ["stdout", "stderr"] {
        let file = sys(th).ok().flatten().and_then(|sys| support::get(th, sys, name));
        if let Some(file) = file.filter(|file| !file.is_none())
            && th.call_method(file, "flush", &[]).is_err()
        {
            th.m.pending = None;
        }
    }
}
