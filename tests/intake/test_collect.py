"""A submission is made up of the week's modules and what they need, and of none of the course's own files."""

import subprocess
import sys

import pytest

from grader.course import Course
from grader.errors import SubmissionError
from grader.intake import collect as collecting
from grader.intake.collect import collect
from grader.intake.contents import Contents
from grader.intake.places import find_places
from grader.intake.weeks import Weeks
from tests.support.makers import notebook

LENET = b"class LeNet:\n    pass\n"
TRAIN = b"def train():\n    return 1\n"


def gather(course: Course, files: dict[str, bytes], **more) -> tuple[dict[str, bytes], list[str]]:
    contents = Contents(files, **more)
    weeks = Weeks(course.assignments(), ("week5",))
    (place,) = [p for p in find_places(contents, "ana", weeks)[0] if p.week == "week5"]
    return collect(contents, place, weeks.assignments["week5"], weeks)


def test_helpers_packages_and_small_data_come_along(three_weeks_course):
    files = {"lenet.py": LENET, "blocks.py": b"", "utils/__init__.py": b"", "utils/plot.py": b"", "means.npz": b"\0"}
    found, notes = gather(three_weeks_course, {f"week5/{path}": raw for path, raw in files.items()})
    assert (found, notes) == (files, [])
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    "name",
    ["test_week5.py", "sub/test_mine.py", "conftest.py", "probes.py", "assignment.toml", "pytest.ini", "README.md"],
)
def test_the_courses_own_files_are_left_out(three_weeks_course, name):
    assert set(gather(three_weeks_course, {"lenet.py": LENET, name: b""})[0]) == {"lenet.py"}


@pytest.mark.parametrize(
    "name", ["EXPECTED.toml", "torch.py", "grader/judging/judge.py", "week4/fcnn.py", "old.zip/lenet.py"]
)
def test_other_weeks_libraries_and_archives_are_left_out(three_weeks_course, name):
    assert set(gather(three_weeks_course, {"lenet.py": LENET, name: b""})[0]) == {"lenet.py"}


def test_what_lies_outside_the_weeks_folder_is_left_out(three_weeks_course):
    files = {"week5/lenet.py": LENET, "notes.py": b"", "week4/helper.py": b""}
    assert set(gather(three_weeks_course, files)[0]) == {"lenet.py"}


def test_modules_beside_or_above_that_are_imported_come_along(three_weeks_course):
    files = {
        "repo/assignments/week5/lenet.py": b"import torch, math\nfrom shared.layers import conv\nimport week5\n"
        + LENET,
        "repo/shared/__init__.py": b"",
        "repo/shared/layers.py": b"from tools import one\nimport fixtures, missing",
        "repo/shared/data.bin": b"",
        "repo/tools.py": b"",
        "repo/fixtures/digits.py": b"",
        "repo/unused.py": b"",
    }
    found, notes = gather(three_weeks_course, files)
    assert set(found) == {"lenet.py", "shared/__init__.py", "shared/layers.py", "tools.py"}
    assert notes == [
        "repo/shared added, because a module imports it",
        "repo/tools added, because a module imports it",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "import tools",
        "import os, tools as t",
        "import tools.one",
        "from tools import (\n  a)",
        "from . import tools, b",
        "from .tools import a",
        "    import tools  # here",
        "x = 1\r\nimport tools\r\n",
        "from tools.one.two import x",
    ],
)
def test_an_import_in_any_form_is_seen(three_weeks_course, line):
    files = {"lenet.py": f"{line}\n".encode() + LENET}
    found, _ = gather(
        three_weeks_course, {f"repo/week5/{path}": raw for path, raw in files.items()} | {"repo/tools.py": b""}
    )
    assert set(found) == {"lenet.py", "tools.py"}


@pytest.mark.parametrize(
    "line", ["from ..tools import a", "# import tools", "important = tools", "from os import tools"]
)
def test_other_lines_and_imports_from_outside_the_package_are_not(three_weeks_course, line):
    files = {"repo/week5/lenet.py": f"{line}\n".encode() + LENET, "repo/tools.py": b""}
    assert set(gather(three_weeks_course, files)[0]) == {"lenet.py"}


def test_a_hostile_import_line_does_not_make_the_pattern_backtrack(three_weeks_course):
    hostile = b"from " + b"." * 10**6 + b"\nimport " + b"a," * 10**5 + b"\n" + b" " * 10**6 + b"\n"
    assert set(gather(three_weeks_course, {"lenet.py": hostile + LENET})[0]) == {"lenet.py"}


def test_names_too_long_for_a_file_are_left_out_and_notes_are_cut(three_weeks_course):
    found, notes = gather(three_weeks_course, {"lenet.py": LENET, "a/" * 200 + "data.csv": b""})
    assert set(found) == {"lenet.py"}
    assert len(notes[0]) == collecting.LONGEST_NOTE and notes[0].endswith("…")


def test_a_misnamed_module_gets_its_name(three_weeks_course):
    found, notes = gather(three_weeks_course, {"LeNet.py": LENET, "training (1).py": TRAIN})
    assert found == {"lenet.py": LENET, "training.py": TRAIN}
    assert notes == ["LeNet.py taken as lenet.py", "training (1).py taken as training.py"]


def test_one_file_with_everything_stands_for_each_module(three_weeks_course):
    found, notes = gather(three_weeks_course, {"ana.py": LENET + TRAIN})
    assert found == {"lenet.py": LENET + TRAIN, "training.py": LENET + TRAIN}
    assert notes == ["ana.py taken as lenet.py, training.py, going by what it defines"]


def test_a_package_from_another_folder_keeps_all_its_files(three_weeks_course):
    files = {"a/training.py": TRAIN, "b/lenet/__init__.py": b"from .net import *", "b/lenet/net.py": LENET}
    assert set(gather(three_weeks_course, files)[0]) == {"training.py", "lenet/__init__.py", "lenet/net.py"}


def test_a_notebook_fills_in_what_no_file_gives(three_weeks_course):
    files = {"week5/lenet.py": LENET, "week5/hw.ipynb": notebook("class LeNet: other = 1", "def train(): ...")}
    found, notes = gather(three_weeks_course, files)
    assert found["lenet.py"] == LENET
    assert b"def train()" in found["training.py"]
    assert notes == ["notebook week5/hw.ipynb converted: 2 definitions"]


def test_a_notebook_comes_before_an_untouched_skeleton(three_weeks_course):
    skeletons = three_weeks_course.assignment("week5").skeletons
    files = {f"week5/{module}.py": raw.replace(b"\n", b"\r\n") for module, raw in skeletons.items()}
    found, _ = gather(three_weeks_course, {**files, "week5/hw.ipynb": notebook("class LeNet: mine = 1")})
    assert b"mine" in found["lenet.py"]
    assert found["training.py"] == files["week5/training.py"]


def test_a_lesson_notebook_that_defines_nothing_of_the_week_changes_nothing(three_weeks_course):
    files = {"lenet.py": LENET, "week5.ipynb": notebook("from lenet import LeNet", "def show(): ...", "show()")}
    assert gather(three_weeks_course, files) == ({"lenet.py": LENET}, [])


def test_a_notebook_may_import_from_the_files_beside_it(three_weeks_course):
    files = {"lenet.py": LENET, "hw5.ipynb": notebook("from lenet import LeNet", "def train(): return LeNet()")}
    assert b"from lenet import LeNet" in gather(three_weeks_course, files)[0]["training.py"]


def test_of_two_notebooks_the_fuller_one_wins_and_the_other_adds(three_weeks_course):
    files = {
        "week5/part1.ipynb": notebook("from __future__ import annotations", "class LeNet: one = 1"),
        "week5/part2.ipynb": notebook("def train(): ...\ndef validate(): ..."),
        "week5/part2-Copy1.ipynb": notebook("def train(): return 'old'"),
    }
    found = gather(three_weeks_course, files)[0]
    source = found["training.py"].decode()
    compile(source, "training.py", "exec")
    assert b"one = 1" in found["lenet.py"] and "def validate" in source and "'old'" not in source


def test_a_damaged_notebook_matters_only_where_modules_are_missing(three_weeks_course):
    assert (
        "hw5.ipynb is damaged"
        in gather(three_weeks_course, {"lenet.py": LENET, "training.py": TRAIN, "hw5.ipynb": b"{"})[1][0]
    )
    with pytest.raises(SubmissionError, match=r"notebook hw5\.ipynb is damaged"):
        gather(three_weeks_course, {"lenet.py": LENET, "hw5.ipynb": b"{"})


def test_a_notebook_alone_that_defines_nothing_of_the_week_is_said(three_weeks_course):
    with pytest.raises(SubmissionError, match=r"no notebook defines anything of week5: hw5\.ipynb"):
        gather(three_weeks_course, {"hw5.ipynb": notebook("print('hi')")})


def test_a_module_that_is_there_but_cannot_be_read_is_an_error(three_weeks_course):
    with pytest.raises(SubmissionError, match=r"^week5/training\.py cannot be read: no permission$"):
        gather(three_weeks_course, {"week5/lenet.py": LENET}, refused={"week5/training.py": "no permission"})


def test_other_unreadable_files_of_the_week_are_noted(three_weeks_course):
    refused = {"week5/data.zip": "is damaged", "elsewhere.py": "no permission"}
    _, notes = gather(three_weeks_course, {"week5/lenet.py": LENET}, refused=refused)
    assert notes == ["week5/data.zip left out: is damaged"]


def test_names_that_cannot_stand_side_by_side_everywhere_are_settled(three_weeks_course):
    files = {"lenet.py": LENET, "Utils.py": b"", "utils.py": b"", "a": b"", "a/b.py": b""}
    found, notes = gather(three_weeks_course, files)
    assert set(found) == {"lenet.py", "Utils.py", "a/b.py"}
    assert notes == [f"{path} left out: another file or folder has the same name" for path in ("utils.py", "a")]


def test_too_much_code_is_an_error_and_too_much_data_a_note(three_weeks_course, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_FILES", 3)
    data = {f"{n}.csv": b"" for n in range(3)}
    found, notes = gather(three_weeks_course, {"lenet.py": LENET, **data})
    assert list(found) == ["0.csv", "1.csv", "lenet.py"]
    assert notes == ["2.csv left out: at most 3 files and 20 MB count"]
    with pytest.raises(SubmissionError, match="too large: at most 3 files"):
        gather(three_weeks_course, {"lenet.py": LENET, **{f"m{n}.py": b"" for n in range(3)}})


def test_the_total_size_is_limited(three_weeks_course, monkeypatch):
    monkeypatch.setattr(collecting, "LARGEST_SUBMISSION", len(LENET) + 3)
    found, notes = gather(three_weeks_course, {"lenet.py": LENET, "a.csv": b"1234", "b.csv": b"12"})
    assert set(found) == {"lenet.py", "b.csv"} and "a.csv left out" in notes[0]


def test_notes_are_bounded_and_said_once(three_weeks_course):
    many = [f"symbolic link {n} left out" for n in range(50)]
    _, notes = gather(three_weeks_course, {"lenet.py": LENET}, notes=[*many, *many])
    assert len(notes) == collecting.MOST_NOTES + 1 and notes[-1] == "and 30 more notes like these"


def test_collecting_does_not_need_torch(three_weeks_course):
    code = "import sys; import grader.intake; print('torch' in sys.modules or 'numpy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.parametrize("around", ["", "homework-ana/"])
def test_changed_checks_are_noted_and_never_used(three_weeks_course, around):
    checks, probes = (
        three_weeks_course.root / "assignments" / "week5" / name for name in ("test_week5.py", "probes.py")
    )
    checks.write_text("assert 1\n")
    probes.write_text("x = 1\n")
    own = {"lenet.py": LENET, "test_week5.py": b"assert 1\r\n", "probes.py": b"x = 2\n", "test_mine.py": b"y\n"}
    found, notes = gather(three_weeks_course, {f"{around}assignments/week5/{path}": raw for path, raw in own.items()})
    assert set(found) == {"lenet.py"}
    assert notes == ["protected files changed (assignments/week5/probes.py): the course's own were used"]


def test_lent_names_are_found_when_they_are_asked_for(three_weeks_course, tmp_path):
    from grader.inside.modules import close_modules, open_modules

    files, notes = gather(
        three_weeks_course, {"lenet.py": LENET + TRAIN, "my-part.py": b"x = 3\ndef validate():\n    return 2\n"}
    )
    assert all("training.py" in note for note in notes)
    folder = tmp_path / "week5"
    folder.mkdir()
    for path, content in files.items():
        (folder / path).write_bytes(content)
    student = open_modules(folder, "week5")
    try:
        assert (student.training.train(), student.training.validate()) == (1, 2)
        with pytest.raises(AttributeError, match="has no attribute 'other'"):
            _ = student.training.other
    finally:
        close_modules(student)


def test_two_files_for_one_name_cannot_be_graded_before_somebody_says_which(three_weeks_course):
    files = {"lenet.py": LENET, "a.py": TRAIN, "b.py": TRAIN + b"x = 1\n"}
    with pytest.raises(SubmissionError, match=r"cannot tell which file is training\.py: a\.py and b\.py both define"):
        gather(three_weeks_course, files)


def test_an_exported_notebook_in_a_modules_place_is_read_as_one(three_weeks_course):
    script = b"# In[1]:\n\n\nget_ipython().system('ls')\nclass LeNet:\n    pass\n\n# In[2]:\n\n\ndata = open('x')\n"
    found, notes = gather(three_weeks_course, {"lenet.py": script, "training.py": TRAIN})
    assert b"get_ipython" not in found["lenet.py"] and b"class LeNet" in found["lenet.py"]
    assert notes == ["notebook lenet.py converted: 1 definition; left out: 2 loading steps"]
