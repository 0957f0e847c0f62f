//! The functions of `_os` that take paths. Must not know how paths are read (`os_path.rs`).

use super::io_stream;
use super::os_path::{self, Place, path, place, plain};
use super::oserror::{blocking, os_error, os_error_of_two, run};
use super::support::{c_int, int_arg, number};
use crate::object::{R, Value, Word, int, tuple};
use crate::rt::syscall::{self, Stat, Sys};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use std::ffi::CStr;

pub const OPEN: NativeDef =
    NativeDef::full("open", "path, flags, mode=, *, dir_fd=", open, "Open a file; return its descriptor.");
pub const STAT: NativeDef = NativeDef::full("stat", "path", stat, "What is known of a file, as a tuple.");
pub const LSTAT: NativeDef = NativeDef::full("lstat", "path", lstat, "The same of a symbolic link itself.");
pub const FSTAT: NativeDef = NativeDef::full("fstat", "fd", fstat, "The same of an open file.");
pub const MKDIR: NativeDef = NativeDef::full("mkdir", "path, mode=, *, dir_fd=", mkdir, "Make a folder.");
pub const RMDIR: NativeDef = NativeDef::full("rmdir", "path, *, dir_fd=", rmdir, "Remove an empty folder.");
pub const LISTDIR: NativeDef = NativeDef::full("listdir", "path=", listdir, "The names in a folder.");
pub const UNLINK: NativeDef = NativeDef::full("unlink", "path, *, dir_fd=", unlink, "Remove a file.");
pub const REMOVE: NativeDef = NativeDef::full("remove", "path, *, dir_fd=", remove, "Remove a file.");
pub const RENAME: NativeDef = NativeDef::full("rename", "src, dst", rename, "Give a file another name.");
pub const REPLACE: NativeDef = NativeDef::full("replace", "src, dst", replace, "Give a file another name.");
pub const LINK: NativeDef = NativeDef::full("link", "src, dst", link, "Give a file a further name.");
pub const SYMLINK: NativeDef =
    NativeDef::full("symlink", "src, dst, target_is_directory=", symlink, "Make a symbolic link.");
pub const READLINK: NativeDef =
    NativeDef::full("readlink", "path, *, dir_fd=", readlink, "Where a link leads.");
pub const CHMOD: NativeDef = NativeDef::full("chmod", "path, mode", chmod, "Change the permissions.");
pub const CHDIR: NativeDef = NativeDef::full("chdir", "path", chdir, "Go to a folder.");
pub const GETCWD: NativeDef = NativeDef::full("getcwd", "", getcwd, "The folder we are in.");
pub const GETCWDB: NativeDef = NativeDef::full("getcwdb", "", getcwdb, "The same as bytes.");
pub const ACCESS: NativeDef =
    NativeDef::full("access", "path, mode", access, "Whether a path may be used so.");
pub const TRUNCATE: NativeDef = NativeDef::full("truncate", "path, length", truncate, "Set the length.");
pub const UTIME: NativeDef = NativeDef::full("utime", "path, times=, *, ns=", utime, "Set the times.");

fn open(th: &mut Thread, args: Args) -> R {
    let path = plain(th, args.get(0), "open")?;
    let flags = c_int(th, args.get(1))?;
    let mode = args.opt(2).map_or(Ok(0o777), |v| c_int(th, v))?;
    let fd = run(th, Some(path.shown), || syscall::open(&path.path, flags, mode as u32))?;
    Ok(Value::int_unchecked(i64::from(fd)))
}

/// mode, ino, dev, nlink, uid, gid, size; times of reading, change and entry change in seconds, then in nanoseconds;
/// block size, blocks, device number.
fn stat_tuple(th: &mut Thread, s: &Stat) -> R {
    let times = [(s.st_atime, s.st_atime_nsec), (s.st_mtime, s.st_mtime_nsec), (s.st_ctime, s.st_ctime_nsec)];
    let mut numbers = vec![
        s.st_mode as i128,
        s.st_ino as i128,
        s.st_dev as i128,
        s.st_nlink as i128,
        s.st_uid as i128,
        s.st_gid as i128,
        s.st_size as i128,
    ];
    numbers.extend(times.iter().map(|(seconds, _)| *seconds as i128));
    numbers.extend(times.iter().map(|(seconds, more)| *seconds as i128 * 1_000_000_000 + *more as i128));
    numbers.extend([s.st_blksize as i128, s.st_blocks as i128, s.st_rdev as i128]);
    let values: R<Vec<Value>> = numbers.into_iter().map(|n| th.new_int(n as i64)).collect();
    th.new_tuple(&values?)
}

fn stat(th: &mut Thread, args: Args) -> R {
    let (place, shown) = place(th, args.get(0), "stat")?;
    let look = || match &place {
        Place::Path(path) => syscall::stat(path),
        Place::Fd(fd) => syscall::fstat(*fd),
    };
    let mut found = run(th, shown, look)?;
    if io_stream::settle(th, args, Some(&found)) {
        found = run(th, shown, look)?;
    }
    stat_tuple(th, &found)
}

fn lstat(th: &mut Thread, args: Args) -> R {
    let path = plain(th, args.get(0), "lstat")?;
    let found = run(th, Some(path.shown), || syscall::lstat(&path.path))?;
    stat_tuple(th, &found)
}

fn fstat(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let found = run(th, None, || syscall::fstat(fd))?;
    stat_tuple(th, &found)
}

/// A call about one path, without a result.
fn on_path(th: &mut Thread, v: Value, function: &str, call: impl Fn(&CStr) -> Sys) -> R {
    let path = plain(th, v, function)?;
    run(th, Some(path.shown), || call(&path.path))?;
    Ok(Value::NONE)
}

fn mkdir(th: &mut Thread, args: Args) -> R {
    let mode = args.opt(1).map_or(Ok(0o777), |v| c_int(th, v))?;
    on_path(th, args.get(0), "mkdir", |p| syscall::mkdir(p, mode as u32))
}

fn rmdir(th: &mut Thread, args: Args) -> R {
    on_path(th, args.get(0), "rmdir", syscall::rmdir)
}

fn unlink(th: &mut Thread, args: Args) -> R {
    on_path(th, args.get(0), "unlink", syscall::unlink)
}

fn remove(th: &mut Thread, args: Args) -> R {
    on_path(th, args.get(0), "remove", syscall::unlink)
}

fn chdir(th: &mut Thread, args: Args) -> R {
    on_path(th, args.get(0), "chdir", syscall::chdir)
}

fn truncate(th: &mut Thread, args: Args) -> R {
    let length = int_arg(th, args.get(1))?;
    let (place, shown) = place(th, args.get(0), "truncate")?;
    run(th, shown, || match &place {
        Place::Path(path) => syscall::truncate(path, length),
        Place::Fd(fd) => syscall::ftruncate(*fd, length),
    })?;
    Ok(Value::NONE)
}

fn chmod(th: &mut Thread, args: Args) -> R {
    let mode = c_int(th, args.get(1))? as u32;
    let (place, shown) = place(th, args.get(0), "chmod")?;
    run(th, shown, || match &place {
        Place::Path(path) => syscall::chmod(path, mode),
        Place::Fd(fd) => syscall::fchmod(*fd, mode),
    })?;
    Ok(Value::NONE)
}

fn access(th: &mut Thread, args: Args) -> R {
    let mode = c_int(th, args.get(1))?;
    let path = plain(th, args.get(0), "access")?;
    let done = blocking(th, || syscall::access(&path.path, mode))?;
    Ok(Value::bool(done.is_ok()))
}

fn listdir(th: &mut Thread, args: Args) -> R {
    let here = th.new_str(".")?;
    let folder = args.opt_not_none(0).unwrap_or(here);
    let path = path(th, folder, "listdir", "string, bytes, os.PathLike, integer or None")?;
    let names = run(th, Some(path.shown), || syscall::listdir(&path.path))?;
    let values: R<Vec<Value>> = {
        let scope = th.scope();
        let mut values = Vec::with_capacity(names.len());
        for name in &names {
            let v = os_path::name(th, name, path.is_bytes)?;
            values.push(th.root(v));
        }
        th.close(scope);
        Ok(values)
    };
    th.new_list(&values?)
}

/// A call about two paths.
fn on_two_paths(th: &mut Thread, args: Args, function: &str, call: impl Fn(&CStr, &CStr) -> Sys) -> R {
    let from = path(th, args.get(0), function, "string, bytes or os.PathLike")?;
    let to = path(th, args.get(1), function, "string, bytes or os.PathLike")?;
    match blocking(th, || call(&from.path, &to.path))? {
        Ok(_) => Ok(Value::NONE),
        Err(errno) => Err(os_error_of_two(th, errno, Some(from.shown), Some(to.shown))),
    }
}

fn rename(th: &mut Thread, args: Args) -> R {
    on_two_paths(th, args, "rename", syscall::rename)
}

fn replace(th: &mut Thread, args: Args) -> R {
    on_two_paths(th, args, "replace", syscall::rename)
}

fn link(th: &mut Thread, args: Args) -> R {
    on_two_paths(th, args, "link", syscall::link)
}

fn symlink(th: &mut Thread, args: Args) -> R {
    on_two_paths(th, args, "symlink", syscall::symlink)
}

fn readlink(th: &mut Thread, args: Args) -> R {
    let path = plain(th, args.get(0), "readlink")?;
    let target = run(th, Some(path.shown), || syscall::readlink(&path.path))?;
    os_path::name(th, &target, path.is_bytes)
}

fn current_folder(th: &mut Thread, is_bytes: bool) -> R {
    use std::os::unix::ffi::OsStrExt;
    match std::env::current_dir() {
        Ok(folder) => os_path::name(th, folder.as_os_str().as_bytes(), is_bytes),
        Err(e) => Err(os_error(th, e.raw_os_error().unwrap_or(libc::EIO), None)),
    }
}

fn getcwd(th: &mut Thread, _: Args) -> R {
    current_folder(th, false)
}

fn getcwdb(th: &mut Thread, _: Args) -> R {
    current_folder(th, true)
}

/// A pair of moments.
fn pair(th: &mut Thread, v: Word) -> R<Option<[Value; 2]>> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(None) };
    match tuple::items(v) {
        [a, b] => Ok(Some([a.value(), b.value()])),
        _ => Err(th.type_error("utime: 'times' must be either a tuple of two ints or None")),
    }
}

fn utime(th: &mut Thread, args: Args) -> R {
    let path = plain(th, args.get(0), "utime")?;
    let split = |n: i64| (n.div_euclid(1_000_000_000), n.rem_euclid(1_000_000_000));
    let times = if let Some(pair) = pair(th, args.opt(2))? {
        let mut times = [(0, 0); 2];
        for (to, v) in times.iter_mut().zip(pair) {
            *to = split(int_arg(th, v)?);
        }
        Some(times)
    } else if let Some(pair) = pair(th, args.opt(1))? {
        let mut times = [(0, 0); 2];
        for (to, v) in times.iter_mut().zip(pair) {
            *to = match int::as_i64(v) {
                Some(seconds) => (seconds, 0),
                None => {
                    split((number(th, v, "'{}' object cannot be interpreted as an integer")? * 1e9).floor()
                        as i64)
                }
            };
        }
        Some(times)
    } else {
        None
    };
    run(th, Some(path.shown), || syscall::utimens(&path.path, times))?;
    Ok(Value::NONE)
}
