//! Descriptors that a loop watches: `add_reader`, `add_writer`. Must not know what their callbacks do.
//!
//! A descriptor has a place; the list of the loop has two values for each place, the handle of its reader and that of its
//! writer. The kernel's events bring the place.

use super::asyncio_loop::{self as event_loop, Loop, WATCHED};
use super::asyncio_ready as ready;
use super::asyncio_transport::TRANSPORT;
use super::oserror::os_error;
use super::support::c_int;
use crate::object::{Exc, Kind, R, Value, Word, int, list, str, types, wide};
use crate::rt::reactor::{READABLE, Reactor, Ready, WRITABLE};
use crate::rt::syscall::Sys;
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Clone, Copy)]
struct Place {
    at: u32,
    interest: u32,
}

#[derive(Default)]
struct Places {
    of: FxHashMap<i32, Place>,
    free: Vec<u32>,
    used: u32,
}

/// Which descriptors a loop watches.
#[derive(Default)]
pub struct Watched {
    places: Mutex<Places>,
    count: AtomicUsize,
}

impl Watched {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    pub fn clear(&self) {
        *self.places() = Places::default();
        self.count.store(0, Relaxed);
    }

    /// Another reactor watches them from now on.
    pub fn move_to(&self, reactor: &Reactor) -> Sys<()> {
        let places = self.places();
        for (fd, place) in &places.of {
            match reactor.add(*fd, place.at, place.interest) {
                // What was closed meanwhile is not watched.
                Ok(_) | Err(libc::EBADF) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Watches a descriptor for `interest` besides what it is watched for already; its place.
    fn add(&self, reactor: &Reactor, fd: i32, interest: u32) -> Sys<u32> {
        let mut places = self.places();
        if let Some(place) = places.of.get_mut(&fd) {
            let all = place.interest | interest;
            if all != place.interest {
                reactor.modify(fd, place.at, all)?;
                place.interest = all;
            }
            return Ok(place.at);
        }
        let at = places.free.pop().unwrap_or_else(|| {
            places.used += 1;
            places.used - 1
        });
        if let Err(errno) = reactor.add(fd, at, interest) {
            places.free.push(at);
            return Err(errno);
        }
        places.of.insert(fd, Place { at, interest });
        self.count.store(places.of.len(), Relaxed);
        Ok(at)
    }

    /// The place of a descriptor.
    fn place(&self, fd: i32) -> Option<u32> {
        self.places().of.get(&fd).map(|place| place.at)
    }

    /// Watches it no more for `interest`; its place, if it was watched for that.
    fn remove(&self, reactor: &Reactor, fd: i32, interest: u32) -> Option<u32> {
        let mut places = self.places();
        let place = places.of.get_mut(&fd).filter(|place| place.interest & interest != 0)?;
        let (at, left) = (place.at, place.interest & !interest);
        if left != 0 {
            // The descriptor may have been closed: then the kernel has forgotten it.
            let _ = reactor.modify(fd, at, left);
            place.interest = left;
            return Some(at);
        }
        let _ = reactor.remove(fd);
        places.of.remove(&fd);
        places.free.push(at);
        self.count.store(places.of.len(), Relaxed);
        Some(at)
    }
}

fn side(interest: u32) -> usize {
    usize::from(interest == WRITABLE)
}

/// Puts `v` beside a descriptor; what was there before.
pub fn watch(th: &mut Thread, of: Loop, fd: i32, interest: u32, v: Value) -> R<Word> {
    let reactor = of.reactor(th)?;
    let at = of.data.watched.add(&reactor, fd, interest).map_err(|errno| os_error(th, errno, None))?;
    let Some(values) = of.list(WATCHED) else { return Ok(None) };
    let i = at as usize * 2 + side(interest);
    while list::len(values) <= i {
        list::push(&mut th.m, values, Value::NONE)?;
    }
    let before = list::get(values, i).filter(|v| !v.is_none());
    list::set(&mut th.m, values, i, v);
    Ok(before)
}

/// Forgets what is beside a descriptor; what it was.
pub fn unwatch(th: &mut Thread, of: Loop, fd: i32, interest: u32) -> R<Word> {
    if !of.data.watched.any() {
        return Ok(None);
    }
    let reactor = of.reactor(th)?;
    let Some(at) = of.data.watched.remove(&reactor, fd, interest) else { return Ok(None) };
    let Some(values) = of.list(WATCHED) else { return Ok(None) };
    let i = at as usize * 2 + side(interest);
    let before = list::get(values, i).filter(|v| !v.is_none());
    list::set(&mut th.m, values, i, Value::NONE);
    Ok(before)
}

/// The handles of what is ready go into the loop's queue.
pub fn push_ready(th: &mut Thread, of: Loop, found: &[Ready]) -> R<()> {
    let Some(values) = of.list(WATCHED).filter(|_| !found.is_empty()) else { return Ok(()) };
    for event in found {
        let i = event.token as usize * 2;
        for (is_ready, i) in [(event.readable, i), (event.writable, i + 1)] {
            if let Some(handle) = list::get(values, i).filter(|v| is_ready && !v.is_none()) {
                ready::push(th, of, handle)?;
            }
        }
    }
    Ok(())
}

/// A descriptor: an int, or what `fileno()` gives, if that can be an int.
fn descriptor(th: &mut Thread, v: Value) -> R<i32> {
    let fd = if int::is_int(v) { c_int(th, v)? } else { descriptor_of(th, v)? };
    if fd < 0 {
        return Err(th.value_error(format!("Invalid file descriptor: {fd}")));
    }
    Ok(fd)
}

fn descriptor_of(th: &mut Thread, v: Value) -> R<i32> {
    let asked =
        th.call_method(v, "fileno", &[]).and_then(|fd| th.call(types::class_of_kind(Kind::Int), &[fd]));
    match asked {
        Ok(fd) => c_int(th, fd),
        Err(_)
            if [Exc::AttributeError, Exc::TypeError, Exc::ValueError].iter().any(|e| th.pending_is(*e)) =>
        {
            th.take_exception();
            let shown = th.repr(v)?;
            let shown = str::as_str(shown).unwrap_or("");
            Err(th.value_error(format!("Invalid file object: {shown}")))
        }
        Err(raised) => Err(raised),
    }
}

/// What a transport watches is its own.
fn refuse_transport(th: &mut Thread, of: Loop, fd: i32, interest: u32) -> R<()> {
    let place = of.data.watched.place(fd);
    let Some((values, place)) = of.list(WATCHED).zip(place) else { return Ok(()) };
    let found = list::get(values, place as usize * 2 + side(interest));
    let Some(transport) = found.filter(|v| wide::of_role(*v, TRANSPORT).is_some()) else { return Ok(()) };
    let shown = th.repr(transport)?;
    let shown = str::as_str(shown).unwrap_or("");
    Err(th.raise(Exc::RuntimeError, format!("File descriptor {fd} is used by transport {shown}")))
}

fn add(th: &mut Thread, args: Args, interest: u32) -> R {
    let of = event_loop::this(th, args)?;
    of.check_open(th)?;
    let fd = descriptor(th, args.get(1))?;
    let rest: SmallVec<[Value; 6]> = args.rest(3).iter().copied().flatten().collect();
    let handle = ready::new_handle(th, args.get(0), args.get(2), &rest, None, None)?;
    let handle = wide::value(handle);
    refuse_transport(th, of, fd, interest)?;
    if let Some(before) = watch(th, of, fd, interest, handle)? {
        th.call_method(before, "cancel", &[])?;
    }
    Ok(handle)
}

fn remove(th: &mut Thread, args: Args, interest: u32) -> R {
    let of = event_loop::this(th, args)?;
    if th.call_method(args.get(0), "is_closed", &[])? == Value::TRUE {
        return Ok(Value::FALSE);
    }
    let fd = descriptor(th, args.get(1))?;
    refuse_transport(th, of, fd, interest)?;
    match unwatch(th, of, fd, interest)? {
        Some(handle) => {
            th.call_method(handle, "cancel", &[])?;
            Ok(Value::TRUE)
        }
        None => Ok(Value::FALSE),
    }
}

pub fn add_reader(th: &mut Thread, args: Args) -> R {
    add(th, args, READABLE)
}

pub fn add_writer(th: &mut Thread, args: Args) -> R {
    add(th, args, WRITABLE)
}

pub fn remove_reader(th: &mut Thread, args: Args) -> R {
    remove(th, args, READABLE)
}

pub fn remove_writer(th: &mut Thread, args: Args) -> R {
    remove(th, args, WRITABLE)
}
