//! A program that stays alive and answers questions, a line each: for measurements that have to be short and close to
//! something else. Must not know what is asked.

use crate::run::{Implementation, TIME_LIMIT};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Killed when it is dropped before its end.
pub struct Session {
    what: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Session {
    /// Errors: the interpreter cannot be started.
    pub fn start(implementation: &Implementation, args: &[String]) -> Result<Session, String> {
        let what = format!("{} {}", implementation.label, args.join(" "));
        let mut command = implementation.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|e| format!("{what}: cannot start the interpreter: {e}"))?;
        let (sender, lines) = channel();
        let output = child.stdout.take();
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|pipe| BufReader::new(pipe).lines()).map_while(Result::ok)
            {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Session { what, input: child.stdin.take(), child, lines })
    }

    /// The line that the program prints next. Errors: it has ended, or says nothing for too long.
    pub fn ask(&mut self, question: &str) -> Result<String, String> {
        let sent = self.input.as_mut().map(|input| writeln!(input, "{question}"));
        match sent {
            Some(Ok(())) => self.next().ok_or_else(|| format!("{}: no answer to '{question}'", self.what)),
            _ => Err(format!("{}: ended before '{question}'", self.what)),
        }
    }

    /// What it prints when there are no more questions. Errors: it fails.
    pub fn finish(mut self) -> Result<Vec<String>, String> {
        self.input = None;
        let rest = std::iter::from_fn(|| self.next()).collect();
        match self.child.wait() {
            Ok(status) if status.success() => Ok(rest),
            Ok(status) => Err(format!("{}: {status}", self.what)),
            Err(error) => Err(format!("{}: {error}", self.what)),
        }
    }

    /// `None` at its end, or when its time is up.
    fn next(&self) -> Option<String> {
        self.lines.recv_timeout(TIME_LIMIT).ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Both fail only where the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
