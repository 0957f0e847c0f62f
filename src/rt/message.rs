//! The door to the kernel for messages of sockets that carry more than bytes: descriptors, credentials.
//! `unsafe` is allowed here. As `syscall.rs`: error numbers, no value, may block.

use super::socket::Address;
use super::syscall::{Sys, checked};

/// Something that travels beside the bytes: level, type, and its own bytes.
pub type Extra = (i32, i32, Vec<u8>);

/// A message that has come.
pub struct Received {
    pub len: usize,
    pub extras: Vec<Extra>,
    pub flags: i32,
    pub from: Address,
}

const WORD: usize = size_of::<usize>();
const HEAD: usize = size_of::<libc::cmsghdr>();

/// Length of an extra with so many bytes, as its head says it.
pub fn extra_len(bytes: usize) -> Option<usize> {
    bytes.checked_add(HEAD).filter(|len| *len <= i32::MAX as usize)
}

/// Room that an extra with so many bytes takes.
pub fn extra_space(bytes: usize) -> Option<usize> {
    extra_len(bytes)?.checked_next_multiple_of(WORD).filter(|len| *len <= i32::MAX as usize)
}

/// The extras one behind the other, in words, so that they are aligned.
fn packed(extras: &[Extra]) -> Option<Vec<usize>> {
    let mut all = Vec::new();
    for (level, kind, data) in extras {
        all.extend_from_slice(&extra_len(data.len())?.to_ne_bytes());
        all.extend_from_slice(&level.to_ne_bytes());
        all.extend_from_slice(&kind.to_ne_bytes());
        all.extend_from_slice(data);
        all.resize(all.len().next_multiple_of(WORD), 0);
    }
    Some(all.chunks_exact(WORD).map(word).collect())
}

fn word(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | usize::from(*byte))
}

/// The opposite of `packed`; the last one may be cut off.
fn unpacked(all: &[u8]) -> Vec<Extra> {
    let mut found = Vec::new();
    let mut rest = all;
    while let Some((head, _)) = rest.split_at_checked(HEAD) {
        let number = |at: usize| head.get(at..at + 4).map_or(0, |b| word(b) as i32);
        let len = head.get(..WORD).map_or(0, word);
        if len < HEAD {
            break;
        }
        let data = rest.get(HEAD..len.min(rest.len())).unwrap_or(&[]);
        found.push((number(WORD), number(WORD + 4), data.to_vec()));
        rest = rest.get(len.next_multiple_of(WORD)..).unwrap_or(&[]);
    }
    found
}

/// Sends pieces as one message; how many bytes were taken. `EMSGSIZE`: the extras are too long.
pub fn send(fd: i32, pieces: &[&[u8]], extras: &[Extra], flags: i32, to: Option<&Address>) -> Sys<usize> {
    let part = |b: &&[u8]| libc::iovec { iov_base: b.as_ptr().cast_mut().cast(), iov_len: b.len() };
    let parts: Vec<libc::iovec> = pieces.iter().map(part).collect();
    let extras = packed(extras).ok_or(libc::EMSGSIZE)?;
    let (name, len) = to.map_or((std::ptr::null(), 0), Address::raw);
    let control = if extras.is_empty() { std::ptr::null() } else { extras.as_ptr() };
    // SAFETY: zeros are a valid message; it leads to live pieces, extras and an address, which the kernel only reads.
    let sent = unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_name = name.cast_mut().cast();
        message.msg_namelen = len;
        message.msg_iov = parts.as_ptr().cast_mut();
        message.msg_iovlen = parts.len();
        message.msg_control = control.cast_mut().cast();
        message.msg_controllen = extras.len() * WORD;
        libc::sendmsg(fd, &message, flags | libc::MSG_NOSIGNAL)
    };
    checked(sent as i64).map(|n| n as usize)
}

/// Receives a message into buffers; `room`: for extras, in bytes.
pub fn receive(fd: i32, buffers: &mut [Vec<u8>], room: usize, flags: i32) -> Sys<Received> {
    let part = |b: &mut Vec<u8>| libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.len() };
    let mut parts: Vec<libc::iovec> = buffers.iter_mut().map(part).collect();
    let mut extras = vec![0usize; room.div_ceil(WORD)];
    let mut seen = (0, 0);
    let (len, from) = super::socket::naming(|name, name_len| {
        // SAFETY: zeros are a valid message; it leads to live buffers of these lengths, which the kernel writes to.
        unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_name = name.cast();
            message.msg_namelen = *name_len;
            message.msg_iov = parts.as_mut_ptr();
            message.msg_iovlen = parts.len();
            message.msg_control = if room == 0 { std::ptr::null_mut() } else { extras.as_mut_ptr().cast() };
            message.msg_controllen = room;
            let got = libc::recvmsg(fd, &mut message, flags);
            *name_len = message.msg_namelen;
            seen = (message.msg_controllen, message.msg_flags);
            got as i64
        }
    })?;
    let bytes: Vec<u8> = extras.iter().flat_map(|word| word.to_ne_bytes()).take(seen.0).collect();
    Ok(Received { len: len as usize, extras: unpacked(&bytes), flags: seen.1, from })
}
