//! Module `_machine`: what few programs ask of the system: its name, limits, file systems, priorities; reading and writing
//! at a place. Must not know `os`, which offers it.

use super::os_path::{Place, place, plain};
use super::oserror::{os_error, run};
use super::struct_seq;
use super::support::{c_int, int_arg, type_name, zeroed};
use crate::object::{R, Slot, Value, bytes};
use crate::rt::machine;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;

static UNAME: Slot = Slot::empty();
static STATVFS: Slot = Slot::empty();

/// An instance of a class of named tuples, which is made where it is first wanted.
fn named(th: &mut Thread, class: &Slot, name: &str, fields: &[&str], items: &[Value]) -> R {
    if class.get().is_none() {
        struct_seq::make_class(th, "posix", name, fields, class)?;
    }
    struct_seq::new(&mut th.m, class, items)
}

fn uname(th: &mut Thread, _: Args) -> R {
    let found = machine::uname().map_err(|errno| os_error(th, errno, None))?;
    let items: R<Vec<Value>> = found.iter().map(|text| th.new_str(text)).collect();
    let fields = ["sysname", "nodename", "release", "version", "machine"];
    named(th, &UNAME, "uname_result", &fields, &items?)
}

fn sysconf(th: &mut Thread, args: Args) -> R {
    let name = c_int(th, args.get(0))?;
    let found = machine::sysconf(name).map_err(|errno| os_error(th, errno, None))?;
    th.new_int(found)
}

fn who(th: &mut Thread, args: Args) -> R<(i32, u32)> {
    Ok((c_int(th, args.get(0))?, c_int(th, args.get(1))? as u32))
}

fn getpriority(th: &mut Thread, args: Args) -> R {
    let (which, who) = who(th, args)?;
    let found = machine::priority(which, who).map_err(|errno| os_error(th, errno, None))?;
    th.new_int(found)
}

fn setpriority(th: &mut Thread, args: Args) -> R {
    let ((which, who), priority) = (who(th, args)?, c_int(th, args.get(2))?);
    machine::set_priority(which, who, priority).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn statvfs(th: &mut Thread, args: Args) -> R {
    let (place, shown) = place(th, args.get(0), "statvfs")?;
    let found = run(th, shown, || match &place {
        Place::Path(path) => machine::file_system(path),
        Place::Fd(fd) => machine::file_system_of(*fd),
    })?;
    let numbers = [
        found.f_bsize,
        found.f_frsize,
        found.f_blocks,
        found.f_bfree,
        found.f_bavail,
        found.f_files,
        found.f_ffree,
        found.f_favail,
        found.f_flag,
        found.f_namemax,
    ];
    let items: R<Vec<Value>> =
        numbers.iter().map(|n| th.new_int(i64::try_from(*n).unwrap_or(i64::MAX))).collect();
    let fields = [
        "f_bsize",
        "f_frsize",
        "f_blocks",
        "f_bfree",
        "f_bavail",
        "f_files",
        "f_ffree",
        "f_favail",
        "f_flag",
        "f_namemax",
    ];
    named(th, &STATVFS, "statvfs_result", &fields, &items?)
}

fn mkfifo(th: &mut Thread, args: Args) -> R {
    let path = plain(th, args.get(0), "mkfifo")?;
    let mode = args.opt(1).map_or(Ok(0o666), |v| c_int(th, v))?;
    run(th, Some(path.shown), || machine::named_pipe(&path.path, mode as u32))?;
    Ok(Value::NONE)
}

fn pread(th: &mut Thread, args: Args) -> R {
    let (fd, size, at) = (c_int(th, args.get(0))?, int_arg(th, args.get(1))?, int_arg(th, args.get(2))?);
    let size = usize::try_from(size).map_err(|_| os_error(th, libc::EINVAL, None))?;
    let mut buffer = zeroed(th, size)?;
    let n = run(th, None, || machine::read_at(fd, &mut buffer, at))?;
    th.new_bytes(buffer.get(..n).unwrap_or(&[]))
}

fn pwrite(th: &mut Thread, args: Args) -> R {
    let (fd, at) = (c_int(th, args.get(0))?, int_arg(th, args.get(2))?);
    let object = bytes_object(th, args.get(1))?;
    let Some(data) = bytes::as_bytes(object) else {
        let class = type_name(args.get(1));
        return Err(th.type_error(format!("a bytes-like object is required, not '{class}'")));
    };
    // As in `_os.write`: bytes never move, and the object is kept alive here.
    let n = run(th, None, || machine::write_at(fd, data, at))?;
    std::hint::black_box(object);
    th.new_int(n as i64)
}

fn getgroups(th: &mut Thread, _: Args) -> R {
    let found = machine::groups().map_err(|errno| os_error(th, errno, None))?;
    let items: R<Vec<Value>> = found.iter().map(|group| th.new_int(i64::from(*group))).collect();
    th.m.new_list(&items?)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_machine",
    doc: "What the machine is and allows; reading and writing at a place.",
    functions: &[
        NativeDef::full("uname", "", uname, "System, name, release, version and hardware of the machine."),
        NativeDef::full(
            "sysconf_number",
            "name, /",
            sysconf,
            "A limit or property of the system, by its number.",
        ),
        NativeDef::full("getpriority", "which, who", getpriority, "How much it gives way to others."),
        NativeDef::full("setpriority", "which, who, priority", setpriority, "Set how much it gives way."),
        NativeDef::full("statvfs", "path", statvfs, "What is known of the file system of a path or file."),
        NativeDef::full("mkfifo", "path, mode=", mkfifo, "Make a named pipe."),
        NativeDef::full("pread", "fd, length, offset, /", pread, "Read from a place of a file."),
        NativeDef::full("pwrite", "fd, data, offset, /", pwrite, "Write to a place of a file."),
        NativeDef::full("getgroups", "", getgroups, "The further groups of this process."),
    ],
    types: &[],
    init: None,
};
