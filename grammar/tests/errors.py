"""Writes `golden/errors.txt`: what CPython 3.11 says about the wrong programs listed here.

    python3.11 grammar/tests/errors.py

Each program is on one line, as a JSON string, with the verdict on the next: class, line, column, message.
"""

import json
import os
import warnings

PROGRAMS = [
    # Generic.
    "a b", "return return", "class", "def", "x = ", "1 if 2 else", "not", "a not b", "a is not", "x++", "x = $",
    "else: pass", "except:", "import a,", "import a.b as c.d", "global x, y.z", "nonlocal", "async x", "async for",
    "import a as b.c", "def f(a.b): pass", "def f(1): pass", "def f(None): pass", "f(=1)", "f(**)", "f(*)", "f(a=)",
    "a.1", "a 1", '"a" 1', '"a" b', "1 \"a\"", "a = 1 2", "from x import (*)", "assert(1,2)=1",
    "(a if b else c d)", "(a class)", "f(a for a in b c)", "class A(x for x in y): pass", "a:=1", "from import b",
    "@x\nx=1", "x = (a b) c", "if a b: pass", "while a b: pass", "def f(a b): pass", "lambda a b: 1", "a <> b", "()()(",
    "yield = 1", "x = [1,,2]", "f(,)", "[,]", "{,}", "for in x: pass", "with: pass", "while: pass", "if: pass", "raise a b",
    "del", "del a b", "import", "from a import", "from a import b c", "pass a", "break 1", "a, b c", "print(a) b", "a.b.",
    # Commas.
    "f(a b)", "x = [a, b c]", "x = (a b)", "(a.b c.d)", "(not a b)", "(a and b c)", "(1 + a b)", "(a, b c d)", "{a b}",
    "{a: b c}", "f(x=a b)", "[a\nb]", "(a b, c)", "((a b) c)", "(lambda: x y)", 'x = [1 "a"]', 'x = [f "a"]', "(a not b)",
    "f(a, b c, d)", "[a[1] b]", "x = [1 2]\ny = 3", "f(a)(b c)", "{1: 2 3: 4}", "[a for a in b c]", "f(a.b() c.d(), 1)",
    # Print.
    'print "a"', "print a", 'exec "a"', "print a, b", '[print "a"]', "(print a)", "print a.b(c) % d", "print -1 b",
    "if x: print a", "print 'a' % b, c",
    # Ternary, dict.
    "x = y if z", "(a if b c)", "(a, b if c d)", "x = {a: b, c}", "{1:}", "{1:2, 3:}", "{1:*a}", "{1: 2, **}",
    "{a: b, c d}", "x = a if b\ny = 2", "f(a if b)", "[a if b]",
    # Assignment.
    "x = 5 = y", "f() = 1", "None = 1", "(a, 1) = 2", "a+b=1", "a+b+=1", "a = b = 1 = c", "a < b = c", "-a = 1",
    "[a for a in b] = 1", 'f"{a}" = 1', "... = 1", "True += 1", "(yield) = 1", "x = yield = 1", "lambda: x = 1",
    "a if b else c = 1", "a and b = 1", "not a = 1", "a.b() += 1", "{a:b} = 1", "{a} = 1", "[a, b()] = 1", '"a" = 1',
    "(a, b) += 1", "[a] += 1", "(a:=1)=2", "(a.b:=1)", "(1:=1)", "f()=g()=1", "a, f() = 1", "(a, b): int", "[a]: int",
    "a,b: int = 1", "f(): int", "1: int", "if x = 3: pass", "while x.y = 3: pass", "if f() = 3: pass", "(x = 1)",
    "[x = 1]", "if x and y = 1: pass", "*a = 1", "a, *b, *c = d", "*a", "x = *a", "def f(): return *a", "(*a)", "(x.y = 1)",
    "elif x = 1: pass", "None += 1", "a() = b() = c", "x = 1 + y = 2", "*f() = 1", "*a, 1 = b", "(a+1) = 2", "f() = x if y else z", "f(), x = 1", "f(), a.b = 1", "f(), x, = 1", "f(), *x = 1", "f(), (x, y) = 1", "f(), x = y = 1", "1, None = x",
    "1 = x", "a = 1 = b", "a, b += 1", "a = b += 1", "x: int: str", "await a = 1", "a[b:c, d()] = 1", "(x for x in y) = 1",
    # Targets elsewhere.
    "for 1 in x: pass", "for a, b() in c: pass", "for f() in x: pass", "with a as 1: pass", "with a as b(): pass",
    "with (a as b, c as d(),): pass", "del f()", "del *a", "del (a,*b)", "del a, 1", "del a + b", "del (a, b())", "del None",
    "[x for 1 in y]", "[x for f() in y]", "for *a in b: pass", "for x in *a: pass", "import a as 1", "for a b in c: pass",
    # Arguments.
    "f(a=1, 2)", "f(**a, 1)", "f(**a, *b)", "f(a=1,a=2)", "f(a.b=1)", "f(True=1)", "f(None=1)", "f(1=2)", "f(a()=2)",
    "f(x for x in y, 1)", "f(a for a in b, c for c in d)", "f(a, b for b in c)", "f(a=1, *b, 2)", "f((a)=1)",
    "class A(a=1, 2): pass", "f(a=1, b)", "f(a, b=1, c, d)", "f(x for x in y,)", "f(a=1, **b, c)", "f(lambda x: x = 1)",
    # Parameters.
    "def f(a,a): pass", "def f(a=1,b): pass", "def f(*): pass", "def f(*, **k): pass", "lambda *: 1", "def f(a, *b, *c): pass",
    "def f(**a, b): pass", "def f(a, /, b, /): pass", "def f(*a, /): pass", "def f(/): pass", "def f(a=): pass",
    "def f(*a=1): pass", "def f(**a=1): pass", "def f(a, *, a): pass", "lambda x=1,y:1", "def f((a)): pass", "def f(a, *,): pass",
    "lambda a,a: 1", "def f(**a, **b): pass", "def f(**a, *b): pass", "def f(a, (b)): pass", "def f(a=1, /, b): pass",
    "def f(a, b=1, c, d): pass", "def f(a=1, *, b): pass\ndef g(a=1, b): pass", "def f(a, *): pass", "lambda **a, b: 1",
    # Comprehensions, displays.
    "[*a for a in b]", "{**a for a in b}", "(*a for a in b)", "{*a for a in b}", "[x for x in a, b]", "{x, y for x in a}", "[x, for x in a]", "(x, y for x in a)", "f(x, y for x in a)", "{x: y, z for x in a}", "[x, y for x in a]",
    # Blocks.
    "if x\n  pass", "if x:\npass", "  x", "if 1:\n  x\n y", "x\n  y", "for x in y\n pass", "def f():\n\"\"\"a\"\"\"\nx",
    "if a:\n  b\nelse:\nc", "if a:\n  b\nelif c:\nd", "for a in b:\nc", "while a:\nb", "with a:\nb", "try:\na",
    "try:\n  a\nexcept:\nb", "try:\n  a\nexcept A as b:\nc", "try:\n  a\nfinally:\nb", "class A:\nb", "class A(B):\nb",
    "def f(a):\nb", "async def f():\nb", "def f() -> int:\nb", "x = 1\nif a:\n\n\nb", "for a in b:\n  c\nelse:\nd", "else if x: pass",
    "if x:\n  a\n    b", "class A\n  pass", "def f()\n  pass", "def f:\n  pass", "with a\n  pass", "while x\n  pass", "try\n  pass",
    "else\n", "if x:\n  pass\nelse\n  pass", "try:\n  pass\nfinally\n  pass", "try:\n  pass\nexcept\n  pass", "lambda x\n",
    "if x:\n  pass\nelif y\n  pass", "if True:\n\tx\n        y", "if 1:\n        a\n\tb\n", "if x:\n  def f():\n  pass", "if 1: if 2: x",
    "match x:\ncase 1: pass", "match x:\n  case 1:\n  pass", "match x:\n  case 1\n    pass", "match x\n  case 1: pass", "match x", "match x y:\n  case 1: pass", "def f(a: b c): pass", "lambda *, **k: 1", "lambda *,: 1",
    "for x in range(3)\n  pass", "if x == 3\n  pass", "class A(B)\n  pass", "if x: pass\n  y",
    # Try, import.
    "try:\n  pass\nx", "try:\n pass\nexcept:\n pass\nexcept A:\n pass", "try:\n pass\nexcept A, B:\n pass", "try: pass\nx = 1",
    "try:\n pass\nexcept A, B as c:\n pass", "try:\n pass\nexcept A:\n pass\nexcept *B:\n pass", "try:\n pass\nelse:\n pass",
    "from a import b,", "from a import (b,,)", "from . import *, a", "try:\n pass\nexcept *:\n pass",
    # Tokens.
    '"abc', "'abc", '"""abc', "x = 'a\ny = 1", 'x="""a\nb\n', "x = \u00a0 1", "a = \u201cb\u201d", "\\ x", "x = 1 \\ ", "x = \\", "x = \\\n", 'f"{a!r b}"', "x = [\\",
    "1a", "012", "0b2", "0xg", "1_", "1__0", "0o8", "1e", "1.e+", "0x", "0x_", "0_7", "09", "0b1_", "0b1a", "0o1a", "1.2_", "1.2a",
    "1.2.3", "1e5x", "1e+", "1jx", "0xfg", "0xf_", "1_000_", "0e", "0777", "00_", "1._5", "1e_5", "x = \x01", "a\u20acb = 1", "x = 1\u00b2",
    "(", "[(", "((\n]", "x = (1,", "x = (1", "(]", "(\n]", ")", "f(a, b\nx = 1\n", "f(a, b\nx + 1\n", '{\n"a": 1,\n"b": 2\n\ndef f(): pass',
    "x = (\n 1 2", "x = (1 2", "x = (\n$", "x $ (", "(a b, c", "(a b'c)", "[a b", "a]", "{)", "f(a))", "print(a", "x = {1: [2, 3}",
    "if x:\n  a(\nb = 1", "ur'a'", "bu'a'", '"a\\\nb', "a ? b", "a ! b", "`a`", "x = '''a\nb", "\\", "a\\\n  b", "if a:\n  b\\\nc d",
    # Which of two errors, and what may be missing where.
    "def f() z: pass", "def f() -> a z: pass", "class A z: pass", "for x in y z: pass", "with a z: pass",
    "with (a as b) z: pass", "try z", "try:\n a\nfinally z", "if a:\n b\nelse z", "lambda x while",
    "async def f() while", "[*a b]", "{*a b}", "(*a b)", "f(*a b)", "f(**a b)", "\"\":=1", "f():=1", "a.b:=1",
    "if a.b:=1: pass", "a[f():=1]", "x = f():=1", "return f():=1", "{}{", "a b(", "a = b c(", "x y{", "a (b (",
    "1 2[", "f(a=1, b c)", "print a(", "x = [a b(", "a if b c", "if a if b: pass", "def f(a= b=c): pass",
    "x y\nif 1:\n  a\n b", "x y\nif 1:\n        a\n\tb", "x y\n\"a", "x y\n1a", "x y\na \\ b", "x y\nf\"{\"",
    "  x\n'a", "if a:\nb\n'a", "f() = 1\n\"a", "def f(*, **k):\n if a:\n b", "x = [\n1a", "x = 1 +\n)",
    "class A(a=1, b):\n x y", "try:\n a\nexcept A, B:\n x y", "f\"{a b}\"\nx y", "x y\n\ty",
    "def f(a): to \"x\"", "from a import b, c= d", "x = [y for z a(b)]", "6forself", "1ifx else y", "1and x",
    "1andx", "def f(a, /, b=1, c): pass", "lambda a, /, b=1, c: 1", "class A:\n  x = {}{\n",
    "class A:\n    def f():\n\n  g", "f\"{[a]import\"", "import a, b = c", "del a, b = c", "for x y in z: pass",
    "[x for x y in z]", "[a for b in c for d e in f]", "x = [a for b in c if d e]",
    "x = 01OFLAG", "x = 01e", "x = 01_", "x = 01e+", "from a import b, print c", "x = [a for b, c in d e]", "x = [a for b c in d]",
    "'a': '',", "'a': b c", "f(): x y", "x: y z", "\"a\": 1, \"b\": 2", "lambda: x y", "else: x y", "if a: b c",
    # Strings.
    '"\\x1"', '"\\u12"', '"\\U1234567"', '"\\U00110000"', '"abc\\x"', 'b"\\x1"', 'b"\u00e9"', 'b"a" "b"', '"a" b"b"', '"\\N"', '"\\N{"',
    'x = f("\\x1", 2)',
    # f-strings: the messages alone are compared.
    'f"{}"', 'f"{a b}"', 'f"{a"', 'f"}"', 'f"{a!x}"', 'f"{a:{b:{c}}}"', 'f"{#}"', 'f"{a\\n}"', 'f"{ }"', 'f"{a:"', "f'{a", 'f"{*a}"',
    'f"{!r}"', 'f"{:x}"', 'f"{a)}"', 'f"{(a]}"', 'f"{=}"', 'f"{a.1}"', 'f"{1a}"', 'f"{f()=1}"', 'f"{a b!r}"', "f'''{\na b}'''", 'f"{yield = 1}"', 'f"{x:{1a}}"',
]


def verdict(program):
    try:
        compile(program, "<test>", "exec")
    except SyntaxError as error:
        return f"{type(error).__name__} {error.lineno}:{error.offset} {error.msg}"
    return "accepted"


def main():
    warnings.simplefilter("ignore")
    path = os.path.join(os.path.dirname(__file__), "golden", "errors.txt")
    with open(path, "w") as file:
        for program in PROGRAMS:
            file.write(f"{json.dumps(program)}\n    {verdict(program)}\n")


main()
