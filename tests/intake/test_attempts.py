"""`-1` in a name is an attempt where the file gives again what an earlier one gave; parts of one work stay together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.intake import Submission, load, survey
from grader.intake.contents import Contents
from grader.intake.finding.attempts import settled
from grader.intake.weeks import Weeks
from tests.support.makers import notebook, put, zipped


def source(*names: str) -> bytes:
    return "".join(f"def {name}():\n    return 1\n\n\n" for name in names).encode()


LENET, TRAINING = source("LeNet", "conv_output_size"), source("train", "validate", "make_transforms")
Files = dict[str, bytes]


def cells(content: bytes) -> bytes:
    return notebook(content.decode())


def graded(course: Course, folder: Path, files: Files, gap: int = 1) -> Submission:
    """What is graded of one student's files, as Canvas downloads them, in the order of their upload."""
    for number, (name, content) in enumerate(files.items()):
        put(folder / f"silvaana_1001_{5001 + gap * number}_{name}", content)
    (found,) = survey(folder, course, ["week5"]).candidates
    return load(found)


ONE_ATTEMPT: dict[str, Files] = {
    "numbered notebooks": {"part-1.ipynb": cells(LENET), "part-2.ipynb": cells(TRAINING)},
    "the first without a number": {"part.ipynb": cells(LENET), "part-1.ipynb": cells(TRAINING)},
    "numbers from 5 on": {"ex-5.ipynb": cells(LENET), "ex-6.ipynb": cells(TRAINING)},
    "numbered modules": {"task-1.py": LENET, "task-2.py": TRAINING},
    "numbered zips": {"hw-1.zip": zipped(("lenet.py", LENET)), "hw-2.zip": zipped(("training.py", TRAINING))},
    "each resubmitted once": {"lenet-1.py": LENET, "training-1.py": TRAINING},
    "each resubmitted as often as it was": {"lenet-3.py": LENET, "training.py": TRAINING},
    "a notebook that repeats an earlier one": {
        "part-1.ipynb": cells(LENET), "part-2.ipynb": cells(source("LeNet") + TRAINING),
    },
}  # fmt: skip


@pytest.mark.parametrize("gap", [1, 500])
@pytest.mark.parametrize("files", ONE_ATTEMPT.values(), ids=ONE_ATTEMPT)
def test_files_of_one_attempt_stay_together(files: Files, gap: int, three_weeks_course: Course, tmp_path: Path) -> None:
    found = graded(three_weeks_course, tmp_path / "c", files, gap)
    assert {"lenet.py", "training.py"} <= set(found.files)
    text = b"".join(found.files.values())
    assert all(b"def " + name in text for name in (b"LeNet", b"conv_output_size", b"train", b"make_transforms"))


OLD = LENET + source("old")
LATER: dict[str, Files] = {
    "a module": {"lenet.py": OLD, "training.py": TRAINING, "lenet-1.py": LENET},
    "three times": {"lenet.py": OLD, "lenet-1.py": OLD, "lenet-2.py": LENET, "training.py": TRAINING},
    "ten times": {"lenet-9.py": OLD, "lenet-10.py": LENET, "training.py": TRAINING},
    "uploaded in another order": {"lenet-1.py": LENET, "lenet.py": OLD, "training.py": TRAINING},
    "all": {"lenet.py": OLD, "training.py": b"x = 1\n", "lenet-1.py": LENET, "training-1.py": TRAINING},
    "broken before": {"lenet.py": b"def (", "training.py": TRAINING, "lenet-1.py": LENET},
    "a zip": {"hw.zip": zipped(("lenet.py", OLD)), "hw-1.zip": zipped(("lenet.py", LENET), ("training.py", TRAINING))},
    "a notebook": {"hw.ipynb": cells(OLD), "hw-1.ipynb": cells(LENET + TRAINING)},
}  # fmt: skip


@pytest.mark.parametrize("gap", [1, 500])
@pytest.mark.parametrize("files", LATER.values(), ids=LATER)
def test_of_several_attempts_the_latest_counts(
    files: Files, gap: int, three_weeks_course: Course, tmp_path: Path
) -> None:
    found = graded(three_weeks_course, tmp_path / "c", files, gap)
    assert b"def old" not in b"".join(found.files.values())
    assert {"lenet.py", "training.py"} <= set(found.files)
    assert any("was handed in several times; the latest was taken" in note for note in found.notes)


def test_what_a_module_imports_has_its_own_name_back(three_weeks_course: Course, tmp_path: Path) -> None:
    files = {"lenet-1.py": b"from utils import x\n" + LENET, "training-1.py": TRAINING, "utils-1.py": b"x = 1\n"}
    assert graded(three_weeks_course, tmp_path / "c", files).files["utils.py"] == b"x = 1\n"


@pytest.mark.parametrize("name", ["week-5.zip", "hw-5.zip", "lab-5.zip"])
def test_a_number_that_names_a_week_is_no_attempt(name: str, three_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "c" / f"silvaana_1001_5001_{name}", zipped(("training.py", source("train"))))
    (found,) = survey(tmp_path / "c", three_weeks_course).candidates
    assert (found.week, found.problem) == ("week5", "")


def test_moodle_numbers_no_attempts(three_weeks_course: Course, tmp_path: Path) -> None:
    for name, content in (("lenet.py", LENET), ("lenet-1.py", OLD), ("training.py", TRAINING)):
        put(tmp_path / "c" / f"Ana Silva_2001_assignsubmission_file_{name}", content)
    (found,) = survey(tmp_path / "c", three_weeks_course, ["week5"]).candidates
    assert load(found).files["lenet.py"] == LENET


@settings(deadline=None)
@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=2, max_size=6))
def test_nothing_that_only_one_file_gives_is_lost(parts: list[set[str]]) -> None:
    """Whatever is left out, each name is given by a file that counts, or a later attempt at that file counts."""
    files = {f"x-{number}.py" if number else "x.py": source(*sorted(names)) for number, names in enumerate(parts)}
    contents = Contents(dict(files))
    kept = settled(contents, [list(files)], Weeks({}, ())).files
    assert list(files.values())[-1] in kept.values()
    for number, names in enumerate(parts):
        is_replaced = any(names & later for later in parts[number + 1 :])
        assert (source(*sorted(names)) in kept.values()) or is_replaced
    assert contents.files == files
