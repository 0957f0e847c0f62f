//! Module `errno`: the names of the system's error numbers. Must not know exceptions.

use super::support::{self, numbers, set_int};
use crate::object::{R, Value};
use crate::vm::native::ModuleDef;
use crate::vm::thread::Thread;

const NAMES: &[(&str, i64)] = &numbers! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST
    EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE
    EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP EWOULDBLOCK ENODATA ETIME EPROTO EOVERFLOW EILSEQ EUSERS
    ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT ENOTSUP EOPNOTSUPP
    EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS
    EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE
    EDQUOT ECANCELED EOWNERDEAD ENOTRECOVERABLE
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "errno",
    doc: "The names of the system's error numbers.",
    functions: &[],
    types: &[],
    init: Some(init),
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    let code_names = th.new_dict()?;
    for (name, number) in NAMES {
        set_int(th, module, name, *number)?;
        let text = th.new_str(name)?;
        let aliased = matches!(*name, "EWOULDBLOCK" | "EOPNOTSUPP");
        if !aliased {
            th.dict_set(code_names, Value::int_unchecked(*number), text)?;
        }
    }
    support::set(th, module, "errorcode", code_names)
}
