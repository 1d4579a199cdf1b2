"""A roster may come from a spreadsheet or a platform; what would be lost without a word is an error with its line."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course
from grader.errors import UsageError
from grader.intake.roster import Roster, Student, read_roster
from grader.intake.tables.extensions import Days
from grader.intake.tables.roster_file import read_lines
from grader.people.identity import Identity
from grader.people.register import Entry, Register
from tests.support.courses import copied


def read(folder: Path, text: str | bytes, course: Course | None = None) -> list[Student]:
    file = folder / "roster.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_roster(file, course.assignments() if course else None).students)


ANA = Student("Ana Silva", "1", "ana@x.edu")

PLATFORMS = {
    "own": "id,name,email\n1,Ana Silva,ana@x.edu\n",
    "own, in other letters": "ID,Name,E-mail\n1,Ana Silva,ana@x.edu\n",
    "more columns": "id,name,notes,email\n1,Ana Silva,hello,ana@x.edu\n",
    "sep": "sep=;\r\nid;name;email\r\n1;Ana Silva;ana@x.edu\r\n",
    "sep of tabs": "sep=\t\nid\tname\temail\n1\tAna Silva\tana@x.edu\n",
    "empty columns at the end": "id,name,email,,\r\n1,Ana Silva,ana@x.edu,,\r\n,,,,\r\n",
    "empty cells left out": "id,name,email,section\n1,Ana Silva,ana@x.edu\n",
    "an index": ",id,name,email\n0,1,Ana Silva,ana@x.edu\n",
    "names in two columns": "First name,Last name,Email address,ID number\nAna,Silva,ana@x.edu,1\n",
    "Gradescope": "First Name,Last Name,SID,Email,Sections\nAna,Silva,1,ana@x.edu,\n",
    "UTF-16 without its mark": "id\tname\temail\r\n1\tAna Silva\tana@x.edu\r\n".encode("utf-16-le"),
    "UTF-16, big end first": "id\tname\temail\r\n1\tAna Silva\tana@x.edu\r\n".encode("utf-16-be"),
    "a Mac's old lines": "id;name;email\r1;Ana Silva;ana@x.edu\r",
    "a Mac's old lines after sep": "sep=;\rid;name;email\r1;Ana Silva;ana@x.edu\r",
    "UTF-16": "id\tname\temail\r\n1\tAna Silva\tana@x.edu\r\n".encode("utf-16"),
}


@pytest.mark.parametrize("text", PLATFORMS.values(), ids=PLATFORMS)
def test_a_roster_is_read_as_spreadsheets_and_platforms_write_it(text: str | bytes, tmp_path: Path) -> None:
    assert read(tmp_path, text) == [ANA]


CANVAS = {
    "short": ("Student,ID,Section", "{name},1,A"),
    "login": ("Student,ID,SIS Login ID,Section", "{name},1,silva,A"),
    "SIS": ("Student,ID,SIS User ID,SIS Login ID,Section", "{name},1,s77,silva,A"),
    "integration": ("Student,ID,SIS User ID,SIS Login ID,Integration ID,Section", "{name},1,s77,silva,,A"),
    "root": ("Student,ID,SIS User ID,SIS Login ID,Root Account,Section", "{name},1,s77,silva,x.edu,A"),
    "all": (
        "Student,ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section",
        "{name},1,s77,silva,,x.edu,A",
    ),
}


@pytest.mark.parametrize("two_names", [False, True])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("kind", CANVAS)
def test_a_canvas_gradebook_is_a_roster(kind: str, delimiter: str, two_names: bool, tmp_path: Path) -> None:
    header, row = CANVAS[kind]
    name = "Silva,Ana" if two_names else "Ana Silva"
    lines = [
        header.replace("Student", "LastName,FirstName") + ",Week 5 (4711),Final Score",
        header.count(",") * "," + (",," if two_names else ",") + "Manual Posting,",
        "    Points Possible" + header.count(",") * "," + ("," if two_names else "") + ",100,(read only)",
        row.format(name=name) + ",,12.5",
        header.count(",") * "," + (",," if two_names else ",") + ",",
    ]
    if not two_names:
        lines[0] = header + ",Week 5 (4711),Final Score"
        lines.append(row.format(name='"Student, Test"').replace(",1,", ",2,").replace("silva", "0af") + ",,")
    text = "\n".join(lines).replace(",", delimiter).replace(f'"Student{delimiter} Test"', '"Student, Test"')
    (found,) = read(tmp_path, text)
    assert (found.name, found.id, found.section) == ("Ana Silva", "1", "A")
    assert (found.login, found.also) == ("" if kind == "short" else "silva", "s77" if kind not in CANVAS_BRIEF else "")


CANVAS_BRIEF = ("short", "login")


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("Identifier,Full name,Email address,Status", "Participant 2001"),
        ("ID,Vollständiger Name,E-Mail-Adresse,Status", "Teilnehmer/in2001"),
        ("Identificador,Nombre completo,Dirección de correo,Estatus", "Participante2001"),
        ("Идентификатор,Полное имя,Адрес,Состояние", "Участник2001"),
        ("識別子,フルネーム,メールアドレス,ステータス", "参加者2001"),
        ("Tunnus,Täisnimi,E-post,Olek", "Tundmatu sõna 2001"),
    ],
)
def test_a_moodle_worksheet_of_any_language_is_a_roster(header: str, word: str, tmp_path: Path) -> None:
    (found,) = read(tmp_path, f"{header}\n{word},Ana Silva,ana@x.edu,\n")
    assert (found.name, found.id, found.email) == ("Ana Silva", "2001", "ana@x.edu")


def test_ids_of_letters_and_digits_are_no_participants(tmp_path: Path) -> None:
    assert [one.id for one in read(tmp_path, "id,name\ns1,Ana\ns2,Bo\n")] == ["s1", "s2"]


@pytest.mark.parametrize("name", ["Ana Silva", "Silva, Ana", "Silva; Ana"])
def test_a_roster_of_one_column_needs_no_quotes(name: str, tmp_path: Path) -> None:
    assert [one.name for one in read(tmp_path, f"name\n{name}\nBo Wang\n")] == [name, "Bo Wang"]


def test_github_logins_find_their_student(tmp_path: Path) -> None:
    file = tmp_path / "classroom_roster.csv"
    file.write_text("identifier,github_username,github_id,name\nana@x.edu,ana-s,77,Ana Silva\n", "utf-8")
    (student,) = read_roster(file).students
    for word in ("ana-s", "77", "ana@x.edu", "Ana Silva"):
        register = Register()
        lines = register.place([Entry(student.who, student.name, listed=True)])
        assert register.place([Entry(Identity(word), word, frozenset({"week5"}))]) == lines


WRONG = {
    "a misspelled column": ("id,name,extention\n1,Ana,\n", r"roster.csv:1: .*'extensions' may be meant"),
    "no name": ("id,mark\n1,2\n", r"roster.csv:1: the first line must name columns"),
    "two columns of one name": ("id,name,Name\n1,Ana,Bo\n", r"roster.csv:1: two columns are called"),
    "a cell too many": ("id,name\n1,Silva, Ana\n", r"roster.csv:2: 'Ana' stands in column 3"),
    "an extension under another name": ("id,name,late\n1,Ana,week5=+2d\n", r"roster.csv:2: .*call that column"),
    "an id twice": ("id,name\n1,Ana\n\n1,Li Wei\n", r"roster.csv:4: the id 1 is also Ana's, in line 2"),
    "an address twice": ("name,email\nAna,a@x.edu\nBo,A@X.EDU\n", r"roster.csv:3: the email A@X.EDU is also Ana's"),
    "the same name twice": ("name\nAna Silva\nSilva, Ana\n", r"roster.csv:3: nothing tells Silva, Ana apart"),
    "an unknown week": (
        "name,extensions\nAna,week9=+2d\n",
        r"roster.csv:2: 'week9=\+2d' is for no week of this course",
    ),
    "an unknown word": ("name,extensions\nAna,exam=+2d\n", r"roster.csv:2: .*known weeks: week4, week5"),
    "a week twice": ("name,extensions\nAna,week5=+2d; wk5=+1d\n", r"roster.csv:2: 'wk5=\+1d' is the second extension"),
    "no time zone": (
        "name,extensions\nAna,week5=2026-10-20T23:59\n",
        r"roster.csv:2: .* which lacks the offset from UTC at its end",
    ),
    "no week": ("name,submitted\nAna,2026-10-20T23:59+02:00\n", r"2: .* lacks its week in front \(week5=\); write"),
    "neither": ("name,submitted\nAna,2026-10-20 23:59\n", r"2: .* lacks its week in front .* and the offset"),
    "no amount": ("name,extensions\nAna,week5\n", r"roster.csv:2: cannot read the extension 'week5'"),
    "a time that is none": ("name,submitted\nAna,week5=+2d\n", r"roster.csv:2: cannot read the time 'week5=\+2d'"),
    "a quote in a quote": ('name\n"Ana\n', r"roster.csv:2: not a row of a table"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_would_be_lost_is_an_error_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    course = Course(copied("two_weeks", tmp_path / "course"))
    with pytest.raises(UsageError, match=message):
        read(tmp_path, text, course)


@pytest.mark.parametrize("word", ["week5", "Week5", "week05", "WEEK 5", "wk5", "w5", "hw5", "5", "05"])
@pytest.mark.parametrize("amount", ["+2d", "+ 2 days", "+2D"])
def test_a_week_may_be_written_as_anybody_would(word: str, amount: str, tmp_path: Path) -> None:
    course = Course(copied("two_weeks", tmp_path / "course"))
    (found,) = read(tmp_path, f"name,extensions\nAna,{word}={amount}\n", course)
    assert found.extensions == {"week5": Days(2)}


def test_several_weeks_stand_in_one_cell(tmp_path: Path) -> None:
    (found,) = read(tmp_path, 'name,extensions\nAna,"week4=+12h, week5=2026-10-20T23:59+02:00; week6=+1d"\n')
    until = datetime.fromisoformat("2026-10-20T23:59+02:00")
    assert found.extensions == {"week4": timedelta(hours=12), "week5": until, "week6": Days(1)}


TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5, unique_by=lambda row: row[0].casefold()),
    delimiter=st.sampled_from(",;\t"),
    says=st.booleans(),
    spare=st.integers(0, 3),
)
def test_every_roster_that_a_spreadsheet_writes_is_read(
    rows: list[tuple[str, str]], delimiter: str, says: bool, spare: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [(id, name) for id, name in rows if name.casefold() not in ("muted",)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    for row in [("id", "name"), *rows]:
        writer.writerow([*row, *[""] * spare])
    file = tmp_path_factory.mktemp("rosters") / "roster.csv"
    file.write_bytes(((f"sep={delimiter}\r\n" if says else "") + out.getvalue()).encode("utf-8-sig"))
    found, said = read_lines(file, lambda week: week, ()) if rows else ([], ())
    assert said == ()
    assert [(line.id, line.name) for line in found] == rows


def test_an_empty_class_is_no_student() -> None:
    assert Roster().students == ()
