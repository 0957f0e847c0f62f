//! The command line of the bench runner. Knows nothing about suites but their names.

/// What to measure, in the order in which it is run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Suite {
    Startup,
    Cpu,
    Free,
    Memory,
    Threads,
    Processes,
    Policies,
    Loops,
}

const ALL: [(&str, Suite); 8] = [
    ("startup", Suite::Startup),
    ("cpu", Suite::Cpu),
    ("free", Suite::Free),
    ("memory", Suite::Memory),
    ("threads", Suite::Threads),
    ("processes", Suite::Processes),
    ("policies", Suite::Policies),
    ("loops", Suite::Loops),
];

pub const HELP: &str = "\
Usage: cargo bench [-- [SUITE...] [OPTIONS]]

Suites (all of them by default):
  startup        `-c pass` from start to exit
  cpu            single-threaded programs, whole process
  free           --gil off: two threads against in turn, and one thread against --gil time:5ms
  memory         resident bytes per item of lists, dicts, objects, strings
  threads        lock hand-over, queue.Queue, thread start and join
  processes      pipes, queues and pools of processes, fork and wait, two processes against in turn
  policies       an echo server beside a computing thread, the longest wait for a turn, the battle for the lock
  loops          event loops: echo servers against asyncio, uvloop and mio; switches, tasks, what waits

Options:
  --rounds N     interleaved rounds; the median counts (default 5, 20 for startup)
  --filter NAME  only the programs and rows whose name contains NAME
  --json FILE    write the results to FILE as well
  --mini PATH    measure this binary instead of the one cargo has just built (also: the variable MINI)
  --help         this text
";

pub struct Options {
    pub suites: Vec<Suite>,
    /// `None`: each suite's own default.
    pub rounds: Option<usize>,
    pub filter: Option<String>,
    pub json: Option<String>,
    pub mini: Option<String>,
}

impl Options {
    /// `Ok(None)` means that help was asked for.
    pub fn from_args(mut args: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
        let mut options = Options {
            suites: Vec::new(),
            rounds: None,
            filter: None,
            json: None,
            mini: std::env::var("MINI").ok().filter(|path| !path.is_empty()),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value; see `cargo bench -- --help`"));
            match arg.as_str() {
                "--bench" => {} // cargo passes it to every bench program
                "-h" | "--help" => return Ok(None),
                "all" => options.suites.extend(ALL.iter().map(|(_, suite)| *suite)),
                "--rounds" => options.rounds = Some(parse_rounds(&value()?)?),
                "--filter" => options.filter = Some(value()?),
                "--json" => options.json = Some(value()?),
                "--mini" => options.mini = Some(value()?),
                name => options.suites.push(parse_suite(name)?),
            }
        }
        if options.suites.is_empty() {
            options.suites.extend(ALL.iter().map(|(_, suite)| *suite));
        }
        Ok(Some(options))
    }
}

fn parse_rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("--rounds needs a positive number, not '{text}'")),
    }
}

fn parse_suite(name: &str) -> Result<Suite, String> {
    match ALL.iter().find(|(known, _)| *known == name) {
        Some((_, suite)) => Ok(*suite),
        None => Err(format!("unknown suite or option '{name}'; see `cargo bench -- --help`")),
    }
}
