"""Finding and reading submissions in every wrapping."""

import io
import json
import os
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import SubmissionError, UsageError
from grader.intake import Candidate, load, load_folder, safe_name, survey
from tests.intake.reading.here import read_here
from tests.support.courses import copied
from tests.support.makers import notebook, put, zipped

LENET = b"class LeNet:\n    pass\n"


def discover(folder: Path, course: Course, weeks: list[str] | None = None) -> list[Candidate]:
    return list(survey(folder, course, weeks).candidates)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.mark.parametrize(
    "place", ["lenet.py", "week5/lenet.py", "Week 5/lenet.py", "repo/assignments/week5/lenet.py", "a/b/lenet.py"]
)
def test_a_module_is_found_wherever_it_lies(two_weeks_course, inbox, place):
    put(inbox / "ada" / place)
    (found,) = discover(inbox, two_weeks_course, None)
    assert (found.student, found.week) == ("ada", "week5")
    assert load(found).files == {"lenet.py": LENET}


@pytest.mark.parametrize("name", ["ada.zip", "ada/hw.zip"])
def test_a_zip_is_as_good_as_a_folder(two_weeks_course, inbox, name):
    put(inbox / name, zipped(("week_05/lenet.py", LENET)))
    (found,) = discover(inbox, two_weeks_course, None)
    assert found.student == "ada"
    assert load(found).files == {"lenet.py": LENET}


def test_a_notebook_is_converted_and_real_modules_win(two_weeks_course, inbox):
    put(inbox / "ada.ipynb", notebook("class LeNet:\n    size = 1"))
    put(inbox / "bob" / "hw.ipynb", notebook("class LeNet:\n    size = 1"))
    put(inbox / "bob" / "lenet.py")
    ada, bob = (load(found) for found in discover(inbox, two_weeks_course, ["week5"]))
    assert b"size = 1" in ada.files["lenet.py"]
    assert bob.files == {"lenet.py": LENET}


def test_every_week_that_is_there_is_found_and_tests_are_left_out(two_weeks_course, inbox):
    for name in ("week4/mlp.py", "week5/lenet.py", "week5/test_week5.py", "week5/conftest.py", "week5/helper.py"):
        put(inbox / "ada" / name)
    found = discover(inbox, two_weeks_course, None)
    assert [c.week for c in found] == ["week4", "week5"]
    assert set(load(found[1]).files) == {"lenet.py", "helper.py"}


def test_nothing_found_is_said_for_that_student(two_weeks_course, inbox):
    put(inbox / "ada" / "essay.txt")
    put(inbox / "bob" / "lenet.py")
    found = discover(inbox, two_weeks_course, ["week5"])
    with pytest.raises(SubmissionError, match="no Python module of week5 found in ada"):
        load(found[0])
    assert load(found[1]).files


def test_links_are_not_followed(two_weeks_course, inbox, tmp_path):
    put(tmp_path / "secret.py", b"x = 1\n")
    put(inbox / "ada" / "lenet.py")
    (inbox / "ada" / "stolen.py").symlink_to(tmp_path / "secret.py")
    submission = load_folder(inbox / "ada", two_weeks_course.assignment("week5"))
    assert set(submission.files) == {"lenet.py"}
    assert any("stolen.py" in note for note in submission.notes)


def test_a_folder_that_makes_no_sense_is_a_usage_error(two_weeks_course, inbox):
    with pytest.raises(UsageError, match="no such folder"):
        discover(inbox / "nowhere", two_weeks_course, None)
    with pytest.raises(UsageError, match="no submission in"):
        discover(inbox, two_weeks_course, None)
    put(inbox / "ada.py")
    with pytest.raises(UsageError, match="not a folder"):
        discover(inbox / "ada.py", two_weeks_course, None)
    with pytest.raises(UsageError, match="known weeks: week4, week5"):
        discover(inbox, two_weeks_course, ["week9"])


def test_too_many_files_are_refused(two_weeks_course, inbox):
    for number in range(201):
        put(inbox / "ada" / "week5" / f"m{number}.py")
    put(inbox / "ada" / "week5" / "lenet.py")
    with pytest.raises(SubmissionError, match="200 files"):
        load(discover(inbox, two_weeks_course, None)[0])


def test_names_are_safe_and_never_collide():
    assert safe_name("ada") == "ada"
    names = ["ada", "Ada", "a/b", "a_b", "a\\b", "..", ".", "", "é", "e\u0301", "x\u202ey", "x_y", ".ada"]
    safe = [safe_name(name) for name in names]
    assert len({name.lower() for name in safe}) == len(names)
    assert not any(set(name) & set("/\\\u202e") or name.startswith(".") for name in safe)
    assert safe_name(safe_name("Ada")) != safe_name("Ada")


def listed(found):
    return [(candidate.student, candidate.week, bool(candidate.problem)) for candidate in found]


def test_everything_that_is_no_submission_is_ignored_with_a_reason(two_weeks_course, inbox):
    put(inbox / "ada" / "lenet.py")
    for name in ("README.md", "grades.csv", "notes", ".DS_Store", "__MACOSX/a.py", "conftest.py", "EXPECTED.toml"):
        put(inbox / name)
    for name in ("gradebook.sqlite", "grades.csv", "index.html"):
        put(inbox / "old reports" / name)
    found = survey(inbox, two_weeks_course)
    assert listed(found.candidates) == [("ada", "week5", False)]
    assert dict(found.ignored) == {
        ".DS_Store": "hidden, or made by a tool",
        "__MACOSX": "hidden, or made by a tool",
        "EXPECTED.toml": "not a submission by its name",
        "README.md": "not a submission by its name",
        "conftest.py": "a file of the course's, not named after a student",
        "grades.csv": "a .csv file is no submission",
        "notes": "not a folder, zip, notebook or .py file",
        "old reports": "reports of this grader",
    }


def test_only_ignored_entries_are_no_class(two_weeks_course, inbox):
    put(inbox / "README.md")
    with pytest.raises(UsageError, match="no submission in"):
        discover(inbox, two_weeks_course)


def test_each_kind_of_entry_is_named_after_its_student(two_weeks_course, inbox):
    put(inbox / "Ana García" / "week5" / "lenet.py")
    put(inbox / "王小明.zip", zipped(("lenet.py", LENET)))
    put(inbox / "Zoë.ipynb", notebook("class LeNet: ..."))
    put(inbox / "ben.py", LENET)
    found = discover(inbox, two_weeks_course)
    assert listed(found) == [(name, "week5", False) for name in ("Ana García", "Zoë", "ben", "王小明")]
    assert all("class LeNet" in load(candidate).files["lenet.py"].decode() for candidate in found)


def test_the_order_and_the_digest_do_not_depend_on_how_it_came(two_weeks_course, inbox, tmp_path):
    for name in ("b", "a", "c"):
        put(inbox / name / "Week 5" / "lenet.py")
        put(inbox / name / "Week 5" / "helper.py", b"")
    put(inbox / "d.zip", zipped(("helper.py", b""), ("lenet.py", LENET)))
    found = [load(candidate) for candidate in discover(inbox, two_weeks_course)]
    assert [submission.student for submission in found] == ["a", "b", "c", "d"]
    assert len({submission.digest for submission in found}) == 1
    put(inbox / "a" / "Week 5" / "helper.py", b"x")
    assert load(discover(inbox, two_weeks_course)[0]).digest != found[0].digest


def test_moving_bytes_between_files_changes_the_digest(two_weeks_course, inbox):
    put(inbox / "a" / "lenet.py", b"ab")
    put(inbox / "a" / "x.py", b"c")
    put(inbox / "b" / "lenet.py", b"a")
    put(inbox / "b" / "x.py", b"bc")
    one, other = (load(candidate) for candidate in discover(inbox, two_weeks_course))
    assert one.digest != other.digest


def test_equal_and_confusable_names_stay_apart(two_weeks_course, inbox):
    for name in ("ada", "Ada", "jose\u0301", "jos\u00e9"):
        put(inbox / name / "lenet.py")
    put(inbox / "ada.zip", zipped(("lenet.py", LENET)))
    names = [candidate.student for candidate in discover(inbox, two_weeks_course)]
    assert names == ["Ada", "ada (2)", "ada.zip", "jos\u00e9", "jos\u00e9 (2)"]
    assert len({safe_name(name).casefold() for name in names}) == 5


@pytest.mark.parametrize("name", ["ada.rar", "ada.7z", "ada.tar.gz"])
def test_other_archives_are_a_problem_and_not_silence(two_weeks_course, inbox, name):
    put(inbox / name)
    (found,) = discover(inbox, two_weeks_course, ["week5"])
    with pytest.raises(SubmissionError, match="ask for a zip file"):
        load(found)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("ada.zip", b"PK", "ada.zip is damaged, or not a zip file"),
        ("ada.ipynb", b"{}", "notebook ada.ipynb is damaged"),
        ("ada/hw.zip", b"PK", "ada: hw.zip cannot be read: is damaged"),
        ("ada/lenet.py", b"#" * 2**21, "ada: lenet.py cannot be read: 2.0 MB are too large"),
        ("ada/essay.txt", b"", "no Python module of week5 found in ada (wanted: lenet.py): it has no code"),
        ("ada/my.py", b"x = 1", "no Python module of week5 found in ada (wanted: lenet.py): it has my.py"),
    ],
)
def test_a_bad_submission_is_one_clear_line_and_stops_nobody(two_weeks_course, inbox, name, content, problem):
    put(inbox / name, content)
    put(inbox / "ben" / "lenet.py")
    bad, good = discover(inbox, two_weeks_course, ["week5"])
    assert load(good).files
    with pytest.raises(SubmissionError) as caught:
        load(bad)
    assert (bad.student, bad.week) == ("ada", "week5")
    assert str(caught.value).startswith(problem) and "\n" not in str(caught.value)


def test_an_empty_folder_and_a_link_are_problems_of_their_students(two_weeks_course, inbox, tmp_path):
    (inbox / "ada").mkdir()
    put(tmp_path / "elsewhere" / "lenet.py")
    (inbox / "ben").symlink_to(tmp_path / "elsewhere")
    found = discover(inbox, two_weeks_course)
    assert listed(found) == [("ada", None, True), ("ben", None, True)]
    assert "no Python module of week4, week5 found in ada" in found[0].problem
    assert "symbolic link" in found[1].problem


@pytest.mark.parametrize(
    ("name", "asked", "week"),
    [
        ("ada.zip", None, None),
        ("ada.zip", ["week5"], "week5"),
        ("ada.zip", ["week4", "week5"], None),
        ("ada_week5.zip", None, "week5"),
        ("ada_week5.zip", ["week4", "week5"], "week5"),
        ("ada_week5.zip", ["week4"], "week4"),
        ("ada hw4.rar", None, "week4"),
        ("ada week9.zip", None, None),
    ],
)
def test_an_unreadable_entry_is_one_problem_of_the_week_that_its_name_tells(two_weeks_course, inbox, name, asked, week):
    put(inbox / name, b"PK")
    (found,) = discover(inbox, two_weeks_course, asked)
    assert found.week == week and found.problem.startswith(f"{name}")


def test_an_unreadable_entry_in_a_weeks_folder_is_a_problem_of_that_week(two_weeks_course, inbox):
    for name in ("week4/ada/mlp.py", "week5/ada/lenet.py", "week5/bob/lenet.py", "week4/bob/mlp.py"):
        put(inbox / name)
    put(inbox / "week5" / "zoe.zip", b"PK")
    assert listed(discover(inbox, two_weeks_course))[-1] == ("zoe", "week5", True)


@pytest.fixture
def barred(monkeypatch):
    """A function that discovers a class with one folder's mode changed, as a user whom permissions stop.

    Root is not stopped, so root acts as nobody for that long, in a folder that everybody can reach.
    """
    if os.name != "posix":
        pytest.skip("no POSIX permissions here")
    read_here(monkeypatch)  # another process would be root's
    me = os.geteuid()
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        root.chmod(0o755)
        course, inbox = Course(copied("two_weeks", root / "course")), root / "inbox"
        for name in ("ada", "ben"):
            put(inbox / name / "lenet.py")

        def run(name: str, mode: int):
            (inbox / name).chmod(mode)
            if me == 0:
                for path in (inbox, *inbox.rglob("*")):
                    os.chown(path, 65534, 65534)
                os.seteuid(65534)
            try:
                found = discover(inbox, course, ["week5"])
                return [candidate.problem or load(candidate).files for candidate in found]
            finally:
                os.seteuid(me)
                (inbox / name).chmod(0o755)

        yield run


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_a_students_folder_without_permission_stops_nobody_else(barred, mode):
    ada, ben = barred("ada", mode)
    assert "no permission" in ada and "\n" not in ada
    assert ben == {"lenet.py": LENET}


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_a_class_folder_without_permission_is_a_usage_error(barred, mode):
    with pytest.raises(UsageError, match="no permission to look into this folder"):
        barred(".", mode)


def test_each_week_that_is_asked_for_and_missing_is_a_problem(two_weeks_course, inbox):
    put(inbox / "ada" / "week5" / "lenet.py")
    assert listed(discover(inbox, two_weeks_course)) == [("ada", "week5", False)]
    assert listed(discover(inbox, two_weeks_course, ["week5"])) == [("ada", "week5", False)]
    found = discover(inbox, two_weeks_course, ["week4", "week5"])
    assert listed(found) == [("ada", "week4", True), ("ada", "week5", False)]


def test_what_cannot_be_told_names_the_file(three_weeks_course, inbox):
    put(inbox / "ada" / "training.py", b"x = 1")
    (found,) = discover(inbox, three_weeks_course)
    assert found.problem == (
        "cannot tell which week training.py is for (week4, week5, week6): put it into a folder named after the week"
    )


@pytest.mark.parametrize("pointed_at", ["", "submissions"])
def test_a_folder_that_holds_the_class_folder_will_do(two_weeks_course, inbox, pointed_at):
    for name in ("ada", "ben"):
        put(inbox / "submissions" / name / "lenet.py")
    assert listed(discover(inbox / pointed_at, two_weeks_course)) == [("ada", "week5", False), ("ben", "week5", False)]


@pytest.mark.parametrize("around", ["", "submissions"])
def test_a_class_may_be_sorted_by_week(two_weeks_course, inbox, around):
    for name in ("week4/ada/mlp.py", "week4/ben/mlp.py", "week5/ada/lenet.py", "week5/ben/lenet.py"):
        put(inbox / around / name)
    pairs = [(student, week, False) for student in ("ada", "ben") for week in ("week4", "week5")]
    assert listed(discover(inbox, two_weeks_course)) == pairs


@pytest.mark.parametrize("name", ["lenet.py", "week5/lenet.py", "week5/src/lenet.py"])
def test_a_students_own_folder_is_one_submission(two_weeks_course, inbox, name):
    put(inbox / "ada" / name)
    put(inbox / "ada" / "helper.py")
    assert listed(discover(inbox / "ada", two_weeks_course)) == [("ada", "week5", False)]


def test_a_student_with_both_weeks_and_an_old_copy_is_one_student(two_weeks_course, inbox):
    for name in ("week4/mlp.py", "week5/lenet.py", "old/lenet.py"):
        put(inbox / "ada" / name)
    assert listed(discover(inbox, two_weeks_course)) == [("ada", "week4", False), ("ada", "week5", False)]


def test_a_folder_without_permission_is_a_usage_error(two_weeks_course, inbox, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match="no permission"):
        discover(inbox, two_weeks_course)


def test_what_vanishes_before_it_is_read_again_is_said(two_weeks_course, inbox):
    put(inbox / "ada" / "lenet.py")
    put(inbox / "ada" / "other.py")
    (found,) = survey(inbox, two_weeks_course, most_carried=0).candidates
    (inbox / "ada" / "lenet.py").unlink()
    with pytest.raises(SubmissionError, match=r"lenet\.py was there a moment ago"):
        load(found)


def test_one_folder_can_be_loaded_without_a_class(two_weeks_course, inbox):
    put(inbox / "ada" / "lenet.py")
    submission = load_folder(inbox / "ada", two_weeks_course.assignment("week5"))
    assert (submission.student, submission.week, set(submission.files)) == ("ada", "week5", {"lenet.py"})
    with pytest.raises(UsageError, match="no such folder or file"):
        load_folder(inbox / "ben", two_weeks_course.assignment("week5"))
    (inbox / "carla").mkdir()
    with pytest.raises(SubmissionError, match="no Python module of week5"):
        load_folder(inbox / "carla", two_weeks_course.assignment("week5"))


def test_the_same_work_in_many_wrappings_is_the_same_submission(two_weeks_course, inbox):
    put(inbox / "a" / "lenet.py")
    put(inbox / "b" / "Week 5" / "lenet.py")
    put(inbox / "c" / "repo" / "assignments" / "week5" / "lenet.py")
    put(inbox / "c" / "repo" / ".git" / "HEAD")
    put(inbox / "d.zip", zipped(("lenet.py", LENET)))
    put(inbox / "e" / "hw5.zip", zipped(("week5/lenet.py", LENET), ("week5/test_week5.py", b"")))
    put(inbox / "f.py")
    put(inbox / "g" / "handin.ipynb", notebook(f"%%writefile lenet.py\n{LENET.decode()}"))
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("g/inner.zip", zipped(("lenet.py", LENET)))
    put(inbox / "h.zip", outer.getvalue())
    found = [load(candidate) for candidate in discover(inbox, two_weeks_course)]
    assert [submission.student for submission in found] == list("abcdefgh")
    assert len({submission.digest for submission in found}) == 1


def test_a_candidate_lists_its_files_or_its_problem(two_weeks_course, inbox):
    put(inbox / "ada" / "week5" / "lenet.py")
    (inbox / "ben").mkdir()
    ada, ben = discover(inbox, two_weeks_course)
    assert ada.files == ("week5/lenet.py",) and not ada.is_late
    assert ben.files == () and ben.problem.startswith("no Python module")


def test_a_module_left_lying_about_does_not_make_a_class_one_submission(two_weeks_course, inbox):
    for name in ("ada/lenet.py", "ben/lenet.py", "lenet.py"):
        put(inbox / name)
    found = survey(inbox, two_weeks_course)
    assert listed(found.candidates) == [("ada", "week5", False), ("ben", "week5", False)]
    assert dict(found.ignored) == {"lenet.py": "a file of the course's, not named after a student"}


def test_folders_are_named_after_what_they_are_and_not_how_they_are_given(two_weeks_course, inbox, monkeypatch):
    put(inbox / "ada" / "week5" / "lenet.py")
    monkeypatch.chdir(inbox / "ada" / "week5")
    assert listed(discover(Path(".."), two_weeks_course)) == [("ada", "week5", False)]
    assert load_folder(Path(".."), two_weeks_course.assignment("week5")).student == "ada"
    (inbox / "link").symlink_to(inbox / "ada")
    assert load_folder(inbox / "link", two_weeks_course.assignment("week5")).student == "ada"


@pytest.mark.parametrize("name", ["lenet (1).py", "lenet-2.py", "LeNet.py", "lenet_week5.py"])
def test_a_single_file_that_a_platform_renamed_is_recognised(two_weeks_course, inbox, name):
    put(inbox / "ada" / name)
    put(inbox / name)
    expected = {"lenet.py": LENET}
    assert load(discover(inbox, two_weeks_course)[0]).files == expected
    alone = load_folder(inbox / name, two_weeks_course.assignment("week5"))
    assert (alone.files, alone.notes) == (expected, (f"{name} taken as lenet.py",))


def test_names_in_either_unicode_form_give_the_same_submission(two_weeks_course, inbox):
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "Amélie")
        put(inbox / form / unicodedata.normalize(form, "Übung week5") / "lenet.py")
        put(inbox / form / unicodedata.normalize(form, "Übung week5") / f"{name}.py", b"x = 1\n")
    composed, decomposed = (load(candidate) for candidate in discover(inbox, two_weeks_course))
    assert composed.files == decomposed.files == {"Amélie.py": b"x = 1\n", "lenet.py": LENET}
    assert composed.digest == decomposed.digest


def test_what_a_mac_adds_changes_nothing(two_weeks_course, inbox):
    junk = {"__MACOSX/week5/._lenet.py": b"\0\5\x16\7", "week5/.DS_Store": b"\0", "week5/._lenet.py": b"\0\5"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {**junk, "week5/lenet.py": LENET}.items():
            archive.writestr(name, content)
    put(inbox / "ada.zip", buffer.getvalue())
    for name, content in {**junk, "week5/lenet.py": LENET}.items():
        put(inbox / "ben" / name, content)
    for candidate in discover(inbox, two_weeks_course):
        submission = load(candidate)
        assert (submission.files, submission.notes) == ({"lenet.py": LENET}, ())


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ()),
        ("utf-8-sig", ()),
        ("cp1252", ("lenet.py is no UTF-8 text, read as Windows-1252; save it as UTF-8",)),
        ("utf-16", ("lenet.py is no UTF-8 text, read as UTF-16; save it as UTF-8",)),
    ],
)
def test_a_module_in_any_usual_encoding_can_be_imported(two_weeks_course, inbox, tmp_path, encoding, note):
    put(inbox / "ada" / "lenet.py", "# Größe des Netzes\nclass LeNet:\n    name = 'é'\n".encode(encoding))
    submission = load(discover(inbox, two_weeks_course)[0])
    names: dict = {}
    exec(compile(submission.files["lenet.py"], "lenet.py", "exec"), names)
    assert names["LeNet"].name == "é"
    assert submission.notes == note


def test_a_huge_notebook_says_what_to_do_and_costs_nothing_beside_its_modules(two_weeks_course, inbox):
    huge = b'{"cells": [], "x": "' + b"0" * (60 * 2**20) + b'"}'
    put(inbox / "ada.ipynb", huge)
    put(inbox / "ben" / "lenet.py")
    put(inbox / "ben" / "plots.ipynb", huge)
    ada, ben = discover(inbox, two_weeks_course, ["week5"])
    advice = "60.0 MB are too large, at most 20 MB; clear its outputs and save it"
    assert ada.problem == f"ada.ipynb cannot be read: {advice}"
    assert load(ben).notes == (f"plots.ipynb left out: {advice}",)


def test_an_old_notebook_with_outputs_magics_and_a_broken_cell_is_graded(two_weeks_course, inbox):
    def cell(source: str) -> dict:
        output = {"output_type": "stream", "stream": "stdout", "text": ["0.5\n"]}
        return {"cell_type": "code", "language": "python", "input": source, "outputs": [output], "metadata": {}}

    cells = [cell(s) for s in ("%matplotlib inline\n!pip install torch", "class LeNet:\n    x = 1", "def broken(:")]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}
    put(inbox / "ada.ipynb", json.dumps(old).encode())
    submission = load(discover(inbox, two_weeks_course)[0])
    assert b"class LeNet:\n    x = 1" in submission.files["lenet.py"]
    assert submission.notes == (
        "notebook ada.ipynb converted: 1 definition; left out: 1 magic line, 1 shell line",
        "code cell 3 of ada.ipynb left out: it is not valid Python",
    )


def test_a_zip_that_is_a_bomb_deep_inside_costs_only_itself(two_weeks_course, inbox):
    inner = zipped(("lenet.py", bytes(5 * 2**20)))
    with zipfile.ZipFile(inbox / "ada.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("week5/bomb.py", bytes(2**20))
        archive.writestr("week5/more.zip", inner)
        archive.writestr("week5/lenet.py", LENET)
        archive.writestr("../lenet.py", b"evil")
    submission = load(discover(inbox, two_weeks_course)[0])
    assert submission.files["lenet.py"] == LENET and not any("more.zip" in path for path in submission.files)
