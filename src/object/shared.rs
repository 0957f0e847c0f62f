//! Memory outside of the heap that several processes share: mapped, read and written byte by byte or by aligned words, so
//! that no writer, here or in another process, can tear a number in two. Must not know what lies in it.

use super::func;
use super::value::Value;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// A mapping. It stays where it is until it is dropped; forked children have it at the same place.
#[derive(Debug)]
pub struct Shared {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: plain memory, which is only ever reached through atomics.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// The mapping that a host object is.
pub fn of(v: Value) -> Option<&'static Shared> {
    func::host::<Shared>(v)
}

impl Shared {
    /// New memory, all zeros, that children will share.
    /// Errors: the system's number.
    pub fn anonymous(len: usize) -> Result<Shared, i32> {
        Shared::map(len, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1)
    }

    /// The first `len` bytes of a file, which must be as long.
    /// Errors: the system's number.
    pub fn of_file(fd: i32, len: usize) -> Result<Shared, i32> {
        Shared::map(len, libc::MAP_SHARED, fd)
    }

    fn map(len: usize, flags: i32, fd: i32) -> Result<Shared, i32> {
        let len = len.max(1);
        // SAFETY: a new mapping at a place of the kernel's choice; a bad length or descriptor is an error.
        let at =
            unsafe { libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, flags, fd, 0) };
        match NonNull::new(at.cast::<u8>()).filter(|_| at != libc::MAP_FAILED) {
            Some(at) => Ok(Shared { at, len }),
            None => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::ENOMEM)),
        }
    }

    /// Lets go of what is shared: from now on there are private zeros, so that whoever still looks does no harm.
    pub fn retire(&self) {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
        // SAFETY: replaces the pages of our own mapping, all of them; its addresses stay valid.
        unsafe {
            libc::mmap(self.at.as_ptr().cast(), self.len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    fn cells(&self) -> &[AtomicU8] {
        // SAFETY: the mapping is that long and lives as long as `self`; nobody reaches it but through atomics.
        unsafe { std::slice::from_raw_parts(self.at.as_ptr().cast(), self.len) }
    }

    /// The aligned word of type `T`, an atomic, at this place.
    fn word<T>(&self, at: usize) -> Option<&T> {
        let fits = at.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len);
        // SAFETY: within the mapping, which is aligned to a page, and aligned by the check; `T` is one of the atomics.
        (fits && at.is_multiple_of(size_of::<T>())).then(|| unsafe { &*self.at.as_ptr().add(at).cast() })
    }

    /// A word of 32 bits.
    pub fn word32(&self, at: usize) -> Option<&AtomicU32> {
        self.word(at)
    }

    /// A word of 64 bits.
    pub fn word64(&self, at: usize) -> Option<&AtomicU64> {
        self.word(at)
    }

    /// Some of the bytes; none if there are no such places.
    pub fn part(&self, range: Range<usize>) -> Vec<u8> {
        let Some(cells) = self.cells().get(range.clone()) else { return Vec::new() };
        let mut out = Vec::with_capacity(cells.len());
        let mut at = range.start;
        while at < range.end {
            match self.word64(at).filter(|_| range.end - at >= 8) {
                Some(word) => {
                    out.extend_from_slice(&word.load(Relaxed).to_ne_bytes());
                    at += 8;
                }
                None => {
                    out.extend(self.cells().get(at).map(|cell| cell.load(Relaxed)));
                    at += 1;
                }
            }
        }
        out
    }

    /// Replaces the bytes from `at` on, as far as there are any.
    pub fn overwrite(&self, mut at: usize, mut with: &[u8]) {
        while let Some((byte, rest)) = with.split_first() {
            match (self.word64(at), with.split_first_chunk::<8>()) {
                (Some(word), Some((chunk, rest))) => {
                    word.store(u64::from_ne_bytes(*chunk), Relaxed);
                    (at, with) = (at + 8, rest);
                }
                _ => {
                    let Some(cell) = self.cells().get(at) else { return };
                    cell.store(*byte, Relaxed);
                    (at, with) = (at + 1, rest);
                }
            }
        }
    }

    /// The bytes of a number, and zeros behind them: in one piece, if it is aligned.
    pub fn number(&self, at: usize, size: usize) -> Option<[u8; 8]> {
        let whole = match size {
            2 => self.word::<AtomicU16>(at).map(|w| u64::from(w.load(Relaxed))),
            4 => self.word32(at).map(|w| u64::from(w.load(Relaxed))),
            8 => self.word64(at).map(|w| w.load(Relaxed)),
            _ => None,
        };
        if let Some(whole) = whole {
            return Some(whole.to_le_bytes());
        }
        let mut item = [0; 8];
        let cells = self.cells().get(at..at.checked_add(size)?)?;
        item.iter_mut().zip(cells).for_each(|(to, cell)| *to = cell.load(Relaxed));
        Some(item)
    }

    /// Writes the first `size` bytes of a number: in one piece, if it is aligned.
    pub fn set_number(&self, at: usize, size: usize, item: [u8; 8]) {
        let word = u64::from_le_bytes(item);
        let done = match size {
            2 => self.word::<AtomicU16>(at).map(|w| w.store(word as u16, Relaxed)),
            4 => self.word32(at).map(|w| w.store(word as u32, Relaxed)),
            8 => self.word64(at).map(|w| w.store(word, Relaxed)),
            _ => None,
        };
        if done.is_none() {
            self.overwrite(at, item.get(..size).unwrap_or(&item));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: our own mapping, whole; nobody has a reference to it any more.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;

    #[test]
    fn what_is_written_anywhere_is_read_back() {
        let memory = Shared::anonymous(64).unwrap();
        let bytes: Vec<u8> = (1..=30).collect();
        for at in 0..20 {
            memory.overwrite(at, &bytes);
            assert_eq!(memory.part(at..at + 30), bytes, "at {at}");
        }
        memory.overwrite(60, &bytes);
        assert_eq!(memory.part(60..64), [1, 2, 3, 4]);
        assert_eq!(memory.part(60..65), []);
    }

    #[test]
    fn numbers_of_every_size_at_every_place() {
        let memory = Shared::anonymous(32).unwrap();
        let item = 0x0807_0605_0403_0201_u64.to_le_bytes();
        for size in [1, 2, 4, 8] {
            for at in 0..16 {
                memory.overwrite(0, &[0; 32]);
                memory.set_number(at, size, item);
                let mut wanted = [0; 8];
                wanted[..size].copy_from_slice(&item[..size]);
                assert_eq!(memory.number(at, size), Some(wanted), "{size} bytes at {at}");
                assert_eq!(memory.part(at + size..32), vec![0; 32 - at - size]);
            }
        }
        assert_eq!(memory.number(31, 2), None);
    }

    #[test]
    fn retired_memory_can_still_be_looked_at() {
        let memory = Shared::anonymous(16).unwrap();
        memory.set_number(8, 8, [7; 8]);
        memory.retire();
        assert_eq!(memory.number(8, 8), Some([0; 8]));
    }
}
