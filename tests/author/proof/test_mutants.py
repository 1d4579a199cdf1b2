"""Mutants are read strictly: an error names the file, the mutant, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.proof.mutants import Mutant, load_mutants, reference_files, task_numbers, tasks_lost
from grader.author.proof.operators import mutants_of
from grader.course import Course
from grader.errors import CourseError
from grader.results import CheckResult, Outcome, Report
from tests.support.courses import copied

GOOD = {"id": "adds-two", "file": "sums.py", "find": "2 * n", "replace": "2 + n", "tasks": ["5.1"], "why": "Adds."}


@pytest.fixture
def sums_course(tmp_path: Path) -> Course:
    return Course(copied("sums", tmp_path / "course"))


def write(course: Course, *tables: dict[str, object]) -> None:
    # A list of strings and a string look the same in TOML as in Python, but for bare words.
    text = "\n".join("[[mutant]]\n" + "".join(f"{key} = {value!r}\n" for key, value in t.items()) for t in tables)
    (course.root / "solutions" / "week5" / "mutants.toml").write_text(text)


def test_a_mutant_changes_its_file_alone(sums_course: Course) -> None:
    write(sums_course, GOOD, {**GOOD, "id": "halves-up", "find": "/ 2", "replace": "// 2", "tasks": ["5.2", "5.1"]})
    first, second = load_mutants(sums_course.root, "week5")
    assert first == Mutant("adds-two", "sums.py", "2 * n", "2 + n", ("5.1",), "Adds.")
    assert second.tasks == ("5.2", "5.1")
    files = {**reference_files(sums_course.assignment("week5")), "other.py": b"2 * n"}
    reference = (sums_course.root / "solutions" / "week5" / "sums.py").read_bytes()
    assert first.apply(files) == {"sums.py": reference.replace(b"2 * n", b"2 + n"), "other.py": b"2 * n"}
    assert files["sums.py"] == reference


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "there is no `colour`; there are `id`"),
        ({"may_loose": ["5.2"]}, "did you mean `may_lose`"),
        ({"why": None}, "missing or unknown: why"),
        ({"why": " "}, "a `why`"),
        ({"id": "Adds two"}, "an id like"),
        ({"replace": 3}, "`replace` must be a string"),
        ({"tasks": "5.1"}, "`tasks` must list tasks"),
        ({"tasks": [5.1]}, "`tasks` must list tasks"),
        ({"may_lose": "5.2"}, "`may_lose` must list tasks"),
        ({"tasks": []}, "must name a task that loses points"),
        ({"may_lose": ["5.3"]}, r"no check is of task 5\.3"),
        ({"may_lose": ["5.1"]}, "each task once"),
        ({"tasks": ["5.1", "5.3"]}, r"no check is of task 5\.3"),
        ({"tasks": ["5.1", "5.1"]}, "each task once"),
        ({"file": "products.py"}, r"there is no 'products\.py'; there are: sums\.py"),
        ({"find": "3 * n"}, r"`find` must stand once in sums\.py, not 0 times"),
        ({"find": "return"}, r"`find` must stand once in sums\.py, not 2 times"),
        ({"find": ""}, "`find` must stand once"),
        ({"replace": "2 * n"}, "the same as `find`"),
        ({"replace": "2 *"}, r"sums\.py does not compile: "),
    ],
)
def test_a_wrong_mutant_is_named(sums_course: Course, change: dict[str, object], message: str) -> None:
    table = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    write(sums_course, {**GOOD, "id": "before"}, table)
    with pytest.raises(CourseError, match=message) as caught:
        load_mutants(sums_course.root, "week5")
    file = sums_course.root / "solutions" / "week5" / "mutants.toml"
    line = file.read_text().splitlines().index("[[mutant]]", 1) + 1
    assert str(caught.value).startswith(f"{file}:{line}: mutant {table['id']!r}")


def test_a_mutant_explains_what_it_names_and_what_it_may_lose(sums_course: Course) -> None:
    write(sums_course, GOOD, {**GOOD, "id": "by-chance", "may_lose": ["5.2"]})
    sure, unsure = load_mutants(sums_course.root, "week5")
    assert sure.explains({"5.1"}) and unsure.explains({"5.1"}) and unsure.explains({"5.2", "5.1"})
    assert not any(sure.explains(lost) for lost in ({"5.1", "5.2"}, {"5.2"}, set()))
    assert not any(unsure.explains(lost) for lost in ({"5.1", "5.3"}, {"5.2"}, set()))


def test_a_mutant_without_an_id_is_named_by_its_number(sums_course: Course) -> None:
    write(sums_course, GOOD, {key: value for key, value in GOOD.items() if key != "id"})
    with pytest.raises(CourseError, match=r"mutants\.toml:\d+: mutant 'number 2': missing or unknown: id"):
        load_mutants(sums_course.root, "week5")


def test_two_mutants_of_one_id_are_refused(sums_course: Course) -> None:
    write(sums_course, GOOD, {**GOOD, "replace": "n"})
    with pytest.raises(CourseError, match=r"mutant 'adds-two': another mutant has this id"):
        load_mutants(sums_course.root, "week5")


@pytest.mark.parametrize("text", ["", "x = 1", "mutant = 1", "mutant = [1]", "[[mutant]]\nid = 'a'\n[other]\n", "[["])
def test_a_list_that_holds_something_else_is_refused(sums_course: Course, text: str) -> None:
    (sums_course.root / "solutions" / "week5" / "mutants.toml").write_text(text)
    with pytest.raises(CourseError, match=r"mutants\.toml: (it must hold|cannot be read|mutant 'a')"):
        load_mutants(sums_course.root, "week5")


def test_parts_of_the_list_are_read_together(sums_course: Course) -> None:
    write(sums_course, GOOD)
    whole = sums_course.root / "solutions" / "week5" / "mutants.toml"
    other = whole.read_text().replace(GOOD["id"], "another")
    (whole.parent / "mutants_b.toml").write_text(other)
    whole.rename(whole.parent / "mutants_a.toml")
    assert [mutant.id for mutant in load_mutants(sums_course.root, "week5")] == [GOOD["id"], "another"]


def test_a_missing_list_is_named(sums_course: Course) -> None:
    with pytest.raises(CourseError, match=r"mutants\.toml: cannot be read"):
        load_mutants(sums_course.root, "week5")


def test_a_missing_reference_is_named(sums_course: Course) -> None:
    write(sums_course, GOOD)
    (sums_course.root / "solutions" / "week5" / "sums.py").unlink()
    with pytest.raises(CourseError, match=r"sums\.py: the reference cannot be read"):
        load_mutants(sums_course.root, "week5")
    (sums_course.root / "solutions" / "week5" / "test_hidden.py").unlink()
    with pytest.raises(CourseError, match="no hidden checks, and so no reference"):
        load_mutants(sums_course.root, "week5")


def test_tasks_are_read_off_the_checks(sums_course: Course) -> None:
    assert sorted(task_numbers(sums_course.assignment("week5"))) == ["5.1", "5.1", "5.2", "5.2"]


def test_a_task_is_lost_with_its_first_point() -> None:
    full = CheckResult("a", "5.1", "a", False, 2, 2, Outcome.PASSED)
    part, none = replace(full, id="b", points=0, outcome=Outcome.FAILED), replace(full, id="c", task="5.2")
    report = Report("x", "week5", 0, "1", "d", "d", (full, part, none))
    assert tasks_lost(report) == {"5.1"}


def test_the_first_page_says_how_many_mistakes_there_are() -> None:
    root = Path(__file__).parents[3]
    course, text = Course(root), " ".join((root / "README.md").read_text(encoding="utf-8").split())
    written = [len(load_mutants(root, week)) for week in course.assignments()]
    made = sum(len(mutants_of(reference_files(assignment))) for assignment in course.assignments().values())
    each = f"{', '.join(map(str, written[:-1]))} and {written[-1]}"
    assert f"each of {sum(written)} mistakes ({each} in weeks 4 to 7)" in text
    assert f"It makes {made} of these: " in text
