//! The command line: flags, help, and which program to run. Must not know how programs run.

use crate::gil::{PolicySpec, QueueKind, SpecError};
use crate::interp::program::{self, Ended, Program};
use crate::interp::{self, Options};
use crate::interp::{control, importing};
use crate::repl;
use crate::trace::{self, Wishes};
use lexopt::prelude::*;
use std::io::{IsTerminal, Write};
use std::time::Duration;

const HELP: &str = "\
Mini: a small scripting language, and a laboratory for the global interpreter lock.

usage: mini [OPTIONS]                    open a prompt (with input from a pipe: run it as a script)
       mini [OPTIONS] FILE [ARGS]        run a script (.mini or .py; `-` reads standard input)
       mini [OPTIONS] -c CODE [ARGS]     run the code given
       mini [OPTIONS] -m MODULE [ARGS]   run a module
       mini dis FILE                     show the bytecode of a script
       mini trace check FILE             say whether a trace is sound, and what is wrong if not
       mini trace view FILE [-o PAGE]    make a page of a trace (FILE.html), to be opened in any browser
       mini ps PID                       show the threads, tasks and children of a running Mini process
       mini gil PID POLICY               change its policy while it runs
       mini lab                          the experiments on the GIL: list them, run one, run all (mini lab --help)

options:
  --gil POLICY      who may run, and when threads switch (also: the variable MINI_GIL)
                      off            no lock: threads run in parallel
                      time:DUR       a waiting thread gets the lock after DUR (the default: time:5ms)
                      ticks:N        a switch after every N instructions, as in Python 2
                      coop           only at blocking calls and time.sleep(0)
                    with ,queue=os|fifo|io|battle|lottery[:SEED] (who is next), ,poll=op|line|edge|call (where)
  -i                open a prompt after the script
  -u                write what is printed at once, also into pipes and files
  --stats[=json]    at the end, print what each thread held, waited and was blocked, to standard error
  --blame           at the end, print which line waited for which, to standard error
  --trace FILE      write what every thread, task and child process did, for `mini trace` and ui.perfetto.dev
  --trace-events N  keep N events of each process at most (1000000)
  --max-heap SIZE   limit the heap (for example 512M, 2G); beyond it: MemoryError
  --dump-after SEC  after so many seconds, print every thread's stack and what it waits for, to standard error
  --version         print the version
  --help            print this

environment: MINI_GIL (as --gil), MINIPATH (folders to import from, separated by `:`),
             MINI_HISTORY (file of the prompt's history; empty: none), NO_COLOR
";

/// The laboratory is written in Mini; whatever lies in the current folder is none of its modules.
const LAB: &str = "import sys; sys.path.remove(''); import _lab; sys.exit(_lab.main())";

/// A command line, understood.
struct Command {
    action: Action,
    settings: Settings,
}

/// How it is to be done.
struct Settings {
    policy: Option<PolicySpec>,
    stats: Option<Stats>,
    max_heap: usize,
    dump_after: Option<Duration>,
    wishes: Wishes,
    /// A prompt opens after the program.
    prompt: bool,
    argv: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stats {
    Text,
    Json,
}

enum Action {
    Run(Program),
    Disassemble(String),
    CheckTrace(String),
    ViewTrace(String, Option<String>),
    /// A process is asked what it does, or told another policy.
    Ask(u32, Option<String>),
    Lab,
    Help,
    Version,
    Prompt,
}

/// The whole program: returns the exit code.
pub fn main() -> i32 {
    match parse() {
        Ok(command) => obey(command),
        Err(message) => {
            complain(&format!("mini: {message}\nTry `mini --help` for more information.\n"));
            2
        }
    }
}

/// Prints to standard output. A reader that has left is no error: it has seen what it wanted.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// Prints to standard error, if there is one.
fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn parse() -> Result<Command, String> {
    let settings = Settings {
        policy: policy_of_environment()?,
        stats: None,
        max_heap: 0,
        dump_after: None,
        wishes: Wishes::default(),
        prompt: false,
        argv: vec![String::new()],
    };
    let mut command = Command { action: Action::Prompt, settings };
    let settings = &mut command.settings;
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
        match arg {
            Long("gil") => settings.policy = Some(policy(&text(&mut parser, "--gil")?)?),
            Long("stats") => settings.stats = Some(stats(parser.optional_value())?),
            Long("max-heap") => settings.max_heap = size(&text(&mut parser, "--max-heap")?)?,
            Long("dump-after") => settings.dump_after = Some(seconds(&text(&mut parser, "--dump-after")?)?),
            Long("trace") => settings.wishes.file = Some(text(&mut parser, "--trace")?.into()),
            Long("trace-events") => {
                settings.wishes.events = Some(events(&text(&mut parser, "--trace-events")?)?)
            }
            Long("blame") => settings.wishes.blame = true,
            Long("help") | Short('h') => return Ok(Command { action: Action::Help, ..command }),
            Long("version") | Short('V') => return Ok(Command { action: Action::Version, ..command }),
            Short('i') => settings.prompt = true,
            Short('u') => interp::write_at_once(),
            Short('c') => {
                let code = text(&mut parser, "-c")?;
                return rest(command, parser, "-c".to_owned(), Action::Run(Program::Command(code)));
            }
            Short('m') => {
                let name = text(&mut parser, "-m")?;
                return rest(command, parser, "-m".to_owned(), Action::Run(Program::Module(name)));
            }
            Value(file) => {
                let file = utf8(file)?;
                if file == "ps" || file == "gil" {
                    return asking(command, parser, &file);
                }
                if file == "dis" {
                    let file = utf8(parser.value().map_err(|_| "dis: which file?".to_owned())?)?;
                    return Ok(Command { action: Action::Disassemble(file), ..command });
                }
                if file == "trace" {
                    return Ok(Command { action: trace_tool(&mut parser)?, ..command });
                }
                if file == "lab" {
                    return rest(command, parser, "mini lab".to_owned(), Action::Lab);
                }
                let program = if file == "-" { Program::Stdin } else { Program::File(file.clone()) };
                return rest(command, parser, file, Action::Run(program));
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(command)
}

/// What follows `mini trace`.
fn trace_tool(parser: &mut lexopt::Parser) -> Result<Action, String> {
    const USAGE: &str = "trace: say `mini trace check FILE` or `mini trace view FILE [-o PAGE]`";
    let (mut words, mut page) = (Vec::new(), None);
    while let Some(arg) = parser.next().map_err(|e| e.to_string())? {
        match arg {
            Short('o') => page = Some(text(parser, "-o")?),
            Value(word) => words.push(utf8(word)?),
            other => return Err(other.unexpected().to_string()),
        }
    }
    match (&words[..], page) {
        ([tool, file], None) if tool == "check" => Ok(Action::CheckTrace(file.clone())),
        ([tool, file], page) if tool == "view" => Ok(Action::ViewTrace(file.clone(), page)),
        _ => Err(USAGE.to_owned()),
    }
}

fn events(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("--trace-events: '{text}' is no number of events (for example 1000000)"))
}

/// `ps PID` and `gil PID POLICY`.
fn asking(command: Command, mut parser: lexopt::Parser, what: &str) -> Result<Command, String> {
    let pid = utf8(parser.value().map_err(|_| format!("{what}: which process?"))?)?;
    let pid = pid.parse().ok().filter(|n| (1..=i32::MAX as u32).contains(n));
    let pid = pid.ok_or_else(|| format!("{what}: the number of a process is expected"))?;
    let policy = match what {
        "gil" => Some(utf8(parser.value().map_err(|_| "gil: which policy?".to_owned())?)?),
        _ => None,
    };
    policy.iter().try_for_each(|text| known(text).map(drop)).map_err(|e| format!("gil: {e}"))?;
    match parser.next() {
        Ok(None) => Ok(Command { action: Action::Ask(pid, policy), ..command }),
        _ => Err(format!("{what}: there is an argument too many")),
    }
}

fn rest(
    mut command: Command,
    mut parser: lexopt::Parser,
    first: String,
    action: Action,
) -> Result<Command, String> {
    command.settings.argv = vec![first];
    for arg in parser.raw_args().map_err(|e| e.to_string())? {
        command.settings.argv.push(utf8(arg)?);
    }
    command.action = action;
    Ok(command)
}

fn utf8(text: std::ffi::OsString) -> Result<String, String> {
    text.into_string().map_err(|t| format!("argument is not valid UTF-8: {}", t.to_string_lossy()))
}

fn text(parser: &mut lexopt::Parser, flag: &str) -> Result<String, String> {
    let value = parser.value().map_err(|_| format!("argument expected for the {flag} option"))?;
    utf8(value)
}

fn policy(text: &str) -> Result<PolicySpec, String> {
    known(text).map_err(|e| format!("--gil: {e}"))
}

/// A policy that is complete without a script.
fn known(text: &str) -> Result<PolicySpec, SpecError> {
    let spec: PolicySpec = text.parse()?;
    if spec.queue == QueueKind::User {
        return Err(SpecError(
            "queue=user needs a function: a script names it with gil.set(queue=function)".into(),
        ));
    }
    Ok(spec)
}

fn policy_of_environment() -> Result<Option<PolicySpec>, String> {
    match std::env::var("MINI_GIL") {
        Ok(text) if !text.is_empty() => known(&text).map(Some).map_err(|e| format!("MINI_GIL: {e}")),
        Err(std::env::VarError::NotUnicode(_)) => Err("MINI_GIL is not valid UTF-8".to_owned()),
        _ => Ok(None),
    }
}

fn stats(value: Option<std::ffi::OsString>) -> Result<Stats, String> {
    match value {
        None => Ok(Stats::Text),
        Some(v) if v == "json" => Ok(Stats::Json),
        Some(v) => Err(format!("--stats: unknown format '{}' (there is only json)", v.to_string_lossy())),
    }
}

/// A time in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let bad = || format!("--dump-after: '{text}' is no time in seconds (for example 10 or 0.5)");
    let value: f64 = text.parse().map_err(|_| bad())?;
    Duration::try_from_secs_f64(value).ok().filter(|span| span.as_secs() < 1 << 32).ok_or_else(bad)
}

/// A size in bytes, with K, M or G.
fn size(text: &str) -> Result<usize, String> {
    let bad = || format!("--max-heap: '{text}' is no size (for example 512M or 2G)");
    let upper = text.trim_end_matches(['b', 'B']).to_ascii_uppercase();
    let (digits, shift) = match upper.as_bytes().last() {
        Some(b'K') => (&upper[..upper.len() - 1], 10),
        Some(b'M') => (&upper[..upper.len() - 1], 20),
        Some(b'G') => (&upper[..upper.len() - 1], 30),
        _ => (&upper[..], 0),
    };
    let n: usize = digits.parse().map_err(|_| bad())?;
    let bytes = n.checked_shl(shift).filter(|b| b >> shift == n).ok_or_else(bad)?;
    if bytes < 4 << 20 {
        return Err(format!("--max-heap: {text} is too small (at least 4M)"));
    }
    Ok(bytes)
}

fn obey(Command { action, settings }: Command) -> i32 {
    match action {
        Action::Help => {
            say(HELP);
            0
        }
        Action::Version => {
            say(concat!("Mini ", env!("CARGO_PKG_VERSION"), "\n"));
            0
        }
        Action::Disassemble(file) => disassemble(&file),
        Action::CheckTrace(file) => check_trace(&file),
        Action::ViewTrace(file, page) => view_trace(&file, page),
        Action::Ask(pid, policy) => {
            let said = match policy {
                Some(policy) => control::set_gil(pid, &policy),
                None => control::ps(pid),
            };
            match &said {
                Ok(text) => say(text),
                Err(message) => complain(&format!("mini: {message}\n")),
            }
            i32::from(said.is_err())
        }
        Action::Prompt if settings.prompt || std::io::stdin().is_terminal() => {
            run(None, Settings { prompt: true, ..settings })
        }
        Action::Prompt => run(Some(Program::Stdin), settings),
        Action::Run(program) => run(Some(program), settings),
        Action::Lab => run(Some(Program::Command(LAB.to_owned())), settings),
    }
}

fn disassemble(file: &str) -> i32 {
    match interp::disassemble(file) {
        Ok(text) => {
            say(&text);
            0
        }
        Err((message, code)) => {
            complain(&message);
            code
        }
    }
}

fn check_trace(file: &str) -> i32 {
    let checked = read(file).and_then(|text| trace::check::check(&text));
    match checked {
        Ok(holds) => {
            say(&format!("{file}: sound: {holds}\n"));
            0
        }
        Err(problems) => {
            problems.iter().for_each(|problem| complain(&format!("{file}: {problem}\n")));
            1
        }
    }
}

fn read(file: &str) -> Result<String, Vec<String>> {
    std::fs::read_to_string(file).map_err(|error| vec![format!("cannot be read: {error}")])
}

fn view_trace(file: &str, page: Option<String>) -> i32 {
    let page = page.unwrap_or_else(|| format!("{file}.html"));
    let made = read(file).and_then(|text| trace::view::page(&text, file).map_err(|problem| vec![problem]));
    let written = made.and_then(|html| {
        std::fs::write(&page, html).map_err(|error| vec![format!("cannot write {page}: {error}")])
    });
    match written {
        Ok(()) => {
            say(&format!("{page}\n"));
            0
        }
        Err(problems) => {
            problems.iter().for_each(|problem| complain(&format!("{file}: {problem}\n")));
            1
        }
    }
}

/// Runs a program, a prompt or both, on a large stack.
fn run(program: Option<Program>, settings: Settings) -> i32 {
    let Settings { policy, stats, max_heap, dump_after, wishes, prompt, argv } = settings;
    if let Err(message) = trace::begin(wishes) {
        complain(&format!("mini: {message}\n"));
        return 1;
    }
    let path = search_path(program.as_ref());
    if prompt {
        // Whoever reads a line is not to be interrupted.
        control::answer_from_now_on();
    }
    let work = move || {
        let options = Options { policy, max_heap, argv, path };
        let mut thread = match interp::start(&options) {
            Ok(thread) => thread,
            Err(message) => {
                complain(&format!("mini: {message}\n"));
                return Ended::Code(1);
            }
        };
        if let Some(Err(message)) = dump_after.map(|span| interp::dump::after(&mut thread, span)) {
            complain(&format!("mini: {message}\n"));
        }
        let mut ended = match program {
            Some(program) if !prompt => program::run(&mut thread, &program),
            program => {
                if let Some(program) = &program {
                    program::run_before_prompt(&mut thread, program);
                }
                repl::run(&mut thread, program.is_some())
            }
        };
        match stats {
            Some(Stats::Text) => complain(&interp::stats::as_table()),
            Some(Stats::Json) => complain(&(trace::ledger::as_json(&crate::gil::snapshot()) + "\n")),
            None => {}
        }
        if let (false, Ended::Code(code @ 0)) = (crate::gil::record::finish(), &mut ended) {
            *code = 1;
        }
        // The process ends here: what the thread owns goes with it.
        std::mem::forget(thread);
        ended
    };
    let run_and_end = || {
        let _guard = EndOfProcess;
        match work() {
            Ended::Code(code) => std::process::exit(code),
            Ended::Interrupted => interp::die_of_interrupt(),
        }
    };
    interp::on_main_stack(run_and_end).unwrap_or_else(|error| {
        complain(&format!("mini: cannot make room for the main thread: {error}\n"));
        1
    })
}

/// If the program fails in a way that must not happen, the process ends.
struct EndOfProcess;

impl Drop for EndOfProcess {
    fn drop(&mut self) {
        std::process::exit(70);
    }
}

/// The program's folder, then MINIPATH.
fn search_path(program: Option<&Program>) -> Vec<String> {
    let first = match program {
        Some(Program::File(file)) if std::path::Path::new(file).is_dir() => importing::absolute(file),
        Some(Program::File(file)) => {
            // Where a link leads, as CPython has it.
            let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.into());
            real.parent().map_or(String::new(), |folder| folder.to_string_lossy().into_owned())
        }
        _ => String::new(),
    };
    let more = std::env::var("MINIPATH").unwrap_or_default();
    let more = more.split(':').filter(|p| !p.is_empty()).map(str::to_owned);
    std::iter::once(first).chain(more).collect()
}
