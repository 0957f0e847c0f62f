//! `mini ps` and `mini gil` from both sides. Whoever asks opens a socket in the user's own folder and sends a signal; the
//! process that is asked connects to it, answers, and goes on. So a process that nobody asks has no socket for it, and while it
//! has one thread no other either: that one looks at its next poll, and starts the thread that answers. Among several, one
//! may wait for others for long; from then on a thread waits for the signal.

use super::picture;
use crate::gil::{self, PolicySpec, QueueKind, signal};
use crate::rt::socket;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So long a process may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The signal is sent again: the first may have come while the process was being forked.
const AGAIN: Duration = Duration::from_millis(300);

/// From now on a thread answers whoever asks, if there is none yet.
pub fn answer_from_now_on() {
    let answers = || {
        signal::block_signals_in_this_thread();
        loop {
            answer(signal::wait_for_question());
        }
    };
    if signal::expect_questions() {
        let started = std::thread::Builder::new().name("mini-answers".to_owned()).spawn(answers);
        if started.is_err() {
            signal::expect_no_questions();
        }
    }
}

/// In a process that has no thread that waits: a thread that answers once.
pub fn answer_once(asker: u32) {
    let answers = move || {
        signal::block_signals_in_this_thread();
        answer(asker);
    };
    // Without a thread nobody answers; the other side says so.
    let _ = std::thread::Builder::new().name("mini-answer".to_owned()).spawn(answers);
}

/// Connects to the process that asks, if it is this user's, reads what it wants to know, and tells.
fn answer(asker: u32) {
    let connect = |folder: PathBuf| UnixStream::connect(own(folder)?.join(format!("{asker}.sock"))).ok();
    let Some(mut stream) = folders().into_iter().find_map(connect).filter(is_ours) else { return };
    let timeouts = [stream.set_read_timeout(Some(PATIENCE)), stream.set_write_timeout(Some(PATIENCE))];
    let mut question = String::new();
    if timeouts.iter().all(Result::is_ok) && (&stream).take(1000).read_to_string(&mut question).is_ok() {
        let said = match question.split_once(' ') {
            Some(("gil", policy)) => change_policy(policy),
            _ => Ok(picture::of_process()),
        };
        // Whoever does not wait for the answer does not want it.
        let _ = match said {
            Ok(text) => stream.write_all(format!("+{text}").as_bytes()),
            Err(text) => stream.write_all(format!("-{text}").as_bytes()),
        };
    }
}

fn change_policy(text: &str) -> Result<String, String> {
    let spec: PolicySpec = text.parse().map_err(|problem| format!("{problem}"))?;
    if spec.queue == QueueKind::User {
        return Err("queue=user needs a function: a script names it with gil.set(queue=function)".to_owned());
    }
    gil::set_policy_from_outside(spec);
    Ok(format!("{}\n", gil::policy()))
}

/// `mini ps PID`: the process and the Mini processes below it, as one tree. Errors: what to tell the user.
pub fn ps(pid: u32) -> Result<String, String> {
    let mut lines = Vec::new();
    collect(&mut lines, pid, &ask(pid, "ps")?, 0);
    Ok(drawn(&lines))
}

/// `mini gil PID POLICY`: the policy in force afterwards.
pub fn set_gil(pid: u32, policy: &str) -> Result<String, String> {
    ask(pid, &format!("gil {policy}"))
}

/// The lines of a process, and of its children, each with its depth.
fn collect(lines: &mut Vec<(usize, String)>, pid: u32, said: &str, depth: usize) {
    for line in said.lines() {
        let text = line.trim_start_matches('\t');
        lines.push((depth + line.len() - text.len(), text.to_owned()));
    }
    for child in children(pid) {
        // Other programs have nothing to say, and some end just now.
        if let Ok(said) = ask(child, "ps") {
            collect(lines, child, &said, depth + 1);
        }
    }
}

fn children(of: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut found: Vec<u32> =
        pids.filter(|pid| status(*pid, "PPid:").is_some_and(|p| p.parse() == Ok(of))).collect();
    found.sort_unstable();
    found
}

/// The tree with lines that show who belongs to whom.
fn drawn(lines: &[(usize, String)]) -> String {
    let mut out = String::new();
    for (i, (depth, text)) in lines.iter().enumerate() {
        let rest = lines.get(i + 1..).unwrap_or(&[]);
        let goes_on = |level: usize| rest.iter().take_while(|(d, _)| *d >= level).any(|(d, _)| *d == level);
        for level in 1..*depth {
            out.push_str(if goes_on(level) { "│  " } else { "   " });
        }
        if *depth > 0 {
            out.push_str(if goes_on(*depth) { "├─ " } else { "└─ " });
        }
        out.push_str(text);
        out.push('\n');
    }
    out
}

/// Asks a process, and waits for its answer.
fn ask(pid: u32, question: &str) -> Result<String, String> {
    check(pid)?;
    let path = folder()?.join(format!("{}.sock", std::process::id()));
    // What an earlier process with this number has left.
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).map_err(|e| format!("cannot open '{}': {e}", path.display()))?;
    let answer = fs::set_permissions(&path, Permissions::from_mode(0o600))
        .and_then(|()| listener.set_nonblocking(true))
        .map_err(|e| format!("cannot open '{}': {e}", path.display()))
        .and_then(|()| converse(&listener, pid, question));
    let _ = fs::remove_file(&path);
    answer
}

fn converse(listener: &UnixListener, pid: u32, question: &str) -> Result<String, String> {
    let failed = |e: std::io::Error| format!("process {pid}: {e}");
    let mut stream = accept(listener, pid)?;
    stream.set_nonblocking(false).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.write_all(question.as_bytes()).map_err(failed)?;
    stream.shutdown(std::net::Shutdown::Write).map_err(failed)?;
    let mut said = String::new();
    match stream.read_to_string(&mut said) {
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(silent(pid)),
        Err(e) => Err(failed(e)),
        Ok(_) => match said.split_at_checked(1) {
            Some(("+", text)) => Ok(text.to_owned()),
            Some((_, text)) => Err(text.to_owned()),
            None => Err(format!("process {pid} has ended")),
        },
    }
}

/// Sends the signal until the process connects.
fn accept(listener: &UnixListener, pid: u32) -> Result<UnixStream, String> {
    let start = Instant::now();
    let mut sent = None;
    while start.elapsed() < PATIENCE {
        if sent.is_none_or(|at: Instant| at.elapsed() > AGAIN) {
            signal::ask(pid).map_err(|_| format!("process {pid} has ended"))?;
            sent = Some(Instant::now());
        }
        match listener.accept() {
            Ok((stream, _)) if is_ours(&stream) => return Ok(stream),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(1)),
            Err(e) => return Err(format!("process {pid}: {e}")),
        }
    }
    Err(silent(pid))
}

fn silent(pid: u32) -> String {
    format!("process {pid} does not answer: it may be stopped, or deep in one long operation")
}

/// Whether a process can be asked: to another program the signal might be the end.
fn check(pid: u32) -> Result<(), String> {
    let place = format!("/proc/{pid}");
    let Ok(about) = fs::metadata(&place) else { return Err(format!("no process {pid}")) };
    if Some(about.uid()) != me() {
        return Err(format!("process {pid} is another user's"));
    }
    let program = fs::read_link(format!("{place}/exe")).unwrap_or_default();
    let same = same_file(Path::new(&format!("{place}/exe")), Path::new("/proc/self/exe"));
    let named = program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mini"));
    let caught = status(pid, "SigCgt:").and_then(|bits| u64::from_str_radix(&bits, 16).ok()).unwrap_or(0);
    if (same || named) && caught & signal::QUESTION_BIT != 0 {
        Ok(())
    } else {
        Err(format!("process {pid} is not a Mini process"))
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) else { return false };
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// A field of a process's status.
fn status(pid: u32, field: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(field)).map(|rest| rest.trim().to_owned())
}

/// Whether the process at the other end is this user's.
fn is_ours(stream: &UnixStream) -> bool {
    let mut peer = [0; 12]; // process, user, group
    let asked = socket::option(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, &mut peer);
    let user = u32::from_ne_bytes([peer[4], peer[5], peer[6], peer[7]]);
    asked.is_ok() && Some(user) == me()
}

/// This process's user.
fn me() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|about| about.uid())
}

/// Where sockets may lie, the best place first: other processes of the user may have another environment.
fn folders() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let user = me().unwrap_or(0);
    let places = [runtime, Some(PathBuf::from(format!("/run/user/{user}")))].into_iter().flatten();
    let mut places: Vec<PathBuf> =
        places.filter(|p| p.is_absolute() && p.is_dir()).map(|p| p.join("mini")).collect();
    places.push(PathBuf::from(format!("/tmp/mini-{user}")));
    places
}

/// The folder for a socket; it is made if need be.
fn folder() -> Result<PathBuf, String> {
    let folders = folders();
    let usable = folders.iter().find_map(|folder| {
        // It may be there already.
        let _ = DirBuilder::new().mode(0o700).create(folder);
        own(folder.clone())
    });
    usable.ok_or_else(|| {
        let shown = folders.last().map_or(String::new(), |f| f.display().to_string());
        format!("'{shown}' is not a folder of this user alone")
    })
}

/// A folder that is this user's alone, and no link to another.
fn own(folder: PathBuf) -> Option<PathBuf> {
    let about = fs::symlink_metadata(&folder).ok()?;
    let private = about.is_dir() && Some(about.uid()) == me() && about.mode() & 0o077 == 0;
    private.then_some(folder)
}
