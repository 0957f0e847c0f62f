//! A recording as a trace that Perfetto and chrome://tracing show: Chrome's JSON, an event a line.
//!
//! A thread's track holds what its time went to, a task's its life and its steps; arrows lead from whoever let go of the GIL to
//! whoever had it next, from a waker to the woken, from a fork to the child. Counters say how many threads did what.

use super::json::quote;
use super::names::Names;
use super::timeline::{self, Span};
use crate::gil::record::{Recording, What};
use crate::gil::{Phase, witness};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// Numbers of tracks of tasks begin here: Perfetto wants one number space for all tracks of a process.
pub const FIRST_TASK: u64 = 1_000_000;
/// Numbers of arrows into forked children begin here.
const FIRST_FORK: u64 = 1 << 40;

/// One process's part of a trace.
pub struct Part<'a> {
    pub recording: &'a Recording,
    pub pid: u32,
    pub is_child: bool,
    end: u64,
    names: Names<'a>,
    threads: Vec<Vec<Span>>,
}

impl<'a> Part<'a> {
    pub fn new(recording: &'a Recording, pid: u32, is_child: bool) -> Part<'a> {
        let end = timeline::end_of(recording);
        let threads = recording.tracks.iter().map(|t| timeline::spans(t, end)).collect();
        Part { recording, pid, is_child, end, names: Names::new(recording), threads }
    }

    /// Calls `put` with every event, which is a JSON object in one line. Errors: what `put` met.
    pub fn events(&self, put: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        self.metadata(put)?;
        for (track, spans) in self.recording.tracks.iter().zip(&self.threads) {
            for span in spans {
                self.span(put, track.id, span)?;
            }
        }
        self.tasks(put)?;
        self.arrows(put)?;
        self.counters(put)
    }

    /// Microseconds since the recording began, to the nanosecond.
    fn ts(&self, at: u64) -> String {
        let ns = at.saturating_sub(self.recording.base);
        format!("{}.{:03}", ns / 1000, ns % 1000)
    }

    fn head(&self, ph: &str, tid: u64, at: u64) -> String {
        format!("{{\"ph\": \"{ph}\", \"pid\": {}, \"tid\": {tid}, \"ts\": {}", self.pid, self.ts(at))
    }

    fn metadata(&self, put: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let pid = self.pid;
        let name = quote(if self.is_child { "mini (child)" } else { "mini" });
        put(&format!(
            "{{\"ph\": \"M\", \"pid\": {pid}, \"name\": \"process_name\", \"args\": {{\"name\": {name}}}}}"
        ))?;
        for (i, track) in self.recording.tracks.iter().enumerate() {
            self.track_name(put, track.id, &track.name, i as u64)?;
        }
        Ok(())
    }

    fn track_name(
        &self,
        put: &mut dyn FnMut(&str) -> io::Result<()>,
        tid: u64,
        name: &str,
        order: u64,
    ) -> io::Result<()> {
        let head = format!("{{\"ph\": \"M\", \"pid\": {}, \"tid\": {tid}", self.pid);
        put(&format!("{head}, \"name\": \"thread_name\", \"args\": {{\"name\": {}}}}}", quote(name)))?;
        put(&format!("{head}, \"name\": \"thread_sort_index\", \"args\": {{\"sort_index\": {order}}}}}"))
    }

    fn span(&self, put: &mut dyn FnMut(&str) -> io::Result<()>, tid: u64, span: &Span) -> io::Result<()> {
        let at = quote(&self.names.place(span.place));
        let (name, args) = match span.phase {
            Phase::Held => {
                let cause = span.cause.map_or("none: it ran to the end", |cause| cause.name());
                ("running".to_owned(), format!("\"until\": {at}, \"let go\": {}", quote(cause)))
            }
            Phase::Waiting => ("waiting for the GIL".to_owned(), format!("\"at\": {at}")),
            Phase::Blocked => {
                let mut args = format!("\"at\": {at}");
                if let Some((_, place @ 1.., _)) = span.woken {
                    args += &format!(", \"ended by\": {}", quote(&self.names.place(place)));
                }
                (format!("blocked: {}", witness::call_name(span.call)), args)
            }
            Phase::Stopped | Phase::Away => ("stopped".to_owned(), format!("\"at\": {at}")),
        };
        let (begin, end) = (self.head("B", tid, span.from), self.head("E", tid, span.to));
        put(&format!("{begin}, \"cat\": \"gil\", \"name\": {}, \"args\": {{{args}}}}}", quote(&name)))?;
        put(&format!("{end}}}"))
    }

    fn tasks(&self, put: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        // By its number: what happened to each, with the thread's.
        let mut tasks: BTreeMap<u64, Vec<(u64, What, u64)>> = BTreeMap::new();
        for track in &self.recording.tracks {
            for event in track.events.iter().filter(|e| e.at <= self.end) {
                if let What::TaskMade { task, .. } | What::StepBegins { task } | What::StepEnds { task, .. } =
                    event.what
                {
                    tasks.entry(task).or_default().push((event.at, event.what, track.id));
                }
            }
        }
        for (task, mut events) in tasks {
            events.sort_by_key(|(at, ..)| *at);
            self.task(put, task, &events)?;
        }
        Ok(())
    }

    /// The life of a task: from its making to its last step, its steps within.
    fn task(
        &self,
        put: &mut dyn FnMut(&str) -> io::Result<()>,
        task: u64,
        events: &[(u64, What, u64)],
    ) -> io::Result<()> {
        let tid = FIRST_TASK + task;
        let (mut alive, mut stepping) = (false, false);
        for (at, what, thread) in events {
            match what {
                What::TaskMade { name, .. } if !alive => {
                    self.track_name(put, tid, self.names.text(*name), tid)?;
                    put(&format!("{}, \"cat\": \"task\", \"name\": \"task\"}}", self.head("B", tid, *at)))?;
                    alive = true;
                }
                What::StepBegins { .. } if alive && !stepping => {
                    let head = self.head("B", tid, *at);
                    put(&format!(
                        "{head}, \"cat\": \"task\", \"name\": \"step\", \"args\": {{\"thread\": {thread}}}}}"
                    ))?;
                    stepping = true;
                }
                What::StepEnds { done, .. } if stepping => {
                    put(&format!("{}}}", self.head("E", tid, *at)))?;
                    stepping = false;
                    if *done {
                        put(&format!("{}}}", self.head("E", tid, *at)))?;
                        alive = false;
                    }
                }
                _ => {}
            }
        }
        for _ in 0..usize::from(alive) + usize::from(stepping) {
            put(&format!("{}}}", self.head("E", tid, self.end)))?;
        }
        Ok(())
    }

    fn arrow(
        &self,
        put: &mut dyn FnMut(&str) -> io::Result<()>,
        (name, id): (&str, u64),
        (from, at): (u64, u64),
        (to, until): (u64, u64),
    ) -> io::Result<()> {
        let tail = format!("\"cat\": \"flow\", \"name\": \"{name}\", \"id\": {id}");
        put(&format!("{}, {tail}}}", self.head("s", from, at)))?;
        put(&format!("{}, \"bp\": \"e\", {tail}}}", self.head("f", to, until)))
    }

    fn arrows(&self, put: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let index: HashMap<u64, usize> =
            self.recording.tracks.iter().enumerate().map(|(i, t)| (t.id, i)).collect();
        // Unique in all processes.
        let mut id = u64::from(self.pid) << 32;
        for (track, spans) in self.recording.tracks.iter().zip(&self.threads) {
            for span in spans {
                if span.phase == Phase::Held
                    && let Some(at) = self.let_go_before(&index, span.after, span.from)
                {
                    id += 1;
                    self.arrow(put, ("GIL", id), (span.after, at), (track.id, span.from))?;
                }
                if let Some((by, _, at)) = span.woken
                    && at <= span.to
                    && self.is_alive(&index, by, at)
                {
                    id += 1;
                    self.arrow(put, ("wake-up", id), (by, at), (track.id, span.to))?;
                }
            }
            for event in track.events.iter().filter(|e| e.at <= self.end) {
                if let What::Forked { pid } = event.what {
                    let tail = format!(
                        "\"cat\": \"flow\", \"name\": \"fork\", \"id\": {}",
                        FIRST_FORK + u64::from(pid)
                    );
                    put(&format!("{}, {tail}}}", self.head("s", track.id, event.at)))?;
                }
            }
        }
        self.fork_arrow(put)
    }

    /// The end of the arrow from the fork that made this process.
    fn fork_arrow(&self, put: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let first =
            self.recording.tracks.iter().zip(&self.threads).find_map(|(t, s)| Some((t.id, s.first()?)));
        if let (true, Some((tid, span))) = (self.is_child, first) {
            let tail = format!(
                "\"cat\": \"flow\", \"name\": \"fork\", \"id\": {}",
                FIRST_FORK + u64::from(self.pid)
            );
            put(&format!("{}, \"bp\": \"e\", {tail}}}", self.head("f", tid, span.to)))?;
        }
        Ok(())
    }

    /// When thread `from` let go of the GIL for the last time before `at`.
    fn let_go_before(&self, index: &HashMap<u64, usize>, from: u64, at: u64) -> Option<u64> {
        let spans = self.threads.get(*index.get(&from)?)?;
        let until = spans.partition_point(|s| s.from < at);
        spans[..until].iter().rev().find(|s| s.phase == Phase::Held && s.to <= at).map(|s| s.to)
    }

    fn is_alive(&self, index: &HashMap<u64, usize>, thread: u64, at: u64) -> bool {
        let spans = index.get(&thread).and_then(|i| self.threads.get(*i));
        spans.is_some_and(|s| s.first().is_some_and(|s| s.from <= at) && s.last().is_some_and(|s| at <= s.to))
    }

    /// How many threads run, wait for the GIL, and are blocked, whenever that changes.
    fn counters(&self, put: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let mut changes: Vec<(u64, usize, i64)> = Vec::new();
        for span in self.threads.iter().flatten() {
            let which = match span.phase {
                Phase::Held => 0,
                Phase::Waiting => 1,
                Phase::Blocked => 2,
                Phase::Stopped | Phase::Away => continue,
            };
            changes.extend([(span.from, which, 1), (span.to, which, -1)]);
        }
        changes.sort_unstable();
        let mut counts = [0i64; 3];
        let mut changes = changes.iter().peekable();
        while let Some((at, which, change)) = changes.next() {
            counts[*which] += change;
            if changes.peek().is_some_and(|next| next.0 == *at) {
                continue;
            }
            let [running, waiting, blocked] = counts;
            put(&format!(
                "{{\"ph\": \"C\", \"pid\": {}, \"ts\": {}, \"name\": \"threads\", \"args\": {{\"running\": {running}, \
                 \"waiting\": {waiting}, \"blocked\": {blocked}}}}}",
                self.pid,
                self.ts(*at)
            ))?;
        }
        Ok(())
    }

    /// What the head of a trace says of this process. `ledger` is a JSON object.
    pub fn about(&self, parent: u32, missing: &[u32], ledger: &str) -> String {
        format!(
            "{{\"pid\": {}, \"parent\": {parent}, \"end\": {}, \"dropped\": {}, \"missing\": {missing:?}, \"ledger\": {ledger}}}",
            self.pid,
            self.ts(self.end),
            self.recording.dropped
        )
    }
}

/// Writes a whole trace: what is said of its processes, and their events. Errors: those of the system.
pub fn document(
    out: &mut dyn Write,
    processes: &[String],
    events: impl FnOnce(&mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(
        out,
        "{{\"displayTimeUnit\": \"ns\", \"otherData\": {{\"mini\": {}, \"processes\": [",
        quote(env!("CARGO_PKG_VERSION"))
    )?;
    writeln!(out, "{}", processes.join(",\n"))?;
    writeln!(out, "]}}, \"traceEvents\": [")?;
    let mut first = true;
    events(&mut |event| {
        let comma = if std::mem::take(&mut first) { "" } else { ",\n" };
        write!(out, "{comma}{event}")
    })?;
    writeln!(out, "\n]}}")?;
    out.flush()
}
