"""Hostile submissions against the grade itself: none gains a point from a judge.

Those that would win against a grader which shares a process with the student's code are shown to win there: in a
student's own run of the same checks, where nothing but the codec stands between them, or not even that.
"""

from __future__ import annotations

import os
import pickle
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.judging.job import Job
from grader.judging.judge_process import JudgeProcess
from grader.results import Outcome, Report
from tests.support import sandboxes, warm
from tests.support.courses import copied
from tests.support.quick import QUICK

ROOT = Path(__file__).parents[2]
HONEST = "def twice(numbers):\n    return 2 * numbers\n"


@pytest.fixture(scope="module")
def attacked_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("attacked", tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def attacked_judge(attacked_root: Path) -> Iterator[JudgeProcess]:
    judge = JudgeProcess(attacked_root, ["week1"], sandboxes.real(), shortcuts=QUICK)
    yield judge
    judge.close()


def graded(judge: JudgeProcess, code: str, **files: bytes) -> Report:
    sources = {
        "work.py": textwrap.dedent(code).encode(),
        **{name.replace("__", "."): data for name, data in files.items()},
    }
    report = judge.grade(Job("mallory", "week1", sources, "digest", (), seed=7))
    assert not report.broken
    return report


def at_the_desk(course: Path, folder: Path, code: str, *options: str, prelude: str = "") -> int:
    """Count the checks that pass where the code runs in pytest's own process."""
    (folder / "work.py").write_text(textwrap.dedent(code))
    (folder / "prelude.py").write_text(prelude)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "prelude", *options]
    checks = [str(file) for folder in ("assignments", "solutions") for file in (course / folder).rglob("test_*.py")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    run = warm.run([*command, "--seed", "7", "--submission", str(folder), *checks], cwd=course, env=environment)
    found = re.search(r"(\d+) passed", run.stdout)
    return int(found[1]) if found else 0


def test_honest_work_earns_its_points(attacked_judge: JudgeProcess) -> None:
    assert graded(attacked_judge, HONEST).score == 60


PATCHES = {
    "torch.equal": "torch.equal = torch.allclose = lambda *a, **k: True",
    "the checks": """
        for module in list(sys.modules.values()):
            for name in list(vars(module)):
                if name.startswith("test_") and callable(vars(module)[name]) and module.__name__.startswith("test"):
                    vars(module)[name].__code__ = (lambda student, rng: None).__code__
        torch.equal = lambda *a: True
    """,
    "the frames above": """
        def twice(numbers):
            frame = sys._getframe()
            while frame:
                if "expected" in frame.f_locals: return frame.f_locals["expected"]
                frame = frame.f_back
            raise SystemExit
    """,
    "the collector": """
        def twice(numbers):
            import gc
            for found in gc.get_objects():
                if isinstance(found, torch.Tensor) and found.shape == (20,) and torch.equal(found, 2 * numbers):
                    return found
            raise SystemExit
    """,
}
WRONG = "import sys, torch\ndef twice(numbers):\n    return torch.zeros(20)\n"


@pytest.mark.parametrize("name", PATCHES)
def test_what_is_patched_or_found_in_the_process_is_worth_nothing(
    attacked_judge: JudgeProcess, attacked_root: Path, tmp_path: Path, name: str
) -> None:
    code = WRONG + textwrap.dedent(PATCHES[name])
    assert graded(attacked_judge, code).score == 0
    assert at_the_desk(attacked_root, tmp_path, code, "-k", "twice") == 1


OBJECTS = {
    "equal to everything": "class Sly:\n    def __eq__(self, other): return True\n    __hash__ = None",
    "a tensor that says so": """
        class Sly(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None):
                if function is torch.equal: return True
                return super().__torch_function__(function, types, args, kwargs or {})
            def __new__(cls): return torch.zeros(20).as_subclass(cls)
    """,
    "a lying length and shape": """
        class Sly(list):
            shape, dtype = (20,), torch.float32
            def __len__(self): return 20
            def __class__(self): return torch.Tensor
            __class__ = property(__class__)
    """,
}
NO_CODEC = """
from grader.pytest_plugin import student
class Identity:
    encode = staticmethod(lambda value, what=None: value)
    decode = staticmethod(lambda value: value)
student.codec = Identity
"""


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_that_lie_do_not_get_through_the_codec(
    attacked_judge: JudgeProcess, attacked_root: Path, tmp_path: Path, name: str
) -> None:
    code = f"import torch\n{textwrap.dedent(OBJECTS[name])}\ndef twice(numbers):\n    return Sly()\n"
    assert graded(attacked_judge, code).score == 0
    assert at_the_desk(attacked_root, tmp_path, code, "-k", "twice") == 0
    if name == "a tensor that says so":
        assert at_the_desk(attacked_root, tmp_path, code, "-k", "twice", prelude=NO_CODEC) == 1


SEED = """
import torch
def classes(images):
    again = torch.Generator().manual_seed(torch.initial_seed())
    drawn = torch.rand(30, 4, generator=again)
    return torch.randint(0, 10, (30,), generator=again)
"""


def test_the_seed_that_a_probe_runs_with_does_not_tell_what_the_judge_drew(
    attacked_judge: JudgeProcess, attacked_root: Path, tmp_path: Path
) -> None:
    assert graded(attacked_judge, SEED).score == 0
    same = "from grader.pytest_plugin import local\nlocal.probe_seed = lambda seed: seed\n"
    assert at_the_desk(attacked_root, tmp_path, SEED, "-k", "classes") == 0
    assert at_the_desk(attacked_root, tmp_path, SEED, "-k", "classes", prelude=same) == 1


FORGERS = {
    "replies": """
        import os, struct
        body = b"P" + bytes(20)
        for fd in range(3, 256):
            for text in (b"passed", struct.pack(">I", len(body)) + body):
                try: os.write(fd, text)
                except OSError: pass
    """,
    "result files": """
        for name in ("report.json", "results.json", "../report.json", "/tmp/report.json", "gradebook.sqlite"):
            try: open(name, "w").write('{"score": 100, "checks": [{"outcome": "passed", "points": 60}]}')
            except OSError: pass
    """,
    "exit statuses": "import atexit, os\natexit.register(os._exit, 0)\ndef twice(n):\n    os._exit(0)",
    "pytest": """
        import sys, types
        for name in ("pytest", "_pytest", "hypothesis", "grader", "grader.checks.expect", "msgpack"):
            sys.modules[name] = types.ModuleType(name)
    """,
    "the program inside": """
        import sys
        inside = [module for name, module in sys.modules.items() if name.startswith("grader_inside")]
        for module in inside:
            if hasattr(module, "encode"):
                module.encode = lambda value, what=None: b"passed"
        import __main__
        __main__._Check.answer = lambda self, request: b"P"
        def twice(numbers): return "passed"
    """,
}


@pytest.mark.parametrize("name", FORGERS)
def test_forgers_earn_nothing_and_spoil_nothing(attacked_judge: JudgeProcess, name: str) -> None:
    report = graded(attacked_judge, WRONG + textwrap.dedent(FORGERS[name]))
    assert report.score == 0
    assert graded(attacked_judge, HONEST).score == 60


def test_files_that_tools_read_are_just_files(attacked_judge: JudgeProcess) -> None:
    """Python, pytest and torch would take them for their own, were the folder theirs."""
    trap = b"raise SystemExit('read')\n"
    names = (
        "torch__py",
        "numpy__py",
        "conftest__py",
        "sitecustomize__py",
        "usercustomize__py",
        "pytest__py",
        "random__py",
    )
    others = {
        "pytest__ini": b"[pytest]\naddopts = --exitfirst\n",
        "tox__ini": b"[pytest]\naddopts = -x\n",
        "x__pth": trap,
    }
    report = graded(attacked_judge, "import torch, random\n" + HONEST, **dict.fromkeys(names, trap), **others)
    assert report.score == 60


class Payload:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.canary}",)


def test_a_pickle_bites_nobody_but_its_owner(attacked_judge: JudgeProcess, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    payload = pickle.dumps(Payload(canary))
    code = HONEST + "import pickle\ntry: pickle.load(open('weights.pt', 'rb'))\nexcept Exception: pass\n"
    assert graded(attacked_judge, code, weights__pt=payload).score == 60
    assert not canary.exists()
    pickle.loads(payload)
    assert canary.exists()


def test_every_end_has_an_outcome_that_says_so(attacked_judge: JudgeProcess) -> None:
    for code, outcome in (("while True: pass", Outcome.TIMEOUT), ("import os; os._exit(0)", Outcome.KILLED)):
        report = graded(attacked_judge, f"def twice(numbers):\n    {code}\n")
        assert report.checks[0].outcome is outcome


def test_a_run_for_an_expected_check_that_never_comes_is_no_pass(attacked_judge: JudgeProcess) -> None:
    """Every check of the course is in every report."""
    assert [check.id for check in graded(attacked_judge, "raise SystemExit(0)").checks] == [
        "test_week1.py::test_twice",
        "test_hidden.py::test_classes",
    ]
