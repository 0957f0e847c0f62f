#!/usr/bin/env python3.11
"""Run a script on CPython with the standard library that is written in Mini.

    python3.11 tests/stdlib_on_cpython.py SCRIPT [ARGS]

The modules of stdlib/ take the place of CPython's own; what they need from the
native half of Mini's library is taken from CPython's C modules, or made here.
So the Mini half can be tested, and blamed, apart from the virtual machine.
"""

import importlib.abc
import importlib.util
import os as real_os
import posix
import sys
import time
import traceback as real_traceback
import types
from importlib.machinery import SourceFileLoader

STDLIB = real_os.path.join(real_os.path.dirname(real_os.path.abspath(__file__)), "..", "stdlib")


def add_joinable_threads():
    """Give `_thread` the call that starts a thread which can be joined, and the lock that a waiter sleeps on."""
    import _thread

    class Handle:
        """What start_joinable_thread returns."""

        def __init__(self):
            self.ident = None
            self._over = _thread.allocate_lock()
            self._over.acquire()
            self._done = False

        def join(self, timeout=None):
            if self._over.acquire(True, -1 if timeout is None else timeout):
                self._over.release()

        def is_done(self):
            return self._done

    def start_joinable_thread(function, daemon=False, name=None):
        handle = Handle()

        def body():
            try:
                function()
            finally:
                handle._done = True
                handle._over.release()

        handle.ident = _thread.start_new_thread(body, ())
        return handle

    def waiter_lock():
        lock = _thread.allocate_lock()
        lock.acquire()
        return lock

    _thread.start_joinable_thread = start_joinable_thread
    _thread._waiter_lock = waiter_lock


def make_os():
    """A module `_os` out of CPython's `posix`."""
    module = types.ModuleType("_os")
    for name in dir(posix):
        if not name.startswith("__"):
            setattr(module, name, getattr(posix, name))

    def plain(result):
        return tuple(result)[:10] + (
            result.st_atime_ns,
            result.st_mtime_ns,
            result.st_ctime_ns,
            result.st_blksize,
            result.st_blocks,
            result.st_rdev,
        )

    module.stat = lambda path, **kw: plain(posix.stat(path, **kw))
    module.lstat = lambda path: plain(posix.lstat(path))
    module.fstat = lambda fd: plain(posix.fstat(fd))
    module.environ_items = lambda: list(real_os.environ.items())
    module.get_terminal_size = lambda fd=1: tuple(posix.get_terminal_size(fd))
    return module


def make_traceback():
    """A module `_traceback` whose format() gives the text CPython prints."""
    module = types.ModuleType("_traceback")
    module.format = lambda exc: "".join(real_traceback.format_exception(exc))
    module.frames = lambda tb: [
        (f.filename, f.lineno, f.name, f.line) for f in real_traceback.extract_tb(tb)
    ]
    return module


class MiniFinder(importlib.abc.MetaPathFinder):
    """Finds `m` as stdlib/m.mini."""

    def find_spec(self, name, path=None, target=None):
        filename = real_os.path.join(STDLIB, name + ".mini")
        if not real_os.path.exists(filename):
            return None
        loader = SourceFileLoader(name, filename)
        return importlib.util.spec_from_file_location(name, filename, loader=loader)


def install():
    """Put Mini's modules in front of CPython's."""
    import _random
    import hashlib

    sys.dont_write_bytecode = True
    add_joinable_threads()
    shims = {"_os": make_os(), "_traceback": make_traceback()}
    random_shim = types.ModuleType("_random")
    random_shim.Random = _random.Random
    random_shim.sha512_int = lambda data: int.from_bytes(hashlib.sha512(data).digest(), "big")
    shims["_random"] = random_shim
    coroutines_shim = types.ModuleType("_coroutines")
    coroutines_shim.mark_awaitable = types.coroutine
    shims["_coroutines"] = coroutines_shim
    sys.modules.update(shims)
    for filename in real_os.listdir(STDLIB):
        name, extension = real_os.path.splitext(filename)
        if extension == ".mini":
            sys.modules.pop(name, None)
    sys.modules.pop("os.path", None)
    sys.meta_path.insert(0, MiniFinder())


def main():
    """Run the script that the command line names."""
    install()
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    sys.path[0] = real_os.path.dirname(real_os.path.abspath(script))
    module = types.ModuleType("__main__")
    module.__file__ = script
    sys.modules["__main__"] = module
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec")
    try:
        exec(code, module.__dict__)
    finally:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()


if __name__ == "__main__":
    main()
