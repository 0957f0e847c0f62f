//! What rustyline asks while a line is edited: colours, completions, and, between the lines, whether the terminal may
//! be shared now. Must not know the heap.
//!
//! rustyline has no call for "I was woken and am about to draw the line anew". But it draws in one place, which asks
//! for the prompt's colours first, and all ways there but that one ask `highlight_char` or `highlight_candidate`
//! before. So a drawing that was not announced is the answer to a wake-up, and the moment to show what threads print.
//! For this `highlight_char` always wants the line drawn.

use super::editor::{Order, Said};
use super::paint;
use super::screen::Screen;
use rustyline::completion::Completer;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Context, Helper};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender};

/// The helper of the line that is being edited.
pub struct Help {
    screen: &'static Screen,
    colors: bool,
    orders: Rc<Receiver<Order>>,
    say: Sender<Said>,
    /// What the colours have to know of the lines above; `None`: this one has no colours.
    context: Option<String>,
    /// Whether Tab completes.
    completes: bool,
    /// The next drawing has nothing to do with a wake-up.
    announced: Cell<bool>,
    /// The line is drawn for the last time: without a marked bracket.
    last: Cell<bool>,
}

impl Help {
    pub fn new(
        screen: &'static Screen,
        colors: bool,
        orders: Rc<Receiver<Order>>,
        say: Sender<Said>,
    ) -> Help {
        Help {
            screen,
            colors,
            orders,
            say,
            context: None,
            completes: false,
            announced: Cell::new(false),
            last: Cell::new(false),
        }
    }

    /// A new line. `before` are the lines above it that belong to the same input; `None`: it is no Mini.
    pub fn begin(&mut self, before: Option<&str>) {
        self.context = before.filter(|_| self.colors).map(paint::context);
        self.completes = before.is_some();
        self.announced.set(false);
        self.last.set(false);
    }
}

impl Helper for Help {}

impl Hinter for Help {
    type Hint = String;
}

impl Validator for Help {
    /// Whether more lines follow is decided by the prompt; here the line is left.
    fn validate(&self, _: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        self.screen.leaving();
        Ok(ValidationResult::Valid(None))
    }
}

impl Highlighter for Help {
    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.announced.set(true);
        self.last.set(kind == CmdKind::ForcedRefresh);
        true
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        self.announced.set(true);
        Cow::Borrowed(candidate)
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if !self.announced.replace(false) {
            self.screen.show_queue();
        }
        Cow::Borrowed(prompt)
    }

    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.last.get() {
            self.screen.editing();
        }
        match &self.context {
            // A command of the prompt is no Mini.
            Some(context) if !line.starts_with('%') => {
                Cow::Owned(paint::line(context, line, (!self.last.get()).then_some(pos)))
            }
            _ => Cow::Borrowed(line),
        }
    }
}

impl Completer for Help {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let text = line.get(..pos).unwrap_or(line);
        let nothing = Ok((pos, Vec::new()));
        if !self.completes || self.say.send(Said::Complete(text.to_owned())).is_err() {
            return nothing;
        }
        match self.orders.recv() {
            Ok(Order::Candidates(start, found)) => Ok((start, found)),
            _ => nothing,
        }
    }
}
