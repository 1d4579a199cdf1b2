"""Makes files that cost a reader far more than their size: deep, long or dense source, notebooks and archives."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile

MIB = 2**20


def sources(size: int) -> dict[str, str]:
    """Python files of about `size` characters each, by what is hard about them."""

    def repeated(before: str, part: str, middle: str = "1", after: str = "") -> str:
        count = max(1, size // (len(part) + len(after)))
        return f"{before}{part * count}{middle}{after * count}\n"

    def nested(part: str, middle: str, after: str, depth: int) -> str:
        line = f"x = {part * depth}{middle}{after * depth}\n"
        return line * max(1, size // len(line))

    steps = "".join(f"{' ' * depth}if 1:\n" for depth in range(99)) + f"{' ' * 99}pass\n"
    return {
        "brackets": repeated("x = ", "(", "1", ")"),
        "lists": repeated("x = ", "[", "", "]"),
        "open brackets": repeated("x = ", "{[(", ""),
        "brackets as deep as may be": nested("(", "1", ")", 90),
        "unary": repeated("x = ", "-"),
        "not": repeated("x = ", "not "),
        "attributes": repeated("x = a", ".a", ""),
        "subscripts": repeated("x = a", "[0]", ""),
        "calls": repeated("x = a", "()", ""),
        "lambdas": repeated("x = ", "lambda: "),
        "sums": repeated("x = ", "1+"),
        "powers": repeated("x = ", "1**"),
        "comparisons": repeated("x = ", "a<", "a"),
        "conditions": repeated("x = ", "a if b else ", "c"),
        "comprehensions": nested("[a for a in ", "b", "]", 40),
        "f-strings": nested("f'{", "1", "}'", 2),
        "f-strings in f-strings": repeated("x = ", "f'{", "1", "}'"),
        "decorators": repeated("", "@a\n", "def f(): pass"),
        "escapes": repeated("x = '", "\\N{DIGIT ONE}", "'"),
        "octal escapes": repeated("x = b'", "\\777", "'"),
        "decimal": repeated("x = ", "9"),
        "hexadecimal": repeated("x = 0x", "f"),
        "elif": repeated("if 1: pass\n", "elif 1: pass\n", ""),
        "if": repeated("", "if 1: pass\n", ""),
        "steps": steps * max(1, size // len(steps)),
        "tabs": "".join("if 1:\n" + "\t" * depth for depth in range(1, 200)),
        "names": repeated("", "a;", ""),
        "assignments": repeated("", "a=", "1"),
        "stars": repeated("x = ", "*a,", ""),
        "strings": repeated("x = ", "'a' ", ""),
        "backslashes": repeated("x = ", "\\\n"),
        "dots": repeated("from ", ".", " import a"),
        "imports": repeated("import a", ",a", ""),
        "imports in a line": repeated("", "import ", ""),
        "definitions": repeated("", "def f():0\n", ""),
        "nul": repeated("", "\0", ""),
        "quotes": repeated("", "'''", ""),
        "no line end": repeated("#", "#", "")[:-1],
    }


def hostile_sources(size: int) -> dict[str, bytes]:
    """The same in bytes, with some that are no text."""
    made = {name: text.encode() for name, text in sources(size).items()}
    made["no text"] = b"\xff" * size
    made["marked as UTF-16"] = b"\xff\xfe" + b"a" * size
    made["punycode"] = b"# coding: punycode\n" + b"a" * size
    return made


def deep_notebooks(size: int) -> dict[str, bytes]:
    """Notebooks that are hard as JSON, as notebooks, or for what is in their cells."""

    def of(*cells: object, **more: object) -> bytes:
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4, **more}).encode()

    def code(source: object, **more: object) -> dict[str, object]:
        return {
            "cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more
        }  # fmt: skip

    deep = b"[" * (size // 2) + b"]" * (size // 2)
    cells = {f"cell of {name}": of(code("class LeNet: ...\n" + text)) for name, text in sources(size).items()}
    return {
        "deep JSON": deep,
        "deep objects": b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6),
        "deep metadata": of(code("class LeNet: ...")).replace(b'"metadata": {}', b'"metadata": {"a": ' + deep + b"}"),
        "many cells": of(*[code("a")] * (size // 80)),
        "many lines": of(code(["a\n"] * (size // 8))),
        "long number": b'{"cells": ' + b"9" * size + b"}",
        "old": of(nbformat=3, worksheets=[{"cells": [code("a")] * (size // 80)}]),
        "many magics": of(code("%time a\n!ls\nx = 1\n" * (size // 20))),
        **cells,
    }


def zip_of(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def archives(count: int) -> dict[str, bytes]:
    """Zip files, or what calls itself so, of about `count` members or MiB."""
    member = zip_of(("lenet.py", b"class LeNet: ...\n"))
    nested = member
    for _ in range(20):
        nested = zip_of(("inner.zip", nested))
    return {
        "many members": zip_of(*((f"{number}.py", b"") for number in range(count))),
        "many members of one name": zip_of(*((f"{number % 3}.py", b"a") for number in range(count))),
        "long names": zip_of(*((f"{'a/' * 480}{number}.py", b"") for number in range(count))),
        "names of weeks": zip_of(*((f"week{'0' * 900}{number}/lenet.py", b"") for number in range(count))),
        "a bomb": zip_of(("lenet.py", b"\0" * (count * MIB // 16))),
        "bombs": zip_of(*((f"{number}.ipynb", b" " * MIB) for number in range(count // 16))),
        "nested": nested,
        "a false count": member[:-12] + struct.pack("<HH", 0xFFFF, 0xFFFF) + member[-8:],
        "no end": member[:-4],
        "a tar of links": _links(count),
    }


def _links(count: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(count):
            link = tarfile.TarInfo(f"{number}.py")
            link.type, link.linkname = tarfile.SYMTYPE, f"{number + 1}.py"
            archive.addfile(link)
    return buffer.getvalue()
