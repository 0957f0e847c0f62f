//! The editor of lines: rustyline on a thread of its own, which never touches the heap. The prompt sends it what to
//! read and waits detached; the editor asks the prompt for completions. Must not know what is done with a line.

use super::helper::Help;
use super::paint;
use super::screen::{self, Screen};
use rustyline::error::ReadlineError;
use rustyline::history::{History, MemHistory};
use rustyline::{
    Cmd, ColorMode, CompletionType, ConditionalEventHandler, Config, Editor, Event, EventContext,
    EventHandler, KeyEvent, RepeatCount,
};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};

/// What the prompt wants of the editor.
pub enum Order {
    /// A line of Mini, whose input has these lines above it; without them any line, which is neither painted nor
    /// completed. `lead` is left over in front of the prompt.
    Read { lead: String, prompt: String, before: Option<String> },
    /// An input to be offered again.
    Remember(String),
    /// What could replace the text from this byte to the cursor.
    Candidates(usize, Vec<String>),
}

/// What the editor says.
pub enum Said {
    /// What could complete this line, whose text ends at the cursor? Answered by [`Line::offer`].
    Complete(String),
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or no terminal any more.
    End,
    /// Bytes that are no text.
    Garbled,
    /// It cannot go on, and why.
    Failed(String),
}

/// The editor, as the prompt sees it.
pub struct Line {
    orders: Sender<Order>,
    /// Only the main thread listens.
    said: Mutex<Receiver<Said>>,
    screen: &'static Screen,
}

type LineEditor = Editor<Help, MemHistory>;

impl Line {
    /// Starts the editor with what it offers again. Errors: why lines cannot be edited on this terminal.
    pub fn start(inputs: Vec<String>, colors: bool) -> Result<Line, String> {
        let (orders, to_obey) = mpsc::channel();
        let (to_say, said) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let work = move || {
            crate::gil::signal::block_signals_in_this_thread();
            let to_obey = Rc::new(to_obey);
            match make(inputs, colors, to_obey.clone(), to_say.clone()) {
                Ok((editor, screen)) => {
                    // Whoever started this thread is waiting for it.
                    let _ = ready.send(Ok(screen));
                    serve(editor, screen, colors, &to_obey, &to_say);
                }
                Err(error) => drop(ready.send(Err(error.to_string()))),
            }
        };
        let spawned = std::thread::Builder::new().name("mini-editor".to_owned()).spawn(work);
        spawned.map_err(|e| e.to_string())?;
        let screen = started.recv().map_err(|e| e.to_string())??;
        Ok(Line { orders, said: Mutex::new(said), screen })
    }

    /// Asks for a line of Mini; `before` are the lines above it that belong to the same input. `None`: for any line.
    pub fn read(&self, prompt: &str, before: Option<&str>) {
        let lead = self.screen.hold();
        self.order(Order::Read { lead, prompt: prompt.to_owned(), before: before.map(str::to_owned) });
    }

    /// Waits until the editor says something. Only while detached.
    pub fn wait(&self) -> Said {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).recv().unwrap_or(Said::End)
    }

    /// Answers [`Said::Complete`].
    pub fn offer(&self, start: usize, candidates: Vec<String>) {
        self.order(Order::Candidates(start, candidates));
    }

    /// Offers an input again from now on.
    pub fn remember(&self, input: &str) {
        self.order(Order::Remember(input.to_owned()));
    }

    fn order(&self, order: Order) {
        // An editor that is gone is noticed by the next `wait`.
        let _ = self.orders.send(order);
    }
}

fn make(
    inputs: Vec<String>,
    colors: bool,
    orders: Rc<Receiver<Order>>,
    say: Sender<Said>,
) -> rustyline::Result<(LineEditor, &'static Screen)> {
    let config = Config::builder()
        .max_history_size(super::history::OFFERED)?
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        // The colours are the helper's affair, which must be asked even if there are none (see there).
        .color_mode(ColorMode::Enabled)
        .tab_stop(8)
        .build();
    let mut history = MemHistory::with_config(&config);
    for input in inputs {
        history.add_owned(input)?;
    }
    let mut editor = Editor::with_history(config, history)?;
    let screen = screen::install(Box::new(editor.create_external_printer()?));
    editor.set_helper(Some(Help::new(screen, colors, orders, say)));
    for key in ['C', 'D'] {
        editor.bind_sequence(KeyEvent::ctrl(key), EventHandler::Conditional(Box::new(Leave(screen))));
    }
    Ok((editor, screen))
}

/// Ctrl-C and Ctrl-D do what they always do, but first the screen is told that they may leave the line.
struct Leave(&'static Screen);

impl ConditionalEventHandler for Leave {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext) -> Option<Cmd> {
        self.0.leaving();
        None
    }
}

/// Obeys until the prompt is gone.
fn serve(
    mut editor: LineEditor,
    screen: &'static Screen,
    colors: bool,
    orders: &Receiver<Order>,
    say: &Sender<Said>,
) {
    while let Ok(order) = orders.recv() {
        match order {
            Order::Read { lead, prompt, before } => {
                let painted = colors && before.is_some();
                if let Some(help) = editor.helper_mut() {
                    help.begin(before.as_deref());
                }
                let painted = if painted { paint::prompt(&prompt) } else { prompt.clone() };
                let read = editor.readline(&(format!("{lead}{prompt}"), format!("{lead}{painted}")));
                screen.release();
                if say.send(told(read)).is_err() {
                    return;
                }
            }
            Order::Remember(input) => {
                // Only a history in a database can fail.
                let _ = editor.add_history_entry(input);
            }
            // The line that asked is gone.
            Order::Candidates(..) => {}
        }
    }
}

fn told(read: rustyline::Result<String>) -> Said {
    match read {
        Ok(line) => Said::Line(line),
        Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Said::Interrupted,
        Err(ReadlineError::Eof) => Said::End,
        Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => Said::Garbled,
        Err(error) => Said::Failed(error.to_string()),
    }
}
