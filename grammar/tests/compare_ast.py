"""Compares the parser with CPython's on real files: same verdict, same tree, same place of every node.

    cargo build -p mini-grammar --example dump
    python3.11 grammar/tests/compare_ast.py target/debug/examples/dump /usr/lib/python3.11/*.py

Prints one line for each file that differs, then how many were the same. Needs Python 3.11 itself: other versions have
other trees.
"""

import ast
import subprocess
import sys


def quoted(text):
    out = []
    for letter in text:
        if letter in "\\'":
            out.append("\\" + letter)
        elif " " <= letter <= "~":
            out.append(letter)
        else:
            out.append("\\u{%x}" % ord(letter))
    return "'" + "".join(out) + "'"


def constant(value):
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bytes):
        return "b" + quoted(value.decode("latin-1"))
    return repr(value)


class Dumper:
    """Prints a tree as Mini's `ast::dump_with_spans` does."""

    def __init__(self, source):
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def place(self, node):
        if not hasattr(node, "lineno"):
            return ""
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        return f"@{start}..{end}"

    def dump(self, node, depth=0):
        pad = "\n" + " " * (depth + 1)
        if isinstance(node, list):
            return "[" + ",".join(pad + self.dump(item, depth + 1) for item in node) + "]"
        if not isinstance(node, ast.AST):
            return constant(node) if node is not Ellipsis else "Ellipsis"
        fields = []
        for name, value in ast.iter_fields(node):
            is_value = name == "value" and isinstance(node, (ast.Constant, ast.MatchSingleton))
            if name in ("kind", "type_comment") or (value is None and not is_value):
                continue
            fields.append(f"{pad}{name}={self.dump(value, depth + 1)}")
        return type(node).__name__ + self.place(node) + "(" + ",".join(fields) + ")"


def same_number(ours, theirs):
    """Numbers too big or too long to be spelled alike are compared by value."""
    try:
        return int(ours, 0) == int(theirs)
    except ValueError:
        pass
    try:
        return float(ours) == float(theirs)
    except ValueError:
        return False


def difference(ours, theirs):
    ours, theirs = ours.split("\n"), theirs.split("\n")
    for line, (mine, other) in enumerate(zip(ours, theirs)):
        if mine == other:
            continue
        name, _, value = mine.rpartition("value=")
        other_name, _, other_value = other.rpartition("value=")
        if name == other_name and same_number(value.rstrip(")],"), other_value.rstrip(")],")):
            continue
        return f"line {line}: {mine.strip()!r}, in CPython {other.strip()!r}"
    return None if len(ours) == len(theirs) else "one is longer"


def compare(command, path):
    with open(path, "rb") as file:
        source = file.read()
    run = subprocess.run([command, "--spans", path], capture_output=True, text=True, errors="replace")
    if run.returncode != 0:
        return f"exit status {run.returncode}: {run.stderr[-200:]}"
    ours = run.stdout.rstrip("\n")
    try:
        theirs = Dumper(source).dump(ast.parse(source))
    except (SyntaxError, ValueError) as error:
        return None if not ours.startswith("Module(") else f"accepted, but CPython says: {error}"
    except RecursionError:
        return None
    if not ours.startswith("Module("):
        return "refused: " + ours.replace("\n", " | ")
    return difference(ours, theirs)


def main():
    sys.setrecursionlimit(20000)
    command, *paths = sys.argv[1:]
    same = 0
    for path in paths:
        found = compare(command, path)
        if found is None:
            same += 1
        else:
            print(f"{path}: {found}")
    print(f"{same} of {len(paths)} the same")


main()
