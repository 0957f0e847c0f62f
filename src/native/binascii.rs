//! Module `binascii`: bytes as text of base 64 and base 16, and checksums. Must not know `base64.mini`.

use super::support;
use crate::object::{Exc, R, Raised, Value, bytes, str};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use crate::vm::{boot, classes};
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine};

/// What Python reads: the padding is looked at here, and bits that are left over do not matter.
const READER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Raises `binascii.Error`, a ValueError.
fn fail(th: &mut Thread, message: &str) -> Raised {
    let raised = (|| {
        let module = crate::vm::import::import_dotted(th, "binascii")?;
        let class = support::get(&mut th.m, module, "Error").unwrap_or(Value::NONE);
        let message = th.new_str(message)?;
        let error = th.call(class, &[message])?;
        Ok(th.raise_value(error))
    })();
    raised.unwrap_or_else(|raised: Raised| raised)
}

/// Bytes-like arguments; `text`: ASCII text counts, too.
fn data(th: &mut Thread, v: Value, text: bool) -> R<&'static [u8]> {
    if let Some(s) = str::as_str(v).filter(|_| text) {
        if !s.is_ascii() {
            return Err(th.value_error("string argument should contain only ASCII characters"));
        }
        return Ok(s.as_bytes());
    }
    let v = bytes_object(th, v)?;
    match bytes::as_bytes(v) {
        Some(data) => Ok(data),
        None => {
            let got = th.type_name(v);
            let wanted = if text {
                "argument should be bytes, buffer or ASCII string"
            } else {
                "a bytes-like object is required"
            };
            Err(th.type_error(format!("{wanted}, not '{got}'")))
        }
    }
}

fn b2a_base64(th: &mut Thread, args: Args) -> R {
    let data = data(th, args.get(0), false)?;
    let newline = args.opt(1).map_or(Ok(true), |v| th.is_true(v))?;
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4 + 1);
    STANDARD.encode_string(data, &mut out);
    if newline {
        out.push('\n');
    }
    th.new_bytes(out.as_bytes())
}

fn is_digit(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/')
}

fn a2b_base64(th: &mut Thread, args: Args) -> R {
    let data = data(th, args.get(0), true)?;
    let strict = args.opt(1).map_or(Ok(false), |v| th.is_true(v))?;
    let (mut digits, mut pads, mut padded) = (Vec::with_capacity(data.len()), 0usize, false);
    if strict && data.first() == Some(&b'=') {
        return Err(fail(th, "Leading padding not allowed"));
    }
    for (i, c) in data.iter().enumerate() {
        if *c == b'=' {
            pads += 1;
            if digits.len() % 4 >= 2 && digits.len() % 4 + pads >= 4 {
                if strict && i + 1 < data.len() {
                    return Err(fail(th, "Excess data after padding"));
                }
                padded = true;
                break;
            }
            continue;
        }
        if !is_digit(*c) {
            if strict {
                return Err(fail(th, "Only base64 data is allowed"));
            }
            continue;
        }
        if strict && pads > 0 {
            return Err(fail(th, "Discontinuous padding not allowed"));
        }
        pads = 0;
        digits.push(*c);
    }
    match digits.len() % 4 {
        rest if rest == 0 || padded => match READER.decode(&digits) {
            Ok(out) => th.new_bytes(&out),
            Err(_) => Err(fail(th, "Incorrect padding")),
        },
        1 => {
            let n = digits.len();
            Err(fail(
                th,
                &format!(
                    "Invalid base64-encoded string: number of data characters ({n}) cannot be 1 more than a multiple of 4"
                ),
            ))
        }
        _ => Err(fail(th, "Incorrect padding")),
    }
}

fn hexlify(th: &mut Thread, args: Args) -> R {
    let data = data(th, args.get(0), false)?;
    let separator = separator(th, args.opt(1))?;
    let every = args.opt(2).map_or(Ok(1), |v| support::c_int(th, v))?;
    let group = every.unsigned_abs() as usize;
    let mut text = Vec::with_capacity(data.len() * 3);
    for (i, byte) in data.iter().enumerate() {
        let counted = if every > 0 { data.len() - i } else { i };
        if let Some(separator) = separator.filter(|_| i > 0 && group > 0 && counted % group == 0) {
            text.push(separator);
        }
        text.extend(format!("{byte:02x}").bytes());
    }
    th.new_bytes(&text)
}

/// The one character between groups of digits.
fn separator(th: &mut Thread, v: Option<Value>) -> R<Option<u8>> {
    let Some(v) = v else { return Ok(None) };
    match str::as_str(v).map(|text| text.as_bytes()).or(bytes::as_bytes(v)) {
        Some([one]) if one.is_ascii() => Ok(Some(*one)),
        Some([_]) => Err(th.value_error("sep must be ASCII.")),
        Some(_) => Err(th.value_error("sep must be length 1.")),
        None => Err(th.type_error("sep must be str or bytes.")),
    }
}

fn unhexlify(th: &mut Thread, args: Args) -> R {
    let data = data(th, args.get(0), true)?;
    if data.len() % 2 == 1 {
        return Err(fail(th, "Odd-length string"));
    }
    let digit = |c: u8| char::from(c).to_digit(16);
    let out: Option<Vec<u8>> = data
        .chunks(2)
        .map(|pair| match pair {
            [a, b] => Some((digit(*a)? * 16 + digit(*b)?) as u8),
            _ => None,
        })
        .collect();
    match out {
        Some(out) => th.new_bytes(&out),
        None => Err(fail(th, "Non-hexadecimal digit found")),
    }
}

fn crc32(th: &mut Thread, args: Args) -> R {
    let data = data(th, args.get(0), false)?;
    let start = args.opt(1).map_or(Ok(0), |v| th.index(v))? as u32;
    let mut crc = !start;
    for byte in data {
        crc ^= *byte as u32;
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    Ok(Value::int_unchecked(!crc as i64))
}

fn adler32(th: &mut Thread, args: Args) -> R {
    let data = data(th, args.get(0), false)?;
    let start = args.opt(1).map_or(Ok(1), |v| th.index(v))? as u32;
    let (mut a, mut b) = (start & 0xffff, start >> 16 & 0xffff);
    for byte in data {
        a = (a + *byte as u32) % 65521;
        b = (b + a) % 65521;
    }
    Ok(Value::int_unchecked((b << 16 | a) as i64))
}

/// The class `Error`.
fn init(th: &mut Thread, module: Value) -> R<()> {
    let name = th.m.intern("Error")?;
    let bases = th.new_tuple(&[crate::object::types::exc_class(Exc::ValueError)])?;
    let namespace = th.new_dict()?;
    let text = th.m.intern("binascii")?;
    support::put(&mut th.m, namespace, "__module__", text)?;
    let doc = th.new_str("Text that stands for no bytes.")?;
    support::put(&mut th.m, namespace, "__doc__", doc)?;
    let class = classes::make_dynamic(th, [name, bases, namespace], &[])?;
    boot::set_global(th, module, "Error", class)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "binascii",
    doc: "Bytes as text, and checksums.",
    functions: &[
        NativeDef::full("b2a_base64", "data, /, *, newline=", b2a_base64, "Bytes in base 64."),
        NativeDef::full(
            "a2b_base64",
            "data, /, *, strict_mode=",
            a2b_base64,
            "The bytes of a text in base 64.",
        ),
        NativeDef::full("hexlify", "data, sep=, bytes_per_sep=", hexlify, "Bytes in base 16."),
        NativeDef::full("b2a_hex", "data, sep=, bytes_per_sep=", hexlify, "Bytes in base 16."),
        NativeDef::full("unhexlify", "hexstr, /", unhexlify, "The bytes of a text in base 16."),
        NativeDef::full("a2b_hex", "hexstr, /", unhexlify, "The bytes of a text in base 16."),
        NativeDef::full("crc32", "data, crc=, /", crc32, "A checksum of 32 bits."),
        NativeDef::full("adler32", "data, value=, /", adler32, "Another checksum of 32 bits."),
    ],
    types: &[],
    init: Some(init),
};
