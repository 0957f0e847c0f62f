//! The echo servers under load, each a process of its own: who they are, how they are started, measured and ended.

use crate::load::Load;
use crate::run::{Lab, bench_file};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The option of this program that makes it the server on mio. Nobody else needs it.
pub const SERVE: &str = "--serve-echo";
const WARM_UP: Duration = Duration::from_millis(300);
const SPAN: Duration = Duration::from_millis(1000);

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Loop {
    Mini,
    Asyncio,
    Uvloop,
    Mio,
}

/// A server: whose loop, and on which of its levels it is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kind {
    pub of: Loop,
    pub level: &'static str,
}

/// What was measured once.
pub struct Sample {
    pub requests_per_second: f64,
    /// Microseconds of processor time that the server took for a request.
    pub cpu_us: f64,
}

/// The programs that there are.
pub struct Programs {
    mini: PathBuf,
    python: Option<PathBuf>,
    uvloop: Option<PathBuf>,
}

impl Programs {
    /// Finds them. uvloop is installed into the target folder when it is not there yet.
    pub fn find(lab: &Lab) -> Programs {
        let python = lab.python.as_ref().map(|python| python.program().to_path_buf());
        let uvloop = python.as_deref().and_then(uvloop);
        Programs { mini: lab.mini.program().to_path_buf(), python, uvloop }
    }

    /// The command of a server; `None`: it is not installed.
    fn command(&self, kind: Kind) -> Option<Command> {
        let script = bench_file("scripts/echo.mini");
        let program = match kind.of {
            Loop::Mini => Some(self.mini.clone()),
            Loop::Asyncio => self.python.clone(),
            Loop::Uvloop => self.uvloop.clone(),
            Loop::Mio => std::env::current_exe().ok(),
        };
        let mut command = Command::new(program?);
        match kind.of {
            Loop::Mio => command.arg(SERVE),
            Loop::Uvloop => command.args([&script, kind.level, "uvloop"]),
            Loop::Mini | Loop::Asyncio => command.args([&script, kind.level]),
        };
        command.env_remove("MINI_GIL").stdin(Stdio::null()).stdout(Stdio::piped());
        Some(command)
    }

    /// Starts a server and keeps it busy for a while; `None`: it is not installed.
    pub fn measure(&self, kind: Kind, connections: usize) -> Option<Result<Sample, String>> {
        let command = self.command(kind)?;
        let sample = Server::start(command).and_then(|server| server.sample(connections));
        Some(sample.map_err(|message| format!("{kind:?}, {connections} connections: {message}")))
    }
}

/// A Python that has uvloop, made when it is needed for the first time.
fn uvloop(python: &Path) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench-python");
    let own = folder.join("bin/python");
    let has = |own: &Path| ends_well(Command::new(own).args(["-c", "import uvloop"]));
    let made = || {
        println!("Installing uvloop into {} ...", folder.display());
        ends_well(Command::new(python).args(["-m", "venv"]).arg(&folder))
            && ends_well(Command::new(&own).args(["-m", "pip", "install", "--quiet", "uvloop"]))
    };
    if has(&own) || (made() && has(&own)) {
        return Some(own);
    }
    println!(
        "SKIPPED: uvloop COULD NOT BE INSTALLED. The rows that compare with it stay empty, and its targets open."
    );
    None
}

fn ends_well(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

struct Server {
    child: Child,
    port: u16,
    /// Kept open while it runs.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(mut command: Command) -> Result<Server, String> {
        let mut child = command.spawn().map_err(|e| format!("cannot start: {e}"))?;
        let mut line = String::new();
        let stdout = child.stdout.take().map(BufReader::new);
        let Some(mut stdout) = stdout else { return Err("has no output".to_string()) };
        // A server that ends early gives an empty line, and then no port.
        let _ = stdout.read_line(&mut line);
        match line.trim().parse() {
            Ok(port) => Ok(Server { child, port, _stdout: stdout }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err("did not say its port".to_string())
            }
        }
    }

    fn sample(&self, connections: usize) -> Result<Sample, String> {
        let mut load = Load::connect(self.port, connections).map_err(|e| e.to_string())?;
        load.run(WARM_UP).map_err(|e| e.to_string())?;
        let before = self.cpu_ns();
        let answers = load.run(SPAN).map_err(|e| e.to_string())? as f64;
        let cpu = self.cpu_ns() - before;
        Ok(Sample { requests_per_second: answers / SPAN.as_secs_f64(), cpu_us: cpu / answers / 1000.0 })
    }

    /// How long its threads had a processor. Mini's and mio's servers work on one thread; others only wait.
    fn cpu_ns(&self) -> f64 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten();
        let spent = threads.flatten().filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<f64>().ok()
        });
        spent.sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It can only be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
