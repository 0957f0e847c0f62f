//! Module `sys`: the interpreter about itself. Must not know how modules are found.

use super::support::{self, number, set, set_int, set_str};
use super::{asyncgen_hooks, io_std, struct_seq};
use crate::gil;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, exc, heap, int, str, types};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::{self, Thread};
use crate::vm::{frame_object, import, roots, traceback};

/// The version of Python whose language Mini speaks a part of.
const PYTHON: [i64; 3] = [3, 11, 0];

fn exit(th: &mut Thread, args: Args) -> R {
    match args.opt(0) {
        Some(status) if !status.is_none() => Err(th.raise_with(Exc::SystemExit, &[status])),
        Some(_) | None => Err(th.raise_with(Exc::SystemExit, &[])),
    }
}

fn exc_info(th: &mut Thread, _: Args) -> R {
    let items = match th.handled {
        Some(e) => {
            let traceback = exc::cast(e).and_then(|e| e.traceback.get()).unwrap_or(Value::NONE);
            [types::class_of(e), e, traceback]
        }
        None => [Value::NONE; 3],
    };
    th.new_tuple(&items)
}

fn exception(th: &mut Thread, _: Args) -> R {
    Ok(th.handled.unwrap_or(Value::NONE))
}

fn excepthook(th: &mut Thread, args: Args) -> R {
    let text = traceback::format_exception(th, args.get(1));
    super::print::to_stderr(th, &text);
    Ok(Value::NONE)
}

fn displayhook(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    if v.is_none() {
        return Ok(v);
    }
    let text = th.repr(v)?;
    let text = format!("{}\n", str::as_str(text).unwrap_or(""));
    super::print::to_stdout(th, &text)?;
    support::set(th, crate::vm::link::builtins(), "_", v)?;
    Ok(Value::NONE)
}

fn getframe(th: &mut Thread, args: Args) -> R {
    let depth = args.opt(0).map_or(Ok(0), |v| support::c_int(th, v))?;
    match frame_object::of_running(th, depth.max(0) as usize)? {
        Some(frame) => Ok(frame),
        None => Err(th.value_error("call stack is not deep enough")),
    }
}

fn getrecursionlimit(m: &mut Mutator, _: Args) -> R {
    m.new_int(thread::recursion_limit())
}

fn setrecursionlimit(th: &mut Thread, args: Args) -> R {
    let limit = support::c_int(th, args.get(0))? as i64;
    if limit < 1 {
        return Err(th.value_error("recursion limit must be greater or equal than 1"));
    }
    let used = thread::recursion_limit() - th.depth;
    if used >= limit {
        let message = format!(
            "cannot set the recursion limit to {limit} at the recursion depth {used}: the limit is too low"
        );
        return Err(th.raise(Exc::RecursionError, message));
    }
    thread::set_recursion_limit(th, limit);
    Ok(Value::NONE)
}

fn getsizeof(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    let bytes = if v.is_ref() { heap::cell_end(v) - v.addr() } else { 8 };
    th.new_int(bytes as i64)
}

fn intern(m: &mut Mutator, args: Args) -> R {
    let v = args.get(0);
    if str::as_str(v).is_none() {
        let class = support::type_name(v);
        return Err(m.type_error(format!("intern() argument must be str, not {class}")));
    }
    crate::object::intern::intern_value(m, v)
}

fn getswitchinterval(m: &mut Mutator, _: Args) -> R {
    m.new_float(gil::switch_interval())
}

fn setswitchinterval(th: &mut Thread, args: Args) -> R {
    let seconds = number(th, args.get(0), "must be real number, not {}")?;
    let done = th.waiting(|member| gil::set_switch_interval(member, seconds));
    if done { Ok(Value::NONE) } else { Err(th.value_error("switch interval must be strictly positive")) }
}

fn getcheckinterval(m: &mut Mutator, _: Args) -> R {
    m.new_int(gil::check_interval())
}

fn setcheckinterval(th: &mut Thread, args: Args) -> R {
    let ticks = support::c_int(th, args.get(0))? as i64;
    th.waiting(|member| gil::set_check_interval(member, ticks));
    Ok(Value::NONE)
}

fn is_gil_enabled(_: &mut Mutator, _: Args) -> R {
    Ok(Value::bool(gil::policy().has_gil()))
}

fn encoding(m: &mut Mutator, _: Args) -> R {
    m.new_str("utf-8")
}

fn is_finalizing(_: &mut Mutator, _: Args) -> R {
    Ok(Value::FALSE)
}

fn get_int_max_str_digits(m: &mut Mutator, _: Args) -> R {
    m.new_int(int::max_str_digits() as i64)
}

fn set_int_max_str_digits(th: &mut Thread, args: Args) -> R {
    let digits = th.index_value(args.get(0))?;
    let Some(digits) = int::as_i64(digits).and_then(|n| i32::try_from(n).ok()) else {
        return Err(th.raise(Exc::OverflowError, "Python int too large to convert to C int"));
    };
    if digits != 0 && digits < 640 {
        return Err(th.value_error("maxdigits must be 0 or larger than 640"));
    }
    int::set_max_str_digits(digits as usize);
    Ok(Value::NONE)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "sys",
    doc: "The interpreter about itself.",
    functions: &[
        NativeDef::full("exit", "status=, /", exit, "End the program by raising SystemExit."),
        NativeDef::full(
            "exc_info",
            "",
            exc_info,
            "Class, value and traceback of the exception being handled.",
        ),
        NativeDef::full("_getframe", "depth=, /", getframe, "A frame of the call stack, as it is now."),
        NativeDef::full("exception", "", exception, "The exception being handled, or None."),
        NativeDef::full("excepthook", "exctype, value, traceback, /", excepthook, "Print an exception."),
        NativeDef::full("__excepthook__", "exctype, value, traceback, /", excepthook, "As excepthook()."),
        NativeDef::full(
            "displayhook",
            "object, /",
            displayhook,
            "Print the repr of a value other than None.",
        ),
        NativeDef::full("__displayhook__", "object, /", displayhook, "As displayhook()."),
        asyncgen_hooks::GET,
        asyncgen_hooks::SET,
        NativeDef::data("getrecursionlimit", "", getrecursionlimit, "How deep calls may nest."),
        NativeDef::full("setrecursionlimit", "limit, /", setrecursionlimit, "Set how deep calls may nest."),
        NativeDef::full(
            "getsizeof",
            "object, default=",
            getsizeof,
            "Bytes of an object, without those it refers to.",
        ),
        NativeDef::data("intern", "string, /", intern, "The one string with this text."),
        NativeDef::data(
            "getswitchinterval",
            "",
            getswitchinterval,
            "Seconds after which a waiting thread asks for the GIL.",
        ),
        NativeDef::full("setswitchinterval", "interval, /", setswitchinterval, "Set them."),
        NativeDef::data(
            "getcheckinterval",
            "",
            getcheckinterval,
            "Instructions after which policy ticks lets go of the GIL.",
        ),
        NativeDef::full("setcheckinterval", "n, /", setcheckinterval, "Set them."),
        NativeDef::data("_is_gil_enabled", "", is_gil_enabled, "Whether there is a GIL just now."),
        NativeDef::data("getdefaultencoding", "", encoding, "The encoding of text."),
        NativeDef::data("getfilesystemencoding", "", encoding, "The encoding of file names."),
        NativeDef::data("is_finalizing", "", is_finalizing, "Whether the interpreter is being torn down."),
        NativeDef::data(
            "get_int_max_str_digits",
            "",
            get_int_max_str_digits,
            "Digits that int and str conversion accept.",
        ),
        NativeDef::full("set_int_max_str_digits", "maxdigits", set_int_max_str_digits, "Set them."),
    ],
    types: &[],
    init: Some(init),
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    roots::keep(module);
    set(th, module, "modules", import::modules())?;
    set_strings(th, module)?;
    asyncgen_hooks::init(th, module)?;
    set_int(th, module, "maxsize", i64::MAX)?;
    set_int(th, module, "maxunicode", 0x10_ffff)?;
    set_int(th, module, "hexversion", PYTHON[0] << 24 | PYTHON[1] << 16 | PYTHON[2] << 8 | 0xf0)?;
    for name in ["argv", "path", "warnoptions", "orig_argv"] {
        let list = th.new_list(&[])?;
        set(th, module, name, list)?;
    }
    let dont_write = Value::TRUE;
    set(th, module, "dont_write_bytecode", dont_write)?;
    set_version(th, module)?;
    set_limits(th, module)?;
    io_std::install(th, module)
}

fn set_strings(th: &mut Thread, module: Value) -> R<()> {
    let version = env!("CARGO_PKG_VERSION");
    let python = format!("{}.{}.{}", PYTHON[0], PYTHON[1], PYTHON[2]);
    let order = if cfg!(target_endian = "little") { "little" } else { "big" };
    let program = std::env::current_exe().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    set_str(th, module, "version", &format!("{python} (Mini {version})"))?;
    set_str(th, module, "copyright", "Mini is licensed under MIT or Apache-2.0.")?;
    set_str(th, module, "platform", std::env::consts::OS)?;
    set_str(th, module, "byteorder", order)?;
    set_str(th, module, "executable", &program)?;
    set_str(th, module, "float_repr_style", "short")?;
    for name in ["prefix", "base_prefix", "exec_prefix", "base_exec_prefix"] {
        set_str(th, module, name, "")?;
    }
    Ok(())
}

fn set_version(th: &mut Thread, module: Value) -> R<()> {
    let n = |n: i64| Value::int_unchecked(n);
    let level = th.new_str("final")?;
    let fields = [
        ("major", n(PYTHON[0])),
        ("minor", n(PYTHON[1])),
        ("micro", n(PYTHON[2])),
        ("releaselevel", level),
        ("serial", n(0)),
    ];
    struct_seq::only(th, module, "sys", "version_info", &fields)?;
    let version = support::get(th, module, "version_info").unwrap_or(Value::NONE);
    let name = th.new_str("mini")?;
    let tag = th.new_str("mini-311")?;
    let hex = support::get(th, module, "hexversion").unwrap_or(Value::NONE);
    let fields = [("name", name), ("cache_tag", tag), ("version", version), ("hexversion", hex)];
    struct_seq::only(th, module, "sys", "implementation", &fields)
}

fn set_limits(th: &mut Thread, module: Value) -> R<()> {
    let n = |n: i64| Value::int_unchecked(n);
    let (max, min) = (th.new_float(f64::MAX)?, th.new_float(f64::MIN_POSITIVE)?);
    let epsilon = th.new_float(f64::EPSILON)?;
    let floats = [
        ("max", max),
        ("max_exp", n(1024)),
        ("max_10_exp", n(308)),
        ("min", min),
        ("min_exp", n(-1021)),
        ("min_10_exp", n(-307)),
        ("dig", n(15)),
        ("mant_dig", n(53)),
        ("epsilon", epsilon),
        ("radix", n(2)),
        ("rounds", n(1)),
    ];
    struct_seq::only(th, module, "sys", "float_info", &floats)?;
    let ints = [
        ("bits_per_digit", n(30)),
        ("sizeof_digit", n(4)),
        ("default_max_str_digits", n(4300)),
        ("str_digits_check_threshold", n(640)),
    ];
    struct_seq::only(th, module, "sys", "int_info", &ints)?;
    let modulus = th.new_int((1 << 61) - 1)?;
    let algorithm = th.new_str("folded")?;
    let hashes = [
        ("width", n(64)),
        ("modulus", modulus),
        ("inf", n(314_159)),
        ("nan", n(0)),
        ("imag", n(1_000_003)),
        ("algorithm", algorithm),
        ("hash_bits", n(64)),
        ("seed_bits", n(0)),
        ("cutoff", n(0)),
    ];
    struct_seq::only(th, module, "sys", "hash_info", &hashes)?;
    let names = [
        "debug",
        "inspect",
        "interactive",
        "optimize",
        "dont_write_bytecode",
        "no_user_site",
        "no_site",
        "ignore_environment",
        "verbose",
        "bytes_warning",
        "quiet",
        "hash_randomization",
        "isolated",
    ];
    let mut flags: Vec<(&str, Value)> = names.iter().map(|name| (*name, n(0))).collect();
    flags.extend([("dev_mode", Value::FALSE), ("utf8_mode", n(1)), ("warn_default_encoding", n(0))]);
    flags.extend([("safe_path", Value::FALSE), ("int_max_str_digits", n(-1))]);
    struct_seq::only(th, module, "sys", "flags", &flags)
}
