//! What `--trace`, `--blame` and `--stats=json` say about a program that ran, and the tools for traces.
//! Knows the GIL layer alone: no value, no interpreter.
//!
//! Every process writes what it did when it ends: the first one the trace itself, a forked child a part beside it
//! (`FILE.PID`), which its parent takes in and removes.

mod blame;
pub mod check;
pub mod json;
pub mod ledger;
mod names;
mod timeline;
pub mod view;
mod write;

use crate::gil::{self, record};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many events are kept unless `--trace-events` says otherwise: 32 bytes each.
pub const MOST_EVENTS: u32 = 1_000_000;

/// What is to be done with what is written down.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Where the trace goes.
    pub file: Option<PathBuf>,
    pub blame: bool,
    /// How many events are kept.
    pub events: Option<u32>,
}

/// The wishes, until they are fulfilled; and the process that they were made in.
static WISHES: Mutex<Option<(Wishes, u32)>> = Mutex::new(None);

fn wishes() -> MutexGuard<'static, Option<(Wishes, u32)>> {
    WISHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to write down, before the interpreter starts. Errors: what to tell the user.
pub fn begin(asked: Wishes) -> Result<(), String> {
    if asked.file.is_none() && !asked.blame {
        return Ok(());
    }
    if let Some(file) = &asked.file {
        File::create(file).map_err(|error| problem(file, &error))?;
    }
    let events = asked.events.unwrap_or(MOST_EVENTS);
    *wishes() = Some((asked, std::process::id()));
    record::begin(i64::from(events), finish);
    Ok(())
}

fn problem(file: &std::path::Path, error: &io::Error) -> String {
    format!("cannot write the trace {}: {error}", file.display())
}

/// Writes what was asked for, once. False: that failed, and was said.
fn finish() -> bool {
    let Some((wishes, home)) = wishes().take() else { return true };
    let shot = gil::snapshot();
    let recording = record::take(shot.at);
    if wishes.blame {
        let child = if std::process::id() == home {
            String::new()
        } else {
            format!("of child {}, ", std::process::id())
        };
        let _ = io::stderr().write_all((child + &blame::table(&recording)).as_bytes());
    }
    let Some(file) = wishes.file else { return true };
    let pid = std::process::id();
    let part = write::Part::new(&recording, pid, pid != home);
    let children: Vec<Child> = recording.children.iter().map(|pid| Child::find(&file, *pid)).collect();
    let missing: Vec<u32> = children.iter().filter(|c| c.text.is_none()).map(|c| c.pid).collect();
    let about = part.about(std::os::unix::process::parent_id(), &missing, &ledger::as_json(&shot));
    let own = if pid == home { file.clone() } else { part_of(&file, pid) };
    let written = File::create(&own).and_then(|out| {
        let mut out = BufWriter::new(out);
        if pid == home {
            whole(&mut out, &part, about, &children)
        } else {
            piece(&mut out, &part, &about, &children)
        }
    });
    match written {
        Ok(()) => {
            children.iter().filter(|c| c.text.is_some()).for_each(|c| drop(std::fs::remove_file(&c.file)));
            true
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "mini: {}", problem(&own, &error));
            false
        }
    }
}

/// What a child left.
struct Child {
    pid: u32,
    file: PathBuf,
    /// `None`: nothing; it was killed, or still runs.
    text: Option<String>,
}

fn part_of(file: &std::path::Path, pid: u32) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{pid}"));
    name.into()
}

/// The last line of a part, without which it is none.
const COMPLETE: &str = "end";

impl Child {
    fn find(file: &std::path::Path, pid: u32) -> Child {
        let file = part_of(file, pid);
        let text = std::fs::read_to_string(&file).ok().filter(|t| t.trim_end().ends_with(COMPLETE));
        Child { pid, file, text }
    }

    /// The lines that begin with this letter, without it.
    fn lines(&self, kind: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{kind} ");
        let lines = self.text.as_deref().unwrap_or("").lines();
        lines.filter_map(move |line| line.strip_prefix(&prefix))
    }
}

fn whole(out: &mut dyn Write, part: &write::Part, about: String, children: &[Child]) -> io::Result<()> {
    let theirs = children.iter().flat_map(|child| child.lines("P")).map(ToOwned::to_owned);
    let processes: Vec<String> = std::iter::once(about).chain(theirs).collect();
    write::document(out, &processes, |put| {
        part.events(put)?;
        children.iter().flat_map(|child| child.lines("E")).try_for_each(put)
    })
}

/// Processes in lines that begin with P, events in lines that begin with E: those of this process and of its children.
fn piece(out: &mut dyn Write, part: &write::Part, about: &str, children: &[Child]) -> io::Result<()> {
    writeln!(out, "P {about}")?;
    part.events(&mut |event| writeln!(out, "E {event}"))?;
    for child in children {
        child.lines("P").try_for_each(|line| writeln!(out, "P {line}"))?;
        child.lines("E").try_for_each(|line| writeln!(out, "E {line}"))?;
    }
    writeln!(out, "{COMPLETE}")?;
    out.flush()
}
