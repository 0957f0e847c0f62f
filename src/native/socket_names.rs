//! Module `_resolve`: names of hosts, services and interfaces; addresses as text and as bytes.
//! Must not know sockets.

use super::oserror::{os_error, run};
use super::socket_address::{self, host_name};
use super::support::{c_int, text_arg, type_name};
use crate::gil::Cause;
use crate::object::{Exc, Kind, R, Raised, Slot, Value, bytes, exc, int, list, str, tuple, types};
use crate::rt::resolve::{self, Failure, Found, Wanted};
use crate::rt::socket::{Address, Parts};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};

static GAIERROR: Slot = Slot::empty();

/// Raises `gaierror`, or the OSError behind it.
fn failed(th: &mut Thread, failure: Failure) -> Raised {
    let code = match failure {
        Failure::Resolver(code) => code,
        Failure::System(errno) => return os_error(th, errno, None),
    };
    let made = th.new_str(&resolve::failure_text(code)).and_then(|text| {
        exc::new_exception(&mut th.m, GAIERROR.value(), &[Value::int_unchecked(i64::from(code)), text])
    });
    match made {
        Ok(exception) => th.raise_value(exception),
        Err(raised) => raised,
    }
}

fn c_text(th: &mut Thread, text: &str) -> R<CString> {
    CString::new(text).map_err(|_| th.value_error("embedded null character"))
}

fn addresses(th: &mut Thread, host: Option<&str>, service: Option<&str>, wanted: Wanted) -> R<Vec<Found>> {
    let host = host.map(|text| c_text(th, text)).transpose()?;
    let service = service.map(|text| c_text(th, text)).transpose()?;
    let found =
        th.detach(Cause::Blocking, || resolve::addresses(host.as_deref(), service.as_deref(), wanted));
    found.map_err(|failure| failed(th, failure))
}

/// The first address of a host.
pub fn first(th: &mut Thread, host: &str, family: i32) -> R<Address> {
    let wanted = Wanted { family, kind: libc::SOCK_DGRAM, ..Wanted::default() };
    match addresses(th, Some(host), None, wanted)?.first() {
        Some(found) => Ok(found.address),
        None => Err(failed(th, Failure::Resolver(libc::EAI_NONAME))),
    }
}

/// The host of an address in digits, with its interface.
pub fn numeric_host(address: &Address) -> Option<String> {
    let flags = libc::NI_NUMERICHOST | libc::NI_NUMERICSERV;
    resolve::names(address, flags).ok()?.0.into_string().ok()
}

fn getaddrinfo(th: &mut Thread, args: Args) -> R {
    let host = match args.opt_not_none(0) {
        None => None,
        Some(v) if str::as_str(v).is_some() || bytes::as_bytes(v).is_some() => Some(host_name(th, v)?),
        Some(_) => return Err(th.type_error("getaddrinfo() argument 1 must be string or None")),
    };
    let service = match args.opt_not_none(1) {
        None => None,
        Some(v) if int::is_int(v) => Some(th.index(v)?.to_string()),
        Some(v) if str::as_str(v).is_some() || bytes::as_bytes(v).is_some() => Some(host_name(th, v)?),
        Some(_) => return Err(th.raise(Exc::OSError, "Int or String expected")),
    };
    let mut number = |at: usize| args.opt(at).map_or(Ok(0), |v| c_int(th, v));
    let wanted = Wanted { family: number(2)?, kind: number(3)?, proto: number(4)?, flags: number(5)? };
    let all = addresses(th, host.as_deref(), service.as_deref(), wanted)?;
    let made = th.m.new_list(&[])?;
    let Some(l) = list::of(made) else { return Ok(made) };
    for found in all {
        let address = socket_address::shown(th, &found.address)?;
        let canonical = found.canonical.unwrap_or_default();
        let canonical = th.new_str(&canonical.to_string_lossy())?;
        let [family, kind, proto] =
            [found.family, found.kind, found.proto].map(|n| Value::int_unchecked(i64::from(n)));
        let row = th.new_tuple(&[family, kind, proto, canonical, address])?;
        list::push(&mut th.m, l, row)?;
    }
    Ok(made)
}

fn getnameinfo(th: &mut Thread, args: Args) -> R {
    let flags = c_int(th, args.get(1))?;
    let Some(t) = tuple::of(args.get(0)) else {
        return Err(th.type_error("getnameinfo() argument 1 must be a tuple"));
    };
    let items: Vec<Value> = tuple::slots(t).iter().map(|slot| slot.value()).collect();
    let (Some(host), Some(port)) = (items.first().and_then(|v| str::as_str(*v)), items.get(1)) else {
        return Err(th.type_error("getnameinfo(): illegal sockaddr argument"));
    };
    let port = th.index(*port)?.to_string();
    let wanted = Wanted { kind: libc::SOCK_DGRAM, flags: libc::AI_NUMERICHOST, ..Wanted::default() };
    let found = addresses(th, Some(host), Some(&port), wanted)?;
    let [only] = found.as_slice() else {
        return Err(th.raise(Exc::OSError, "sockaddr resolved to multiple addresses"));
    };
    let address = match only.address.parts() {
        Parts::V6 { ip, port, scope, .. } => {
            let mut number = |at: usize| items.get(at).map_or(Ok(0), |v| c_int(th, *v));
            let (flow, given) = (number(2)? as u32, number(3)? as u32);
            Address::v6(ip, port, flow, if given != 0 { given } else { scope })
        }
        _ if items.len() != 2 => return Err(th.raise(Exc::OSError, "IPv4 sockaddr must be 2 tuple")),
        _ => only.address,
    };
    let found = th.detach(Cause::Blocking, || resolve::names(&address, flags));
    let (host, service) = found.map_err(|failure| failed(th, failure))?;
    let (host, service) = (th.new_str(&host.to_string_lossy())?, th.new_str(&service.to_string_lossy())?);
    th.new_tuple(&[host, service])
}

fn gethostbyname(th: &mut Thread, args: Args) -> R {
    let host = host_name(th, args.get(0))?;
    let ip = match host.as_str() {
        "" => Ipv4Addr::UNSPECIFIED.to_string(),
        "<broadcast>" => Ipv4Addr::BROADCAST.to_string(),
        host => match first(th, host, libc::AF_INET)?.parts() {
            Parts::V4(ip, _) => ip.to_string(),
            _ => host.to_owned(),
        },
    };
    th.new_str(&ip)
}

fn gethostname(th: &mut Thread, _: Args) -> R {
    let name = run(th, None, resolve::host_name)?;
    th.new_str(&name.to_string_lossy())
}

fn if_nametoindex(th: &mut Thread, args: Args) -> R {
    let name = text_arg(&mut th.m, args.get(0), "if_nametoindex", "argument 1")?;
    let name = c_text(th, name)?;
    match resolve::interface_number(&name) {
        Ok(number) => th.new_int(i64::from(number)),
        Err(_) => Err(th.raise(Exc::OSError, "no interface with this name")),
    }
}

fn if_indextoname(th: &mut Thread, args: Args) -> R {
    let number = u32::try_from(th.index(args.get(0))?).unwrap_or(0);
    let name = run(th, None, || resolve::interface_name(number))?;
    th.new_str(&name.to_string_lossy())
}

/// Bytes of an IPv4 address in the old spelling too: fewer parts, hexadecimal and octal ones.
fn inet_aton(th: &mut Thread, args: Args) -> R {
    let text = text_arg(&mut th.m, args.get(0), "inet_aton", "argument 1")?;
    match loose_v4(text) {
        Some(ip) => th.new_bytes(&ip.to_be_bytes()),
        None => Err(th.raise(Exc::OSError, "illegal IP address string passed to inet_aton")),
    }
}

fn loose_v4(text: &str) -> Option<u32> {
    let number = |part: &str| match part.strip_prefix("0x").or(part.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
        None => part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())),
    };
    let parts = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 255) {
        return None;
    }
    let rest_bits = 32 - 8 * leading.len() as u32;
    if u64::from(*last) >> rest_bits != 0 {
        return None;
    }
    let high = leading.iter().fold(0u64, |all, part| all << 8 | u64::from(*part));
    Some((high << rest_bits) as u32 | last)
}

fn raw_bytes(th: &mut Thread, v: Value) -> R<&'static [u8]> {
    let object = bytes_object(th, v)?;
    match bytes::as_bytes(object) {
        Some(raw) => Ok(raw),
        None => {
            let got = type_name(v);
            Err(th.type_error(format!("a bytes-like object is required, not '{got}'")))
        }
    }
}

fn inet_ntoa(th: &mut Thread, args: Args) -> R {
    let raw = raw_bytes(th, args.get(0))?;
    match <[u8; 4]>::try_from(raw) {
        Ok(octets) => th.new_str(&Ipv4Addr::from(octets).to_string()),
        Err(_) => Err(th.raise(Exc::OSError, "packed IP wrong length for inet_ntoa")),
    }
}

fn inet_pton(th: &mut Thread, args: Args) -> R {
    let family = c_int(th, args.get(0))?;
    let text = text_arg(&mut th.m, args.get(1), "inet_pton", "argument 2")?;
    let packed = match family {
        libc::AF_INET => text.parse::<Ipv4Addr>().ok().map(|ip| ip.octets().to_vec()),
        libc::AF_INET6 => text.parse::<Ipv6Addr>().ok().map(|ip| ip.octets().to_vec()),
        _ => return Err(os_error(th, libc::EAFNOSUPPORT, None)),
    };
    match packed {
        Some(packed) => th.new_bytes(&packed),
        None => Err(th.raise(Exc::OSError, "illegal IP address string passed to inet_pton")),
    }
}

fn inet_ntop(th: &mut Thread, args: Args) -> R {
    let family = c_int(th, args.get(0))?;
    let raw = raw_bytes(th, args.get(1))?;
    let text = match family {
        libc::AF_INET => <[u8; 4]>::try_from(raw).ok().map(|octets| Ipv4Addr::from(octets).to_string()),
        libc::AF_INET6 => <[u8; 16]>::try_from(raw).ok().map(|octets| Ipv6Addr::from(octets).to_string()),
        _ => return Err(th.value_error(format!("unknown address family {family}"))),
    };
    match text {
        Some(text) => th.new_str(&text),
        None => Err(th.value_error("invalid length of packed IP address string")),
    }
}

/// Makes `gaierror` and `herror`.
fn init(th: &mut Thread, module: Value) -> R<()> {
    for name in ["gaierror", "herror"] {
        let bases = [types::exc_class(Exc::OSError)];
        let class = super::support::derive_class(th, "socket", name, &bases, Kind::Exception)?;
        if name == "gaierror" {
            GAIERROR.set(class);
        }
        super::support::set(th, module, name, class)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_resolve",
    doc: "Names of hosts, services and interfaces.",
    functions: &[
        NativeDef::full(
            "getaddrinfo",
            "host, port, family=, type=, proto=, flags=",
            getaddrinfo,
            "The addresses of a host and a service.",
        ),
        NativeDef::full("getnameinfo", "sockaddr, flags, /", getnameinfo, "Host and service of an address."),
        NativeDef::full("gethostbyname", "host, /", gethostbyname, "The IPv4 address of a host."),
        NativeDef::full("gethostname", "", gethostname, "What this machine calls itself."),
        NativeDef::full("if_nametoindex", "name, /", if_nametoindex, "The number of an interface."),
        NativeDef::full("if_indextoname", "index, /", if_indextoname, "The name of an interface."),
        NativeDef::full("inet_aton", "ip, /", inet_aton, "The bytes of an IPv4 address."),
        NativeDef::full("inet_ntoa", "packed, /", inet_ntoa, "The text of an IPv4 address."),
        NativeDef::full("inet_pton", "family, ip, /", inet_pton, "The bytes of an address."),
        NativeDef::full("inet_ntop", "family, packed, /", inet_ntop, "The text of an address."),
    ],
    types: &[],
    init: Some(init),
};
