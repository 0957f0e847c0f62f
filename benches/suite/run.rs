//! Running programs: the implementations under test, one timed process, interleaved rounds.
//! Knows processes and clocks, and nothing of what a suite measures.

use crate::options::Options;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Debian's python3.11 package is a PGO build: a fair opponent, which a self-compiled one is not.
const PYTHON: &str = "/usr/bin/python3.11";
const LUA: &str = "/usr/bin/lua5.4";
/// What one measurement may take at most.
pub const TIME_LIMIT: Duration = Duration::from_secs(120);

/// An interpreter, and for Mini the policy it is to run under.
#[derive(Clone)]
pub struct Implementation {
    pub label: String,
    program: PathBuf,
    gil: Option<&'static str>,
}

impl Implementation {
    /// The same binary under another GIL policy. By variable rather than by flag, so that another Python can stand in.
    pub fn with_gil(&self, gil: &'static str) -> Implementation {
        Implementation {
            label: format!("{} {gil}", self.label),
            program: self.program.clone(),
            gil: Some(gil),
        }
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    /// It, to be run with its output caught, under its policy.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("MINI_GIL");
        if let Some(gil) = self.gil {
            command.env("MINI_GIL", gil);
        }
        command
    }
}

/// What one process printed, and how long it lived.
pub struct Outcome {
    pub stdout: String,
    pub seconds: f64,
}

/// The interpreters found on this machine, the options, and the errors so far.
pub struct Lab<'a> {
    pub options: &'a Options,
    pub mini: Implementation,
    pub python: Option<Implementation>,
    pub lua: Option<Implementation>,
    errors: usize,
}

impl<'a> Lab<'a> {
    pub fn new(options: &'a Options) -> Result<Lab<'a>, String> {
        let built = option_env!("CARGO_BIN_EXE_mini").unwrap_or("target/release/mini");
        let program = PathBuf::from(options.mini.as_deref().unwrap_or(built));
        if !program.is_file() {
            return Err(format!("no mini binary at '{}': build it, or pass --mini PATH", program.display()));
        }
        if options.mini.is_some() {
            println!("Note: '{}' takes the place of mini.", program.display());
        }
        let mini = Implementation { label: "mini".to_string(), program, gil: None };
        Ok(Lab { options, mini, python: found("python3.11", PYTHON), lua: found("lua5.4", LUA), errors: 0 })
    }

    pub fn errors(&self) -> usize {
        self.errors
    }

    pub fn rounds(&self, default: usize) -> usize {
        self.options.rounds.unwrap_or(default)
    }

    /// Whether `--filter` lets this name through.
    pub fn wants(&self, name: &str) -> bool {
        self.options.filter.as_deref().is_none_or(|part| name.contains(part))
    }

    /// Mini and then CPython, where it is installed.
    pub fn pythons(&self) -> Vec<Implementation> {
        std::iter::once(self.mini.clone()).chain(self.python.clone()).collect()
    }

    /// Reports a measurement that could not be made, and goes on.
    pub fn report(&mut self, message: &str) {
        eprintln!("bench: error: {message}");
        self.errors += 1;
    }

    /// `None` for a measurement that could not be made, which is reported.
    pub fn unless_failed<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.report(&message)).ok()
    }

    /// Runs every command once per round, in turn, so that a slow minute of the machine hurts all of them alike.
    /// `None` stands for a command that failed; it is reported once and not tried again.
    pub fn interleave(
        &mut self,
        commands: &[(Implementation, Vec<String>)],
        rounds: usize,
    ) -> Vec<Option<Vec<Outcome>>> {
        let mut results: Vec<Option<Vec<Outcome>>> = commands.iter().map(|_| Some(Vec::new())).collect();
        for _ in 0..rounds {
            for ((implementation, args), result) in commands.iter().zip(&mut results) {
                let Some(outcomes) = result else { continue };
                match run(implementation, args) {
                    Ok(outcome) => outcomes.push(outcome),
                    Err(message) => {
                        self.report(&message);
                        *result = None;
                    }
                }
            }
        }
        results
    }
}

fn found(label: &str, path: &str) -> Option<Implementation> {
    if Path::new(path).is_file() {
        return Some(Implementation { label: label.to_string(), program: path.into(), gil: None });
    }
    println!("SKIPPED: {label} is not installed ({path} is missing); its column stays empty.");
    None
}

/// Path of a file under `benches/`, whatever the current folder is.
pub fn bench_file(relative: &str) -> String {
    format!("{}/benches/{relative}", env!("CARGO_MANIFEST_DIR"))
}

/// One process from start to exit, with its output. An exit code other than 0 is an error, and so is running too long.
fn run(implementation: &Implementation, args: &[String]) -> Result<Outcome, String> {
    let what = format!("{} {}", implementation.label, args.join(" "));
    let start = Instant::now();
    let mut child = implementation
        .command(args)
        .spawn()
        .map_err(|e| format!("{what}: cannot start the interpreter: {e}"))?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let Ok(output) = stdout.recv_timeout(TIME_LIMIT) else {
        // A kill can only fail because the child is gone already.
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{what}: still running after {} s; killed", TIME_LIMIT.as_secs()));
    };
    let status = child.wait().map_err(|e| format!("{what}: {e}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        let errors = stderr.recv_timeout(TIME_LIMIT).unwrap_or_default();
        return Err(format!("{what}: {status}\n{}", errors.trim_end()));
    }
    Ok(Outcome { stdout: output, seconds })
}

/// Reads a pipe to its end on a thread of its own, so that a full pipe never blocks the child.
fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// The middle value; of an even number, the mean of the two in the middle. 0 for no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => 0.0,
        _ if n % 2 == 1 => values[n / 2],
        _ => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// Median lifetime of the processes, in milliseconds.
pub fn median_ms(outcomes: &[Outcome]) -> f64 {
    median(outcomes.iter().map(|o| o.seconds * 1000.0).collect())
}

/// Median over the rounds of the first one's lifetime divided by the second one's: the two of a round ran next to each
/// other, so that a processor that is slower for a while slows both.
pub fn median_ratio(over: &[Outcome], under: &[Outcome]) -> f64 {
    median(over.iter().zip(under).map(|(over, under)| over.seconds / under.seconds).collect())
}
