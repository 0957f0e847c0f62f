//! An open file under its buffers: bytes in, bytes out, one thread at a time. Must not know text, nor objects.
//!
//! Whoever works on a stream holds its guard, a lock that others wait for parked. So a thread that sits in `read` holds
//! nobody up but those who want the same stream, and never while it is attached.

use super::oserror::{os_error, run};
use super::socket_wait::{self, Patience};
use crate::gil::Cause;
use crate::object::{Exc, R, heap};
use crate::rt::lock::Lock;
use crate::rt::syscall::{self, Stat, Sys};
use crate::rt::terminal;
use crate::rt::wait;
use crate::vm::native::Args;
use crate::vm::poll;
use crate::vm::thread::Thread;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// What is read at once, and what is collected before it is written.
pub const BUFFER: usize = 8192;

/// Every stream, with its turn: for the end of the process, and for forks.
static STREAMS: Mutex<Vec<(Weak<Stream>, Arc<Turn>)>> = Mutex::new(Vec::new());

/// Whose turn it is to work on a stream. Not in the stream: a fork looks at all of them.
#[derive(Debug, Default)]
struct Turn {
    guard: Lock,
    /// Somebody works on the stream, or there is something to write.
    unsettled: AtomicBool,
}

impl Turn {
    /// Whether a fork has to do with it. The guard may be on its way to a thread that has not begun yet.
    #[inline]
    fn is_settled(&self) -> bool {
        !self.unsettled.load(Ordering::Acquire) && self.guard.is_idle()
    }
}

/// Those there are now. Mostly without allocation, which a fork would have copied in both processes.
fn all() -> SmallVec<[Arc<Stream>; 8]> {
    let streams = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    streams.iter().filter_map(|(stream, _)| stream.upgrade()).collect()
}

/// Whether somebody works on a stream, or one has something to write.
#[inline(always)]
fn any_unsettled() -> bool {
    let streams = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    streams.iter().any(|(_, turn)| !turn.is_settled())
}

/// Those streams. Writes nothing to the others, not even a count: parent and child share their pages.
fn unsettled() -> SmallVec<[Arc<Stream>; 8]> {
    let streams = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    let unsettled = streams.iter().filter(|(_, turn)| !turn.is_settled());
    unsettled.filter_map(|(stream, _)| stream.upgrade()).collect()
}

/// How a stream was opened.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub readable: bool,
    pub writable: bool,
    pub appending: bool,
    pub creating: bool,
    /// Closing the stream closes the descriptor.
    pub closefd: bool,
    /// Bytes collected before they are written; 0: none.
    pub buffer: usize,
}

/// An open file.
#[derive(Debug)]
pub struct Stream {
    turn: Arc<Turn>,
    owner: AtomicU64,
    /// -1 once it is closed.
    fd: AtomicI32,
    pub access: Access,
    /// Of a file made of a socket: how long that waits.
    patience: OnceLock<Arc<Patience>>,
    inner: Inner,
}

/// The buffers of a stream; in a forked child perhaps those of a thread that is gone, for ever locked, and then `heir` has
/// the ones that are used.
#[derive(Debug, Default)]
struct Inner {
    buffers: Mutex<Buffers>,
    heir: OnceLock<Box<Inner>>,
}

/// Bytes on their way.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Bytes read; those before `place` have been handed out.
    read: Vec<u8>,
    place: usize,
    /// Bytes to be written. Never while there are unread ones.
    write: Vec<u8>,
}

/// A stream that the running thread works on.
pub struct Entered<'a> {
    stream: &'a Stream,
    inner: MutexGuard<'a, Buffers>,
}

/// What ends a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineEnd {
    Lf,
    Cr,
    CrLf,
    /// Each of the three.
    Any,
}

impl Stream {
    pub fn new(fd: i32, access: Access) -> Arc<Stream> {
        let stream = Arc::new(Stream {
            turn: Arc::default(),
            owner: AtomicU64::new(0),
            fd: AtomicI32::new(fd),
            access,
            patience: OnceLock::new(),
            inner: Inner::default(),
        });
        let mut all = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == all.capacity() {
            all.retain(|(stream, _)| stream.strong_count() > 0);
        }
        all.push((Arc::downgrade(&stream), stream.turn.clone()));
        stream
    }

    /// Whether somebody works on it, or there is something to write.
    pub fn is_unsettled(&self) -> bool {
        self.turn.unsettled.load(Ordering::Acquire)
    }

    /// The guard is this thread's now.
    fn entered(&self, th: &Thread) -> Entered<'_> {
        self.turn.unsettled.store(true, Ordering::Release);
        self.owner.store(th.m.member.id(), Ordering::Relaxed);
        Entered { stream: self, inner: self.lock_buffers() }
    }

    /// In a forked child: nobody works on the stream any more, and what was about to be written is the parent's to write.
    fn forget_others(&self) {
        self.turn.guard.reset();
        self.owner.store(0, Ordering::Relaxed);
        let last = self.inner.last();
        match last.buffers.try_lock() {
            Ok(mut buffers) => buffers.write.clear(),
            Err(_) => drop(last.heir.set(Box::default())),
        }
        self.turn.unsettled.store(false, Ordering::Release);
    }

    fn lock_buffers(&self) -> MutexGuard<'_, Buffers> {
        self.inner.last().buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor; -1 once the stream is closed.
    #[inline]
    pub fn fd(&self) -> i32 {
        self.fd.load(Ordering::Acquire)
    }

    #[inline]
    pub fn is_closed(&self) -> bool {
        self.fd() < 0
    }

    /// From now on calls wait as those of the socket behind the stream do.
    pub fn wait_as(&self, patience: Arc<Patience>) {
        // A stream is of one socket only.
        let _ = self.patience.set(patience);
    }

    /// Reads once from the file itself.
    pub fn read_raw(&self, th: &mut Thread, into: &mut [u8]) -> R<usize> {
        let fd = self.fd();
        match self.patience.get() {
            Some(patience) => socket_wait::call(th, fd, libc::POLLIN, patience, || terminal::read(fd, into)),
            None => run(th, None, || terminal::read(fd, into)),
        }
    }

    /// Writes once to the file itself.
    pub fn write_raw(&self, th: &mut Thread, bytes: &[u8]) -> R<usize> {
        let fd = self.fd();
        match self.patience.get() {
            Some(patience) => {
                socket_wait::call(th, fd, libc::POLLOUT, patience, || syscall::write(fd, bytes))
            }
            None => run(th, None, || terminal::write(fd, bytes)),
        }
    }

    /// Begins to work on the stream; waits while another thread does.
    pub fn enter(&self, th: &mut Thread) -> R<Entered<'_>> {
        let me = th.m.member.id();
        if self.owner.load(Ordering::Relaxed) == me {
            return Err(th.raise(Exc::RuntimeError, "reentrant call inside a file object"));
        }
        while !self.turn.guard.acquire(th, None)? {}
        Ok(self.entered(th))
    }

    /// Begins to work on the stream at the end of the process, when who works on it may never come back.
    fn enter_at_exit(&self, th: &mut Thread) -> Option<Entered<'_>> {
        if !self.turn.guard.acquire(th, wait::deadline(0.5)).ok()? {
            return None;
        }
        Some(self.entered(th))
    }

    /// Whether bytes wait to be written; no, if somebody is working on the stream right now.
    fn is_unwritten(&self) -> bool {
        self.access.writable
            && !self.is_closed()
            && self.inner.last().buffers.try_lock().is_ok_and(|inner| !inner.write.is_empty())
    }

    /// Whether bytes wait to be written to this very file.
    fn holds_back_for(&self, file: &Stat) -> bool {
        let is_it = |own: Stat| (own.st_dev, own.st_ino) == (file.st_dev, file.st_ino);
        self.is_unwritten() && syscall::fstat(self.fd()).is_ok_and(is_it)
    }

    /// Whether the file has a place that can be moved.
    pub fn is_seekable(&self) -> bool {
        syscall::lseek(self.fd(), 0, libc::SEEK_CUR).is_ok()
    }
}

impl Inner {
    fn last(&self) -> &Inner {
        let mut at = self;
        while let Some(heir) = at.heir.get() {
            at = heir;
        }
        at
    }
}

impl Drop for Stream {
    /// A file that nobody refers to: what was written to it is written out, as if it had been closed.
    fn drop(&mut self) {
        let fd = self.fd();
        if fd < 0 {
            return;
        }
        let Ok(inner) = self.inner.last().buffers.try_lock() else { return };
        let mut rest = inner.write.as_slice();
        while let Some(n) = (!rest.is_empty()).then(|| terminal::write(fd, rest)) {
            match n {
                Ok(n) => rest = rest.get(n..).unwrap_or(&[]),
                Err(libc::EINTR) => {}
                Err(_) => break,
            }
        }
        if self.access.closefd {
            let _ = syscall::close(fd);
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.inner.write.is_empty() {
            self.stream.turn.unsettled.store(false, Ordering::Release);
        }
        self.stream.owner.store(0, Ordering::Relaxed);
        self.stream.turn.guard.release();
    }
}

/// Writes out what every open file still holds. The errors are of no interest to anybody any more.
pub fn flush_all(th: &mut Thread) {
    for stream in all().iter().filter(|s| s.access.writable && !s.is_closed()) {
        if let Some(mut entered) = stream.enter_at_exit(th)
            && entered.flush(th).is_err()
        {
            th.take_exception();
        }
    }
}

/// A file is looked at from outside its file objects (`None`: by another program, which may look at any). A file object that
/// nobody refers to any more was closed in Python at that very moment; here it may still wait for the collector, with something
/// to be written: then it is collected now, and the answer is true. Those that are in use keep what they hold back, as in Python.
pub fn settle(th: &mut Thread, args: Args, file: Option<&Stat>) -> bool {
    // What does not close its file, as stdout, would not have been closed either.
    let concerns = |s: &Arc<Stream>| {
        s.access.closefd && file.map_or_else(|| s.is_unwritten(), |file| s.holds_back_for(file))
    };
    let concerned = any_unsettled() && unsettled().iter().any(concerns);
    if concerned {
        th.clear_used_registers(args);
        poll::collect(th);
    }
    concerned
}

/// A file is opened, or about to be emptied: writes out what others of this process have taken for it. As for `settle`, but
/// without asking whether they are still in use.
pub fn flush_same_file(th: &mut Thread, find: impl FnOnce() -> Sys<Stat>) -> R<()> {
    if !any_unsettled() {
        return Ok(());
    }
    let Ok(wanted) = find() else { return Ok(()) };
    for stream in unsettled().iter().filter(|stream| stream.holds_back_for(&wanted)) {
        stream.enter(th)?.flush(th)?;
    }
    Ok(())
}

/// Before a fork: writes out what can be written without waiting for anybody, or the child would write it again.
#[inline(always)]
pub fn flush_before_fork(th: &mut Thread) {
    if any_unsettled() {
        flush_unsettled(th);
    }
}

#[cold]
fn flush_unsettled(th: &mut Thread) {
    for stream in unsettled().iter().filter(|s| s.is_unwritten()) {
        // If it fails, it stays in the buffer: who writes next hears of it.
        if stream.turn.guard.try_acquire(th) && stream.entered(th).flush(th).is_err() {
            th.take_exception();
        }
    }
}

/// In a forked child.
#[inline(always)]
pub fn after_fork_child() {
    if any_unsettled() {
        unsettled().iter().for_each(|stream| stream.forget_others());
    }
}

/// Writes out one stream at the end of the process. Errors: the exception is pending.
pub fn flush_at_exit(th: &mut Thread, stream: &Stream) -> R<()> {
    match stream.enter_at_exit(th) {
        Some(mut entered) if !stream.is_closed() => {
            let done = entered.flush(th);
            // Nobody will try again.
            entered.inner.write.clear();
            done
        }
        _ => Ok(()),
    }
}

impl Entered<'_> {
    /// The bytes that were read and not handed out.
    pub fn unread(&self) -> &[u8] {
        self.inner.read.get(self.inner.place..).unwrap_or(&[])
    }

    /// Hands out the first `n` unread bytes.
    pub fn consume(&mut self, n: usize) {
        self.inner.place = (self.inner.place + n).min(self.inner.read.len());
    }

    /// Takes back the last `n` bytes that were handed out.
    pub fn give_back(&mut self, n: usize) {
        self.inner.place = self.inner.place.saturating_sub(n);
    }

    /// Reads more from the file behind the unread bytes; returns how many came, 0 at the end of the file.
    pub fn fill(&mut self, th: &mut Thread, at_least: usize) -> R<usize> {
        self.flush(th)?;
        let inner = &mut *self.inner;
        inner.read.drain(..inner.place);
        inner.place = 0;
        let start = inner.read.len();
        let room = at_least.max(BUFFER);
        if start + room > heap::limit() || inner.read.try_reserve(room).is_err() {
            inner.read = Vec::new();
            return Err(th.no_memory());
        }
        inner.read.resize(start + room, 0);
        let got = self.stream.read_raw(th, inner.read.get_mut(start..).unwrap_or(&mut []));
        inner.read.truncate(start + *got.as_ref().unwrap_or(&0));
        got
    }

    /// Everything up to the end of the file.
    pub fn read_all(&mut self, th: &mut Thread) -> R<Vec<u8>> {
        while self.fill(th, self.unread().len())? > 0 {}
        let all = self.unread().to_vec();
        self.consume(all.len());
        Ok(all)
    }

    /// The next `n` bytes; fewer at the end of the file.
    pub fn read(&mut self, th: &mut Thread, n: usize) -> R<Vec<u8>> {
        while self.unread().len() < n {
            // Not more at once than comes: a size that nobody has memory for is not an error by itself.
            let missing = (n - self.unread().len()).min(1 << 24);
            if self.fill(th, missing)? == 0 {
                break;
            }
        }
        let piece = self.unread().get(..n).unwrap_or(self.unread()).to_vec();
        self.consume(piece.len());
        Ok(piece)
    }

    /// The rest of the line with its end, but at most `limit` bytes.
    pub fn read_line(&mut self, th: &mut Thread, end: LineEnd, limit: usize) -> R<Vec<u8>> {
        let mut searched = 0;
        let n = loop {
            let unread = self.unread();
            if let Some(n) = line_length(unread, searched, end) {
                break n;
            }
            if unread.len() >= limit {
                break limit;
            }
            searched = unread.len().saturating_sub(1);
            if self.fill(th, 0)? == 0 {
                break self.unread().len();
            }
        };
        let n = n.min(limit);
        let line = self.unread().get(..n).unwrap_or(&[]).to_vec();
        self.consume(n);
        Ok(line)
    }

    /// Takes bytes to be written.
    pub fn write(&mut self, th: &mut Thread, bytes: &[u8]) -> R<()> {
        self.forget_unread(th)?;
        self.inner.write.extend_from_slice(bytes);
        if self.inner.write.len() > self.stream.access.buffer {
            let written = self.flush(th);
            if written.is_err() {
                // The caller hears of it now; as in CPython nobody tries these bytes again at the end.
                self.inner.write.clear();
            }
            return written;
        }
        Ok(())
    }

    /// Writes out what was taken.
    pub fn flush(&mut self, th: &mut Thread) -> R<()> {
        let bytes = &mut self.inner.write;
        let mut done = 0;
        let mut result = Ok(());
        while done < bytes.len() {
            match self.stream.write_raw(th, bytes.get(done..).unwrap_or(&[])) {
                Ok(n) => done += n,
                Err(raised) => {
                    result = Err(raised);
                    break;
                }
            }
        }
        bytes.drain(..done);
        result
    }

    /// Moves the file's place back to where the caller believes it is.
    fn forget_unread(&mut self, th: &mut Thread) -> R<()> {
        if self.stream.patience.get().is_some() {
            // A connection has no place: what comes and what goes have nothing to do with each other.
            return Ok(());
        }
        let unread = self.unread().len();
        self.inner.read.clear();
        self.inner.place = 0;
        if unread > 0 {
            let fd = self.stream.fd();
            run(th, None, || syscall::lseek(fd, -(unread as i64), libc::SEEK_CUR))?;
        }
        Ok(())
    }

    /// The place in the file.
    pub fn tell(&mut self, th: &mut Thread) -> R<i64> {
        let fd = self.stream.fd();
        let at = run(th, None, || syscall::lseek(fd, 0, libc::SEEK_CUR))?;
        Ok(at - self.unread().len() as i64 + self.inner.write.len() as i64)
    }

    /// Moves the place.
    pub fn seek(&mut self, th: &mut Thread, offset: i64, whence: i32) -> R<i64> {
        self.flush(th)?;
        let fd = self.stream.fd();
        let offset = if whence == libc::SEEK_CUR { offset - self.unread().len() as i64 } else { offset };
        let at = run(th, None, || syscall::lseek(fd, offset, whence))?;
        self.inner.read.clear();
        self.inner.place = 0;
        Ok(at)
    }

    /// Sets the length of the file; the place stays.
    pub fn truncate(&mut self, th: &mut Thread, size: i64) -> R<()> {
        self.flush(th)?;
        self.forget_unread(th)?;
        let fd = self.stream.fd();
        run(th, None, || syscall::ftruncate(fd, size)).map(drop)
    }

    /// Writes out and closes. The file is closed even if that fails.
    pub fn close(&mut self, th: &mut Thread) -> R<()> {
        let flushed = self.flush(th);
        self.inner.write = Vec::new();
        self.inner.read = Vec::new();
        self.inner.place = 0;
        let fd = self.stream.fd.swap(-1, Ordering::AcqRel);
        if fd < 0 || !self.stream.access.closefd {
            return flushed;
        }
        match th.detach(Cause::Blocking, || syscall::close(fd)) {
            Err(errno) if errno != libc::EINTR && flushed.is_ok() => Err(os_error(th, errno, None)),
            _ => flushed,
        }
    }
}

/// Length of the first line, its end included; `None` if it may go on behind the bytes. The first `searched` bytes are
/// known to hold no end.
fn line_length(bytes: &[u8], searched: usize, end: LineEnd) -> Option<usize> {
    let rest = bytes.get(searched..)?;
    let find = |byte: u8| rest.iter().position(|b| *b == byte).map(|at| searched + at);
    match end {
        LineEnd::Lf => find(b'\n').map(|at| at + 1),
        LineEnd::Cr => find(b'\r').map(|at| at + 1),
        LineEnd::CrLf => rest.windows(2).position(|w| w == b"\r\n").map(|at| searched + at + 2),
        LineEnd::Any => {
            let at = rest.iter().position(|b| *b == b'\n' || *b == b'\r').map(|at| searched + at)?;
            if bytes.get(at) == Some(&b'\n') {
                return Some(at + 1);
            }
            // Whether a line feed follows is not known before another byte is there.
            bytes.get(at + 1).map(|next| if *next == b'\n' { at + 2 } else { at + 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_asked() {
        assert_eq!(line_length(b"ab\ncd", 0, LineEnd::Lf), Some(3));
        assert_eq!(line_length(b"ab\r\ncd", 0, LineEnd::Any), Some(4));
        assert_eq!(line_length(b"ab\rcd", 0, LineEnd::Any), Some(3));
        assert_eq!(line_length(b"ab\r", 0, LineEnd::Any), None);
        assert_eq!(line_length(b"ab\rc\r\n", 0, LineEnd::CrLf), Some(6));
        assert_eq!(line_length(b"ab", 0, LineEnd::Cr), None);
    }
}
