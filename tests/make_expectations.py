#!/usr/bin/env python3.11
"""Write down what CPython 3.11 does with every script in tests/scripts and tests/conformance.

    python3.11 tests/make_expectations.py            write the expectations
    python3.11 tests/make_expectations.py --check    only compare them
    python3.11 tests/make_expectations.py --stdlib   run with Mini's own stdlib, compare
    ... [PART...]                                    only scripts whose path has a PART in it

For NAME.mini there are NAME.out (stdout), NAME.err (stderr, if there is any)
and NAME.code (the exit code, if it is not 0).

How a script is run, here and by the tests of Mini: in a new, empty folder; with
the arguments of its `# args:` line; with the file of its `# stdin:` line
(beside the script) as stdin, else an empty one.  Of stderr the path of the
script's folder and the lines that only mark a place (^^^^, ~~~~) are left out.
Comment lines at the top may also say
    # skip-policies: P Q      under which GIL policies it cannot be run
    # gil: P                  the one GIL policy it is for (any: all of them)
    # by-hand: WHY            CPython 3.11 does something else: its files are written by hand
"""

import ast
import concurrent.futures
import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDERS = [HERE / "scripts", HERE / "conformance"]
PYTHON = "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else sys.executable
SECONDS = 60
ATTEMPTS = 3
MARKER_LINE = re.compile(r"^\s*[~^][~^\s]*$")

def shown(path):
    """Return the path of a script without what all of them share."""
    return str(path.relative_to(HERE)).removeprefix("scripts/")


def outside_subset(path):
    """Name the first thing in a file that Mini does not have yet, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        # Then the error is what the script is about.
        return None
    for node in ast.walk(tree):
        word = None
        metaclass = isinstance(node, ast.ClassDef) and any(
            k.arg == "metaclass" and not ast.unparse(k.value).endswith(("ABCMeta", "type")) for k in node.keywords
        )
        if metaclass:
            word = "a metaclass"
        if isinstance(node, ast.Constant) and isinstance(node.value, complex):
            word = "a complex number"
        if word is not None:
            return f"line {node.lineno}: {word}"
    return None


def header(path):
    """Return the `# key: value` comments at the top of a script."""
    found = {}
    for line in path.read_text("utf-8-sig", "replace").splitlines():
        if not line.startswith("#"):
            break
        match = re.match(r"# ([a-z-]+): (.*)", line)
        if match:
            found[match[1]] = match[2].strip()
    return found


def without_folder(text, folder):
    """Return what was printed without the place where the scripts lie."""
    return text.replace(str(folder) + os.sep, "")


def normal(text, folder):
    """Return stderr without what depends on the machine."""
    text = without_folder(text, folder)
    lines = [line for line in text.splitlines() if not MARKER_LINE.match(line)]
    return "".join(line + "\n" for line in lines)


def run(path, with_stdlib):
    """Run a script; return its (stdout, stderr, code)."""
    options = header(path)
    command = [PYTHON, "-B", "-W", "ignore", "-W", "default::SyntaxWarning", "-X", "utf8"]
    if with_stdlib:
        command.append(str(HERE / "stdlib_on_cpython.py"))
    command += [str(path)] + options.get("args", "").split()
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
    }
    stdin = path.parent / options["stdin"] if "stdin" in options else os.devnull
    with tempfile.TemporaryDirectory() as folder, open(stdin, "rb") as source:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=source, capture_output=True, timeout=SECONDS
        )
    out = done.stdout.decode("utf-8", "backslashreplace")
    err = done.stderr.decode("utf-8", "backslashreplace")
    return without_folder(out, path.parent), normal(err, path.parent), done.returncode


def expectations(path, with_stdlib):
    """Return what each file beside a script should hold; None for no such file."""
    out, err, code = run(path, with_stdlib)
    if not with_stdlib and ("/usr/lib" in err or "site-packages" in err):
        raise ValueError("stderr shows frames of CPython's own library")
    return {".out": out, ".err": err or None, ".code": f"{code}\n" if code else None}


def compare(path, wanted, with_stdlib):
    """Return how the files beside a script differ from what is wanted."""
    report = ""
    for suffix, text in wanted.items():
        file = path.with_suffix(suffix)
        held = file.read_bytes().decode("utf-8") if file.exists() else None
        if with_stdlib and suffix == ".err":
            # The frames differ, but the last line must not.
            held, text = [(t or "").strip().rpartition("\n")[2] for t in (held, text)]
        if held != text:
            lines = difflib.unified_diff(
                (held or "").splitlines(), (text or "").splitlines(), file.name, "now", lineterm=""
            )
            report += "\n".join(lines) + "\n"
    return report


def write(path, wanted):
    """Bring the files beside a script up to date; return which changed."""
    changed = ""
    for suffix, text in wanted.items():
        file = path.with_suffix(suffix)
        held = file.read_bytes().decode("utf-8") if file.exists() else None
        if held == text:
            continue
        changed += f"{shown(file)}\n"
        if text is None:
            file.unlink()
        else:
            file.write_bytes(text.encode("utf-8"))
    return changed


def handle(path, mode):
    """Do one script; return (whether all is well, what to say).

    A check that fails is repeated: scripts about sockets and processes may print something else on a machine that is busy.
    """
    for _ in range(ATTEMPTS if mode == "--check" else 1):
        well, text = attempt(path, mode)
        if well:
            break
    return well, text


def attempt(path, mode):
    """As `handle`, once."""
    try:
        problem = outside_subset(path)
        if problem is not None:
            return False, f"outside Mini's subset, {problem}\n"
        if "by-hand" in header(path):
            return True, ""
        with_stdlib = mode == "--stdlib"
        if with_stdlib and path.parent.name == "syntax":
            # These import nothing, and it is the reading of the file that fails.
            return True, ""
        wanted = expectations(path, with_stdlib)
    except (ValueError, OSError, subprocess.TimeoutExpired) as failure:
        return False, f"{failure}\n"
    if mode is None:
        return True, write(path, wanted)
    report = compare(path, wanted, with_stdlib)
    return not report, report


def main():
    """Do every script that the command line asks for."""
    # Children would inherit that it is ignored, as it is behind a shell's `&`; and scripts interrupt themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    mode = None
    parts = []
    for arg in sys.argv[1:]:
        if arg in ("--check", "--stdlib"):
            mode = arg
        elif arg.startswith("-"):
            sys.exit(__doc__)
        else:
            parts.append(arg)
    scripts = [path for folder in FOLDERS for path in sorted(folder.rglob("*.mini"))]
    if parts:
        scripts = [path for path in scripts if any(part in shown(path) for part in parts)]
    failures = 0
    if not parts:
        for path in sorted([*ROOT.glob("stdlib/*.mini"), *ROOT.glob("examples/*.mini")]):
            problem = outside_subset(path)
            if problem is not None:
                failures += 1
                print(f"{path.relative_to(ROOT)}: outside Mini's subset, {problem}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (well, text) in zip(scripts, pool.map(lambda p: handle(p, mode), scripts)):
            if not well:
                failures += 1
                print(f"{shown(path)}: {text}", end="")
            elif text:
                print(text, end="")
    print(f"{len(scripts)} scripts, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
