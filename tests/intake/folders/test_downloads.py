"""A class folder is known by what most of it is, on disk or in a zip; what is beside that is named, and nobody."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import DownloadTooLarge, SubmissionError, UsageError
from grader.intake import Survey, load, survey
from grader.intake.folders import container
from grader.intake.reading.budget import Budget, BudgetedProcess
from grader.intake.reading.desk import DESK, Desk
from grader.intake.weeks import Weeks
from tests.intake.folders.wrapping import DOWNLOADS, LENET, MLP, ZIP, canvas, gradescope, moodle, packed
from tests.intake.reading import slow
from tests.support.makers import put, zip_at, zipped


def students(found: Survey) -> set[str]:
    return {candidate.student for candidate in found.candidates}


def made(kind: str, root: Path) -> Path:
    _, name, make, _ = DOWNLOADS[kind]
    make(root / name)
    return root / name


def beside_itself(folder: Path) -> str:
    return packed(folder, folder / "submissions.zip").name


def reports(folder: Path) -> Path:
    for name in ("gradebook.sqlite", "grades.csv", "index.html"):
        put(folder / name, b"")
    return folder


STRAYS: dict[str, Callable[[Path], str]] = {
    "a table": lambda folder: put(folder / "grades.csv", b"a,b\n1,2\n").name,
    "a worksheet": lambda folder: put(folder / "Grades-DL-Week 5-123.csv", b"Identifier,Full name\n").name,
    "a Mac's file": lambda folder: put(folder / ".DS_Store", b"\0").name,
    "a text": lambda folder: put(folder / "notes.txt", b"").name,
    "a PDF": lambda folder: put(folder / "rubric.pdf", b"%PDF").name,
    "a script": lambda folder: put(folder / "rename.py", b"x = 1\n").name,
    "an empty folder": lambda folder: put(folder / "old" / "x.txt", b"").parent.name,
    "the reports": lambda folder: reports(folder / "reports").name,
    "the download itself": beside_itself,
}


@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("kind", DOWNLOADS)
def test_a_stray_beside_a_download_is_named_and_changes_nothing(
    kind: str, stray: str, two_weeks_course: Course, tmp_path: Path
) -> None:
    folder = made(kind, tmp_path)
    before = survey(folder, two_weeks_course)
    name = STRAYS[stray](folder)
    found = survey(folder, two_weeks_course)
    assert (found.layout, students(found)) == (DOWNLOADS[kind][0], DOWNLOADS[kind][3])
    assert set(found.ignored) - set(before.ignored) == {(name, dict(found.ignored)[name])}


def test_typed_text_and_links_are_named(two_weeks_course: Course, tmp_path: Path) -> None:
    found = survey(made("canvas typed", tmp_path), two_weeks_course)
    assert found.ignored == (
        ("kimlee_1003_text.html", "text typed into Canvas"),
        ("perezjuan_LATE_1004_link.html", "a link handed in to Canvas"),
    )
    assert [candidate.is_late for candidate in found.candidates] == [True, False]


def test_late_and_anonymous_is_late(two_weeks_course: Course, tmp_path: Path) -> None:
    found = survey(made("canvas anonymous", tmp_path), two_weeks_course)
    assert {one.student: one.is_late for one in found.candidates} == {"anon (aX9bC)": False, "anon (bY8dD)": True}


@pytest.mark.parametrize("inside", ["", "folder/", "a/b/"])
@pytest.mark.parametrize("kind", DOWNLOADS)
def test_a_download_is_the_same_as_a_zip(kind: str, inside: str, two_weeks_course: Course, tmp_path: Path) -> None:
    folder = made(kind, tmp_path)
    around = inside if kind != "github" else inside and "week5-submissions/"
    file = packed(folder, tmp_path / "zips" / f"{folder.name}.zip", around)
    whole, zipped_one = survey(folder, two_weeks_course), survey(file, two_weeks_course)
    # Read again, as a class is that does not fit into memory.
    again = survey(file, two_weeks_course, most_carried=0)
    digests = {one.student: load(one).digest for one in whole.candidates}
    for found in (zipped_one, again):
        assert found.layout == whole.layout
        assert {one.student: load(one).digest for one in found.candidates} == digests
        assert [one.is_late for one in found.candidates] == [one.is_late for one in whole.candidates]


@pytest.mark.parametrize("inside", ["", "submissions/"])
def test_a_plain_class_is_the_same_as_a_zip(inside: str, two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "c" / "Ana Silva" / "week5" / "lenet.py", LENET)
    put(tmp_path / "c" / "Ana Silva" / "__pycache__" / "lenet.pyc", b"")
    put(tmp_path / "c" / "Bo Li.zip", ZIP)
    put(tmp_path / "c" / "dr. no" / "week5" / "lenet.py", LENET)
    found = survey(packed(tmp_path / "c", tmp_path / "class.zip", inside), two_weeks_course)
    assert {one.student: load(one).files for one in found.candidates} == {
        name: {"lenet.py": LENET} for name in ("Ana Silva", "Bo Li", "dr. no")
    }


def test_a_students_own_zip_is_a_class_of_one(two_weeks_course: Course, tmp_path: Path) -> None:
    (found,) = survey(put(tmp_path / "Ana Silva.zip", ZIP), two_weeks_course).candidates
    assert (found.student, load(found).files) == ("Ana Silva", {"lenet.py": LENET})


@pytest.mark.parametrize(
    ("member", "why"),
    [
        ("../../silvaana_1001_5001_lenet.py", "its name leads outside the archive"),
        ("/silvaana_1001_5001_lenet.py", "its name leads outside the archive"),
        ("silva\x07ana_1001_5001_lenet.py", "its name cannot be shown"),
    ],
)
def test_what_a_zip_may_not_hold_is_named_and_left_out(
    member: str, why: str, two_weeks_course: Course, tmp_path: Path
) -> None:
    file = put(tmp_path / "w5.zip", zipped((member, LENET), ("obriensean_1002_5011_lenet.py", LENET)))
    found = survey(file, two_weeks_course)
    assert students(found) == {"obriensean (1002)"}
    assert [reason for _, reason in found.ignored] == [why]


@pytest.mark.parametrize("content", [b"", b"PK", b"Rar!" + bytes(20)])
def test_a_zip_that_is_none_is_one_clear_error(content: bytes, two_weeks_course: Course, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"w5\.zip: is .* not a zip file"):
        survey(put(tmp_path / "w5.zip", content), two_weeks_course)


def test_a_zip_that_would_take_for_ever_is_refused(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = BudgetedProcess("grader.intake.reading.service", Budget(seconds=1, mib=16))
    monkeypatch.setattr(DESK, "process", process)
    members = ((f"{number}/{'x' * 200}.py", b"") for number in range(60_000))
    with pytest.raises(UsageError, match=r"w5\.zip: .*(took more than|kill|ended the process)"):
        survey(put(tmp_path / "w5.zip", zipped(*members)), two_weeks_course)
    process.close()


def test_a_bomb_in_a_downloaded_zip_costs_its_student_alone(two_weeks_course: Course, tmp_path: Path) -> None:
    bomb = slow.zip_of(*((f"part{number}.py", bytes(2**20 - 1)) for number in range(40)))
    file = zipped(("evil_1_5_hw.zip", bomb), ("obriensean_1002_5011_lenet.py", LENET))
    found = survey(put(tmp_path / "w5.zip", file), two_weeks_course, ["week5"])
    assert {one.student: bool(one.problem) for one in found.candidates} == {
        "evil (1)": True,
        "obriensean (1002)": False,
    }


# Several downloads


def two_weeks(root: Path, zips: bool) -> None:
    canvas(root / "w5")
    put(root / "w4" / "silvaana_1001_4001_mlp.py", MLP)
    put(root / "w4" / "leewei_1005_4002_mlp.py", MLP)
    if zips:
        for name in ("w4", "w5"):
            packed(root / name, root / f"{name}.zip")
            shutil.rmtree(root / name)


@pytest.mark.parametrize("zips", [False, True])
@pytest.mark.parametrize("stray", [None, "grades.csv", ".DS_Store", "notes/plan.txt"])
def test_several_downloads_are_one_class(
    zips: bool, stray: str | None, two_weeks_course: Course, tmp_path: Path
) -> None:
    two_weeks(tmp_path / "c", zips)
    if stray:
        put(tmp_path / "c" / stray, b"")
    found = survey(tmp_path / "c", two_weeks_course)
    assert found.layout == "canvas"
    assert [(one.student, one.week) for one in found.candidates] == [
        ("leewei (1005)", "week4"),
        ("obriensean (1002)", "week5"),
        ("silvaana (1001)", "week4"),
        ("silvaana (1001)", "week5"),
    ]
    assert [name for name, _ in found.ignored] == ([stray.partition("/")[0]] if stray else [])


def test_several_platforms_are_one_class(two_weeks_course: Course, tmp_path: Path) -> None:
    moodle(tmp_path / "c" / "week 5")
    put(tmp_path / "c" / "week 4" / "silvaana_1001_4001_mlp.py", MLP)
    found = survey(tmp_path / "c", two_weeks_course)
    assert found.layout == "canvas, moodle"
    assert students(found) == {"Ana Silva", "Bo Li", "silvaana (1001)"}


def test_the_folder_of_a_download_tells_the_week_where_nothing_else_does(
    three_weeks_course: Course, tmp_path: Path
) -> None:
    for week in ("w4", "w5"):
        put(tmp_path / "c" / week / "silvaana_1001_4001_training.py", b"x = 1\n")
    found = survey(tmp_path / "c", three_weeks_course)
    assert [one.week for one in found.candidates] == ["week4", "week5"]


def test_a_download_beside_its_zip_counts_once(two_weeks_course: Course, tmp_path: Path) -> None:
    canvas(tmp_path / "c" / "w5")
    packed(tmp_path / "c" / "w5", tmp_path / "c" / "w5.zip")
    found = survey(tmp_path / "c", two_weeks_course)
    assert [(one.student, one.week, one.problem) for one in found.candidates] == [
        ("obriensean (1002)", "week5", ""),
        ("silvaana (1001)", "week5", ""),
    ]


def test_a_week_that_two_downloads_have_differently_is_a_question(two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "c" / "submissions monday" / "silvaana_1001_5001_lenet.py", LENET)
    put(tmp_path / "c" / "submissions friday" / "silvaana_1001_5077_lenet.py", LENET + b"x = 1\n")
    put(tmp_path / "c" / "submissions friday" / "leewei_1005_5078_lenet.py", LENET)
    lee, ana = survey(tmp_path / "c", two_weeks_course).candidates
    assert not lee.problem
    assert ana.problem == (
        "week5 was handed in differently in several downloads (submissions friday/silvaana_1001_5077_lenet.py, "
        "submissions monday/silvaana_1001_5001_lenet.py): keep the one that counts"
    )


def test_students_of_one_name_are_the_same_in_all_downloads(two_weeks_course: Course, tmp_path: Path) -> None:
    for week, file, content in (("w4", "mlp.py", MLP), ("w5", "lenet.py", LENET)):
        for number in (10010, 10011):
            put(tmp_path / "c" / week / f"smithjohn_{number}_5{number}_{file}", content)
    found = survey(tmp_path / "c", two_weeks_course)
    assert [(one.student, one.week) for one in found.candidates] == [
        (f"smithjohn ({number})", week) for number in (10010, 10011) for week in ("week4", "week5")
    ]


def test_a_download_beside_students_is_named_and_none_of_them(two_weeks_course: Course, tmp_path: Path) -> None:
    for name in ("ana", "bo", "cy"):
        put(tmp_path / "c" / name / "lenet.py", LENET)
    gradescope(tmp_path / "c" / "export")
    found = survey(tmp_path / "c", two_weeks_course)
    assert students(found) == {"ana", "bo", "cy"}
    assert found.ignored == (("export/", "a download from Gradescope beside students"),)


def test_nobody_hands_in_for_others_by_the_names_in_a_folder(two_weeks_course: Course, tmp_path: Path) -> None:
    for name in ("ana", "bo"):
        put(tmp_path / "c" / name / "lenet.py", LENET)
    put(tmp_path / "c" / "eve" / "lenet.py", LENET)
    put(tmp_path / "c" / "eve" / "bo_1_2_lenet.py", b"x = 1\n")
    put(tmp_path / "c" / "eve" / "ana_1_3_lenet.py", b"x = 1\n")
    found = survey(tmp_path / "c", two_weeks_course)
    assert {"ana", "bo"} <= students(found) <= {"ana", "bo", "eve"}


@pytest.mark.parametrize(
    ("name", "beside", "is_clear"),
    [
        ("DL101-Week 5-2345.zip", "Bewertungen-DL101-Week 5-2345.csv", True),
        ("DL101-Week 5-2345.zip", "Grades-DL101-Week 5-9.csv", False),
        ("DL101-Week 5-2345.zip", "roster.csv", False),
        ("lee-kim-2345.zip", "roster.csv", False),
        ("gradebook_DL101_Week205_2026-10-06-10-00-00.zip", "roster.csv", True),
    ],
)
def test_a_download_under_its_platform_s_name_beside_a_table_is_one(
    two_weeks_course: Course, tmp_path: Path, name: str, beside: str, is_clear: bool
) -> None:
    moodle(tmp_path / "made")
    put(tmp_path / "c" / beside, b"a,b\n1,2\n")
    packed(tmp_path / "made", tmp_path / "c" / name)
    if is_clear:
        found = survey(tmp_path / "c", two_weeks_course)
        assert found.layout == "moodle" and (beside, "a .csv file is no submission") in found.ignored
    else:
        with pytest.raises(UsageError, match="may be a download from Moodle, or one student's"):
            survey(tmp_path / "c", two_weeks_course)


def test_a_student_and_a_download_side_by_side_are_a_question(two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "c" / "ana" / "lenet.py", LENET)
    canvas(tmp_path / "c" / "w5")
    with pytest.raises(UsageError, match="w5/ is a download from Canvas, and ana a student's own"):
        survey(tmp_path / "c", two_weeks_course)


def test_half_a_download_is_a_question(two_weeks_course: Course, tmp_path: Path) -> None:
    canvas(tmp_path / "c")
    for name in ("ana", "bo"):
        put(tmp_path / "c" / name / "lenet.py", LENET)
    with pytest.raises(
        UsageError, match=r"2 entries are named as Canvas does, 2 are not \(ana, bo\); .*--layout canvas"
    ):
        survey(tmp_path / "c", two_weeks_course)
    assert students(survey(tmp_path / "c", two_weeks_course, layout="canvas")) == DOWNLOADS["canvas"][3]
    assert len(survey(tmp_path / "c", two_weeks_course, layout="plain").candidates) == 4


def test_a_forced_layout_may_be_that_of_several_downloads(two_weeks_course: Course, tmp_path: Path) -> None:
    two_weeks(tmp_path / "c", zips=False)
    assert len(survey(tmp_path / "c", two_weeks_course, layout="canvas").candidates) == 4
    with pytest.raises(UsageError, match="is named as moodle does"):
        survey(tmp_path / "c", two_weeks_course, layout="moodle")


# A student's own folder


def own_download(folder: Path) -> None:
    put(folder / "silvaana_1001_5001_lenet.py", LENET)
    put(folder / "leewei_1005_5002_lenet.py", LENET)


def own_class(folder: Path) -> None:
    for name in ("Ana Silva", "Bo Li"):
        put(folder / name / "week5" / "lenet.py", LENET)


def own_attempts(folder: Path) -> None:
    for number in (1, 2):
        put(folder / f"attempt{number}" / "lenet.py", LENET)


def own_modules_and_a_class(folder: Path) -> None:
    own_class(folder)
    put(folder / "lenet.py", LENET)


OWN = [own_download, own_class, own_attempts, own_modules_and_a_class]


@pytest.mark.parametrize("zips", [False, True])
@pytest.mark.parametrize("make", [*OWN, lambda folder: own_class(folder / "week5")])
def test_what_a_student_puts_into_a_folder_hands_nothing_in_for_others(
    make: Callable[[Path], None], zips: bool, two_weeks_course: Course, tmp_path: Path
) -> None:
    """Alone it is a question, as it could be a class; beside others it is that student's."""
    root = tmp_path / "c"
    make(root / "Eve Adams")
    if zips:
        packed(root / "Eve Adams", root / "Eve Adams.zip")
        shutil.rmtree(root / "Eve Adams")
    if "Eve Adams" not in students_or_question(root, two_weeks_course):
        assert students(survey(root, two_weeks_course, layout="plain")) == {"Eve Adams"}
    put(root / "Kim Lee" / "lenet.py", LENET)
    put(root / "Ben Ode" / "lenet.py", LENET)
    assert students(survey(root, two_weeks_course)) == {"Eve Adams", "Kim Lee", "Ben Ode"}


def students_or_question(root: Path, course: Course) -> set[str]:
    """Return the students, or none where it is asked what the folder is."""
    try:
        found = students(survey(root, course))
    except UsageError as error:
        assert "--layout plain" in str(error)
        return set()
    assert found == {"Eve Adams"}
    return found


@pytest.mark.parametrize("name", ["gradebook.sqlite", "grades.csv", "index.html", "README.md", ".DS_Store"])
def test_no_file_in_ones_folder_makes_its_student_vanish(name: str, two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "c" / "Eve Adams" / "lenet.py", LENET)
    put(tmp_path / "c" / "Eve Adams" / name, b"")
    put(tmp_path / "c" / "Kim Lee" / "lenet.py", LENET)
    assert students(survey(tmp_path / "c", two_weeks_course)) == {"Eve Adams", "Kim Lee"}


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_zip_of_downloads_as_zips_is_one_class_of_several_weeks(
    two_weeks_course: Course, tmp_path: Path, name: str
) -> None:
    layout, folder, make, students = DOWNLOADS[name]
    make(tmp_path / "made" / folder)
    packed(tmp_path / "made" / folder, tmp_path / "all" / "w5.zip", "" if layout != "github" else f"{folder}/")
    put(tmp_path / "made4" / "silvaana_1001_7001_mlp.py", b"class MLP: ...\n")
    packed(tmp_path / "made4", tmp_path / "all" / "w4.zip")
    whole = packed(tmp_path / "all", tmp_path / "weeks.zip")
    found, unpacked = survey(whole, two_weeks_course), survey(tmp_path / "all", two_weeks_course)
    assert {(one.student, one.week) for one in found.candidates} == {(s, "week5") for s in students} | {
        ("silvaana (1001)", "week4")
    }
    assert [load(one).digest for one in found.candidates] == [load(one).digest for one in unpacked.candidates]
    assert (found.layout, found.ignored) == (unpacked.layout, unpacked.ignored)


def test_students_zips_in_a_class_s_zip_are_theirs(two_weeks_course: Course, tmp_path: Path) -> None:
    for name in ("Ann Lee", "Bo Li"):
        put(tmp_path / "all" / f"{name}.zip", ZIP)
    found = survey(packed(tmp_path / "all", tmp_path / "weeks.zip"), two_weeks_course)
    assert [one.student for one in found.candidates] == ["Ann Lee", "Bo Li"]


def test_a_download_in_a_zip_that_cannot_be_held_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "in" / "lenet.py")
    outer = packed(packed(tmp_path / "in", tmp_path / "all" / "w5.zip").parent, tmp_path / "weeks.zip")
    monkeypatch.setattr(container, "MOST_NESTED", 10)
    with pytest.raises(DownloadTooLarge, match=r"w5\.zip in weeks\.zip is larger .* unpack weeks\.zip"):
        container.Container(outer).nested("w5.zip")


@pytest.mark.parametrize("place", [2**32, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_zip_in_a_zip_that_is_said_to_lie_beyond_its_end_is_refused(place: int, tmp_path: Path) -> None:
    outer = tmp_path / "weeks.zip"
    outer.write_bytes(zip_at(place))
    with pytest.raises(SubmissionError, match=r"w5\.zip in weeks\.zip is .*; unpack weeks\.zip"):
        container.Container(outer).nested("w5.zip")


def test_a_download_that_lies_in_a_zip_as_it_is_may_have_any_size(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("w5", "w4"):
        module = "lenet" if name == "w5" else "mlp"
        put(tmp_path / name / f"silvaana_1001_70_{module}.py", LENET if name == "w5" else MLP)
        packed(tmp_path / name, tmp_path / "all" / f"{name}.zip")
    outer = tmp_path / "weeks.zip"
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_STORED) as made:
        for file in (tmp_path / "all").iterdir():
            made.write(file, file.name)
    monkeypatch.setattr(container, "MOST_NESTED", 10)
    inner = container.Container(outer).nested("w5.zip")
    assert inner.read("silvaana_1001_70_lenet.py", 1_000) == LENET
    found = survey(outer, two_weeks_course)
    assert [(one.student, one.week) for one in found.candidates] == [
        ("silvaana (1001)", "week4"),
        ("silvaana (1001)", "week5"),
    ]


@pytest.mark.parametrize("name", ["w4.zip", "Eve Adams.zip"])
def test_a_download_that_is_too_large_to_open_is_never_taken_for_a_student(
    two_weeks_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put(tmp_path / "in" / "silvaana_1001_70_lenet.py", LENET)
    for one in ("w5.zip", name):
        packed(tmp_path / "in", tmp_path / "all" / one)
    real = Desk.members

    def members(desk: Desk, file: Path, weeks: Weeks) -> tuple[list[str], list[tuple[str, str]]]:
        if file.name == name:
            raise DownloadTooLarge(f"{name} in weeks.zip is larger than 256 MB; unpack weeks.zip, and give the folder")
        return real(desk, file, weeks)

    monkeypatch.setattr(Desk, "members", members)
    with pytest.raises(UsageError, match=r"larger than 256 MB; unpack weeks\.zip"):
        survey(packed(tmp_path / "all", tmp_path / "weeks.zip"), two_weeks_course)
