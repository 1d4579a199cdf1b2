"""Feedback comes to the student whose it is, by the rules of each platform's importer, whatever people are called."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import os
import re
import stat
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.cli.main import main
from grader.errors import UsageError
from grader.exports.feedback import canvas, github, mail, moodle, sending
from grader.exports.feedback.parcels import Parcel, Parcels, file_name
from grader.exports.target import put
from grader.gradebook import Gradebook
from grader.gradebook.deliveries import Route
from grader.people.identity import Mark
from grader.people.naming import safe_name
from grader.people.person import Person
from grader.results import Delivery, Outcome
from tests.exports.importers import canvas_takes, moodle_takes
from tests.support.reports import Page, check, full_report, sample_report

# What a student may be called, and what a program makes of it that reads too much into a name.
HOSTILE = (
    "../../etc/passwd", "Ana/Ben", "a_9001_assignfeedback_file_x", "_1_2_3_", "link", "=cmd|' /C calc'!A0", "\u202eAna",
    "<script>alert(1)</script>", 'Ana"; rm -rf ~; "', "$(reboot)", "x" * 300, "Ana\r\nBcc: all@x.edu", "\x1b[31mAna",
    ".", "~", "._Ana", "123", "123_456", "LATE", "anon", "CON", "Ана", "김", "👩‍💻", "-rf", "ana\x00",
)  # fmt: skip
NAMES = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=40)


def parcel(name: str, *marks: Mark, layout: str = "plain", entries: tuple[str, ...] = ()) -> Parcel:
    person = Person(name, marks=list(marks), folder=safe_name(name), key=abs(hash(name)) % 1000)
    return Parcel(person, full_report(name), Route(layout, entries, Delivery()))


def parcels(*ready: Parcel) -> Parcels:
    return Parcels("week5", ready)


def titles(page: bytes) -> str:
    return Page(page.decode()).text


# Moodle


@settings(max_examples=25, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_moodle_gives_each_participant_the_own_page_and_no_other(names: list[str]) -> None:
    numbers = {2001 + place: name for place, name in enumerate(names)}
    ready = [parcel(name, ("moodle week5", str(number))) for number, name in numbers.items()]
    made = moodle.bundle(parcels(*ready))[""]
    taken = moodle_takes(made, {*numbers, 1, 9001})
    assert {number: list(files) for number, files in taken.items()} == {n: ["report-week5.html"] for n in numbers}
    assert all(taken[2001 + place]["report-week5.html"] == one.page for place, one in enumerate(ready))


def test_a_participants_number_of_another_week_is_not_used() -> None:
    some = parcels(parcel("Ana", ("moodle week4", "2001")), parcel("Ben", ("moodle week5", "2002")))
    assert moodle_takes(moodle.bundle(some)[""], {2001, 2002}).keys() == {2002}
    (line,) = some.left_out
    assert line.startswith("Ana: the download has no participant's number; give the grading worksheet")


WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade),"
    "Feedback comments\n"
    'Participant 2001,Ana Silva,ana@x.edu,Submitted,,100.00,Yes,-,"Well done, Ana"\n'
    "Participant 2002,Ben Li,ben@x.edu,Submitted,12.00,100.00,No,-,\n"
    "Participant 2003,Cleo Roy,cleo@x.edu,Submitted,55.00,100.00,Yes,-,\n"
)


@pytest.fixture
def marking_sheet(tmp_path: Path) -> Path:
    file = tmp_path / "worksheet.csv"
    file.write_text(WORKSHEET, encoding="utf-8")
    return file


def test_a_worksheet_tells_the_numbers_that_a_download_does_not(marking_sheet: Path) -> None:
    some = parcels(parcel("Ana Silva"), parcel("B.", ("email", "ben@x.edu")), parcel("Dora"))
    assert moodle_takes(moodle.bundle(some, marking_sheet)[""], {2001, 2002, 2003}).keys() == {2001, 2002}
    assert [line.partition(":")[0] for line in some.left_out] == ["Dora"]


def test_two_who_are_one_participant_get_nothing_and_are_named() -> None:
    some = parcels(parcel("Ana", ("moodle week5", "7")), parcel("Ben", ("moodle week5", "7")))
    assert moodle_takes(moodle.bundle(some)[""], {7}) == {}
    assert len(some.left_out) == 2 and all("Ana and Ben are one participant, 7" in line for line in some.left_out)


def test_comments_fill_their_column_alone_and_keep_what_a_person_wrote(marking_sheet: Path) -> None:
    some = parcels(parcel("Ana Silva"), parcel("Ben Li"))
    filled = moodle.comments(some, marking_sheet, None, overwrite=False)
    was, now = (list(csv.reader(io.StringIO(text))) for text in (WORKSHEET, filled.text))
    assert [row[:-1] for row in now] == [row[:-1] for row in was]
    assert now[1][-1] == "Well done, Ana" and "100 of 100 points" in now[2][-1]
    assert filled.left_out == [
        f"Ana Silva: has a comment there, Well done, Ana, and not {now[2][-1][:39]}…; --overwrite replaces it"
    ]
    assert moodle.comments(some, marking_sheet, None, overwrite=True).replaced[0].startswith("Ana Silva: Well done")


@pytest.mark.parametrize(
    ("header", "has_column"),
    [
        ("Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung),Feedback als Kommentar", True),
        ("Zuletzt geändert (Abgabe),Text online,Zuletzt geändert (Bewertung)", False),
        ("Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung)", False),
    ],
)
def test_the_column_for_comments_is_found_in_any_language(header: str, has_column: bool, tmp_path: Path) -> None:
    file = tmp_path / "worksheet.csv"
    more = header.count(",") - 1
    lines = ["ID,Vollständiger Name,E-Mail-Adresse,Bewertung,Bestwertung,Bewertung kann geändert werden," + header]
    for number, name in enumerate(("Ana Silva", "Ben Li")):
        rest = ["Montag", "-", ""] if has_column else ["Montag", *["x"] * more, "-"][: more + 2]
        lines.append(f"Teilnehmer/in{number},{name},{name[0]}@x.edu,,100,Ja,{','.join(rest)}")
    file.write_text("\n".join(lines) + "\n", "utf-8")
    some = parcels(parcel("Ana Silva"))
    if not has_column:
        with pytest.raises(UsageError, match="no column 'Feedback comments'; name the one for comments"):
            moodle.comments(some, file, None, overwrite=False)
        return
    filled = moodle.comments(some, file, None, overwrite=False)
    assert "100 of 100 points" in next(csv.reader(filled.text.splitlines()[1:]))[-1]


def test_a_comment_holds_no_markup_and_no_formula_of_a_students() -> None:
    report = sample_report("=HYPERLINK(1)")
    lost = replace(report.checks[0], outcome=Outcome.FAILED, points=0, message="<img src=x onerror=alert(1)>\n=cmd()")
    text = moodle.comment(replace(report, checks=(lost, *report.checks[1:])))
    assert {tag for tag, _ in Page(text).tags} <= {"p", "strong"}
    assert "<img src=x" in Page(text).text
    assert "\n" not in text and text.startswith("<p>")


# Canvas


@settings(max_examples=25, deadline=None)
@given(st.lists(NAMES.filter(lambda name: "/" not in name and "\x00" not in name), min_size=1, max_size=4, unique=True))
def test_canvas_gives_each_student_the_own_page_or_it_is_said(files: list[str]) -> None:
    users = {str(1001 + place): file for place, file in enumerate(files)}
    ready = [
        parcel(f"student {user}", ("canvas", user), layout="canvas", entries=(f"silvaana_{user}_5{user}_{file}",))
        for user, file in users.items()
    ]
    some = parcels(*ready)
    taken, ignored = canvas_takes(canvas.bundle(some)[""], {user: {f"5{user}"} for user in users})
    assert ignored == [] and some.left_out == []
    assert taken == {user: [one.page] for user, one in zip(users, ready, strict=True)}


@pytest.mark.parametrize("late", ["", "_LATE"])
@pytest.mark.parametrize("name", ["silvaana", "müllerkarl", "o'brien-jr.", "x" * 220, "김", "a:b", ""])
def test_canvas_takes_a_page_back_for_whatever_name_it_has_written(name: str, late: str) -> None:
    one = parcel("Ana", ("canvas", "1001"), layout="canvas", entries=(f"{name}{late}_1001_5001_lenet-1.py",))
    taken, ignored = canvas_takes(canvas.bundle(parcels(one))[""], {"1001": {"5001"}})
    assert (taken, ignored) == ({"1001": [one.page]}, [])


@pytest.mark.parametrize("late", ["", "LATE_"])
def test_canvas_takes_pages_back_for_anonymous_students(late: str) -> None:
    one = parcel("anon", ("anonymous week5", "aX9bC"), layout="canvas", entries=(f"{late}anon_aX9bC_5062_week5.zip",))
    taken, ignored = canvas_takes(canvas.bundle(parcels(one))[""], {"1001": {"5062"}}, {"aX9bC": "1001"})
    assert (taken, ignored) == ({"1001": [one.page]}, [])


def test_canvas_gives_nobody_a_page_by_somebody_elses_ids() -> None:
    """A name of digits alone would be taken for an id, and a member of a group has no file of the own."""
    numbered = parcel("2002", ("canvas", "1001"), layout="canvas", entries=("2002_1001_5001_lenet.py",))
    member = parcel("Ben", ("canvas", "1002"), layout="canvas", entries=("silvaana_1001_5001_lenet.py",))
    unknown = parcel("Cleo", ("canvas", "1003"), layout="moodle", entries=("Cleo_1003_5003_lenet.py",))
    some = parcels(numbered, member, unknown)
    taken, ignored = canvas_takes(canvas.bundle(some)[""], {"1001": {"5001"}, "2002": {"1001"}, "1003": {"5003"}})
    assert (taken, ignored) == ({}, [])
    assert sorted(line.partition(":")[0] for line in some.left_out) == ["2002", "Ben", "Cleo"]


# GitHub

GH = """#!/bin/sh
printf '%s' "$*" | tr '\\n' ' ' >> "$LOG"; echo >> "$LOG"
case "$*" in
*"view org/public"*) echo PUBLIC;;
*"repo view"*) echo PRIVATE;;
*"issue list --repo org/again"*) echo 7;;
esac
"""


def run_script(folder: Path) -> tuple[int, list[str]]:
    """Run the script with a `gh` that notes how it is called."""
    tools = folder.parent / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(stat.S_IRWXU)
    log = folder.parent / "log"
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "LOG": str(log)}
    ended = subprocess.run(["sh", folder / "send.sh", "org"], env=environment, capture_output=True, check=False)
    return ended.returncode, log.read_text().splitlines()


def test_the_script_makes_an_issue_in_each_private_repository_and_edits_its_own(tmp_path: Path) -> None:
    ready = [parcel(name, layout="github", entries=(name,)) for name in ("lab-ana", "again", "public")]
    put(tmp_path / "made", github.bundle(parcels(*ready)))
    code, calls = run_script(tmp_path / "made")
    done = [call for call in calls if "issue create" in call or "issue edit" in call]
    assert done == [
        "issue create --repo org/lab-ana --title Feedback: Week 5 --body-file issues/lab-ana.md",
        "issue edit 7 --repo org/again --body-file issues/again.md",
    ]
    assert code == 1  # one repository is public


@settings(max_examples=25, deadline=None)
@given(NAMES, NAMES)
def test_no_name_gets_into_the_script_but_a_repositorys(name: str, entry: str) -> None:
    some = parcels(
        parcel(name, layout="github", entries=(entry,)), parcel("ben", layout="github", entries=("lab-ben",))
    )
    made = github.bundle(some)
    calls = [line for line in made["send.sh"].decode().splitlines() if line.startswith("send ")]
    assert all(re.fullmatch(r"send [A-Za-z0-9._-]+ '[\w:, -]+' issues/[\w.-]+\.md", call) for call in calls)
    assert all(re.fullmatch(r"send\.sh|(issues|pages)/[\w][\w.-]*\.(md|html)", path) for path in made)
    assert len(calls) + len(some.left_out) == 2


def test_members_of_a_group_get_an_issue_each_in_their_repository() -> None:
    some = parcels(*(parcel(name, layout="classroom50", entries=("dl-lab-team",)) for name in ("Ana", "Ben")))
    made = github.bundle(some)
    assert sum(path.startswith("issues/") for path in made) == 2
    assert b"'Feedback: Week 5, Ana'" in made["send.sh"] and b"'Feedback: Week 5, Ben'" in made["send.sh"]


def test_an_issue_is_never_longer_than_github_takes() -> None:
    long = tuple(check("5.1", f"check {n}", Outcome.ERROR, 1, "\N{GRINNING FACE}" * 3000) for n in range(40))
    text = github.issue(replace(full_report(), checks=long))
    assert len(text) < 65_536 and "0 of 40 points" in text


# Mail


@settings(max_examples=25, deadline=None)
@given(NAMES)
def test_an_e_mail_goes_to_its_student_alone_with_the_page(name: str) -> None:
    one = parcel(name, ("email", "ana@x.edu"))
    made = mail.bundle(parcels(one))
    (path,) = [path for path in made if path.endswith(".eml")]
    message = email.message_from_bytes(made[path], policy=email.policy.default)
    assert [address.addr_spec for address in message["To"].addresses] == ["ana@x.edu"]
    assert set(message.keys()) == {"To", "Subject", "X-Unsent", "MIME-Version", "Content-Type"}
    (page,) = message.iter_attachments()
    assert (page.get_content_type(), page.get_filename()) == ("text/html", "report-week5.html")
    assert page.get_payload(decode=True) == one.page
    assert all(".." not in path.split("/") and path.count("/") <= 1 for path in made)
    (row,) = csv.DictReader(io.StringIO(made["mail.csv"].decode(), newline=""))
    assert not row["name"].startswith(("=", "+", "-", "@")) and row["email"] == "ana@x.edu"
    assert {row["message"], row["attachment"], "mail.csv"} == made.keys()


@pytest.mark.parametrize(
    "address", ["", "ana", "a b@x.edu", "ana@x.edu\nBcc: c@x.edu", "ana@x.edu, ben@x.edu", "@x", "a@-"]
)
def test_who_has_no_usable_address_is_named(address: str) -> None:
    some = parcels(parcel("Ana", ("email", address)) if address else parcel("Ana"))
    assert mail.bundle(some).keys() == {"mail.csv"}
    assert some.left_out == ["Ana: no e-mail address is known; give a roster with the column `email`"]


def test_two_who_have_one_address_get_no_mail_with_each_others_points() -> None:
    some = parcels(parcel("Ana", ("email", "lab@x.edu")), parcel("Ben", ("email", "LAB@x.edu")))
    assert mail.bundle(some).keys() == {"mail.csv"} and len(some.left_out) == 2


# All of them


@pytest.mark.parametrize("make", [canvas.bundle, github.bundle, mail.bundle, moodle.bundle])
def test_the_same_class_gives_the_same_bytes(make: object) -> None:
    def once() -> object:
        one = parcel(
            "Ana",
            ("canvas", "1"),
            ("moodle week5", "2"),
            ("email", "a@x.edu"),
            layout="canvas",
            entries=("a_1_2_x.py",),
        )
        return make(parcels(one))  # type: ignore[operator]

    assert once() == once()


def test_a_name_in_a_file_has_letters_digits_and_hyphens_alone() -> None:
    assert file_name("Ana María O'Brien_2001_x") == "Ana-María-O-Brien-2001-x"
    assert file_name("../..") == file_name("\u202e") == "student"
    assert all(re.fullmatch(r"[\w-]{1,60}", file_name(name)) and "_" not in file_name(name) for name in HOSTILE)


@pytest.mark.parametrize(
    ("layouts", "way"),
    [
        ({"canvas"}, "canvas"), ({"moodle"}, "moodle"), ({"github"}, "github"), ({"classroom50"}, "github"),
        ({"github", "classroom50"}, "github"), ({"gradescope"}, "mail"), ({"plain"}, "mail"),
    ],
)  # fmt: skip
def test_the_way_back_is_the_way_that_the_work_came(layouts: set[str], way: str) -> None:
    assert sending.way_of(parcels(*(parcel(layout, layout=layout) for layout in sorted(layouts)))) == way


def test_where_work_came_in_two_ways_it_is_asked() -> None:
    with pytest.raises(UsageError, match=r"--as: the class was read as Canvas and Moodle"):
        sending.way_of(parcels(parcel("a", layout="canvas"), parcel("b", layout="moodle")))
    with pytest.raises(UsageError, match=r"--as: no run has noted how the class came"):
        sending.way_of(parcels(replace(parcel("a"), route=None)))


# The command


@pytest.fixture
def sent_reports(tmp_path: Path) -> Path:
    """A class from Moodle: graded, provisional, not gradable, and one who handed in nothing."""
    marks: dict[str, list[Mark]] = {
        "Ana": [("moodle week5", "7"), ("email", "ana@x.edu")],
        "Ben": [("moodle week5", "8")],
    }
    people = [
        Person(name, marks=marks.get(name, []), folder=name, listed=True) for name in ("Ana", "Ben", "Cleo", "Dora")
    ]
    with Gradebook(tmp_path / "reports" / "gradebook.sqlite") as book:
        book.save_people(people)
        book.record(full_report("Ana"))
        book.record(sample_report("Ben"))
        book.record_problem("Cleo", "week5", "no submission")
        book.record_deliveries(
            {(name, "week5"): Route("moodle", (f"{name}_7_x",), Delivery()) for name in ("Ana", "Ben")}
        )
    return tmp_path / "reports"


def test_who_is_left_out_is_counted_where_not_all_are_named() -> None:
    with pytest.raises(UsageError, match=r"D: late; and 2 more$"):
        sending.way_of(Parcels("week5", [], ["A: late", "B: late", "D: late", "E: late", "F: late"]))
    with pytest.raises(UsageError, match=r"yet: A: late$"):
        sending.way_of(Parcels("week5", [], ["A: late"]))


def test_the_command_makes_the_zip_and_names_whom_it_leaves_out(
    sent_reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "feedback.zip"
    words = ["export", str(sent_reports), "--to", "feedback", "--write", str(target)]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"wrote {target}: Week 5, 1 report as moodle takes them"
    assert lines[2:] == [
        "left out: Ben: not graded for good yet",
        "left out: Cleo: not gradable: no submission",
        "left out: Dora: handed in nothing for week5",
    ]
    assert zipfile.ZipFile(target).namelist() == ["Ana_7_assignfeedback_file/report-week5.html"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_is_there_already_stays_unless_it_may_be_overwritten(
    sent_reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "feedback.zip"
    target.write_bytes(b"mine")
    words = ["export", str(sent_reports), "--to", "feedback", "--write", str(target)]
    assert main(words) == 2 and target.read_bytes() == b"mine"
    assert "is there already, with other content" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0 and target.read_bytes() != b"mine"
    assert main(words) == 0  # the same bytes need no leave
    folder = tmp_path / "mail"
    (folder / "messages").mkdir(parents=True)
    (folder / "messages" / "old.eml").write_bytes(b"mine")
    words = ["export", str(sent_reports), "--to", "feedback", "--as", "mail", "--write", str(folder)]
    assert main(words) == 2
    assert "holds other files already (messages/old.eml)" in capsys.readouterr().err
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["old.eml"]


def test_where_nobody_can_get_anything_nothing_is_written_and_the_reason_is_told(
    sent_reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(sent_reports), "--to", "feedback", "--as", "github", "--write", str(tmp_path / "made")]
    assert main(words) == 2
    assert "nobody's week5 can go back as github" in (told := capsys.readouterr().err)
    assert "Ana: no repository is known" in told
    assert not (tmp_path / "made").exists()


def test_canvas_gets_the_page_for_the_file_of_the_latest_attempt() -> None:
    entries = ("leeann_7_9001_lenet.py", "leeann_7_9002_training.py", "leeann_7_9010_lenet-1.py")
    made = canvas.bundle(parcels(parcel("Ann Lee", ("canvas", "7"), layout="canvas", entries=entries)))
    with zipfile.ZipFile(io.BytesIO(made[""])) as archive:
        (name,) = archive.namelist()
    assert canvas.read_back(name) == ("7", "9010")
