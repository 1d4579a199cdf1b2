"""Downloads of every platform are recognised; the same work gets the same grade however it is wrapped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.batch.run import note_lateness
from grader.batch.who import Members, find_members
from grader.cli.main import main
from grader.course import Course, LatePolicy
from grader.errors import CourseError, UsageError
from grader.gradebook import Gradebook
from grader.intake import Candidate, Survey, load, safe_name, survey
from grader.intake.folders.entries import DiskEntry, list_folder
from grader.intake.lateness import lateness
from grader.intake.layouts import LAYOUTS, PLAIN, Handed, read
from grader.intake.reading.desk import DESK
from grader.intake.roster import Roster, read_roster
from grader.intake.tables.extensions import Days
from grader.people.identity import Identity
from grader.results import Late
from tests.support.courses import with_settings
from tests.support.makers import notebook, put, zipped

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
FILES = {
    name: (ROOT / "solutions" / "week5" / name).read_bytes() for name in ("lenet.py", "training.py", "inspection.py")
}
ZIP = zipped(*((f"week5/{name}", content) for name, content in FILES.items()))


MARK = "_999_assignsubmission_file_"
FORGED = (
    f"x{MARK}lenet.py",
    f"{MARK}lenet.py",
    f"Bo Ek{MARK}{MARK}lenet.py",
    "Bo Ek_999_assignsubmission_onlinetext_lenet.py",
)


@pytest.mark.parametrize("forged", FORGED)
def test_no_name_of_a_file_hands_it_in_as_anothers_work(tmp_path: Path, forged: str) -> None:
    put(tmp_path / f"Bo Ek{MARK}lenet.py", b"his = 1")
    put(tmp_path / f"Ana Lee_123_assignsubmission_file_{forged}", b"hers = 1")
    found = read("moodle", DiskEntry(tmp_path), list_folder(tmp_path), DESK)
    parts = {one.student: [name for name, _ in one.parts] for one in found.handed}
    assert (parts, found.ignored) == ({"Ana Lee": [forged], "Bo Ek": ["lenet.py"]}, ())


def in_folder(folder: Path) -> None:
    for name, content in FILES.items():
        put(folder / name, content)


def canvas(root: Path) -> None:
    for number, (name, content) in enumerate(FILES.items()):
        put(root / f"müllerann_LATE_4711_{number}_{name}", content)
    put(root / "leekim_4712_9_hw.zip", ZIP)


def canvas_again(root: Path) -> None:
    for number, (name, content) in enumerate(FILES.items()):
        stem, _, ending = name.partition(".")
        put(root / f"müllerann_4711_{number}_{name}", b"broken(")
        put(root / f"müllerann_4711_{50 + number}_{stem}-1.{ending}", content)
    put(root / "LATE_anon_4712_9_hw-2.zip", ZIP)


def moodle(root: Path) -> None:
    in_folder(root / "Ann Müller_7_assignsubmission_file_" / "week5")
    put(root / "Ann Müller_7_assignsubmission_onlinetext_" / "onlinetext.html", b"hello")
    put(root / "Kim_Lee_8_assignsubmission_file" / "hw.zip", ZIP)


def moodle_flat(root: Path) -> None:
    for name, content in FILES.items():
        put(root / f"Ann Müller_7_assignsubmission_file_{name}", content)
    put(root / "Kim_Lee_8_assignsubmission_file_hw.zip", ZIP)


def blackboard(root: Path) -> None:
    for time, content in (("2026-10-04-09-00-00", b"broken("), ("2026-10-05-20-15-30", None)):
        for name, own in FILES.items():
            put(root / f"Week_5_ann_m_attempt_{time}_{name}", content or own)
        put(root / f"Week_5_ann_m_attempt_{time}.txt", "Name: Ann Müller (ann_m)\r\nAssignment: Week 5\r\n".encode())
    put(root / "Week_5_kim_attempt_2026-10-05-20-15-30_hw.zip", ZIP)
    put(root / "Week_5_kim_attempt_2026-10-05-20-15-30.txt", "\ufeffNombre: Kim Lee (kim)\n".encode())


def brightspace(root: Path) -> None:
    put(root / "7-555 - Ann Müller - Oct 4, 2026 900 AM" / "lenet.py", b"broken(")
    in_folder(root / "7-555 - Ann Müller - Oct 5, 2026 1215 AM")
    put(root / "8-555 - Kim - Lee - 4 October, 2026 2015" / "hw.zip", ZIP)
    put(root / "index.html", b"<html></html>")


def github(root: Path) -> None:
    in_folder(root / "lab-5-annm" / "assignments" / "week5")
    put(root / "lab-5-annm" / ".git" / "config", b"[core]\n\tfsmonitor = touch /tmp/owned\n")
    in_folder(root / "lab-5-kim-lee" / "week5")


def checkout(folder: Path, origin: str, week: str = "week5") -> None:
    """Make what `git clone` makes; the first address is that of another remote."""
    if week == "week5":
        in_folder(folder / week)
    else:
        put(folder / week / "fcnn.py")
    config = f'[remote "other"]\n\turl = https://x/y/z.git\n[remote "origin"]\n\turl = {origin}\n\tfetch = +refs\n'
    put(folder / ".git" / "config", config.encode())


def unmarked(root: Path) -> None:
    checkout(root / "renamed", "git@github.com:dl-course/lab-5-annm.git")
    checkout(root / "lab-5-kim-lee", "https://token@github.com/DL-Course/lab-5-kim-lee")


def forks(root: Path) -> None:
    checkout(root / "a", "https://github.com/annm/lab-5.git")
    checkout(root / "b", "ssh://git@github.com/kim-lee/lab-5.git")


def copied_checkouts(root: Path) -> None:
    for login in ("annm", "kim-lee", "zed"):
        in_folder(root / f"lab-5-{login}" / "week5")
        put(root / f"lab-5-{login}" / ".gitignore", b"data/\n")


def classroom50(root: Path) -> None:
    for user in ("annm", "kim-lee"):
        in_folder(root / f"dl-week5-{user}" / "assignments" / "week5")
        put(root / f"dl-week5-{user}" / ".classroom50.yaml", b"classroom: dl\n")


METADATA = """---
submission_1:
  :submitters:
  - :name: Ann Müller
    :sid: '4711'
    :email: ann@x.edu
  - :name: Kim Lee
    :sid: '4712'
    :email: kim@x.edu
  :created_at: 2026-10-06 10:00:00.000000000 Z
  :score: 3.0
submission_2:
  :submitters:
  - :name: Kim Lee
    :sid: '9'
    :email: lee@x.edu
  :created_at: 2026-10-01 10:00:00.000000000 Z
"""


def gradescope(root: Path) -> None:
    for number in (1, 2):
        in_folder(root / f"submission_{number}")
    put(root / "submission_metadata.yml", METADATA.encode())


def plain(root: Path) -> None:
    in_folder(root / "Ann Müller" / "week5")
    put(root / "Kim Lee.zip", ZIP)


WRAPPINGS: dict[str, tuple[Callable[[Path], None], str, set[str]]] = {
    "plain": (plain, "plain", {"Ann Müller", "Kim Lee"}),
    "canvas": (canvas, "canvas", {"müllerann (4711)", "leekim (4712)"}),
    "canvas again": (canvas_again, "canvas", {"müllerann (4711)", "anon (4712)"}),
    "moodle": (moodle, "moodle", {"Ann Müller", "Kim_Lee"}),
    "moodle flat": (moodle_flat, "moodle", {"Ann Müller", "Kim_Lee"}),
    "blackboard": (blackboard, "blackboard", {"Ann Müller", "Kim Lee"}),
    "brightspace": (brightspace, "brightspace", {"Ann Müller", "Kim - Lee"}),
    "lab-5-submissions": (github, "github", {"annm", "kim-lee"}),
    "unmarked": (unmarked, "github", {"annm", "kim-lee"}),
    "forks": (forks, "github", {"annm", "kim-lee"}),
    "copied checkouts": (copied_checkouts, "github", {"annm", "kim-lee", "zed"}),
    "classroom50": (classroom50, "classroom50", {"annm", "kim-lee"}),
    "gradescope": (gradescope, "gradescope", {"Ann Müller", "Kim Lee (4712)", "Kim Lee (9)"}),
}


def test_every_layout_that_is_offered_is_tried_here() -> None:
    assert {layout for _, layout, _ in WRAPPINGS.values()} | {PLAIN} == set(LAYOUTS)


def found(name: str, folder: Path) -> Survey:
    WRAPPINGS[name][0](folder / name)
    return survey(folder / name, COURSE, ["week5"])


@pytest.mark.parametrize("name", WRAPPINGS)
def test_each_layout_is_recognised_with_its_students(name: str, tmp_path: Path) -> None:
    result = found(name, tmp_path)
    assert result.layout == WRAPPINGS[name][1]
    assert {candidate.student for candidate in result.candidates} == WRAPPINGS[name][2]


IDENTITIES = {
    "plain": {Identity("Ann Müller"), Identity("Kim Lee")},
    "canvas": {Identity("müllerann", "canvas", "4711"), Identity("leekim", "canvas", "4712")},
    "canvas again": {Identity("müllerann", "canvas", "4711"), Identity("", "anonymous", "4712")},
    "moodle": {Identity("Ann Müller", "moodle", "7"), Identity("Kim_Lee", "moodle", "8")},
    "moodle flat": {Identity("Ann Müller", "moodle", "7"), Identity("Kim_Lee", "moodle", "8")},
    "blackboard": {
        Identity(name, "blackboard", login=login) for name, login in (("Ann Müller", "ann_m"), ("Kim Lee", "kim"))
    },
    "brightspace": {Identity("Ann Müller", "brightspace", "7"), Identity("Kim - Lee", "brightspace", "8")},
    **{
        name: {Identity("", "github", login=login) for login in ("annm", "kim-lee")}
        for name in ("lab-5-submissions", "unmarked", "forks")
    },
    "copied checkouts": {Identity("", "github", login=login) for login in ("annm", "kim-lee", "zed")},
    "classroom50": {Identity("", "classroom50", login=login) for login in ("annm", "kim-lee")},
    "gradescope": {
        Identity("Ann Müller", "gradescope", "4711", email="ann@x.edu"),
        Identity("Kim Lee", "gradescope", "4712", email="kim@x.edu"),
        Identity("Kim Lee", "gradescope", "9", email="lee@x.edu"),
    },
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_each_layout_tells_all_that_it_knows_of_a_person(name: str, tmp_path: Path) -> None:
    assert {candidate.who for candidate in found(name, tmp_path).candidates} == IDENTITIES[name]


def test_the_same_work_is_the_same_submission_in_every_wrapping(tmp_path: Path) -> None:
    # What is graded depends on the files alone (and the seed), of which the digest is made.
    digests = {load(candidate).digest for name in WRAPPINGS for candidate in found(name, tmp_path).candidates}
    assert len(digests) == 1


def test_checkouts_of_several_weeks_are_one_class(tmp_path: Path) -> None:
    for week, login in (("week4", "annm"), ("week5", "annm"), ("week4", "kim-lee"), ("week5", "kim-lee")):
        checkout(tmp_path / f"{week}-{login}", f"https://github.com/dl/{week}-{login}", week)
    result = survey(tmp_path, COURSE)
    assert result.layout == "github"
    assert sorted((one.student, one.week) for one in result.candidates) == [
        (login, week) for login in ("annm", "kim-lee") for week in ("week4", "week5")
    ]


@pytest.mark.parametrize("names", [("Ana Silva", "Bo Wang"), ("ana-silva", "ana-wu"), ("ana-silva", "ana-wu", "bo-li")])
def test_folders_named_after_students_stay_theirs_though_git_was_used_in_them(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    for name in names:
        checkout(tmp_path / name, f"https://github.com/{name.replace(' ', '')}/my-{len(name)}-homework")
    for odd in ("", "no section", '[remote "origin"]\n\turl = /local/path\n'):
        put(tmp_path / names[0] / ".git" / "config", odd.encode())
        assert {one.student for one in survey(tmp_path, COURSE, ["week5"]).candidates} == set(names)


def test_no_link_of_a_checkout_is_followed(tmp_path: Path) -> None:
    unmarked(tmp_path / "folder")
    unmarked(tmp_path / "file")
    for place, named in (("folder", ".git"), ("file", ".git/config")):
        link = tmp_path / place / "renamed" / named
        link.rename(tmp_path / f"{place} elsewhere")
        link.symlink_to(tmp_path / f"{place} elsewhere")
        names = {one.student for one in survey(tmp_path / place, COURSE, ["week5"]).candidates}
        assert names == {"renamed", "lab-5-kim-lee"}


def test_a_layout_can_be_forced_and_forbidden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    canvas(tmp_path / "c")
    put(tmp_path / "c" / "notes.py")
    forced = survey(tmp_path / "c", COURSE, ["week5"], "canvas")
    assert {c.student for c in forced.candidates} == {"müllerann (4711)", "leekim (4712)"}
    assert forced.ignored == (("notes.py", "not named as Canvas does"),)
    with pytest.raises(UsageError, match="try --layout plain"):
        survey(tmp_path / "c", COURSE, ["week5"], "moodle")
    assert main(["batch", str(tmp_path / "c"), "--week", "week5", "--layout", "canvas", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "2 to grade, layout: canvas\n" in shown and "notes.py  not named as Canvas does" in shown


def test_late_and_earlier_attempts_are_said(tmp_path: Path) -> None:
    ann = next(c for c in found("canvas", tmp_path).candidates if c.student.startswith("müller"))
    assert ann.is_late and set(ann.files) == set(FILES)
    again = next(c for c in found("canvas again", tmp_path).candidates if c.student.startswith("müller"))
    assert "lenet.py was handed in several times; the latest was taken" in load(again).notes


def test_students_of_one_name_stay_apart_and_a_gradescope_group_is_credited(tmp_path: Path) -> None:
    result = found("gradescope", tmp_path)
    by_name = {c.student: c for c in result.candidates}
    assert "handed in by a group: Ann Müller, Kim Lee" in load(by_name["Ann Müller"]).notes
    assert by_name["Ann Müller"].path == by_name["Kim Lee (4712)"].path != by_name["Kim Lee (9)"].path


def test_notebooks_are_read_in_a_layout(tmp_path: Path) -> None:
    put(tmp_path / "leekim_4712_9_week5.ipynb", notebook(*(content.decode() for content in FILES.values())))
    (candidate,) = survey(tmp_path, COURSE, ["week5"]).candidates
    assert set(load(candidate).files) >= {"lenet.py"}


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n", "x: !!python/object/apply:os.system ['touch owned']\n", "\x00", "[" * 5000]
)
def test_gradescopes_metadata_that_cannot_be_read_is_one_clear_error(text: str, tmp_path: Path) -> None:
    put(tmp_path / "submission_metadata.yml", text.encode())
    put(tmp_path / "submission_1" / "lenet.py")
    with pytest.raises(UsageError, match=r"submission_metadata\.yml"):
        survey(tmp_path, COURSE)


@pytest.mark.parametrize("value", ["3", "[1, 2]", "{':submitters': 7}", "{':submitters': [3]}", "null"])
def test_odd_metadata_leaves_a_submission_out_with_a_reason(value: str, tmp_path: Path) -> None:
    put(tmp_path / "submission_metadata.yml", f"{METADATA}submission_3: {value}\n".encode())
    for number in (1, 3, 4):
        in_folder(tmp_path / f"submission_{number}")
    result = survey(tmp_path, COURSE)
    assert "submission_4" in dict(result.ignored)
    assert {candidate.path.name for candidate in result.candidates} == {"submission_1"}


def test_a_named_pipe_in_place_of_the_metadata_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "submission_metadata.yml")
    with pytest.raises(UsageError, match="not a regular file"):
        survey(tmp_path, COURSE)


# Lateness

DUE = datetime(2026, 10, 5, 22, 0, tzinfo=UTC)


def late(at: datetime | None = None, word: bool = False, extension: timedelta | datetime | None = None) -> Late | None:
    from dataclasses import replace

    assignment = replace(COURSE.assignment("week5"), due=DUE, late=LatePolicy(15, 10, 50))
    return lateness(assignment, Handed("ana", Path("x"), late=word, at=at), extension)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(minutes=-1), None),
        (timedelta(minutes=15), None),
        (timedelta(minutes=16), Late(1, 10)),
        (timedelta(days=1), Late(1, 10)),
        (timedelta(days=1, seconds=1), Late(2, 20)),
        (timedelta(days=40), Late(40, 50)),
    ],
)
def test_each_day_that_has_begun_costs_up_to_the_cap(after: timedelta, expected: Late | None) -> None:
    assert late(DUE + after) == expected


def test_an_extension_moves_the_due_date() -> None:
    assert late(DUE + timedelta(days=2), extension=timedelta(days=2)) is None
    assert late(DUE + timedelta(days=2), extension=DUE + timedelta(days=1)) == Late(1, 10)


def test_a_platforms_word_costs_one_day_unless_there_is_an_extension() -> None:
    assert late(word=True) == Late(1, 10)
    assert late(word=True, extension=timedelta(days=2)) is None
    assert late() is None
    assert lateness(COURSE.assignment("week5"), None, None) is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("percent_a_day = 101", "at most 100"),
        ("percent_a_day = -1", "of at least 0"),
        ("days = 3", r"there is no `days` under \[late\]; there are `grace_minutes`, `percent_a_day`, `cap_percent`"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(table: str, message: str, one_check_course: Course) -> None:
    with_settings(one_check_course.root, f"[late]\n{table}")
    with pytest.raises(CourseError, match=message):
        one_check_course.assignment("week1")


# The roster

ROSTER = (
    "id,name,email,section,extensions\n"
    "4711,Ann Müller,annm@x.edu,A,week5=+2d; week6=2026-10-20T23:59+02:00\n"
    '4712,"Lee, Kim",kim@x.edu,B,\n'
    "9,Bo Ek,bo@x.edu,B,\n"
)


def roster(folder: Path, text: str = ROSTER) -> Roster:
    return read_roster(put(folder / "roster.csv", text.encode()))


def put_to(known: Roster, candidates: Sequence[Candidate]) -> Members:
    return find_members(Survey(tuple(candidates), ()), known, Path("class"))


@pytest.mark.parametrize("name", ["müllerann (4711)", "Ann Müller", "annm", "ANN müller", "4711", "Annm@x.edu"])
def test_the_roster_names_students_of_every_platform(name: str, tmp_path: Path) -> None:
    told = put_to(roster(tmp_path), [Candidate(name, "week5", Path(name)), Candidate("nobody", "week5", Path("n"))])
    assert [one.student for one in told.candidates] == ["Ann Müller", "nobody"]
    assert (told.missing, told.strangers) == (("Bo Ek", "Lee, Kim"), ("nobody",))
    assert told.roster.extension("Ann Müller", "week5") == Days(2)
    assert told.roster.extension("Ann Müller", "week6") == datetime.fromisoformat("2026-10-20T23:59+02:00")
    assert told.roster.extension("nobody", "week5") is None


def test_a_platforms_students_get_the_rosters_names(tmp_path: Path) -> None:
    told = put_to(roster(tmp_path), found("canvas", tmp_path).candidates)
    assert {candidate.student for candidate in told.candidates} == {"Ann Müller", "Lee, Kim"}


def test_two_of_one_name_are_told_apart_by_number(tmp_path: Path) -> None:
    known = roster(tmp_path, "id,name\n1,Kim Lee\n2,Kim Lee\n")
    put(tmp_path / "c" / "leekim_2_9_hw.zip", ZIP)
    told = put_to(known, survey(tmp_path / "c", COURSE, ["week5"]).candidates)
    assert [one.student for one in told.candidates] == ["Kim Lee (2)"]
    assert told.missing == ("Kim Lee (1)",)


GROUPS = """name,group
Ann Müller,Team 1
Kim Lee,Team 1
Bo Ek,Team 1
Cy Doe,
"""


def grouped(folder: Path, *entries: str) -> dict[str, Candidate]:
    known = roster(folder, GROUPS)
    for entry in entries:
        in_folder(folder / "c" / entry / "week5")
    return {one.student: one for one in put_to(known, survey(folder / "c", COURSE, ["week5"]).candidates).candidates}


@pytest.mark.parametrize("entry", ["Kim Lee", "Team 1"])
def test_each_member_of_a_group_gets_what_one_handed_in(entry: str, tmp_path: Path) -> None:
    credited = grouped(tmp_path, entry, "Cy Doe")
    assert set(credited) == {"Ann Müller", "Bo Ek", "Cy Doe", "Kim Lee"}
    assert f"handed in by {entry} for Team 1" in load(credited["Bo Ek"]).notes
    assert load(credited["Bo Ek"]).digest == load(credited["Kim Lee"]).digest
    assert load(credited["Cy Doe"]).notes == ()


def test_nothing_is_made_up_where_two_of_a_group_handed_in(tmp_path: Path) -> None:
    credited = grouped(tmp_path, "Kim Lee", "Ann Müller")
    assert credited["Kim Lee"].path.name == "Kim Lee"
    assert "others of Team 1 handed in as well" in load(credited["Kim Lee"]).notes
    assert credited["Bo Ek"].problem.startswith("Ann Müller, Kim Lee of Team 1 each handed in")


def test_what_cannot_be_read_of_a_group_is_said_and_costs_the_others_nothing(tmp_path: Path) -> None:
    for name in ("Kim Lee", "Ann Müller"):
        put(tmp_path / "c" / f"{name}.zip", b"PK no zip")
    credited = grouped(tmp_path)
    assert set(credited) == {"Kim Lee", "Ann Müller"} and all(one.problem for one in credited.values())
    good = grouped(tmp_path, "Bo Ek")
    assert {name for name, one in good.items() if not one.problem} == {"Kim Lee", "Ann Müller", "Bo Ek"}


def test_the_latest_of_a_group_counts_where_times_are_known(tmp_path: Path) -> None:
    first = grouped(tmp_path, "Kim Lee", "Ann Müller")
    timed = [
        replace(first[name], handed=Handed(name, first[name].path, at=datetime(2026, 10, day, tzinfo=UTC)))
        for name, day in (("Ann Müller", 2), ("Kim Lee", 3))
    ]
    credited = put_to(roster(tmp_path, GROUPS), timed).candidates
    assert {one.path.name for one in credited} == {"Kim Lee"}
    assert [one.student for one in credited] == ["Ann Müller", "Bo Ek", "Kim Lee"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,mail\n1,2\n", "must name columns"),
        ("id,name\n1,\n", "roster.csv:2: a student without a name"),
        ("name,extensions\nana,week5=soon\n", "roster.csv:2: cannot read the extension 'week5=soon'"),
        ("name,extensions\nana,week5=2026-10-20T23:59\n", r"write it as in week5=\+2d"),
    ],
)
def test_a_roster_that_cannot_be_read_names_the_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        roster(tmp_path, text)


def test_lateness_is_noted_anew_on_every_run_and_the_report_with_it(tmp_path: Path) -> None:
    candidates = found("canvas", tmp_path).candidates
    page = tmp_path / "out" / "students" / safe_name("müllerann (4711)") / "week5" / "report.html"
    with Gradebook(tmp_path / "out" / "gradebook.sqlite") as book:
        put(page)
        note_lateness(COURSE, candidates, Roster(), book)
        assert book.late_of("müllerann (4711)", "week5") == Late(1, COURSE.assignment("week5").late.percent(1))
        assert not page.exists()
        put(page)
        note_lateness(COURSE, candidates, Roster(), book)
        assert page.exists()
        note_lateness(COURSE, candidates, roster(tmp_path).under(["müllerann (4711)", "b", "c"]), book)
        assert book.late_of("müllerann (4711)", "week5") is None and not page.exists()


def test_nothing_of_a_checkouts_git_is_run(tmp_path: Path) -> None:
    found("lab-5-submissions", tmp_path)
    assert not Path("/tmp/owned").exists()
    shutil.rmtree(tmp_path / "lab-5-submissions")
