"""Who is who, from the command line: rosters that come later, corrected names, phantoms, and what mends the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cli.main import main
from grader.course import Course
from grader.gradebook import Gradebook
from tests.support.makers import put
from tests.support.runs import batch_unjudged as batch
from tests.support.runs import rows

WORK = b"def double(n):\n    return 2 * n\n"


@pytest.fixture
def class_of(one_check_course: Course, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of one week, as the current folder."""
    monkeypatch.chdir(one_check_course.root)
    return one_check_course.root


def hand_in(root: Path, *entries: str, work: bytes = WORK) -> None:
    for entry in entries:
        put(root / "submissions" / entry / "work.py", work)


def attempts(root: Path) -> int:
    with Gradebook(root / "reports" / "gradebook.sqlite") as book:
        return int(book.rows("SELECT count(*) FROM attempts")[0][0])


def test_a_roster_on_the_second_run_and_a_corrected_name_grade_nobody_again(class_of: Path) -> None:
    hand_in(class_of, "10013", "Silva, Ana", "zoe@x.edu")
    assert batch(class_of)[0] == 0
    assert main(["override", "10013", "week1", "1.1", "7", "--why", "discussed"]) == 0
    folder = class_of / "reports" / "students" / "10013" / "week1"
    assert "10013" in (folder / "report.md").read_text()
    status, output = batch(
        class_of, roster="id,name,email\n10013,Luca Rossi,\n1,Ana Silva,\n2,Zoë Ek,zoe@x.edu\n3,Bo W,\n"
    )
    assert status == 0
    assert "graded 0, unchanged 3" in output and "the same person: 10013, now Luca Rossi" in output
    assert "handed in nothing: 1 (Bo W)" in output
    output = batch(class_of, roster="id,name\n10013,Luca Rossi-Bianchi\n")[1]
    assert "not on the roster: 2 (Ana Silva, Zoë Ek)" in output
    assert rows(class_of)["Luca Rossi-Bianchi"]["week1"] == "7"
    assert "Luca Rossi-Bianchi" in (folder / "report.html").read_text()
    assert attempts(class_of) == 3


def test_a_renamed_entry_is_the_same_person_and_a_phantom_is_named_and_left_out(
    class_of: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(class_of, "Li, Wei", "Bo Wang")
    hand_in(class_of, "ana", work=b"def double(n):\n    return n + n\n")
    assert batch(class_of)[0] == 0
    folder = class_of / "submissions"
    (folder / "Li, Wei").rename(folder / "Wei Li")
    (folder / "ana").rename(folder / "Ana Silva")
    (folder / "Bo Wang").rename(class_of / "Bo Wang")
    output = batch(class_of)[1]
    assert "graded 0, unchanged 2" in output
    assert "no longer in the folder, left out of all grades: 1 (Bo Wang)" in output
    assert set(rows(class_of)) == {"Wei Li", "Ana Silva"}
    capsys.readouterr()
    assert main(["override", "bo wang", "week1", "1.1", "7", "--why", "x"]) == 2
    assert "since the class folder no longer holds the entry" in capsys.readouterr().err
    (class_of / "Bo Wang").rename(folder / "Bo Wang")
    assert "graded 0, unchanged 3" in batch(class_of)[1]
    assert set(rows(class_of)) == {"Wei Li", "Ana Silva", "Bo Wang"}


def test_another_part_of_the_class_leaves_the_first_where_it_is(class_of: Path) -> None:
    hand_in(class_of, "ana", "bo")
    assert batch(class_of)[0] == 0
    (class_of / "submissions").rename(class_of / "first")
    hand_in(class_of, "cy", "dee")
    (class_of / "submissions").rename(class_of / "second")
    for name in ("first", "second"):
        assert batch(class_of, folder=name)[0] == 0
    assert set(rows(class_of)) == {"ana", "bo", "cy", "dee"}


def test_a_roster_that_fits_hardly_anybody_has_a_word_about_which_would(class_of: Path) -> None:
    hand_in(class_of, "x901", "x902", "x903")
    roster = "name\nAna Silva\nBo Wang\nCy Chen\n"
    assert "same people? then give --roster what the platform exports" in batch(class_of, roster=roster)[1]
    assert "same people?" not in batch(class_of, roster="name\nx901\nx902\nx903\nDee\n")[1]


def test_two_of_one_name_are_asked_about_and_a_merge_settles_it(
    class_of: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(class_of, "John Smith", "Ana")
    roster = "id,name,email\nm1,John Smith,j1@x.edu\nm2,John Smith,j2@x.edu\n7,Ana,\n"
    output = batch(class_of, roster=roster)[1]
    assert "not clear: John Smith may be John Smith (m1) or John Smith (m2); if it is the first: people merge" in output
    assert "handed in nothing" not in output
    assert rows(class_of)["John Smith (m1)"]["week1 state"] == "not clear whose"
    assert main(["override", "JOHN SMITH", "week1", "1.1", "9", "--why", "x"]) == 2
    assert "may be 3 people" in capsys.readouterr().err
    assert main(["override", "John Smith", "week1", "1.1", "9", "--why", "x"]) == 0
    assert main(["people", "merge", "John Smith", "J2@X.EDU"]) == 0
    assert "John Smith is now John Smith (m2)" in capsys.readouterr().out
    output = batch(class_of, roster=roster)[1]
    assert "graded 0, unchanged 2" in output and "not clear" not in output
    assert "handed in nothing: 1 (John Smith (m1))" in output
    assert {name: (row["id"], row["week1"]) for name, row in rows(class_of).items()} == {
        "Ana": ("7", "100"),
        "John Smith (m1)": ("m1", ""),
        "John Smith (m2)": ("m2", "9"),
    }
    reports = class_of / "reports" / "students"
    assert len([page for page in reports.glob("*/week1/report.html") if "John Smith" in page.read_text()]) == 1


def test_two_entries_of_one_person_are_named_and_neither_is_guessed(class_of: Path) -> None:
    hand_in(class_of, "10013", "luca@x.edu")
    status, output = batch(class_of, roster="id,name,email\n10013,Luca Rossi,luca@x.edu\n")
    assert status == 1
    assert "not graded: Luca Rossi week1: 10013 and luca@x.edu are both theirs" in output
    assert rows(class_of)["Luca Rossi"]["week1 state"] == "not gradable"


def test_people_lists_renames_and_forgets(class_of: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in(class_of, "ana", "bo")
    assert batch(class_of)[0] == 0
    assert main(["people", "rename", "ANA", "Ána Silva"]) == 0
    assert capsys.readouterr().out == "ana is now Ána Silva\n"
    assert "graded 0, unchanged 2" in batch(class_of)[1]
    assert set(rows(class_of)) == {"Ána Silva", "bo"}
    assert main(["people", "forget", "bo"]) == 2
    assert "add --force" in capsys.readouterr().err
    (class_of / "submissions" / "bo").rename(class_of / "bo")
    assert batch(class_of)[0] == 0
    capsys.readouterr()
    assert main(["people"]) == 0
    assert "no longer in the folder" in capsys.readouterr().out
    assert main(["people", "forget", "bo"]) == 0
    assert capsys.readouterr().out == "forgot bo: week1, 100 points\n"
    assert not (class_of / "reports" / "students" / "bo").exists()
    assert main(["people", "merge", "ana silva"]) == 2
    assert "people merge takes 2 names, not 1" in capsys.readouterr().err


def test_a_dry_run_asks_the_same_and_changes_nothing(class_of: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in(class_of, "ana", "bo")
    assert batch(class_of)[0] == 0
    (class_of / "submissions" / "bo").rename(class_of / "bo")
    before = (class_of / "reports" / "gradebook.sqlite").read_bytes()
    assert main(["batch", "submissions", "--dry-run"]) == 0
    assert "no longer in the folder, left out of all grades: 1 (bo)" in capsys.readouterr().out
    assert (class_of / "reports" / "gradebook.sqlite").read_bytes() == before


def test_moodles_groups_are_sections_and_nobodys_work_or_override_reaches_them(class_of: Path) -> None:
    hand_in(class_of, "Ana Silva", "Bo Wang")
    table = "Identifier,Full name,Groups\n" + "".join(
        f"Participant {n},{name},Tuesday\n" for n, name in enumerate(("Ana Silva", "Bo Wang", "Cy Ek"), 1)
    )
    status, output = batch(class_of, roster=table)
    assert status == 0 and "its groups, such as 'Tuesday', are read as sections" in output
    assert "handed in nothing: 1 (Cy Ek)" in output
    assert main(["override", "ana silva", "week1", "1.1", "7", "--why", "x"]) == 0
    found = rows(class_of)
    assert (found["Ana Silva"]["week1"], found["Bo Wang"]["week1"]) == ("7", "100")
    assert (found["Bo Wang"]["section"], found["Bo Wang"]["group"]) == ("Tuesday", "")
    output = batch(class_of, roster=table.replace("Groups", "Gruppe"))[1]
    assert "its groups" not in output and "handed in nothing" not in output


def test_a_group_is_refused_whose_many_members_have_works_of_their_own(class_of: Path) -> None:
    names = [f"Student {letter}" for letter in "ABCDEFGHI"]
    for name in names:
        hand_in(class_of, name, work=WORK + f"# {name}\n".encode())
    status, output = batch(class_of, roster="name,group\n" + "".join(f"{name},Tuesday\n" for name in names))
    assert status == 2 and "call that column `section`" in output and not (class_of / "reports").exists()
    for name in names:
        hand_in(class_of, name)
    assert batch(class_of, roster="name,group\n" + "".join(f"{name},Tuesday\n" for name in names))[0] == 0


def test_a_group_is_the_same_in_any_letter_case(class_of: Path) -> None:
    hand_in(class_of, "Team Rocket", "Cy Ek")
    output = batch(
        class_of, roster="name,group\nAna Silva,team rocket\nBo Wang,Team  Rocket\nCy Ek,TEAM B\nDi Li,team b\n"
    )[1]
    assert "handed in nothing" not in output
    assert {row["week1"] for row in rows(class_of).values()} == {"100"} and len(rows(class_of)) == 4
