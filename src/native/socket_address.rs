//! Socket addresses as scripts write them: tuples and paths. Must not know sockets.

use super::oserror::os_error;
use super::socket_names;
use super::support::{c_int, type_name};
use crate::object::{Exc, R, Value, bytearray, bytes, int, str, tuple};
use crate::rt::socket::{Address, Parts};
use crate::vm::thread::Thread;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The address that a script means; names are looked up. `caller` is for messages.
pub fn read(th: &mut Thread, v: Value, family: i32, caller: &str) -> R<Address> {
    match family {
        libc::AF_INET => read_v4(th, v, caller),
        libc::AF_INET6 => read_v6(th, v, caller),
        libc::AF_UNIX => read_unix(th, v),
        _ => Err(th.raise(Exc::OSError, format!("{caller}(): bad family"))),
    }
}

fn items(th: &mut Thread, v: Value, family: &str, caller: &str) -> R<Vec<Value>> {
    match tuple::of(v) {
        Some(t) => Ok(tuple::slots(t).iter().map(|slot| slot.value()).collect()),
        None => {
            let got = type_name(v);
            Err(th.type_error(format!("{caller}(): {family} address must be tuple, not {got}")))
        }
    }
}

fn port(th: &mut Thread, v: Value, caller: &str) -> R<u16> {
    let n = th.index_value(v)?;
    match int::as_i64(n).and_then(|n| u16::try_from(n).ok()) {
        Some(port) => Ok(port),
        None => Err(th.raise(Exc::OverflowError, format!("{caller}(): port must be 0-65535."))),
    }
}

fn read_v4(th: &mut Thread, v: Value, caller: &str) -> R<Address> {
    let parts = items(th, v, "AF_INET", caller)?;
    let [host, number] = parts.as_slice() else {
        return Err(th.type_error("AF_INET address must be a pair (host, port)"));
    };
    let port = port(th, *number, caller)?;
    let host = host_name(th, *host)?;
    let ip = match host.as_str() {
        "" => Ipv4Addr::UNSPECIFIED,
        "<broadcast>" => Ipv4Addr::BROADCAST,
        host => match host.parse() {
            Ok(ip) => ip,
            Err(_) => match socket_names::first(th, host, libc::AF_INET)?.parts() {
                Parts::V4(ip, _) => ip,
                _ => return Err(os_error(th, libc::EAFNOSUPPORT, None)),
            },
        },
    };
    Ok(Address::v4(ip, port))
}

fn read_v6(th: &mut Thread, v: Value, caller: &str) -> R<Address> {
    let parts = items(th, v, "AF_INET6", caller)?;
    let [host, number, rest @ ..] = parts.as_slice() else {
        return Err(th.type_error("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"));
    };
    let port = port(th, *number, caller)?;
    let flow = rest.first().map_or(Ok(0), |v| c_int(th, *v))?;
    if !(0..=0xf_ffff).contains(&flow) {
        return Err(th.raise(Exc::OverflowError, format!("{caller}(): flowinfo must be 0-1048575.")));
    }
    let given_scope = rest.get(1).map_or(Ok(0), |v| c_int(th, *v))? as u32;
    let host = host_name(th, *host)?;
    let (ip, scope) = match host.as_str() {
        "" => (Ipv6Addr::UNSPECIFIED, 0),
        host => match host.parse() {
            Ok(ip) => (ip, 0),
            Err(_) => match socket_names::first(th, host, libc::AF_INET6)?.parts() {
                Parts::V6 { ip, scope, .. } => (ip, scope),
                _ => return Err(os_error(th, libc::EAFNOSUPPORT, None)),
            },
        },
    };
    Ok(Address::v6(ip, port, flow as u32, if given_scope != 0 { given_scope } else { scope }))
}

fn read_unix(th: &mut Thread, v: Value) -> R<Address> {
    let copied = bytearray::of(v).map(bytearray::snapshot);
    let path = match str::as_str(v) {
        Some(text) => text.as_bytes(),
        None => match copied.as_deref().or(bytes::as_bytes(v)) {
            Some(path) => path,
            None => {
                let got = type_name(v);
                return Err(th.type_error(format!("a bytes-like object is required, not '{got}'")));
            }
        },
    };
    Address::unix(path).ok_or_else(|| th.raise(Exc::OSError, "AF_UNIX path too long"))
}

/// The name of a host: text beyond ASCII is spelled the way of the domain name system.
pub fn host_name(th: &mut Thread, v: Value) -> R<String> {
    let copied = bytearray::of(v).map(bytearray::snapshot);
    if let Some(raw) = copied.as_deref().or(bytes::as_bytes(v)) {
        return Ok(String::from_utf8_lossy(raw).into_owned());
    }
    match str::as_str(v) {
        Some(text) if text.is_ascii() => Ok(text.to_owned()),
        Some(_) => {
            let how = th.new_str("idna")?;
            let coded = th.call_method(v, "encode", &[how])?;
            Ok(String::from_utf8_lossy(bytes::as_bytes(coded).unwrap_or(&[])).into_owned())
        }
        None => {
            let got = type_name(v);
            Err(th.type_error(format!("str, bytes or bytearray expected, not {got}")))
        }
    }
}

/// An address as scripts see it.
pub fn shown(th: &mut Thread, address: &Address) -> R {
    let small = |n: u32| Value::int_unchecked(i64::from(n));
    match address.parts() {
        Parts::Nothing => Ok(Value::NONE),
        Parts::V4(ip, port) => {
            let host = th.new_str(&ip.to_string())?;
            th.new_tuple(&[host, small(u32::from(port))])
        }
        Parts::V6 { ip, port, flow, scope } => {
            let host = socket_names::numeric_host(address).unwrap_or_else(|| ip.to_string());
            let host = th.new_str(&host)?;
            th.new_tuple(&[host, small(u32::from(port)), small(flow), small(scope)])
        }
        Parts::Unix(path) if path.first() == Some(&0) => th.new_bytes(&path),
        Parts::Unix(path) => th.new_str(&String::from_utf8_lossy(&path)),
        Parts::Other(family) => {
            let nothing = th.new_bytes(&[])?;
            th.new_tuple(&[Value::int_unchecked(i64::from(family)), nothing])
        }
    }
}
