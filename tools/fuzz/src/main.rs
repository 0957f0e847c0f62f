//! Random programs, run by Mini and by CPython 3.11, whose outputs must not differ. The way in: flags, batches, reports.

mod batch;
mod call;
mod leaf;
mod program;
mod rng;
mod scope;
mod shrink;
mod tables;
mod template;
mod tree;

use batch::{Interpreter, Outcome, Pair, Verdict};
use lexopt::prelude::*;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tree::render;

const HELP: &str = "\
Random programs of Mini's language, run by Mini and by CPython 3.11: what they print must not differ.

Usage: mini-fuzz [OPTIONS]

  --seed N          the stream of programs (1)
  --programs N      how many of it to run (1000)
  --first N         the number of the first one (0)
  --wide            programs that also use the library, protocols and patterns
  --gil POLICY      the policy that Mini runs them under (its default)
  --batch N         programs in one process (250)
  --differences N   stop after so many of different kinds (1)
  --show N          only print program N
  --no-shrink       report programs as they were made
  --mini PATH       another binary than the one built in
  --python PATH     another CPython (/usr/bin/python3.11)

Exit code: 0 no difference, 1 a difference, 2 it could not run.";

/// Set for a copy of this process that is to be `mini`.
const AS_MINI: &str = "MINI_FUZZ_AS_MINI";
/// Enough for whatever the programs nest; deeper recursion is not generated.
const STACK: usize = 64 << 20;

struct Options {
    seed: u64,
    programs: u64,
    first: u64,
    gil: Option<String>,
    batch: usize,
    differences: usize,
    show: Option<u64>,
    shrink: bool,
    wide: bool,
    mini: Option<PathBuf>,
    python: PathBuf,
    help: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    let mut options = Options {
        seed: 1,
        programs: 1000,
        first: 0,
        gil: None,
        batch: 250,
        differences: 1,
        show: None,
        shrink: true,
        wide: false,
        mini: None,
        python: "/usr/bin/python3.11".into(),
        help: false,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("programs") => options.programs = parser.value()?.parse()?,
            Long("first") => options.first = parser.value()?.parse()?,
            Long("gil") => options.gil = Some(parser.value()?.string()?),
            Long("batch") => options.batch = parser.value()?.parse::<std::num::NonZeroUsize>()?.get(),
            Long("differences") => {
                options.differences = parser.value()?.parse::<std::num::NonZeroUsize>()?.get();
            }
            Long("show") => options.show = Some(parser.value()?.parse()?),
            Long("wide") => options.wide = true,
            Long("no-shrink") => options.shrink = false,
            Long("mini") => options.mini = Some(parser.value()?.into()),
            Long("python") => options.python = parser.value()?.into(),
            Short('h') | Long("help") => options.help = true,
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    if std::env::var_os(AS_MINI).is_some() {
        std::process::exit(mini::cli::main());
    }
    let options = match options() {
        Ok(options) => options,
        Err(error) => return refuse(&format!("{error}; --help lists the options")),
    };
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || fuzz(&options));
    match worker.map(|w| w.join()) {
        Ok(Ok(Ok(0))) => ExitCode::SUCCESS,
        Ok(Ok(Ok(_))) => ExitCode::from(1),
        Ok(Ok(Err(message))) => refuse(&message),
        _ => refuse("the fuzzer itself failed"),
    }
}

fn refuse(message: &str) -> ExitCode {
    eprintln!("mini-fuzz: {message}");
    ExitCode::from(2)
}

/// Runs what the options ask for; how many differences it found.
fn fuzz(options: &Options) -> Result<usize, String> {
    if options.help {
        println!("{HELP}");
        return Ok(0);
    }
    if let Some(number) = options.show {
        print!("{}", render(&program::program(options.seed, number, options.wide)));
        return Ok(0);
    }
    if !options.python.exists() {
        return Err(format!("there is no CPython at {}; see --python", options.python.display()));
    }
    let pair = pair(options)?;
    pair.prepare().map_err(|e| format!("{}: {e}", pair.folder.display()))?;
    let found = run(options, &pair);
    // An empty folder of temporary files that stays is no harm.
    let _ = std::fs::remove_dir_all(&pair.folder);
    found
}

fn pair(options: &Options) -> Result<Pair, String> {
    let own = std::env::current_exe().map_err(|e| format!("cannot find myself: {e}"))?;
    let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    let mini = Interpreter {
        program: options.mini.clone().unwrap_or(own),
        args: options.gil.iter().flat_map(|gil| ["--gil".to_string(), gil.clone()]).collect(),
        env: text(&[(AS_MINI, "1")]),
    };
    let python = Interpreter {
        program: options.python.clone(),
        args: ["-I", "-S", "-W", "ignore", "-X", "utf8"].map(str::to_string).to_vec(),
        env: text(&[]),
    };
    let folder = std::env::temp_dir().join(format!("mini-fuzz-{}", std::process::id()));
    Ok(Pair { mini, python, folder })
}

fn run(options: &Options, pair: &Pair) -> Result<usize, String> {
    let start = Instant::now();
    let problem = |e: std::io::Error| format!("cannot run an interpreter: {e}");
    let end = options.first.saturating_add(options.programs);
    let mut seen = HashSet::new();
    let (mut next, mut found, mut failed, mut slow, mut unsure) = (options.first, 0, 0, 0, 0);
    while next < end && seen.len() < options.differences {
        let numbers: Vec<u64> = (next..end).take(options.batch).collect();
        next += numbers.len() as u64;
        let programs: Vec<String> =
            numbers.iter().map(|&n| render(&program::program(options.seed, n, options.wide))).collect();
        let verdicts = pair.compare(&programs).map_err(problem)?;
        failed += verdicts.iter().filter(|v| ended_early(&v.python)).count();
        slow += verdicts.iter().filter(|v| v.python == Outcome::Hung).count();
        for (&number, text) in
            numbers.iter().zip(&programs).zip(&verdicts).filter(|(_, v)| v.differs()).map(|(p, _)| p)
        {
            if !pair.is_certain(text).map_err(problem)? {
                unsure += 1;
                continue;
            }
            // Alone: what one program leaves behind in its process must not be blamed on the next.
            let alone = pair.compare(std::slice::from_ref(text)).map_err(problem)?;
            let Some(verdict) = alone.first().filter(|v| v.differs()) else {
                println!("seed {} program {number} differs only behind others", options.seed);
                found += 1;
                continue;
            };
            found += 1;
            if !seen.insert(verdict.kind()) {
                println!("seed {} program {number} differs in the same way as one above", options.seed);
                continue;
            }
            report(options, pair, number, verdict).map_err(problem)?;
            if seen.len() >= options.differences {
                break;
            }
        }
    }
    println!(
        "{} programs of seed {} in {:.0} s: {found} differences ({failed} ended with an exception, {slow} too slow, \
         {unsure} in which CPython differs from itself)",
        next - options.first,
        options.seed,
        start.elapsed().as_secs_f64()
    );
    Ok(found)
}

fn ended_early(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Printed(text) if text.contains('\x1d'))
}

fn report(options: &Options, pair: &Pair, number: u64, verdict: &Verdict) -> std::io::Result<()> {
    let made = program::program(options.seed, number, options.wide);
    let mut last = None;
    let small = if options.shrink { shrink::shrink(pair, made)? } else { made };
    let text = render(&small);
    if options.shrink {
        last = pair.compare(std::slice::from_ref(&text))?.pop();
    }
    let verdict = last.as_ref().unwrap_or(verdict);
    println!("=== seed {} program {number}\n{text}", options.seed);
    println!("--- CPython\n{}--- Mini\n{}", verdict.python.to_text(), verdict.mini.to_text());
    Ok(())
}
