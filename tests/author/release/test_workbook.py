"""The notebooks in which a week is done: made from the README and the reference, and complete with either's work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from grader.author.release import workbook
from grader.author.release.leaks import leaks_in, secrets_of
from grader.course import Assignment, Course
from grader.errors import CourseError
from grader.intake import load_folder
from tests.support import amount
from tests.support.courses import copied

ROOT = Path(__file__).parents[3]
WEEKS = list(Course(ROOT).assignments())
README = """# Sums

First words.

**Contents:** [a](#a) ·
[b](#b)

## Set up

```sh
# no heading
```

### For the terminal

## The lesson

```python
four = 4
```

Said.

## The tasks

### 5.1 `double(n)` · sums.py

Twice `n`.
`pytest assignments/week5 --task 5.1`

### 5.2 Two halves · sums.py

```python
half(3)
```

## Grading

At last.
"""
REFERENCE = '''"""Sums."""

from collections.abc import (
    Callable,
)
from other import helper
import math

# How much twice is.
TWO = 2


def double(n):
    """Twice."""
    # BEGIN SOLUTION 5.1: add it to itself
    return helper(n)
    # END SOLUTION


@staticmethod
def half(n):
    # BEGIN SOLUTION 5.2: divide
    return n / TWO
    # END SOLUTION
'''
OTHER = "def helper(n):\n    # BEGIN SOLUTION 5.2: help\n    return 2 * n\n    # END SOLUTION\n"


@pytest.fixture
def book_course(tmp_path: Path) -> Course:
    files = {
        "assignments/week5/README.md": README,
        "solutions/week5/sums.py": REFERENCE,
        "solutions/week5/other.py": OTHER,
    }
    root = copied("sums", tmp_path, files)
    file = root / "assignments" / "week5" / "assignment.toml"
    file.write_text(file.read_text().replace('["sums"]', '["sums", "other"]'))
    return Course(root)


def made(course: Course, week: str = "week5") -> list[tuple[str, str]]:
    cells = json.loads(workbook.build(course, course.assignment(week)))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]


def test_text_tasks_and_checks_come_in_the_readmes_order(book_course: Course) -> None:
    cells = made(book_course)
    assert cells[0] == ("markdown", "# Sums\n\nFirst words.")
    assert cells[1][1].startswith("This notebook is the whole week") and "%check 5.1" in cells[1][1]
    assert cells[2][1].endswith("%load_ext grader")
    assert cells[3:-3] == [
        ("markdown", "## The lesson"),
        ("code", "four = 4"),
        ("markdown", "Said."),
        ("markdown", "## The tasks"),
        ("code", "from collections.abc import Callable\nimport math\n\n\n# How much twice is.\nTWO = 2"),
        ("markdown", "### 5.1 `double(n)` · sums.py\n\nTwice `n`."),
        ("code", 'def double(n):\n    """Twice."""\n    raise NotImplementedError("TODO 5.1: add it to itself")'),
        ("code", "%check 5.1"),
        ("markdown", "### 5.2 Two halves · sums.py\n\n```python\nhalf(3)\n```"),
        ("code", '@staticmethod\ndef half(n):\n    raise NotImplementedError("TODO 5.2: divide")'),
        ("code", 'def helper(n):\n    raise NotImplementedError("TODO 5.2: help")'),
        ("code", "%check 5.2"),
        ("markdown", "## Grading\n\nAt last."),
    ]
    assert [text for kind, text in cells[-2:]] == ["%score week5", "# %submit week5"]


def test_one_name_in_two_modules_is_one_clear_error(book_course: Course) -> None:
    (book_course.root / "solutions/week5/other.py").write_text("def half(n):\n    pass\n")
    with pytest.raises(CourseError, match=r"other\.py: half is defined in sums\.py, too"):
        made(book_course)


def test_a_course_with_a_repository_opens_in_colab(book_course: Course) -> None:
    assert "Open in Colab" not in made(book_course)[0][1]
    (book_course.root / "course.toml").write_text('title = "T"\nrepository = "https://github.com/me/course"\n')
    cells = made(Course(book_course.root))
    address = "https://colab.research.google.com/github/me/course/blob/HEAD/assignments/week5/week5_work.ipynb"
    assert f"]({address})" in cells[0][1]
    assert 'REPOSITORY = "https://github.com/me/course"' in cells[2][1]


def test_every_week_has_its_notebook_with_every_task_and_nothing_of_the_solutions() -> None:
    course = Course(ROOT)
    assert workbook.stale_workbooks(ROOT) == []
    files = {path.name: path.read_bytes() for path, _ in workbook.workbooks(ROOT)}
    assert sorted(files) == sorted(["primer.ipynb", *(f"{week}_work.ipynb" for week in WEEKS)])
    assert list(leaks_in(files, secrets_of(course))) == []
    for assignment in course.assignments().values():
        text = "\n".join(text for _, text in made(course, assignment.week))
        assert [name for name in assignment.all_names if f" {name}(" not in text] == []
        skeletons = b"".join(assignment.skeletons.values()).decode()
        assert text.count('NotImplementedError("TODO') == skeletons.count('NotImplementedError("TODO')


@pytest.mark.parametrize("week", WEEKS)
def test_the_skeletons_notebook_beside_finished_modules_changes_nothing(week: str, tmp_path: Path) -> None:
    assignment = Course(ROOT).assignment(week)
    for module in assignment.modules:
        content = assignment.skeletons[module] if module == assignment.modules[-1] else b"x = 1\n"
        (tmp_path / f"{module}.py").write_bytes(content)
    alone = load_folder(tmp_path, assignment).files
    (tmp_path / f"{week}_work.ipynb").write_bytes(assignment.workbook)
    assert load_folder(tmp_path, assignment).files == alone


def of_tasks(course: Course, week: str) -> list[str]:
    """The notebook's cells without those of the lesson, whose code has tests of its own."""
    code = [text for kind, text in made(course, week) if kind == "code"]
    first = next(number for number, text in enumerate(code) if "NotImplementedError(" in text)
    setup = [text for text in code if text.endswith("%load_ext grader")]
    return [*setup, code[first - 1], *(text.replace("# %submit", "%submit") for text in code[first:])]


def solved(course: Course, assignment: Assignment) -> Iterator[str]:
    """Yield these cells with the reference's modules in the place of the cells with a TODO."""
    written = False
    for text in of_tasks(course, assignment.week):
        if "NotImplementedError(" not in text:
            yield text
        elif not written:
            own = tuple(f"from {module} import" for module in assignment.modules)
            for module in assignment.modules:
                source = (course.root / "solutions" / assignment.week / f"{module}.py").read_text()
                yield "\n".join(line for line in source.splitlines() if not line.startswith(own))
            written = True


def run(cells: list[str], folder: Path) -> list[str]:
    """Run cells in a kernel, and return what each shows."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return [
        "\n".join(str(o.get("text") or o.get("data", {}).get("text/plain", "")) for o in cell.outputs)
        for cell in notebook.cells
    ]


@amount.in_full("tests/kernel does a small week in a kernel, and every check of these weeks runs in tests/weeks")
@pytest.mark.parametrize("week", WEEKS)
def test_a_kernel_finds_the_skeleton_to_do_and_the_reference_right(
    week: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_COURSE", str(ROOT))
    course = Course(ROOT)
    started = run(of_tasks(course, week)[:-1], tmp_path)
    assert re.search(r"^all\s.*\b0/60\b", started[-1], re.MULTILINE)
    *_, score, submitted = run(list(solved(course, course.assignment(week))), tmp_path)
    assert re.search(r"^all\s.*\b60/60\b", score, re.MULTILINE)
    assert "60 of 60 points" in submitted
