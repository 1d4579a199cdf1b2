"""What works on one computer alone is named before the work is handed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.intake.handing_in import failures, findings

LIBRARIES = ("torch", "numpy")
NOTHING = (
    "import torch, os.path\nfrom numpy import random\n",
    "import helpers\nfrom . import helpers\nfrom assignments.week5 import helpers\nimport package.part\n",
    "try:\n    import wandb\nexcept ImportError:\n    wandb = None\n",
    "if __name__ == '__main__':\n    import wandb\n    print(input('/home/me/data'))\n",
    '"""Reads /home/me/data, once."""\ndef f():\n    "/tmp/x is no place"\n    return "a/b.pt", "/", "/5"\n',
)
LOST = {
    "import pandas": ("lenet.py:1: imports pandas", "neither among your files"),
    "x = 1\nfrom pandas.core import frame": ("lenet.py:2: imports pandas",),
    "def f():\n    import pandas as pd\n": ("lenet.py:2: imports pandas",),
    "try:\n    import pandas\nfinally:\n    pass\n": ("lenet.py:2: imports pandas",),
    "try:\n    import torch\nexcept ImportError:\n    import pandas\n": (),
    "p = '/home/me/model.pt'": ("lenet.py:1: names '/home/me/model.pt'", "own computer"),
    "p = 'C:\\\\Users\\\\me\\\\m.pt'": ("lenet.py:1: names",),
    "p = f'/content/drive/{1}'": ("lenet.py:1: names '/content/drive/'",),
    "open('~/data.csv')": ("lenet.py:1: names '~/data.csv'",),
    "def f():\n    return int(input('n'))": ("lenet.py:2: calls input()",),
    "def f():\n    breakpoint()": ("lenet.py:2: calls breakpoint()",),
    "def f(:\n": ("lenet.py:1: Python cannot read this file",),
}


def found(text: str) -> list[str]:
    files = {"lenet.py": text.encode(), "helpers.py": b"", "package/part.py": b"", "data.csv": b"import pandas"}
    return findings(files, LIBRARIES)


def test_what_is_there_for_the_grade_is_not_named() -> None:
    assert found("\n".join(part for part in NOTHING)) == []


def test_what_is_not_there_is_named_with_its_line() -> None:
    files = {f"part{number}.py": text.encode() for number, text in enumerate(LOST)}
    lines = findings(files, LIBRARIES)
    for number, words in enumerate(LOST.values()):
        about = "\n".join(
            line.replace(f"part{number}.py", "lenet.py") for line in lines if line.startswith(f"part{number}.")
        )
        assert [word for word in words if word not in about] == [], about
        assert bool(words) == bool(about)


@pytest.mark.parametrize(
    "text", ["x = " + "(" * 100_000, "a" * 2_000_000, "\0", "x = " + "-" * 50_000 + "1"], ids="(aN-"
)
def test_no_source_ends_the_look_at_it(text: str) -> None:
    assert len(found(text)) <= 1


# It writes wherever it can what looks like answers.
NOISY = b"""import os
for place in range(3, 20):
    try:
        os.write(place, b'{"begins": ""}}\\n{"module": "x", "message": 5}\\n[1,}\\n\\xff}\\n')
    except OSError:
        pass
"""


def test_modules_are_imported_where_only_the_allowed_libraries_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("lies beside no module")
    files = {
        "noisy.py": NOISY,
        "beside.py": b"open('data.csv')\n",
        "fine.py": b"import json, helpers, torch\nfrom helpers import seven\nprint('spam ' * 10**6)\n",
        "helpers.py": b"seven = 7\ntry:\n    import rich\nexcept ImportError:\n    rich = None\nassert rich is None\n",
        "hidden.py": b"import importlib\nx = importlib.import_module('rich')\n",
        "broken.py": b"import helpers\n1 / 0\n",
        "todo.py": b"raise NotImplementedError('TODO 5.1: later')\n",
        "leaves.py": b"import os\nos._exit(0)\n",
    }
    modules = ("noisy", "beside", "fine", "hidden", "broken", "todo", "absent", "leaves")
    assert failures(files, modules, LIBRARIES, "week5") == [
        "beside.py:1 cannot be run where you are graded "
        "(FileNotFoundError: [Errno 2] No such file or directory: 'data.csv')",
        "hidden.py:2: imports rich, which is not there where you are graded",
        "broken.py:2: importing it fails where you are graded: ZeroDivisionError: division by zero",
        "leaves.py: its import ends the process, or does not end, so nothing in it earns points",
    ]
    assert failures(files, ["hidden"], LIBRARIES, "week5", ["hidden.py:2: imports rich"]) == []
