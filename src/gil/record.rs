//! What `--trace` and `--blame` are made from: every turn of every thread, written down while the program runs. Nothing is
//! written unless `begin` was called, and no more than it allows. Knows texts and numbers alone.
//!
//! A thread writes its own turns, at the same moments and with the same times as its ledger.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::futex::now;
use super::ledger::{Cause, Phase};
use super::member::Member;
use super::witness;

/// Something that a thread did at a time on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: u64,
    pub what: What,
}

/// There may be a million of them.
const _: () = assert!(std::mem::size_of::<Event>() <= 32);

/// What a thread did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It gave up permission to run, at this place; `call` is what it went into (see `witness::call_name`).
    LetGo { cause: Cause, phase: Phase, place: u32, call: usize },
    /// It goes on waiting, in another way.
    Turn(Phase),
    /// It was given permission; `from`: by way of the thread with this number, 0 if it had it last itself.
    Acquired { from: u64 },
    /// What it waited for was done by this thread (0: by none that is known) at this place.
    Woken { by: u64, place: u32 },
    /// It made a task, whose name is a text.
    TaskMade { task: u64, name: u32 },
    /// It takes a step of a task.
    StepBegins { task: u64 },
    /// The step is over; the task is, too, if it is `done`.
    StepEnds { task: u64, done: bool },
    /// It made a process.
    Forked { pid: u32 },
}

/// A source line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Texts.
    pub file: u32,
    pub function: u32,
    pub line: u32,
}

/// What one thread did.
#[derive(Clone, Debug)]
pub struct Track {
    /// The member's number.
    pub id: u64,
    pub os_id: u32,
    pub name: String,
    pub events: Vec<Event>,
}

/// Everything that was written down.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// When the recording began: before a fork, in the first process.
    pub base: u64,
    /// When it was taken.
    pub end: u64,
    /// In the order in which the threads began.
    pub tracks: Vec<Track>,
    pub texts: Vec<String>,
    pub places: Vec<Place>,
    /// How many events there was no room for, and when the first of them happened.
    pub dropped: u64,
    pub dropped_from: u64,
    /// The processes that were made.
    pub children: Vec<u32>,
}

static ON: AtomicBool = AtomicBool::new(false);
static BASE: AtomicU64 = AtomicU64::new(0);
static LIMIT: AtomicI64 = AtomicI64::new(0);
/// How many more events may be kept; below 0: so many were dropped.
static ROOM: AtomicI64 = AtomicI64::new(0);
static DROPPED_FROM: AtomicU64 = AtomicU64::new(0);
/// What writes the recording down when the process ends.
static FINISH: OnceLock<fn() -> bool> = OnceLock::new();
static BOOK: Mutex<Option<Book>> = Mutex::new(None);

/// What all threads share.
#[derive(Default)]
struct Book {
    /// Threads that ended.
    ended: Vec<Track>,
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
    place_numbers: HashMap<Place, u32>,
    places: Vec<Place>,
    /// The tasks that live, by their addresses.
    tasks: HashMap<usize, u64>,
    last_task: u64,
    children: Vec<u32>,
}

thread_local! {
    static CURRENT: Cell<Option<&'static Member>> = const { Cell::new(None) };
}

/// Writes down from now on, at most so many events. Before the first thread is registered.
/// `finish` is called when the process ends.
pub fn begin(limit: i64, finish: fn() -> bool) {
    let _ = FINISH.set(finish);
    BASE.store(now(), Ordering::Relaxed);
    LIMIT.store(limit, Ordering::Relaxed);
    ROOM.store(limit, Ordering::Relaxed);
    ON.store(true, Ordering::Relaxed);
}

/// Whether anything is written down.
#[inline(always)]
pub fn on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// The process is about to end: what was written down is put where it belongs. False: that failed, and was said.
#[inline(always)]
pub fn finish() -> bool {
    !on() || FINISH.get().is_none_or(|finish| finish())
}

/// The calling OS thread is this member's.
pub(super) fn bind(member: &'static Member) {
    CURRENT.set(Some(member));
}

#[cold]
pub(super) fn write(member: &Member, at: u64, what: What) {
    if ROOM.fetch_sub(1, Ordering::Relaxed) <= 0 {
        let _ = DROPPED_FROM.compare_exchange(0, at, Ordering::Relaxed, Ordering::Relaxed);
        return;
    }
    member.log().push(Event { at, what });
}

/// The calling thread is about to wake `sleeper`, who will tell.
#[cold]
pub(super) fn woken(sleeper: &Member) {
    let waker = CURRENT.get();
    let place = waker.filter(|m| m.state() == super::State::Running).map_or(0, witness::place_of);
    sleeper.note_waker(waker.map_or(0, Member::id), place, now());
}

/// A thread ends: its track is closed.
#[cold]
pub(super) fn close(member: &Member) {
    let track = track_of(member);
    book(|book| book.ended.push(track));
}

fn track_of(member: &Member) -> Track {
    let events = std::mem::take(&mut *member.log());
    Track { id: member.id(), os_id: member.os_id(), name: member.name(), events }
}

fn shared() -> MutexGuard<'static, Option<Book>> {
    BOOK.lock().unwrap_or_else(PoisonError::into_inner)
}

fn book<T>(f: impl FnOnce(&mut Book) -> T) -> T {
    f(shared().get_or_insert_default())
}

impl Book {
    fn text(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// Numbers of places begin with 1; 0 stands for none.
    fn place(&mut self, place: Place) -> u32 {
        if let Some(number) = self.place_numbers.get(&place) {
            return *number;
        }
        self.places.push(place);
        let number = self.places.len() as u32;
        self.place_numbers.insert(place, number);
        number
    }
}

/// The number of a source line, never 0.
pub fn place(file: &str, function: &str, line: u32) -> u32 {
    book(|book| {
        let (file, function) = (book.text(file), book.text(function));
        book.place(Place { file, function, line })
    })
}

/// A task was made by this thread; `key` is known by no other while it lives.
pub fn task_made(member: &Member, key: usize, name: &str) {
    let (task, name) = book(|book| {
        book.last_task += 1;
        book.tasks.insert(key, book.last_task);
        (book.last_task, book.text(name))
    });
    write(member, now(), What::TaskMade { task, name });
}

/// This thread takes a step of the task.
pub fn step_begins(member: &Member, key: usize) {
    if let Some(task) = book(|book| book.tasks.get(&key).copied()) {
        write(member, now(), What::StepBegins { task });
    }
}

/// The step is over.
pub fn step_ends(member: &Member, key: usize, done: bool) {
    let task = book(|book| if done { book.tasks.remove(&key) } else { book.tasks.get(&key).copied() });
    if let Some(task) = task {
        write(member, now(), What::StepEnds { task, done });
    }
}

/// This thread made a process.
pub fn forked(member: &Member, pid: u32, at: u64) {
    book(|book| book.children.push(pid));
    write(member, at, What::Forked { pid });
}

/// Everything up to `end`, which is about now; threads that run write on.
pub fn take(end: u64) -> Recording {
    let mut living = Vec::new();
    super::for_each_member(|member| living.push(track_of(member)));
    let room = ROOM.load(Ordering::Relaxed);
    book(|book| {
        let mut tracks = std::mem::take(&mut book.ended);
        tracks.append(&mut living);
        tracks.sort_by_key(|track| track.id);
        Recording {
            base: BASE.load(Ordering::Relaxed),
            end,
            tracks,
            texts: book.texts.clone(),
            places: book.places.clone(),
            dropped: room.min(0).unsigned_abs(),
            dropped_from: DROPPED_FROM.load(Ordering::Relaxed),
            children: book.children.clone(),
        }
    })
}

/// Holds what threads write to across a fork.
pub(super) fn lock_for_fork(living: impl Iterator<Item = &'static Member>) -> impl Sized {
    // Whether anything is written is decided before there is a second thread.
    on().then(|| (shared(), living.map(Member::log).collect::<Vec<_>>()))
}

/// In a forked child, whose members have written nothing: it begins a recording of its own.
pub(super) fn after_fork_child(member: &'static Member, at: u64) {
    ROOM.store(LIMIT.load(Ordering::Relaxed), Ordering::Relaxed);
    DROPPED_FROM.store(0, Ordering::Relaxed);
    book(|book| {
        book.ended.clear();
        book.tasks.clear();
        book.children.clear();
    });
    write(member, at, What::Acquired { from: 0 });
}
