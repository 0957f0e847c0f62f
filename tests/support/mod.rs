//! What the test programs share: starting `mini`, bounding its time, finding files. Asserts nothing itself.
#![allow(dead_code)] // every test program uses its own part of this file

pub mod pty;
pub mod source;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The policies under which every script has to give the same result.
pub const POLICIES: [&str; 4] = ["off", "ticks:1", "time:5ms", "coop"];

/// The binary under test. The variable MINI puts another one in its place: CPython, to test the tests themselves.
pub fn mini() -> PathBuf {
    match std::env::var_os("MINI") {
        Some(path) if !path.is_empty() => path.into(),
        _ => env!("CARGO_BIN_EXE_mini").into(),
    }
}

/// Whether MINI names a CPython, which knows no `--gil` and no module `gil`.
pub fn python_stands_in() -> bool {
    mini().file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"))
}

/// A command that runs the binary under test, free of the caller's settings.
pub fn mini_command(gil: Option<&str>) -> Command {
    let mut command = Command::new(mini());
    for variable in
        ["MINI_GIL", "MINIPATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONSAFEPATH", "PYTHONHASHSEED"]
    {
        command.env_remove(variable);
    }
    // Mini has no warnings; harmless to it.
    command.env("PYTHONWARNINGS", "ignore");
    if let Some(gil) = gil.filter(|_| !python_stands_in()) {
        command.args(["--gil", gil]);
    }
    command
}

/// Root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A fresh folder for one test, under cargo's own temporary folder.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// All files below a folder whose names end in `.extension`, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Says something even when the test passes and its output is swallowed.
pub fn loudly(message: &str) {
    // Nothing is lost but the message if there is no stderr.
    let _ = writeln!(std::io::stderr(), "\n*** {message}");
}

/// A process that has ended, or was killed.
pub struct Finished {
    /// `None`: still running at its time limit, and killed.
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The exit code as a shell shows it: 128 + N for death by signal N, -1 for a time-out.
    pub fn code(&self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        match self.status {
            None => -1,
            Some(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        }
    }

    /// The last line of stderr, where an exception says what it is.
    pub fn last_error(&self) -> &str {
        self.stderr.trim_end().lines().last().unwrap_or("")
    }
}

/// Runs a command to its end, with this on its stdin, for at most `limit`.
pub fn run(mut command: Command, stdin: &[u8], limit: Duration) -> Finished {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
    let mut pipe = child.stdin.take().unwrap();
    let input = stdin.to_vec();
    // A child that exits early breaks the pipe, which is its right.
    std::thread::spawn(move || pipe.write_all(&input));
    finish(child, limit)
}

/// Waits for a child that has its pipes; kills it at the limit.
pub fn finish(mut child: Child, limit: Duration) -> Finished {
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let status = wait(&mut child, limit);
    let text = |pipe: Option<mpsc::Receiver<String>>| {
        // A grandchild may hold the pipe open for ever: what matters has been said by then.
        pipe.and_then(|pipe| pipe.recv_timeout(Duration::from_secs(5)).ok()).unwrap_or_default()
    };
    Finished { status, stdout: text(stdout), stderr: text(stderr) }
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // It may have ended just now: then there is nothing left to kill.
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn collect(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}
