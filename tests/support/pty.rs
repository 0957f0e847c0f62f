//! A program in a pseudo-terminal of its own: types into it, and waits for what it shows. Asserts only that what is
//! waited for comes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Nothing takes that long unless it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A running program and its terminal.
pub struct Pty {
    keys: File,
    output: Receiver<Vec<u8>>,
    pub child: Child,
    /// Everything it has written so far.
    pub raw: String,
    /// The same without escape sequences; before `at` it has been waited for.
    text: String,
    at: usize,
}

/// Opens a pseudo-terminal so wide that no line of the tests wraps: our end and the program's.
fn open() -> (OwnedFd, OwnedFd) {
    let (mut ours, mut its) = (-1, -1);
    let size = libc::winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: two live integers to write to, a live size to read; no name and no settings are asked for.
    let done = unsafe { libc::openpty(&mut ours, &mut its, std::ptr::null_mut(), std::ptr::null(), &size) };
    assert_eq!(done, 0, "openpty: {}", std::io::Error::last_os_error());
    // SAFETY: both were opened just now, and nobody else knows them.
    unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(its)) }
}

impl Pty {
    /// Starts a program whose terminal this is.
    pub fn start(mut command: Command) -> Pty {
        let (ours, its) = open();
        let copy = || its.try_clone().unwrap();
        command.stdin(copy()).stdout(copy()).stderr(copy());
        // SAFETY: between fork and exec only system calls are made: a session of its own, with its terminal.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        // The command holds the program's end open, and with it the terminal.
        drop((command, its));
        let keys = File::from(ours);
        let output = read_all(keys.try_clone().unwrap());
        Pty { keys, output, child, raw: String::new(), text: String::new(), at: 0 }
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.send_bytes(keys.as_bytes());
    }

    /// Types anything.
    pub fn send_bytes(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }

    /// Types a line and Enter.
    pub fn line(&mut self, line: &str) {
        self.send(&format!("{line}\r"));
    }

    /// Waits until the program has shown this, behind what was waited for last. Returns what came before it.
    #[track_caller]
    pub fn wait(&mut self, wanted: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = self.text[self.at..].find(wanted) {
                let before = self.text[self.at..self.at + found].to_owned();
                self.at += found + wanted.len();
                return before;
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!(
                    "{wanted:?} did not come; after all that was waited for: {:?}",
                    &self.text[self.at..]
                ),
            }
        }
    }

    /// Types a line of a longer input, and waits for the prompt that asks for more.
    #[track_caller]
    pub fn more(&mut self, line: &str) {
        self.enter(line);
        self.wait("... ");
    }

    /// Types a line, waits for the next prompt, and returns what was shown between them.
    #[track_caller]
    pub fn answer(&mut self, line: &str) -> String {
        self.enter(line);
        self.wait(">>> ").replace('\r', "")
    }

    /// The answer to a line has to contain this.
    #[track_caller]
    pub fn shows(&mut self, line: &str, wanted: &str) {
        let answer = self.answer(line);
        assert!(answer.contains(wanted), "{line:?} shows {answer:?} without {wanted:?}");
    }

    /// Types a line and waits until it was taken: while it is edited the prompt is drawn again and again, but only
    /// when it is done the cursor goes to the next line.
    #[track_caller]
    fn enter(&mut self, line: &str) {
        self.line(line);
        self.wait("\n");
    }

    /// What is shown behind what was waited for last, until the program ends, and how it ended.
    pub fn rest(&mut self) -> (String, ExitStatus) {
        let end = Instant::now() + LIMIT;
        while let Ok(bytes) = self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.take(&bytes);
        }
        if Instant::now() >= end {
            let _ = self.child.kill();
            panic!("it did not end; it showed {:?}", &self.text[self.at..]);
        }
        let status = self.child.wait().unwrap();
        (self.text[self.at..].to_owned(), status)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.raw.push_str(&String::from_utf8_lossy(bytes));
        // A sequence may come in two pieces: look at all of it again, up to the last whole one.
        self.text = plain(&self.raw);
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(mut terminal: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // When the program is gone, reading fails.
        while let Ok(n @ 1..) = terminal.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Text without escape sequences; a sequence that is not finished ends it.
fn plain(raw: &str) -> String {
    let mut out = String::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            out.push(c);
            continue;
        }
        if chars.next() == Some('[') && !chars.by_ref().any(|c| c.is_ascii_alphabetic()) {
            break;
        }
    }
    out
}
