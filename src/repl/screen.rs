//! The terminal that the edited line shares with running threads: what they print meanwhile appears above the line.
//! Must not know the heap.
//!
//! While a line is edited, writes go to a queue. A wake-up (an "external print" of one line end) makes the editor
//! clear its rows and draw them anew; just before it draws, it calls [`Screen::show_queue`]. So the text itself never
//! lies in a channel of the editor's, and when the line is done, what is still queued is written before anything else.

use crate::rt::syscall::{self, Sys};
use crate::rt::terminal;
use rustyline::ExternalPrinter;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

/// Threads that print faster than the terminal shows wait when this much is queued, in bytes.
const MOST_QUEUED: usize = 64 << 10;
/// A longer rest of a line is not repeated in front of the prompt.
const LONGEST_REST: usize = 500;

/// Who may write to the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everybody.
    Direct,
    /// Nobody but the editor, which is just beginning or ending.
    Held,
    /// Nobody but the editor, which can be woken.
    Editing,
}

type Printer = Box<dyn ExternalPrinter + Send>;

struct State {
    mode: Mode,
    /// What threads have printed while a line is edited.
    queue: Vec<u8>,
    /// A wake-up is on its way to the editor.
    waking: bool,
    printer: Option<Printer>,
    /// The last line written directly, as far as it has no end yet.
    rest: Vec<u8>,
    /// The process that edits; a forked child does not.
    process: u32,
    /// Whether standard output and standard error are the terminal.
    shared: [bool; 2],
}

/// The one screen of the process.
pub struct Screen {
    state: Mutex<State>,
    /// Signalled when the queue was emptied.
    room: Condvar,
}

static SCREEN: LazyLock<Screen> = LazyLock::new(|| Screen {
    state: Mutex::new(State {
        mode: Mode::Direct,
        queue: Vec::new(),
        waking: false,
        printer: None,
        rest: Vec::new(),
        process: std::process::id(),
        shared: [is_terminal(1), is_terminal(2)],
    }),
    room: Condvar::new(),
});

fn is_terminal(fd: i32) -> bool {
    syscall::isatty(fd) == Ok(1)
}

/// Begins to share the terminal; `printer` wakes the editor.
pub fn install(printer: Printer) -> &'static Screen {
    SCREEN.state().printer = Some(printer);
    terminal::share(&*SCREEN);
    &SCREEN
}

impl terminal::Screen for Screen {
    fn write(&self, fd: i32, bytes: &[u8]) -> Sys<usize> {
        let mut state = self.state();
        let shared = state.shared.get(fd as usize - 1).copied().unwrap_or(false);
        if !shared || state.process != std::process::id() {
            drop(state);
            return syscall::write(fd, bytes);
        }
        while state.mode != Mode::Direct && state.queue.len() > MOST_QUEUED {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.mode == Mode::Direct {
            // The lock is kept: no line may begin to be edited in the middle of this.
            let written = syscall::write(fd, bytes)?;
            state.wrote(bytes.get(..written).unwrap_or(&[]));
            return Ok(written);
        }
        state.queue.extend_from_slice(bytes);
        self.wake(state);
        Ok(bytes.len())
    }

    fn line_was_read(&self) {
        self.state().rest.clear();
    }
}

impl State {
    /// Keeps in mind where the cursor stands.
    fn wrote(&mut self, bytes: &[u8]) {
        match bytes.iter().rposition(|b| *b == b'\n' || *b == b'\r') {
            Some(at) => {
                self.rest.clear();
                self.rest.extend_from_slice(bytes.get(at + 1..).unwrap_or(&[]));
            }
            None => self.rest.extend_from_slice(bytes),
        }
        // Whoever writes for ever without a line end: the beginning is of no use.
        let excess = self.rest.len().saturating_sub(2 * LONGEST_REST);
        self.rest.drain(..excess);
    }
}

impl Screen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the editor if there is a whole line for it to show.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if state.mode != Mode::Editing || state.waking || !state.queue.contains(&b'\n') {
            return;
        }
        // Taken out and called without the lock: it waits if an earlier wake-up was not heard.
        let Some(mut printer) = state.printer.take() else { return };
        state.waking = true;
        drop(state);
        // An editor that cannot be woken shows the queue when its line is done.
        let _ = printer.print("\n".to_owned());
        let mut state = self.state();
        state.printer = Some(printer);
        // Another thread may have found it missing meanwhile.
        self.wake(state);
    }

    /// Before a line is edited: from now on writes are queued. Returns the unfinished line in front of the prompt.
    pub fn hold(&self) -> String {
        let mut state = self.state();
        state.mode = Mode::Held;
        let rest = std::mem::take(&mut state.rest);
        match String::from_utf8(rest) {
            Ok(text) if text.len() <= LONGEST_REST && !text.contains(|c: char| c.is_control()) => text,
            _ => {
                write_all("\n");
                String::new()
            }
        }
    }

    /// The editor has drawn the line and reads keys.
    pub fn editing(&self) {
        let mut state = self.state();
        if state.mode == Mode::Held {
            state.mode = Mode::Editing;
            self.wake(state);
        }
    }

    /// The editor may be about to leave the line.
    pub fn leaving(&self) {
        let mut state = self.state();
        if state.mode == Mode::Editing {
            state.mode = Mode::Held;
        }
    }

    /// The editor was woken: its rows are cleared, the cursor is one line below them. Writes the whole lines of the queue.
    pub fn show_queue(&self) {
        let mut state = self.state();
        state.waking = false;
        let whole = state.queue.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let mut bytes = b"\x1b[A".to_vec();
        bytes.extend(state.queue.drain(..whole));
        write_bytes(&bytes);
        self.room.notify_all();
    }

    /// The line is done: what was queued is written, and everybody may write again.
    pub fn release(&self) {
        let mut state = self.state();
        let queue = std::mem::take(&mut state.queue);
        write_bytes(&queue);
        state.rest.clear();
        state.wrote(&queue);
        state.mode = Mode::Direct;
        self.room.notify_all();
    }
}

fn write_all(text: &str) {
    write_bytes(text.as_bytes());
}

/// A terminal that is gone is noticed by whoever reads from it.
fn write_bytes(mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match syscall::write(1, bytes) {
            Ok(n @ 1..) => bytes = bytes.get(n..).unwrap_or(&[]),
            Err(libc::EINTR | libc::EAGAIN) => {}
            _ => return,
        }
    }
}
