"""Tables of requests are read as forms really export them: columns in any order and language, mapped once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.gradebook import open_book
from tests.support.desks import HOST, Page, Visitor, make_book, opened
from tests.support.makers import zip_at

# As the forms of these makers export them, with the students of the small class.
GOOGLE = (
    '"Timestamp","Email Address","Which week is it about?","Which task?","What should we look at again, and why?"\n'
    '"2026/11/20 9:14:03 AM GMT+1","2000@uni.edu","Week 5: CNNs","5.3 values of LeNet",'
    '"I think, my ""forward""\nis right"\n'
    '"2026/11/20 11:02:41 PM GMT+1","2001@uni.edu","Week 5: CNNs","","Please look at the plots again"\n'
)
GOOGLE_GERMAN = (
    "Zeitstempel,E-Mail-Adresse,Um welche Woche geht es?,Was sollen wir uns noch einmal ansehen?\n"
    "20.11.2026 09:14:03,2002@uni.edu,Woche 5,Die Gradienten müssten stimmen\n"
)
MICROSOFT = (
    "ID;Start time;Completion time;Email;Name;Homework;Why should it be graded again?\r\n"
    "1;11/20/2026 9:14:03;11/20/2026 9:16:40;2000@uni.edu;Ana Silva;Homework 5;The check is too strict\r\n"
    "2;11/20/2026 9:20:11;11/20/2026 9:21:05;anonymous;Cleo Groß;Homework 5;I used another padding\r\n"
)
MOODLE = (
    "Response,Submitted on:,Institution,Department,Course,Group,ID,Full name,Username,Q01_Week,Q02_Task,Q03_Why\n"
    "7,20/11/2026 09:14:03,,,Deep Learning,,912,Ben O'Brien,2001,5,5.1,My output size is right\n"
    "8,20/11/2026 09:15:00,,,Deep Learning,,913,Dora Łukasz,2003,5,5.3,Please look at forward\n"
)


@pytest.fixture
def import_folder(tmp_path: Path) -> Path:
    folder = make_book(tmp_path)
    with open_book(folder) as book:
        people = book.people()
        for person in people:
            person.marks.append(("email", f"{person.id}@uni.edu"))
        book.save_people(people)
    return folder


@pytest.fixture
def importer(import_folder: Path) -> Iterator[Visitor]:
    with opened(import_folder) as (visitor, _):
        yield visitor


def send(visitor: Visitor, raw: str | bytes) -> Page:
    files = {"table": ("r.csv", raw if isinstance(raw, bytes) else raw.encode())}
    form = visitor.get("/requests").form("import")
    return Page(visitor.client.post("/do/import", data=form, files=files, headers={"origin": f"http://{HOST}"}))


def chosen(page: Page) -> list[str]:
    """Return what each column is said to hold."""
    selects = page.text.split('name="role">')[1:]
    options = [select.partition("</select>")[0].split("<option") for select in selects]
    return [next((o.split('"')[1] for o in options_of if " selected" in o), "") for options_of in options]


@pytest.mark.parametrize(
    ("table", "roles", "asked"),
    [
        (GOOGLE, ["", "student", "week", "task", "text"], {("Ana Silva", "5.3"), ("Ben O'Brien", "")}),
        (GOOGLE_GERMAN, ["", "student", "week", "text"], {("Cleo Groß", "")}),
        (MICROSOFT, ["", "", "", "student", "student", "week", "text"], {("Ana Silva", ""), ("Cleo Groß", "")}),
        (MOODLE, ["", "", "", "", "", "", "", "student", "student", "week", "task", "text"],
         {("Ben O'Brien", "5.1"), ("Dora Łukasz", "5.3")}),
    ],
    ids=["google", "google-german", "microsoft", "moodle"],
)  # fmt: skip
def test_what_forms_export_is_mapped_once_and_then_read_at_once(
    import_folder: Path, importer: Visitor, table: str, roles: list[str], asked: set[tuple[str, str]]
) -> None:
    page = send(importer, table)
    assert (page.status, "Nothing was imported yet" in page.words) == (200, True)
    assert "There are none" in importer.get("/requests").words
    assert chosen(page) == roles
    done = importer.post("/do/import", page.form("columns") | {"role": roles, "week": "", "then": "import"})
    assert f"{len(asked)} request" in done.words
    with open_book(import_folder, shared=True) as book:
        names = {person.key: person.name for person in book.people()}
        assert {(names[one.person], one.task) for one in book.requests()} == asked
        assert {one.week for one in book.requests()} == {"week5"}
    assert "0 requests imported" in send(importer, table).words


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_table_is_read_in_any_usual_encoding_and_out_of_a_zip(importer: Visitor, encoding: str) -> None:
    table = "student;week;text\nCleo Groß;5;Prüfung\n"
    raw = table.encode(encoding)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Requests.csv/Requests.csv", raw)
    assert "1 request imported" in send(importer, raw).words
    assert "0 requests imported, 1 was there already" in send(importer, packed.getvalue()).words


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("student,week,text\nNobody,week5,x\n", "line 2: the gradebook has no student"),
        ("student,week,text\nAna Silva,week9,x\n", "line 2: there is no week9"),
        ("student,week,task,text\nAna Silva,week5,9.9,x\n", "line 2: week5 has no task"),
        ("student,week,text\nAna Silva,week5,\n", "line 2: say what is asked for"),
        ("id,email,week,text\n2000,2001@uni.edu,week5,x\n", "line 2: names Ana Silva and Ben O'Brien"),
        ('student,week,text\n"Ana', "line "),
        ("a,b\n", "say which column"),
        ("\n\n", "choose a file"),
    ],
)
def test_a_table_with_what_makes_no_sense_imports_nothing(importer: Visitor, table: str, complaint: str) -> None:
    page = send(importer, table)
    assert complaint.casefold() in page.words.casefold()
    assert "There are none" in importer.get("/requests").words


def test_a_table_without_a_week_is_of_the_week_that_is_chosen(importer: Visitor) -> None:
    page = send(importer, "student,text\nAna Silva,a long question\n")
    assert "1 request can be entered" in page.words  # there is one week, and so it is that
    without = importer.post("/do/import", page.form("columns") | {"role": ["student", "text"], "week": ""})
    assert "choose the week of all" in without.words
    fields = page.form("columns") | {"role": ["student", "text"], "week": "week5", "then": "import"}
    assert "1 request imported" in importer.post("/do/import", fields).words


def test_lines_that_make_no_sense_are_left_out_where_somebody_says_so(importer: Visitor) -> None:
    page = send(importer, "student,week,text\nAna Silva,week5,look\nNobody,week5,x\n")
    assert "leave out 1 line" in page.words
    roles = ["student", "week", "text"]
    done = importer.post("/do/import", page.form("columns") | {"role": roles, "then": "import"})
    assert "1 request imported, 1 line left out" in done.words
    undone = importer.post("/do/undo", importer.get("/").form("/do/undo"))
    assert "undone: 1 request imported" in undone.words
    assert "There are none" in importer.get("/requests").words


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(importer: Visitor, end: str) -> None:
    table = ["student;week;text", "2000;week5;please look", "nobody;week5;x", ""]
    page = send(importer, end.join(["sep=;", *table]))
    assert "line 4: the gradebook has no student" in page.words
    assert "1 request can be entered" in page.words


def test_a_request_is_imported_once_however_it_is_written(importer: Visitor) -> None:
    tables = (
        'student,week,task,text\nAna Silva,week5,5.1,"one\r\ntwo"\n',
        'student,week,task,text\n2000,Week 5,Task 5.1,"one\ntwo "\n',
        'student,week,task,text\nAna Silva,5,5.1,"one\r\ntwo"\n',
    )
    for table, said in zip(tables, ("1 request", "0 requests", "0 requests"), strict=True):
        assert f"{said} imported" in send(importer, table).words


@pytest.mark.parametrize(
    "raw",
    [b"PK\3\4 no zip", b"\0" * 5_000, b"\xff\xfe\0", b"a" * 100_000 + b"\n", b",".join([b"x"] * 500), b"x" * 200_000,
     zip_at(2**64 - 1, "r.csv", b"a,b\n")],
    ids=["cut short", "zeros", "half a letter", "one long line", "many columns", "one long cell", "a far zip"],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(importer: Visitor, raw: bytes) -> None:
    page = send(importer, raw)
    assert page.status in (200, 400)
    assert "There are none" in importer.get("/requests").words


def test_of_many_names_that_nobody_has_a_few_alone_get_a_hint(
    importer: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.people import resolve

    searched: list[str] = []
    real = resolve.difflib.get_close_matches
    monkeypatch.setattr(
        resolve.difflib,
        "get_close_matches",
        lambda word, *rest, **more: searched.append(word) or real(word, *rest, **more),
    )
    rows = "".join(f"Nobody {number},week5,x\n" for number in range(400))
    page = send(importer, f"student,week,text\n{rows}")
    assert "400 lines make no sense" in page.words
    assert len(set(searched)) == 10


def test_a_long_table_that_has_to_be_mapped_is_entered_whole(importer: Visitor, import_folder: Path) -> None:
    """What a form holds is sent back to the letter: pages cut long texts, and write out what cannot be seen."""
    rows = "".join(f"Ana Silva,5,request {number} \u200b{'long ' * 20}\n" for number in range(1_200))
    page = send(importer, f"who?,when?,what?\n{rows}")
    fields = {**page.form("columns"), "role": ["student", "week", "text"], "week": "week5", "then": "import"}
    assert len(fields["table"]) > 100_000
    page = importer.post("/do/import", fields)
    assert "1200 requests imported" in page.words
    with open_book(import_folder, shared=True) as book:
        assert [one.text.count("\u200b") for one in book.requests()] == [1] * 1_200


def test_a_zip_that_unpacks_to_very_much_is_not_unpacked_whole(importer: Visitor) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.csv", b"a,b\n" * 50_000_000)
    assert len(packed.getvalue()) < 1_000_000
    page = send(importer, packed.getvalue())
    assert (page.status, "holds more than any form exports" in page.words) == (400, True)
