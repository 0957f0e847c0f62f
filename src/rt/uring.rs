//! A ring that the kernel and this process share: requests go in, results come out, and one system call can hand over many
//! of both. `unsafe` is allowed here. Knows no value; `enter` blocks: call it detached.
//!
//! The buffers of requests belong to the ring until their results are out; a ring that dies before that leaves them to the
//! kernel for ever.

use super::syscall::{Sys, checked, close};
use std::collections::HashMap;
use std::mem::{ManuallyDrop, offset_of, size_of};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is requested. The numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    Nothing = 0,
    Read = 22,
    Write = 23,
}

/// The kernel's `io_sqring_offsets` and `io_cqring_offsets`, and what holds them.
#[repr(C)]
#[derive(Default)]
struct Offsets {
    head: u32,
    tail: u32,
    mask: u32,
    entries: u32,
    /// Of results: overflow.
    flags: u32,
    /// Of results: where they are.
    dropped: u32,
    array: u32,
    reserved: u32,
    user: u64,
}

#[repr(C)]
#[derive(Default)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
    wq_fd: u32,
    reserved: [u32; 3],
    sq: Offsets,
    cq: Offsets,
}

/// A request as the kernel reads it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Request {
    operation: u8,
    flags: u8,
    priority: u16,
    fd: i32,
    offset: u64,
    address: u64,
    len: u32,
    how: u32,
    token: u64,
    rest: [u64; 3],
}

/// A result as the kernel writes it.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawResult {
    token: u64,
    result: i32,
    flags: u32,
}

const _: () =
    assert!(size_of::<Params>() == 120 && size_of::<Request>() == 64 && size_of::<RawResult>() == 16);
const _: () = assert!(offset_of!(Request, token) == 32);

const REQUESTS_AT: i64 = 0;
const SLOTS_AT: i64 = 0x1000_0000;
const ONE_MAPPING: u32 = 1;
const WAIT_FOR_RESULTS: u32 = 1;

/// Memory shared with the kernel.
struct Mapping {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: plain memory; who may touch which word is the ring's business.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(fd: i32, len: usize, offset: i64) -> Sys<Mapping> {
        let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_POPULATE);
        // SAFETY: a new mapping at a place of the kernel's choice.
        let at = unsafe { libc::mmap(ptr::null_mut(), len, rights, flags, fd, offset) };
        match NonNull::new(at.cast::<u8>()).filter(|_| at != libc::MAP_FAILED) {
            Some(at) => Ok(Mapping { at, len }),
            None => Err(super::syscall::last()),
        }
    }

    /// The place of item `index` of an array at `offset`, which must lie within the mapping.
    fn item<T>(&self, offset: u32, index: u32) -> *mut T {
        let at = offset as usize + index as usize * size_of::<T>();
        debug_assert!(at + size_of::<T>() <= self.len);
        // SAFETY: the kernel's offsets lie within what it told us to map.
        unsafe { self.at.as_ptr().add(at).cast() }
    }

    fn word(&self, offset: u32) -> &AtomicU32 {
        // SAFETY: as above; these words are aligned, and both sides use them atomically.
        unsafe { &*self.item::<AtomicU32>(offset, 0) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: our own mapping, which nobody refers to any more.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len) };
    }
}

/// What one thread at a time may touch.
struct Queues {
    rings: Mapping,
    slots: Mapping,
    sq: Offsets,
    cq: Offsets,
    next: u64,
    /// Of the requests whose results are not out yet: the caller's token, and the buffer.
    buffers: HashMap<u64, (u64, ManuallyDrop<Vec<u8>>)>,
    /// Requests that the kernel has not been told of.
    waiting: u32,
}

/// Something that is done: the caller's token, the kernel's answer (below 0: minus an error number), the buffer.
pub struct Done {
    pub token: u64,
    pub result: i32,
    pub buffer: Vec<u8>,
}

pub struct Ring {
    fd: i32,
    queues: Mutex<Queues>,
}

impl Ring {
    /// For so many requests at a time.
    pub fn new(entries: u32) -> Sys<Ring> {
        let mut params = Params::default();
        // SAFETY: a live struct of the kernel's layout.
        let fd =
            checked(unsafe { libc::syscall(libc::SYS_io_uring_setup, entries, &raw mut params) })? as i32;
        let queues = map(fd, params).inspect_err(|_| {
            let _ = close(fd);
        })?;
        Ok(Ring { fd, queues: Mutex::new(queues) })
    }

    /// The lock is held for moments only, and never across a call that blocks.
    fn with<T>(&self, work: impl FnOnce(&mut Queues) -> T) -> T {
        work(&mut self.queues.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a request; false: there is no room before `enter`.
    pub fn add(&self, operation: Operation, fd: i32, offset: i64, token: u64, buffer: Vec<u8>) -> bool {
        self.with(|queues| queues.add(operation, fd, offset, token, buffer))
    }

    /// Hands over what was added, and waits for so many results; how many requests the kernel took.
    pub fn enter(&self, results: u32) -> Sys<u32> {
        let waiting = self.with(|queues| std::mem::take(&mut queues.waiting));
        // SAFETY: plain numbers, no mask.
        let taken = checked(unsafe {
            let none = ptr::null::<libc::sigset_t>();
            libc::syscall(libc::SYS_io_uring_enter, self.fd, waiting, results, WAIT_FOR_RESULTS, none, 0)
        });
        let taken = taken.map(|n| n as u32);
        self.with(|queues| queues.waiting += waiting - taken.unwrap_or(0).min(waiting));
        taken
    }

    /// Takes the results that are there.
    pub fn results(&self) -> Vec<Done> {
        self.with(Queues::take)
    }
}

fn map(fd: i32, params: Params) -> Sys<Queues> {
    if params.features & ONE_MAPPING == 0 {
        return Err(libc::ENOSYS);
    }
    let ends = [
        params.sq.array as usize + params.sq_entries as usize * size_of::<u32>(),
        params.cq.dropped as usize + params.cq_entries as usize * size_of::<RawResult>(),
    ];
    let rings = Mapping::new(fd, ends[0].max(ends[1]), REQUESTS_AT)?;
    let slots = Mapping::new(fd, params.sq_entries as usize * size_of::<Request>(), SLOTS_AT)?;
    Ok(Queues { rings, slots, sq: params.sq, cq: params.cq, next: 0, buffers: HashMap::new(), waiting: 0 })
}

impl Queues {
    fn add(&mut self, operation: Operation, fd: i32, offset: i64, token: u64, mut buffer: Vec<u8>) -> bool {
        let tail = self.rings.word(self.sq.tail);
        let at = tail.load(Ordering::Relaxed);
        let used = at.wrapping_sub(self.rings.word(self.sq.head).load(Ordering::Acquire));
        if used >= self.rings.word(self.sq.entries).load(Ordering::Relaxed) {
            return false;
        }
        let slot = at & self.rings.word(self.sq.mask).load(Ordering::Relaxed);
        let own = self.next;
        self.next += 1;
        let request = Request {
            operation: operation as u8,
            fd,
            offset: offset.cast_unsigned(),
            address: buffer.as_mut_ptr() as u64,
            len: u32::try_from(buffer.len()).unwrap_or(u32::MAX),
            token: own,
            ..Request::default()
        };
        self.buffers.insert(own, (token, ManuallyDrop::new(buffer)));
        // SAFETY: the slot is free: the kernel's head has passed it. Nobody but us writes to it, under the lock.
        unsafe {
            self.slots.item::<Request>(0, slot).write(request);
            self.rings.item::<u32>(self.sq.array, slot).write(slot);
        }
        tail.store(at.wrapping_add(1), Ordering::Release);
        self.waiting += 1;
        true
    }

    fn take(&mut self) -> Vec<Done> {
        let mut found = Vec::new();
        let (head, tail) = (self.rings.word(self.cq.head), self.rings.word(self.cq.tail));
        let mask = self.rings.word(self.cq.mask).load(Ordering::Relaxed);
        let (mut at, end) = (head.load(Ordering::Relaxed), tail.load(Ordering::Acquire));
        while at != end {
            // SAFETY: the kernel has written it: its tail has passed it.
            let raw = unsafe { self.rings.item::<RawResult>(self.cq.dropped, at & mask).read() };
            if let Some((token, buffer)) = self.buffers.remove(&raw.token) {
                // The kernel is done with the buffer.
                found.push(Done { token, result: raw.result, buffer: ManuallyDrop::into_inner(buffer) });
            }
            at = at.wrapping_add(1);
        }
        head.store(at, Ordering::Release);
        found
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let _ = close(self.fd);
    }
}
