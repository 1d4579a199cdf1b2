"""assignment.toml is read strictly, and the digest changes with whatever can change a grade."""

import json
from importlib import metadata
from pathlib import Path

import pytest

from grader.course import defined_names, find_course
from grader.errors import CourseError, UsageError

ROOT = Path(__file__).parents[2]
TOML = 'week = "week5"\ntitle = "T"\nmodules = ["lenet"]\n'


def test_what_the_file_says_is_read(whole_course):
    assignment = whole_course.assignment("week5")
    assert (assignment.title, assignment.modules, assignment.limits.memory_mb) == ("Five", ("lenet",), 3072)
    assert [path.name for path in assignment.check_files] == ["test_week5.py", "test_hidden.py"]
    assert list(whole_course.assignments()) == ["week5"]


@pytest.mark.parametrize(
    "file",
    [
        "assignments/week5/test_week5.py",
        "assignments/week5/probes.py",
        "assignments/week5/assignment.toml",
        "solutions/week5/test_hidden.py",
        "solutions/week5/probes_hidden.py",
        "fixtures/digits.py",
    ],
)
def test_the_digest_changes_with_whatever_can_change_a_grade(whole_course, file):
    before = whole_course.assignment("week5").digest
    with (whole_course.root / file).open("a") as opened:
        opened.write("# changed\n")
    assert whole_course.assignment("week5").digest != before


def test_a_working_copy_of_a_module_does_not_change_the_digest(whole_course):
    before = whole_course.assignment("week5").digest
    (whole_course.root / "assignments/week5/lenet.py").write_text("y = 2\n")
    assert whole_course.assignment("week5").digest == before


def test_the_salt_follows_the_hidden_material_and_is_not_the_digest(whole_course):
    before = whole_course.assignment("week5")
    (whole_course.root / "assignments/week5/probes.py").write_text("y = 2\n")
    assert whole_course.assignment("week5").salt == before.salt
    (whole_course.root / "solutions/week5/probes_hidden.py").write_text("y = 2\n")
    assert whole_course.assignment("week5").salt != before.salt
    assert before.salt.hex() != before.digest


@pytest.mark.parametrize(
    "text", ["not toml", TOML.replace("title", "titel"), TOML + "[limits]\nmemory_mb = 0\n", TOML.replace("k5", "k6")]
)
def test_a_wrong_file_is_named(whole_course, text):
    (whole_course.root / "assignments/week5/assignment.toml").write_text(text)
    with pytest.raises(CourseError, match=r"assignment\.toml"):
        whole_course.assignment("week5")


def test_unknown_weeks_and_paths_are_usage_errors(whole_course):
    for week in ("week9", "../week5", ""):
        with pytest.raises(UsageError, match="known weeks: week5"):
            whole_course.assignment(week)


def test_the_course_is_found_from_below(whole_course):
    assert find_course(whole_course.root / "assignments" / "week5").root == whole_course.root.resolve()


def test_only_the_fixtures_that_checks_use_count(whole_course):
    fixtures = whole_course.root / "fixtures"
    (fixtures / "digits.py").write_text("from . import helper\nFILE = 'digits.npz'\n")
    for name in ("helper.py", "__init__.py", "unused.py", "digits.npz", "unused.npz", "submissions/ana.py"):
        (fixtures / name).parent.mkdir(exist_ok=True)
        (fixtures / name).write_text("x = 1\n")
    before = whole_course.assignment("week5").digest
    for name in ("unused.py", "unused.npz", "submissions/ana.py"):
        (fixtures / name).write_text("y = 2\n")
    assert whole_course.assignment("week5").digest == before
    seen = {before}
    for name in ("helper.py", "__init__.py", "digits.npz"):
        (fixtures / name).write_text("y = 2\n")
        seen.add(whole_course.assignment("week5").digest)
    assert len(seen) == 4


@pytest.mark.parametrize(
    "line", ["import fixtures.digits", "import fixtures.digits as d", "from fixtures.digits import x"]
)
def test_fixtures_are_found_however_they_are_imported(whole_course, line):
    (whole_course.root / "assignments/week5/test_week5.py").write_text(f"def f():\n    {line}\n")
    (whole_course.root / "solutions/week5/test_hidden.py").write_text("")
    before = whole_course.assignment("week5").digest
    (whole_course.root / "fixtures/digits.py").write_text("y = 2\n")
    assert whole_course.assignment("week5").digest != before


@pytest.mark.parametrize("name", ["lenet.py", "oracle.py"])
def test_what_hidden_checks_may_run_counts(whole_course, name):
    digest, salt = whole_course.assignment("week5").digest, whole_course.assignment("week5").salt
    (whole_course.root / "solutions/week5" / name).write_text("answer = 1\n")
    assert whole_course.assignment("week5").digest != digest
    assert whole_course.assignment("week5").salt != salt


def test_line_ends_make_no_difference(whole_course):
    before = whole_course.assignment("week5").digest
    for path in whole_course.root.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert whole_course.assignment("week5").digest == before


def test_without_hidden_checks_everything_comes_from_the_public_ones(whole_course):
    with_hidden = whole_course.assignment("week5")
    (whole_course.root / "solutions/week5/test_hidden.py").unlink()
    alone = whole_course.assignment("week5")
    assert alone.hidden_folder is None
    assert [path.name for path in alone.check_files] == ["test_week5.py"]
    assert len({with_hidden.digest, alone.digest, with_hidden.salt.hex(), alone.salt.hex()}) == 4


def test_checks_may_stand_in_parts(whole_course):
    whole = whole_course.assignment("week5").digest
    for file in (
        "assignments/week5/test_week5_b.py",
        "solutions/week5/test_hidden_b.py",
        "assignments/week5/test_my.py",
    ):
        (whole_course.root / file).write_text("x = 1\n")
    names = [path.name for path in whole_course.assignment("week5").check_files]
    assert names == ["test_week5.py", "test_week5_b.py", "test_hidden.py", "test_hidden_b.py"]
    (whole_course.root / "solutions/week5/test_hidden.py").unlink()
    assert [path.name for path in whole_course.assignment("week5").check_files] == [*names[:2], names[3]]
    assert whole_course.assignment("week5").digest != whole


def test_missing_and_broken_checks_are_the_courses_error(whole_course):
    (whole_course.root / "assignments/week5/test_week5.py").write_text("def f(:\n")
    with pytest.raises(CourseError, match=r"test_week5\.py:1: this does not parse"):
        _ = whole_course.assignment("week5").digest
    (whole_course.root / "assignments/week5/test_week5.py").unlink()
    with pytest.raises(CourseError, match="the public checks belong there"):
        _ = whole_course.assignment("week5").check_files


@pytest.mark.parametrize("modules", ['"lenet"', "[]", "[1]", '["a/b"]', '["lenet", "lenet"]', '["lenet.py"]'])
def test_modules_are_names_each_once(whole_course, modules):
    (whole_course.root / "assignments/week5/assignment.toml").write_text(TOML.replace('["lenet"]', modules))
    with pytest.raises(CourseError, match="modules"):
        whole_course.assignment("week5")


@pytest.mark.parametrize("memory", ["-1", "1.5", "true", '"3072"'])
def test_memory_is_a_whole_number(whole_course, memory):
    (whole_course.root / "assignments/week5/assignment.toml").write_text(f"{TOML}[limits]\nmemory_mb = {memory}\n")
    with pytest.raises(CourseError, match="memory_mb"):
        whole_course.assignment("week5")


def test_a_due_date_says_where_on_earth(whole_course):
    toml = whole_course.root / "assignments/week5/assignment.toml"
    assert whole_course.assignment("week5").due is None
    toml.write_text(f"due = 2026-10-05T23:59:00+02:00\n{TOML}")
    assert whole_course.assignment("week5").due.isoformat() == "2026-10-05T23:59:00+02:00"
    for due in ("2026-10-05T23:59:00", "2026-10-05", '"tomorrow"', "5"):
        toml.write_text(f"due = {due}\n{TOML}")
        with pytest.raises(CourseError, match="offset"):
            whole_course.assignment("week5")
    toml.write_text(f'due = "2026-10-05T23:59:00+02:00"\n{TOML}')
    with pytest.raises(CourseError, match="without quotes"):
        whole_course.assignment("week5")


def test_weeks_come_in_the_order_of_their_numbers(whole_course):
    for week in ("week10", "week9"):
        (whole_course.root / "assignments" / week).mkdir()
        (whole_course.root / "assignments" / week / "assignment.toml").write_text(TOML.replace("week5", week))
    (whole_course.root / "assignments" / "drafts").mkdir()
    assert list(whole_course.assignments()) == ["week5", "week9", "week10"]


def test_what_a_module_is_to_define_is_read_off_its_skeleton(whole_course):
    source = "import torch\nclass LeNet:\n    def forward(self): ...\nasync def f():\n    def inner(): ...\nx = 1\n"
    (whole_course.root / "assignments/week5/lenet.py").write_text(source)
    assignment = whole_course.assignment("week5")
    assert assignment.names == {"lenet": {"LeNet", "f"}} and assignment.all_names == {"LeNet", "f"}
    assert defined_names(source.encode() + b"def broken(:\n") == {"LeNet", "f", "broken"}
    assert defined_names(b"\0") == frozenset()


def test_a_folder_that_is_merely_called_assignments_is_no_course(whole_course):
    inner = whole_course.root / "elsewhere" / "assignments" / "old"
    inner.mkdir(parents=True)
    assert find_course(inner).root == whole_course.root.resolve()


class Installed:
    """What pip notes about an installation, in place of the real one."""

    def __init__(self, noted):
        self.noted = noted

    def read_text(self, name):
        return self.noted


def test_without_a_course_around_one_that_pip_installed_with_the_engine_is_found(whole_course, monkeypatch):
    def note(root):
        return Installed(json.dumps({"dir_info": {"editable": True}, "url": root.as_uri()}))

    monkeypatch.setattr(metadata, "distributions", lambda name: [Installed(None), note(whole_course.root), note(ROOT)])
    assert find_course(Path("/")).root == ROOT
    monkeypatch.setattr(metadata, "distributions", lambda name: [note(whole_course.root)])
    with pytest.raises(UsageError):  # the note is of another engine than this one
        find_course(Path("/"))


@pytest.mark.parametrize("noted", [None, "{", "{}", '{"url": "https://x/y.whl"}', '{"dir_info": {"editable": true}}'])
def test_an_installed_wheel_brings_no_course_and_that_is_said(tmp_path, monkeypatch, noted):
    monkeypatch.setattr(metadata, "distributions", lambda name: [Installed(noted)])
    with pytest.raises(UsageError, match="go to the folder that holds"):
        find_course(tmp_path)


def test_a_course_can_be_named_by_a_variable(whole_course, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADER_COURSE", str(whole_course.root))
    monkeypatch.chdir(tmp_path)
    assert find_course().root == whole_course.root.resolve()
    assert find_course(whole_course.root).root == whole_course.root.resolve()
    monkeypatch.setenv("GRADER_COURSE", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match=r"GRADER_COURSE: there is no course in .*nothing"):
        find_course()
