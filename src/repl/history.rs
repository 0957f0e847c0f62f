//! The inputs of past sessions: one line each in a file that only ever grows by whole lines. So a process that is
//! killed leaves it whole, and sessions at the same time mix without harm. Must not know editors.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// So many inputs are offered.
pub const OFFERED: usize = 5_000;
/// A file with more lines is shortened to `OFFERED` when a session begins.
const LONGEST: usize = 2 * OFFERED;

/// The file, if there is one to be written.
pub struct History {
    path: Option<PathBuf>,
    /// Why nothing can be kept, until somebody was told.
    complaint: Option<String>,
}

/// `MINI_HISTORY` (empty: none), else `mini/history` in the XDG folder for state.
fn default_path() -> Option<PathBuf> {
    match std::env::var_os("MINI_HISTORY") {
        Some(path) if path.is_empty() => return None,
        Some(path) => return Some(path.into()),
        None => {}
    }
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("mini/history"))
}

impl History {
    /// No history.
    pub fn none() -> (History, Vec<String>) {
        (History { path: None, complaint: None }, Vec::new())
    }

    /// Opens the history: the inputs it holds, the oldest first.
    pub fn open() -> (History, Vec<String>) {
        let mut history = History { path: default_path(), complaint: None };
        let entries = match history.path.as_deref().map(load) {
            Some(Ok(entries)) => entries,
            Some(Err(error)) => {
                history.give_up(&error);
                Vec::new()
            }
            None => Vec::new(),
        };
        (history, entries)
    }

    /// Keeps an input. What fails is said once, by `complaint`.
    pub fn append(&mut self, input: &str) {
        if let Some(Err(error)) = self.path.as_deref().map(|path| append(path, input)) {
            self.give_up(&error);
        }
    }

    /// What to tell the user, once.
    pub fn complaint(&mut self) -> Option<String> {
        self.complaint.take()
    }

    fn give_up(&mut self, error: &std::io::Error) {
        if let Some(path) = self.path.take() {
            let text = error.to_string();
            let reason = text.split(" (os error").next().unwrap_or_default();
            self.complaint = Some(format!("history is not kept: {}: {reason}", path.display()));
        }
    }
}

fn load(path: &Path) -> std::io::Result<Vec<String>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // The first input would fail; better to say so at once.
            return open_to_append(path).map(|_| Vec::new());
        }
        done => done?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let newest = lines.get(lines.len().saturating_sub(OFFERED)..).unwrap_or(&lines);
    if lines.len() > LONGEST {
        // A file that cannot be replaced stays as long as it is.
        let _ = replace(path, newest);
    }
    Ok(newest.iter().map(|line| unescape(line)).collect())
}

/// Writes a shorter file beside, then puts it in the place of the old one.
fn replace(path: &Path, lines: &[&str]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut text = lines.join("\n");
    text.push('\n');
    let written =
        new_file().truncate(true).open(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    let replaced = written.and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// What is typed at a prompt may be private.
fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn open_to_append(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    new_file().read(true).append(true).open(path)
}

/// One write call: a killed process has written all of it or nothing.
fn append(path: &Path, input: &str) -> std::io::Result<()> {
    let mut file = open_to_append(path)?;
    let mut line = escape(input);
    line.push('\n');
    if !ends_whole(&mut file)? {
        line.insert(0, '\n');
    }
    file.write_all(line.as_bytes())
}

/// Whether the file ends with a line end, or is no regular file.
fn ends_whole(file: &mut File) -> std::io::Result<bool> {
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

fn escape(input: &str) -> String {
    input.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescape(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, (c == '\\').then(|| chars.next()).flatten()) {
            (_, Some('n')) => out.push('\n'),
            (_, Some('r')) => out.push('\r'),
            (_, Some(other)) => out.push(other),
            (c, None) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_one_line() {
        for input in ["x", "def f():\n    return '\\n'", "\\", "a\\nb", "\r\n"] {
            assert!(!escape(input).contains(['\n', '\r']));
            assert_eq!(unescape(&escape(input)), input);
        }
        assert_eq!(unescape("a\\"), "a\\");
    }
}
