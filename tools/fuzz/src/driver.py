# Runs many programs in one process, each in a namespace of its own. Both interpreters run this file.
#     driver.py FILE    the programs in FILE, separated by lines that hold only "\x1e"
import sys
import traceback


def lines_of(error):
    entries = [e for e in traceback.extract_tb(error.__traceback__) if e.filename == "<program>"]
    lines = [f"{e.name}:{e.lineno}" for e in entries]
    if isinstance(error, UnboundLocalError) and entries:
        # CPython 3.11 runs two instructions as one, and then names the line of the first.
        lines[-1] = entries[-1].name
    return " ".join(lines)


def report(error, depth=0):
    if isinstance(error, SyntaxError):
        # The lines that show the place are the business of tests/scripts/syntax.
        text = f"{type(error).__name__}: {error.msg} in line {error.lineno}"
    else:
        text = "".join(traceback.format_exception_only(type(error), error)).rstrip("\n")
    print("\x1d" + "  " * depth + text, "at", lines_of(error))
    if depth < 4:
        if error.__cause__ is not None:
            report(error.__cause__, depth + 1)
        elif error.__context__ is not None and not error.__suppress_context__:
            report(error.__context__, depth + 1)


def run(source):
    try:
        exec(compile(source, "<program>", "exec"), {"__name__": "__main__"})
    except BaseException as error:
        report(error)


with open(sys.argv[1], encoding="utf-8", newline="\n") as file:
    programs = file.read().split("\n\x1e\n")
for number, source in enumerate(programs):
    print("\x1e", number, sep="", flush=True)
    run(source)
print("\x1e")
