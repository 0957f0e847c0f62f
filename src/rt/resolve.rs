//! The door to the resolver: names of hosts and services. `unsafe` is allowed here. Knows no value; blocks: call it
//! detached.

use super::socket::Address;
use super::syscall::Sys;
use std::ffi::{CStr, CString};

/// What is wanted of an address, or how one was found.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    pub family: i32,
    pub kind: i32,
    pub proto: i32,
    pub flags: i32,
}

/// One address that a name stands for.
pub struct Found {
    pub family: i32,
    pub kind: i32,
    pub proto: i32,
    pub canonical: Option<CString>,
    pub address: Address,
}

/// Why the resolver found nothing.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// A number of its own, for `failure_text`.
    Resolver(i32),
    /// The number of a system error.
    System(i32),
}

fn failed(code: i32) -> Failure {
    match code {
        libc::EAI_SYSTEM => Failure::System(super::syscall::last()),
        code => Failure::Resolver(code),
    }
}

/// The addresses of a host and a service.
pub fn addresses(host: Option<&CStr>, service: Option<&CStr>, wanted: Wanted) -> Result<Vec<Found>, Failure> {
    let text = |v: Option<&CStr>| v.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: zeros are a valid question.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = wanted.family;
    hints.ai_socktype = wanted.kind;
    hints.ai_protocol = wanted.proto;
    hints.ai_flags = wanted.flags;
    let mut list = std::ptr::null_mut();
    // SAFETY: null or NUL-terminated texts, a live question, room for the answer.
    let code = unsafe { libc::getaddrinfo(text(host), text(service), &raw const hints, &raw mut list) };
    if code != 0 {
        return Err(failed(code));
    }
    let mut found = Vec::new();
    let mut next: *const libc::addrinfo = list;
    // SAFETY: a list of the resolver's, whole until it is freed below; its texts are NUL-terminated or null.
    unsafe {
        while let Some(info) = next.as_ref() {
            let canonical =
                (!info.ai_canonname.is_null()).then(|| CStr::from_ptr(info.ai_canonname).to_owned());
            if let Some(address) = Address::copied(info.ai_addr, info.ai_addrlen) {
                let (family, kind, proto) = (info.ai_family, info.ai_socktype, info.ai_protocol);
                found.push(Found { family, kind, proto, canonical, address });
            }
            next = info.ai_next;
        }
        libc::freeaddrinfo(list);
    }
    Ok(found)
}

/// The names of an address: host and service.
pub fn names(of: &Address, flags: i32) -> Result<(CString, CString), Failure> {
    let (name, len) = of.raw();
    let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
    // SAFETY: a live address of this length, and two live buffers of these sizes.
    let code = unsafe {
        libc::getnameinfo(
            name,
            len,
            host.as_mut_ptr().cast(),
            host.len() as libc::socklen_t,
            service.as_mut_ptr().cast(),
            service.len() as libc::socklen_t,
            flags,
        )
    };
    if code != 0 {
        return Err(failed(code));
    }
    let text = |bytes: &[u8]| CStr::from_bytes_until_nul(bytes).unwrap_or_default().to_owned();
    Ok((text(&host), text(&service)))
}

/// What a number of the resolver's means, in its words.
pub fn failure_text(code: i32) -> String {
    // SAFETY: the text is the C library's, for ever.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned()
}

/// What this machine calls itself.
pub fn host_name() -> Sys<CString> {
    let mut name = [0u8; 256];
    // SAFETY: a live buffer, of whose last byte the call is not told.
    super::syscall::checked(unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) })?;
    Ok(CStr::from_bytes_until_nul(&name).unwrap_or_default().to_owned())
}

/// The number of a network interface.
pub fn interface_number(name: &CStr) -> Sys<u32> {
    // SAFETY: a NUL-terminated text.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(super::syscall::last()),
        number => Ok(number),
    }
}

/// The name of a network interface.
pub fn interface_name(number: u32) -> Sys<CString> {
    let mut name = [0u8; libc::IF_NAMESIZE];
    // SAFETY: a buffer of the size that is asked for.
    if unsafe { libc::if_indextoname(number, name.as_mut_ptr().cast()) }.is_null() {
        return Err(super::syscall::last());
    }
    Ok(CStr::from_bytes_until_nul(&name).unwrap_or_default().to_owned())
}
