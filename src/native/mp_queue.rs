//! Messages in the pipe of a queue, which any process may read or write until it is killed: functions of `_multiprocessing`.
//! Must not know what messages mean.
//!
//! A message is its length and one, as four bytes; itself; four zeros. The first word is read straight into a word of the
//! readers' lock, and so are the zeros, together with the message, and over them the first word of the next message if there
//! is one: whatever reader is killed, the next one finds in that word what was read last, and goes on there. Short messages,
//! and the first word of long ones, are written whole or not at all.
//! A long message is not read in one piece: whoever begins notes that, and if he is killed the next one can tell.

use super::mp_connection::{fill, wait_writable};
use super::oserror::{blocking, os_error, run};
use super::support::{c_int, of_host, zeroed};
use crate::object::{Exc, R, Raised, Value, bytes};
use crate::rt::pipes;
use crate::rt::shared_lock::Semaphore;
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the system takes of a pipe's writer in one piece or not at all.
const WHOLE: usize = 4096;
const WORD: usize = 4;
/// A message that is longer is read in several pieces.
const SHORT: usize = WHOLE - 2 * WORD;
/// Room for most messages.
const USUAL: usize = 128;
const END: [u8; WORD] = [0; WORD];
/// The first word of a message whose length follows in eight bytes.
const LONGER: u32 = u32::MAX;

/// The first word of a message of this length, as it lies in memory.
fn first_word(len: usize) -> u32 {
    u32::try_from(len + 1).unwrap_or(LONGER)
}

/// A message, to a descriptor that does not block.
fn send(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let object = bytes_object(th, args.get(1))?;
    let Some(data) = bytes::as_bytes(object) else {
        return Err(th.type_error("a bytes-like object is required"));
    };
    let first = first_word(data.len());
    let head = first.to_ne_bytes();
    let long = (data.len() as u64).to_ne_bytes();
    let long = if first == LONGER { &long[..] } else { &[] };
    // The bytes lie in the heap, but never move, and the object is kept alive here.
    if data.len() <= SHORT {
        write_all(th, fd, [&head, data, &END])?;
    } else {
        write_all(th, fd, [&head, &[], &[]])?;
        write_all(th, fd, [long, data, &END])?;
    }
    std::hint::black_box(object);
    Ok(Value::NONE)
}

fn write_all(th: &mut Thread, fd: i32, pieces: [&[u8]; 3]) -> R<()> {
    let len: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut done = 0;
    while done < len {
        match blocking(th, || pipes::write_pieces(fd, pieces, done))? {
            Ok(taken) => done += taken,
            Err(libc::EAGAIN) => wait_writable(th, fd)?,
            Err(errno) => return Err(os_error(th, errno, None)),
        }
    }
    Ok(())
}

/// As `send`, of a short message, if nobody has the writers' lock; False: it would have to wait.
fn send_now(th: &mut Thread, args: Args) -> R {
    let lock = of_host::<Semaphore>(th, args.get(0), "SemLock")?;
    let (Some(fd), Some(data)) = (args.get(1).as_small(), bytes::as_bytes(args.get(2))) else {
        return Err(th.type_error("queue_send_now() takes a lock, a descriptor and bytes"));
    };
    if data.len() > SHORT || !lock.acquire(th, false, None)? {
        return Ok(Value::FALSE);
    }
    let sent = send_short(fd as i32, data);
    lock.release();
    match sent {
        Ok(_) => Ok(Value::TRUE),
        Err(libc::EAGAIN | libc::EINTR) => Ok(Value::FALSE),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

/// Errors: `errno`; then nothing was sent.
fn send_short(fd: i32, data: &[u8]) -> Result<usize, i32> {
    let head = first_word(data.len()).to_ne_bytes();
    if data.len() > USUAL {
        return pipes::write_pieces(fd, [&head, data, &END], 0);
    }
    // The system takes one piece sooner than three.
    let mut whole = SmallVec::<[u8; USUAL + 2 * WORD]>::from_slice(&head);
    whole.extend_from_slice(data);
    whole.extend_from_slice(&END);
    pipes::write_pieces(fd, [&whole], 0)
}

/// Takes the readers' lock, and the next message.
fn take(th: &mut Thread, args: Args) -> R {
    let lock = of_host::<Semaphore>(th, args.get(0), "SemLock")?;
    let fd = c_int(th, args.get(1))?;
    lock.acquire(th, true, None)?;
    let message = next_message(th, lock, fd);
    lock.release();
    message
}

/// The next message, with the lock held by the caller.
fn recv(th: &mut Thread, args: Args) -> R {
    let lock = of_host::<Semaphore>(th, args.get(0), "SemLock")?;
    let fd = c_int(th, args.get(1))?;
    next_message(th, lock, fd)
}

/// With the lock held: what a reader before this one has read of the message is not read again.
fn next_message(th: &mut Thread, lock: &Semaphore, fd: i32) -> R {
    let [word, begun] = lock.of_holder();
    if begun.load(Ordering::SeqCst) != 0 {
        return Err(torn(th, "read"));
    }
    while word.load(Ordering::SeqCst) == 0 {
        if read(th, fd, &mut [], (word, 1))? == 0 {
            return Err(th.raise_with(Exc::EOFError, &[]));
        }
    }
    let first = word.load(Ordering::SeqCst);
    let len = first.wrapping_sub(1) as usize;
    if len > SHORT {
        return recv_long(th, fd, word, begun);
    }
    // Most are far shorter than a short one may be: nothing is cleared that is not read into.
    let mut buffer = SmallVec::<[u8; USUAL]>::from_elem(0, len);
    let message = buffer.as_mut_slice();
    // In one piece, as it was written; so is the first word of the next one, which may be there or not.
    let more = match read(th, fd, message, (word, 2))?.checked_sub(len + WORD) {
        Some(0) => Some(false),
        Some(WORD) => Some(true),
        _ => None,
    };
    if more != Some(word.load(Ordering::SeqCst) != 0) {
        begun.store(1, Ordering::SeqCst);
        return Err(torn(th, "wrote"));
    }
    th.new_bytes(message)
}

fn recv_long(th: &mut Thread, fd: i32, word: &AtomicU32, begun: &AtomicU32) -> R {
    begun.store(1, Ordering::SeqCst);
    let mut len = u64::from(word.load(Ordering::SeqCst) - 1);
    if word.load(Ordering::SeqCst) == LONGER {
        let mut long = [0; 8];
        fill(th, fd, &mut long, 0, true)?;
        len = u64::from_ne_bytes(long);
    }
    let Ok(len) = usize::try_from(len) else { return Err(torn(th, "wrote")) };
    let mut message = zeroed(th, len)?;
    fill(th, fd, &mut message, 0, true)?;
    let mut end = [0; WORD];
    fill(th, fd, &mut end, 0, true)?;
    if end != END {
        return Err(torn(th, "wrote"));
    }
    word.store(0, Ordering::SeqCst);
    begun.store(0, Ordering::SeqCst);
    th.new_bytes(&message)
}

/// Reads into the buffer, and then into the word, once or twice; waits until there is something. 0 at the end.
fn read(th: &mut Thread, fd: i32, buffer: &mut [u8], word: (&AtomicU32, usize)) -> R<usize> {
    if let Ok(Some(got)) = pipes::read_and_word(fd, buffer, word, true) {
        return Ok(got);
    }
    run(th, None, || {
        let soon = pipes::soon(|| pipes::read_and_word(fd, buffer, word, true).transpose());
        let wait = || pipes::read_and_word(fd, buffer, word, false).map(Option::unwrap_or_default);
        soon.unwrap_or_else(wait)
    })
}

fn torn(th: &mut Thread, how: &str) -> Raised {
    let text =
        format!("a process was ended while it {how} a message of this queue: what follows cannot be read");
    th.raise(Exc::OSError, text)
}

pub const SEND: NativeDef =
    NativeDef::full("queue_send", "fd, data, /", send, "Send a message to a queue's pipe.");
pub const SEND_NOW: NativeDef = NativeDef::full(
    "queue_send_now",
    "lock, fd, data, /",
    send_now,
    "Send a short message if that needs no waiting, neither for the writers' lock nor for room.",
);
pub const TAKE: NativeDef =
    NativeDef::full("queue_take", "lock, fd, /", take, "Take the readers' lock, and receive a message.");
pub const RECV: NativeDef =
    NativeDef::full("queue_recv", "lock, fd, /", recv, "Receive a message, the readers' lock being held.");
