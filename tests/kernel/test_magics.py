"""A notebook's magics judge what its kernel defines, leave the kernel as it was, and write the file to hand in.

One kernel serves all tests that need one, as it takes seconds to start.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from grader.author.release.workbook import build, set_up
from grader.course import Course
from grader.errors import SubmissionError, UsageError
from grader.intake import load_folder
from grader.kernel import handing_in, magics, shown
from grader.kernel.cells import Cells, History, KernelStudents, MissingName, Tail
from grader.language import VARIABLE, spoken
from grader.results import CheckResult, Outcome
from tests.support import german
from tests.support.courses import copied

README = (
    "# Sums\n\n## The lesson\n\n```python\nfour = 2 + 2\nprint(four)\n```\n\n## The tasks\n\n"
    "### 5.1 `double(n)` · sums.py\n\nTwice.\n`pytest assignments/week5 --task 5.1`\n\n### 5.2 `half(n)` · sums.py\n"
)
REFERENCE = (
    "import math\n\nONE = 1\n\n\ndef double(n):\n    # BEGIN SOLUTION 5.1: add it to itself\n    return n + n * ONE\n"
    "    # END SOLUTION\n\n\ndef half(n):\n    # BEGIN SOLUTION 5.2: divide\n    return n / 2\n    # END SOLUTION\n"
)


class Kernel:
    """Runs cells one after the other in one kernel, and returns what each shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        resources = {"metadata": {"path": str(folder)}}
        self._client = NotebookClient(new_notebook(), kernel_name="python3", allow_errors=True, resources=resources)
        self._cells = 0

    def __call__(self, source: str, kind: str = "text/plain") -> str:
        cell = new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, self._cells, store_history=True)
        self._cells += 1
        return "\n".join(_shown(output, kind) for output in cell.outputs)

    def running(self) -> Any:
        return self._client.setup_kernel()


def _shown(output: Any, kind: str) -> str:
    return output.get("text") or output.get("data", {}).get(kind) or output.get("evalue", "")


@pytest.fixture(scope="module")
def notebook_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"assignments/week5/README.md": README, "solutions/week5/sums.py": REFERENCE}
    return copied("sums", tmp_path_factory.mktemp("kernel") / "course", files)


@pytest.fixture(scope="module")
def kernel(notebook_root: Path, warm_kernels: None) -> Iterator[Kernel]:
    made = Kernel(notebook_root / "assignments" / "week5")
    with made.running():
        made("import os; os.environ['PYTEST_ADDOPTS'] = '--for-other-runs'")
        made(set_up(Course(notebook_root), "assignments/week5/week5_work.ipynb"))
        yield made


def test_a_week_is_done_in_its_notebook_from_the_skeleton_to_the_file(kernel: Kernel, notebook_root: Path) -> None:
    course = Course(notebook_root)
    cells = json.loads(build(course, course.assignment("week5")))["cells"]
    shown = [kernel("".join(cell["source"])) for cell in cells[3:] if cell["cell_type"] == "code"]
    assert shown[0] == "4\n"
    text = "\n".join(shown)
    assert "○ 5.1 Double: TODO 5.1: add it to itself" in text and "○ 5.2 Half: TODO 5.2: divide" in text
    assert re.search(r"all +0/60", text) and "Next: task 5.1 (to do)" in text
    kernel("def double(n):\n    return n + n * ONE")
    kernel("def half(n):\n    return n / 2")
    assert "every public check passes, 30 points" in kernel("%check 5.1")
    assert re.search(r"all +60/60", kernel("%score"))
    assert "60 of 60 points" in kernel("%submit")
    handed = load_folder(kernel.folder / "week5_submission.zip", course.assignment("week5"))
    assert b"TODO" not in handed.files["sums.py"] and b"ONE = 1" in handed.files["sums.py"]


def test_a_wrong_cell_is_named_by_its_number_and_line_with_what_it_printed(kernel: Kernel) -> None:
    kernel("def double(n):\n    print('seen', n)\n    return 3 * n")
    wrong = kernel("%check 5.1", "text/html")
    assert "double: wrong value; expected 6, got 9" in wrong and "Look at the operator." in wrong
    assert "seen 3" in wrong and "&lt;" not in wrong
    kernel("def double(n):\n    values = []\n    return values[n]")
    raised = kernel("%check 5.1")
    assert re.search(r"your code raised IndexError.*\(In \[\d+\], line 3\)", raised)
    assert "ipykernel" not in raised and "return values[n]" in raised


def test_the_kernel_is_left_as_it_was(kernel: Kernel) -> None:
    kernel(
        "import matplotlib.pyplot as plt, sys, torch\n"
        "def double(n):\n"
        "    torch.set_grad_enabled(False); torch.set_default_dtype(torch.float64); plt.figure(); return 2 * n\n"
        "plt.figure(); torch.manual_seed(1); torch.set_num_threads(2); path = list(sys.path)"
    )
    kernel("%check 5.1")
    state = kernel(
        "print(torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads(), sys.path == path)"
        "\nprint(torch.rand(1).item() == torch.rand(1, generator=torch.Generator().manual_seed(1)).item())"
    )
    assert state.split("\n")[:2] == ["True torch.float32 2 True", "True"]
    assert "Figure" not in kernel("%check 5.1")


def test_a_device_and_a_dtype_that_the_notebook_has_chosen_change_no_check(kernel: Kernel) -> None:
    kernel("torch.set_default_device('meta'); torch.set_default_dtype(torch.float64)")
    kernel("def double(n):\n    made = torch.zeros(1)\n"
           "    return 2 * n if made.device.type == 'cpu' and made.dtype is torch.float32 else made.dtype")  # fmt: skip
    checked = kernel("%check 5.1")
    state = kernel("print(torch.zeros(1).device, torch.zeros(1).dtype)")
    kernel("torch.set_default_device(None); torch.set_default_dtype(torch.float32)")
    assert "every public check passes" in checked
    assert state == "meta torch.float64\n"


def test_a_loop_without_end_is_stopped_and_one_that_prints_fills_nothing(kernel: Kernel) -> None:
    kernel(
        "import grader.kernel.cells as c, grader.checks.task_mark as m\ndef half(n):\n    while True: print('x' * 99)"
    )
    kernel("kept = c.KernelStudents.open\n"
           "def short(self, item, mark):\n    s = kept(self, item, mark); s._seconds = 0.3; return s\n"
           "c.KernelStudents.open = short")  # fmt: skip
    stopped = kernel("%check 5.2", "text/html")
    kernel("c.KernelStudents.open = kept")
    assert "timeout after 0.3 s" in stopped and len(stopped) < 50_000


def test_what_makes_no_sense_is_a_line(kernel: Kernel) -> None:
    assert "name a task, as in: %check 5.3" in kernel("%check five")
    assert "no check belongs to task 9.9; the weeks here are week5" in kernel("%check 9.9")
    assert "there is no week 'week9'" in kernel("%score week9")


def test_what_only_the_kernel_has_costs_nothing_silently(kernel: Kernel) -> None:
    """A name that no cell of the history defines cannot be handed in, and the file's own score says so."""
    kernel("get_ipython().user_ns['factor'] = 2")
    kernel("def double(n):\n    return factor * n")
    kernel("def half(n):\n    return n / 2")
    assert re.search(r"all +60/60", kernel("%score week5"))
    submitted = kernel("%submit week5")
    assert "30 of 60 points" in submitted
    assert "Task 5.1 has 30 points in this kernel, and 0 in the file" in submitted


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell()
    InteractiveShell.clear_instance()


def test_checks_that_say_the_same_of_a_task_to_do_are_one_line() -> None:
    todo, other = "TODO: run the cell that defines f; none has defined it yet", "TODO 5.1: more"
    parts = [("5.1", "a", todo), ("5.1", "b", todo), ("5.1", "c", other), ("5.2", "d", todo)]
    told = shown.checks(
        [CheckResult(f"t::{name}", task, name, False, 0, 2, Outcome.TODO, says) for task, name, says in parts]
    )
    assert repr(told).splitlines() == [f"○ 5.1 2 checks: {todo}", f"○ 5.1 c: {other}", f"○ 5.2 d: {todo}"]
    assert told.html.count("none has defined it yet") == 2 and "0 of 4 points" in told.html


def test_the_text_keeps_its_columns() -> None:
    results = [CheckResult(f"t::{task}", task, "a", False, 2, 2, Outcome.PASSED) for task in ("5.1", "5.10")]
    lines = repr(shown.score(results, "week5", "Week 5")).splitlines()
    assert lines[0].index("2/2") == lines[1].index("2/2") == lines[2].index("4/4")


def test_without_anything_of_the_week_there_is_nothing_to_hand_in(
    shell: InteractiveShell, two_weeks_course: Course, tmp_path: Path
) -> None:
    shell.run_cell("other = 1")
    week = next(iter(two_weeks_course.assignments().values()))
    with pytest.raises(SubmissionError, match=f"no cell that was run defines anything that {week.week} asks for"):
        handing_in.write(shell, KernelStudents(shell), week, tmp_path)


def test_later_runs_of_a_cell_replace_earlier_ones_and_nothing_else() -> None:
    cells = {
        1: "import math\ndef f():\n    return 1",
        2: "x = 3\ndef f():\n    return 2",
        3: "def f():\n    return (",
        4: "def f():\n    return 4\nclass G: pass",
        5: "class G: pass",
    }
    assert list(handing_in.current(cells)) == [cells[2], cells[3], cells[4], cells[5]]


def test_names_come_from_cells_then_from_an_imported_module_and_are_else_to_do() -> None:
    import math

    cells = Cells("math", {"floor": 7, "math": math})
    assert (cells.floor, cells.ceil) == (7, math.ceil)
    with pytest.raises(MissingName, match="TODO: run the cell that defines round_up"):
        _ = cells.round_up
    assert not hasattr(Cells("lenet", {}), "LeNet")


def test_the_end_of_a_long_output_is_kept() -> None:
    tail = Tail()
    for number in range(30_000):
        tail.write(f"{number}\n")
    assert tail.getvalue().endswith("29999\n") and len(tail.getvalue()) <= 2**16


def test_the_week_is_the_one_whose_names_are_there(two_weeks_course: Course) -> None:
    weeks = two_weeks_course.assignments()
    first, second = weeks
    only = set(weeks[second].all_names - weeks[first].all_names)
    assert magics.week_of_names(two_weeks_course, only) == second
    with pytest.raises(UsageError, match=f"which week\\? name one of {first}, {second}, as in: %score {first}"):
        magics.week_of_names(two_weeks_course, set())


def test_sentences_of_checks_are_said_in_the_language_of_the_course(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[shown.Shown] = []
    monkeypatch.setattr("IPython.display.display", said.append)
    monkeypatch.chdir(german.course(tmp_path).root)
    magics.load(shell)
    english = ("the number is off by 20: twice is asked for", "Twice a number", "Look at the operator.")
    todo = {"en": "run the cell that defines double; none has defined it yet", "de": "führe die Zelle aus, die double"}
    for language, texts in (
        ("de", (german.OFF, "Das Doppelte einer Zahl", "Sieh dir den Operator an.")),
        ("en", english),
    ):
        monkeypatch.setenv(VARIABLE, language)
        shell.run_cell(german.WRONG.decode())
        shell.run_line_magic("check", "1.1")
        assert all(text in said[-1].html and text in repr(said[-1]) for text in texts)
        shell.run_line_magic("score", "week1")
        assert texts[0] in said[-1].html
        shell.run_cell("del double")
        shell.run_line_magic("check", "1.1")
        assert todo[language] in said[-1].html
    assert spoken() == "en"


def test_history_places_names_in_the_latest_cell(shell: InteractiveShell) -> None:
    for source in ("def f():\n    return 1", "x = 1\n\nclass f:\n    pass", "y = 2"):
        shell.run_cell(source, store_history=True)
    history = History(shell)
    number = max(number for number, text in history.sources.items() if "class f" in text)
    assert history.place("f") == f"In [{number}], line 3"
    assert history.place("g") == ""
    file = shell.compile.get_code_name("y = 2", "y = 2\n", number + 1)
    assert history.in_words(f"({Path(file).name}:1) and other.py:3").endswith("and other.py:3")


def test_a_cell_that_was_no_python_is_not_among_those_that_were_run(kernel: Kernel, shell: InteractiveShell) -> None:
    """A mistyped cell that has been mended would be named in every submission after that."""
    for source in ("def f()\n    return 1", "def f():\n    return 2", "%time x = 1", "await g()", "def f(:"):
        shell.run_cell(source, store_history=True, silent=False)
    told = [text for text in History(shell).sources.values() if "f(" in text or "%time" in text or "await" in text]
    assert told == ["def f():\n    return 2", "%time x = 1", "await g()"]
    kernel("def double(n)\n    return 2 * n")
    kernel("def double(n):\n    return 2 * n")
    assert "not valid Python" not in kernel("%submit week5")


def test_what_is_submitted_again_is_checked_again(kernel: Kernel) -> None:
    kernel("def double(n):\n    return n")
    assert "30 of 60 points" in kernel("%submit week5")


def test_the_zip_has_the_same_bytes_for_the_same_work(kernel: Kernel) -> None:
    kernel("def double(n):\n    return 2 * n")
    assert "60 of 60 points" in kernel("%submit week5")
    first = (kernel.folder / "week5_submission.zip").read_bytes()
    kernel("%submit week5")
    assert (kernel.folder / "week5_submission.zip").read_bytes() == first
    assert zipfile.ZipFile(kernel.folder / "week5_submission.zip").namelist() == ["sums.py"]
