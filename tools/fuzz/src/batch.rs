//! Runs programs in both interpreters, many in one process, and compares what they print. Must not know how programs
//! are made.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DRIVER: &str = include_str!("driver.py");
/// What one program may take, in time of the processor: how busy the machine is must not matter.
const ONE_PROGRAM: Duration = Duration::from_secs(10);
/// What a batch may take on top of that, for each program: they take a millisecond, and ten in unoptimised builds.
const MANY_PROGRAMS: Duration = Duration::from_millis(50);
/// So many times longer by the clock: a process that sleeps for ever takes no time of the processor.
const BUSY_MACHINE: u32 = 20;
/// The signals of a process that took more than its limit of processor time.
const OUT_OF_TIME: [i32; 2] = [9, 24];
/// A program that wants more memory than this fails, in both interpreters.
const MEMORY_KB: u64 = 2_000_000;

/// How often CPython is asked whether it says the same each time.
const TIMES: usize = 12;

/// How to start one of the two.
#[derive(Clone)]
pub struct Interpreter {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
}

/// The two interpreters, and a folder for files they read.
pub struct Pair {
    pub mini: Interpreter,
    pub python: Interpreter,
    pub folder: PathBuf,
}

/// How one program ended in one interpreter.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    Printed(String),
    /// It did not end in time.
    Hung,
    /// The process ended before the program did; what it wrote to stderr.
    Crashed(String),
}

impl Outcome {
    pub fn to_text(&self) -> String {
        match self {
            Outcome::Printed(text) => text.replace('\x1d', "! "),
            Outcome::Hung => "(still running at its time limit)\n".to_string(),
            Outcome::Crashed(stderr) => format!("(the process died)\n{stderr}"),
        }
    }

    fn is_short_of_memory(&self) -> bool {
        matches!(self, Outcome::Printed(text) if text.contains("MemoryError"))
    }
}

/// What the two made of one program.
pub struct Verdict {
    pub mini: Outcome,
    pub python: Outcome,
}

impl Verdict {
    /// A program that takes CPython too long, or too much memory, says nothing about Mini.
    pub fn differs(&self) -> bool {
        let told = matches!(self.python, Outcome::Printed(_));
        told && !self.python.is_short_of_memory()
            && !self.mini.is_short_of_memory()
            && self.mini != self.python
    }

    /// The words of the first two lines that differ: programs that differ for one reason mostly share them.
    pub fn kind(&self) -> String {
        let (mini, python) = (self.mini.to_text(), self.python.to_text());
        let (mut a, mut b) = (mini.lines(), python.lines());
        let pair = loop {
            match (a.next(), b.next()) {
                (None, None) => break String::new(),
                (a, b) if a == b => {}
                (a, b) => break format!("{} | {}", a.unwrap_or(""), b.unwrap_or("")),
            }
        };
        let mut quoted = false;
        let plain = pair.chars().filter(|c| {
            quoted ^= *c == '\'';
            !quoted && c.is_alphabetic()
        });
        plain.collect()
    }

    /// CPython refuses to compile it.
    pub fn is_refused(&self) -> bool {
        matches!(&self.python, Outcome::Printed(text) if text.starts_with("\x1dSyntaxError"))
    }
}

impl Pair {
    /// Writes the driver. Errors: the folder cannot be written to.
    pub fn prepare(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(self.folder.join("driver.py"), DRIVER)
    }

    /// Runs all of them. Errors: an interpreter cannot be started.
    pub fn compare(&self, programs: &[String]) -> std::io::Result<Vec<Verdict>> {
        let (mini, python) = std::thread::scope(|scope| {
            let other = scope.spawn(|| self.run_all(&self.python, "python", programs));
            let mini = self.run_all(&self.mini, "mini", programs);
            (mini, other.join())
        });
        let python = python.map_err(|_| std::io::Error::other("a thread of the fuzzer ended early"))?;
        Ok(mini?.into_iter().zip(python?).map(|(mini, python)| Verdict { mini, python }).collect())
    }

    /// Whether CPython prints the same each time it runs the program: the order of a set of strings is another in every
    /// process, and so is the pair of items that cannot be compared. Errors: CPython cannot be started.
    pub fn is_certain(&self, program: &String) -> std::io::Result<bool> {
        let mut first = None;
        for _ in 0..TIMES {
            let outcome = self.run_all(&self.python, "python", std::slice::from_ref(program))?.pop();
            if *first.get_or_insert_with(|| outcome.clone()) != outcome {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs all programs in as few processes as it takes: one more for each that hangs, kills its process or leaves it
    /// without memory.
    fn run_all(&self, with: &Interpreter, name: &str, programs: &[String]) -> std::io::Result<Vec<Outcome>> {
        let mut done = Vec::new();
        while done.len() < programs.len() {
            let rest = &programs[done.len()..];
            let file = self.folder.join(format!("{name}.programs"));
            std::fs::write(&file, rest.join("\n\x1e\n"))?;
            let limit = ONE_PROGRAM + MANY_PROGRAMS * rest.len() as u32;
            let (text, stderr, in_time) = run(with, &self.folder.join("driver.py"), &file, limit)?;
            let mut found = outcomes(&text);
            let complete = found.len() > rest.len();
            found.truncate(rest.len());
            if !complete {
                // The last one did not end. A few programs behind it cannot be blamed for the whole batch's time.
                found.pop();
                let last = if in_time { Outcome::Crashed(stderr) } else { Outcome::Hung };
                found.push(Outcome::Printed(String::new()));
                if let Some(slot) = found.last_mut() {
                    *slot = last;
                }
            }
            if let Some(short) = found.iter().position(Outcome::is_short_of_memory) {
                found.truncate(short + 1);
            }
            done.extend(found);
        }
        Ok(done)
    }
}

/// What stands behind each `\x1e` line; the last one is the driver's end, if it got there.
fn outcomes(text: &str) -> Vec<Outcome> {
    let sections = text.split('\x1e').skip(1);
    sections
        .map(|section| {
            Outcome::Printed(without_addresses(section.split_once('\n').map_or("", |(_, rest)| rest)))
        })
        .collect()
}

/// `<map object at 0x7f…>` names a place in memory that nobody can foresee.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split(" at 0x");
    let mut out = parts.next().unwrap_or("").to_string();
    for part in parts {
        out.push_str(" at 0x");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

/// Runs the driver once: stdout, the end of stderr, and whether it ended by itself.
fn run(
    with: &Interpreter,
    driver: &Path,
    file: &Path,
    limit: Duration,
) -> std::io::Result<(String, String, bool)> {
    let mut command = Command::new("/bin/sh");
    let limits = format!("ulimit -v {MEMORY_KB}; ulimit -t {}; exec \"$0\" \"$@\"", limit.as_secs() + 1);
    command.arg("-c").arg(limits).arg(&with.program);
    command.args(&with.args).arg(driver).arg(file);
    command.env_clear().envs(with.env.iter().map(|(k, v)| (k, v)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let end = Instant::now() + limit * BUSY_MACHINE;
    let in_time = loop {
        if let Some(status) = child.try_wait()? {
            break !status.signal().is_some_and(|s| OUT_OF_TIME.contains(&s));
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            break false;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let stderr = stderr.join().unwrap_or_default();
    let tail: Vec<&str> = stderr.lines().rev().take(6).collect();
    Ok((stdout.join().unwrap_or_default(), tail.into_iter().rev().collect::<Vec<_>>().join("\n"), in_time))
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks has said what it had to say.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
