//! The door to the kernel for sockets: thin safe functions over libc. `unsafe` is allowed here.
//! Every function returns the error number on failure. Knows no value; may block: call it detached.

use super::syscall::{Sys, checked};
use std::mem::{offset_of, size_of};
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address as the kernel has it.
#[derive(Clone, Copy)]
pub struct Address {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

/// An address taken apart.
pub enum Parts {
    /// The kernel said nothing.
    Nothing,
    V4(Ipv4Addr, u16),
    V6 {
        ip: Ipv6Addr,
        port: u16,
        flow: u32,
        scope: u32,
    },
    /// A path without its end; a name that begins with NUL lies outside of the file system.
    Unix(Vec<u8>),
    Other(i32),
}

const PATH_AT: usize = offset_of!(libc::sockaddr_un, sun_path);
/// Room for a path and its end.
const PATH_ROOM: usize = size_of::<libc::sockaddr_un>() - PATH_AT;

impl Address {
    const ROOM: libc::socklen_t = size_of::<libc::sockaddr_storage>() as libc::socklen_t;

    fn blank(len: libc::socklen_t) -> Address {
        // SAFETY: zeros are a valid address, of no family.
        Address { storage: unsafe { std::mem::zeroed() }, len }
    }

    fn holding<T: Copy>(name: T) -> Address {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut made = Address::blank(size_of::<T>() as libc::socklen_t);
        // SAFETY: the storage is large enough (see above) and aligned for every kind of address.
        unsafe { (&raw mut made.storage).cast::<T>().write(name) };
        made
    }

    pub fn v4(ip: Ipv4Addr, port: u16) -> Address {
        Address::holding(libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: port.to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(ip.octets()) },
            sin_zero: [0; 8],
        })
    }

    pub fn v6(ip: Ipv6Addr, port: u16, flow: u32, scope: u32) -> Address {
        Address::holding(libc::sockaddr_in6 {
            sin6_family: libc::AF_INET6 as libc::sa_family_t,
            sin6_port: port.to_be(),
            sin6_flowinfo: flow.to_be(),
            sin6_addr: libc::in6_addr { s6_addr: ip.octets() },
            sin6_scope_id: scope,
        })
    }

    /// `None`: the path is too long.
    pub fn unix(path: &[u8]) -> Option<Address> {
        let is_path = path.first().is_some_and(|first| *first != 0);
        if path.len() + usize::from(is_path) > PATH_ROOM {
            return None;
        }
        let mut name =
            libc::sockaddr_un { sun_family: libc::AF_UNIX as libc::sa_family_t, sun_path: [0; PATH_ROOM] };
        name.sun_path.iter_mut().zip(path).for_each(|(to, byte)| *to = *byte as libc::c_char);
        let mut made = Address::holding(name);
        made.len = (PATH_AT + path.len() + usize::from(is_path)) as libc::socklen_t;
        Some(made)
    }

    pub fn family(&self) -> i32 {
        i32::from(self.storage.ss_family)
    }

    fn read<T: Copy>(&self) -> T {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        // SAFETY: the storage is at least as large, aligned for every kind of address, and has no invalid values.
        unsafe { (&raw const self.storage).cast::<T>().read() }
    }

    /// What it says.
    pub fn parts(&self) -> Parts {
        let len = self.len as usize;
        match self.family() {
            _ if len == 0 => Parts::Nothing,
            libc::AF_INET => {
                let name: libc::sockaddr_in = self.read();
                Parts::V4(Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes()), u16::from_be(name.sin_port))
            }
            libc::AF_INET6 => {
                let name: libc::sockaddr_in6 = self.read();
                Parts::V6 {
                    ip: Ipv6Addr::from(name.sin6_addr.s6_addr),
                    port: u16::from_be(name.sin6_port),
                    flow: u32::from_be(name.sin6_flowinfo),
                    scope: name.sin6_scope_id,
                }
            }
            libc::AF_UNIX => {
                let name: libc::sockaddr_un = self.read();
                let said = name.sun_path.get(..len.saturating_sub(PATH_AT)).unwrap_or(&name.sun_path);
                let mut path: Vec<u8> = said.iter().map(|byte| *byte as u8).collect();
                if path.first().is_some_and(|first| *first != 0) {
                    path.truncate(path.iter().position(|byte| *byte == 0).unwrap_or(path.len()));
                }
                Parts::Unix(path)
            }
            other => Parts::Other(other),
        }
    }

    /// What the resolver found. `None`: it is of no kind that there is room for.
    ///
    /// # Safety
    /// `name` must lead to `len` bytes.
    pub(super) unsafe fn copied(name: *const libc::sockaddr, len: libc::socklen_t) -> Option<Address> {
        let mut made = Address::blank(len);
        if name.is_null() || len > Address::ROOM {
            return None;
        }
        // SAFETY: promised by the caller; there is room for as many.
        unsafe {
            std::ptr::copy_nonoverlapping(
                name.cast::<u8>(),
                (&raw mut made.storage).cast::<u8>(),
                len as usize,
            );
        }
        Some(made)
    }

    pub(super) fn raw(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        ((&raw const self.storage).cast(), self.len)
    }
}

/// Runs a call that writes an address, and its length.
pub(super) fn naming(
    call: impl FnOnce(*mut libc::sockaddr, *mut libc::socklen_t) -> i64,
) -> Sys<(i64, Address)> {
    let mut found = Address::blank(Address::ROOM);
    let result = checked(call((&raw mut found.storage).cast(), &raw mut found.len))?;
    found.len = found.len.min(Address::ROOM);
    Ok((result, found))
}

/// A new socket, which programs that are started do not inherit.
pub fn socket(family: i32, kind: i32, proto: i32) -> Sys<i32> {
    // SAFETY: plain numbers.
    checked(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, proto) }).map(|fd| fd as i32)
}

/// Two new sockets that are connected to each other.
pub fn socketpair(family: i32, kind: i32, proto: i32) -> Sys<(i32, i32)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two numbers into the array.
    checked(unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, proto, ends.as_mut_ptr()) })?;
    Ok((ends[0], ends[1]))
}

pub fn bind(fd: i32, to: &Address) -> Sys {
    let (name, len) = to.raw();
    // SAFETY: a live address of this length.
    checked(unsafe { libc::bind(fd, name, len) })
}

pub fn connect(fd: i32, to: &Address) -> Sys {
    let (name, len) = to.raw();
    // SAFETY: a live address of this length.
    checked(unsafe { libc::connect(fd, name, len) })
}

pub fn listen(fd: i32, backlog: i32) -> Sys {
    // SAFETY: plain numbers.
    checked(unsafe { libc::listen(fd, backlog) })
}

/// The next connection, and who made it.
pub fn accept(fd: i32) -> Sys<(i64, Address)> {
    // SAFETY: room for an address and its length.
    naming(|name, len| i64::from(unsafe { libc::accept4(fd, name, len, libc::SOCK_CLOEXEC) }))
}

pub fn name(fd: i32) -> Sys<Address> {
    // SAFETY: room for an address and its length.
    naming(|name, len| i64::from(unsafe { libc::getsockname(fd, name, len) })).map(|(_, found)| found)
}

pub fn peer(fd: i32) -> Sys<Address> {
    // SAFETY: room for an address and its length.
    naming(|name, len| i64::from(unsafe { libc::getpeername(fd, name, len) })).map(|(_, found)| found)
}

pub fn shutdown(fd: i32, how: i32) -> Sys {
    // SAFETY: plain numbers.
    checked(unsafe { libc::shutdown(fd, how) })
}

/// Receives; how many bytes came.
///
/// The C library's own function makes its thread a target for `pthread_cancel` meanwhile, which nobody uses here and which
/// takes two locked instructions.
pub fn receive(fd: i32, into: &mut [u8], flags: i32) -> Sys<usize> {
    let nobody = std::ptr::null_mut::<u8>();
    // SAFETY: the kernel writes at most `len` bytes into a live buffer.
    let got = unsafe {
        libc::syscall(libc::SYS_recvfrom, fd, into.as_mut_ptr(), into.len(), flags, nobody, nobody)
    };
    checked(got).map(|n| n as usize)
}

/// As `receive`; tells also who sent it.
pub fn receive_from(fd: i32, into: &mut [u8], flags: i32) -> Sys<(usize, Address)> {
    let (at, room) = (into.as_mut_ptr().cast(), into.len());
    // SAFETY: as in `receive`, and room for an address and its length.
    let got = naming(|name, len| unsafe { libc::recvfrom(fd, at, room, flags, name, len) } as i64)?;
    Ok((got.0 as usize, got.1))
}

/// Sends; how many bytes were taken. A broken connection is an error, never a signal. Not by the C library: see `receive`.
pub fn send(fd: i32, data: &[u8], flags: i32) -> Sys<usize> {
    let (flags, nobody) = (flags | libc::MSG_NOSIGNAL, std::ptr::null::<u8>());
    // SAFETY: the kernel reads at most `len` bytes of a live buffer.
    let sent = unsafe { libc::syscall(libc::SYS_sendto, fd, data.as_ptr(), data.len(), flags, nobody, 0) };
    checked(sent).map(|n| n as usize)
}

/// As `send`, to an address.
pub fn send_to(fd: i32, data: &[u8], flags: i32, to: &Address) -> Sys<usize> {
    let ((name, len), flags) = (to.raw(), flags | libc::MSG_NOSIGNAL);
    // SAFETY: as in `send`, and a live address of this length.
    checked(unsafe { libc::sendto(fd, data.as_ptr().cast(), data.len(), flags, name, len) } as i64)
        .map(|n| n as usize)
}

/// Reads an option into the buffer; how many bytes it has.
pub fn option(fd: i32, level: i32, name: i32, into: &mut [u8]) -> Sys<usize> {
    let mut len = into.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into a live buffer.
    checked(unsafe { libc::getsockopt(fd, level, name, into.as_mut_ptr().cast(), &raw mut len) })?;
    Ok((len as usize).min(into.len()))
}

/// An option that is a number.
pub fn option_number(fd: i32, level: i32, name: i32) -> Sys<i32> {
    let mut number = [0; 4];
    option(fd, level, name, &mut number)?;
    Ok(i32::from_ne_bytes(number))
}

pub fn set_option(fd: i32, level: i32, name: i32, value: &[u8]) -> Sys {
    let len = value.len() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes of a live buffer.
    checked(unsafe { libc::setsockopt(fd, level, name, value.as_ptr().cast(), len) })
}

/// Sets an option to nothing at all, of this length.
pub fn clear_option(fd: i32, level: i32, name: i32, len: u32) -> Sys {
    // SAFETY: a null pointer is what these options expect; for others it is an error.
    checked(unsafe { libc::setsockopt(fd, level, name, std::ptr::null(), len) })
}

/// Sends a part of a file: from `offset`, or from the file's place, which moves then.
pub fn send_file(to: i32, from: i32, offset: Option<i64>, count: usize) -> Sys<usize> {
    let mut at = offset.unwrap_or(0);
    let place = if offset.is_some() { &raw mut at } else { std::ptr::null_mut() };
    // SAFETY: null or a live number.
    checked(unsafe { libc::sendfile(to, from, place, count) } as i64).map(|n| n as usize)
}
