"""Canvas's and Moodle's tables are filled in every form that the platforms write, and kept as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from grader.cli.main import main
from grader.errors import UsageError
from grader.exports.worksheets import canvas, moodle, other
from grader.exports.worksheets.fill import is_of_week
from grader.gradebook import Gradebook
from grader.people.person import Person
from grader.results import Override
from tests.support.reports import sample_report

INFORMATION = (
    "ID,Section",
    "ID,SIS Login ID,Section",
    "ID,SIS User ID,SIS Login ID,Section",
    "ID,SIS User ID,SIS Login ID,Integration ID,Section",
    "ID,SIS User ID,SIS Login ID,Root Account,Section",
    "ID,SIS User ID,SIS Login ID,Integration ID,Root Account,Section",
)
CELLS = {"ID": "101", "SIS User ID": "s1", "SIS Login ID": "anna", "Integration ID": "", "Root Account": "x.edu"}


def gradebook(information: str, two_names: bool, delimiter: str) -> str:
    columns = information.split(",")
    names = ["LastName", "FirstName"] if two_names else ["Student"]
    student = ["Müller", "Anna"] if two_names else ["Müller, Anna"]
    rows = [
        [*names, *columns, "Notes", "Week 5 (12)", "Final Score"],
        [*["", ""][: len(names)], *("" for _ in columns), "", "Manual Posting", ""],
        ["    Points Possible", *[""][: len(names) - 1], *("" for _ in columns), "", "100", "(read only)"],
        [*student, *(CELLS.get(name, "A") for name in columns), "", "", "4,5"],
    ]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("student", ["Anna Müller", "101"])
@pytest.mark.parametrize("says", ["", "sep=;\n"])
@pytest.mark.parametrize("two_names", [False, True])
@pytest.mark.parametrize("information", INFORMATION)
def test_each_header_that_canvas_takes_is_filled(
    information: str, two_names: bool, says: str, student: str, tmp_path: Path
) -> None:
    text = says + gradebook(information, two_names, ";" if says else ",")
    file = tmp_path / "grades.csv"
    file.write_text(text, "utf-8")
    filled = canvas.filled(file, "week5", {student: 87}, 100, None)
    assert (filled.count, filled.left_out) == (1, [])
    changed = [(old, new) for old, new in zip(text.splitlines(), filled.text.splitlines(), strict=True) if old != new]
    assert len(changed) == 1 and "87" in changed[0][1]
    assert filled.text.startswith(says)


WORDS = (
    "Participant ", "Teilnehmer/in", "Participante", "Partecipante", "Partaidea", "Deelnemer ", "Участник", "Uczestnik",
    "Účastník", "Résztvevő", "Συμμετέχων", "Katılımcı", "مشارك", "משתתף", "参加者", "참가자", "ผู้เข้าร่วม",
    "Người tham gia ",
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("student", ["2001", "Ana Silva", "ana@x.edu"])
def test_a_moodle_worksheet_of_any_language_is_filled(word: str, student: str, tmp_path: Path) -> None:
    file = tmp_path / "worksheet.csv"
    file.write_text(f"ID,Name,Mail,Note\n{word}2001,Ana Silva,ana@x.edu,\n{word}2002,Bo Li,bo@x.edu,\n", "utf-8")
    filled = moodle.filled(file, {student: 9}, 100, "Note")
    assert filled.count == 1
    assert filled.text.splitlines()[1] == f"{word}2001,Ana Silva,ana@x.edu,9"


GRADED = (
    "Identifier,Full name,Status,{grade},{most},{changeable},Feedback\n"
    "{word}1,Ana,x,87.00,100.00,{yes},\n"
    "{word}2,Ben,x,\"12,5\",100.00,{yes},\n"
    "{word}3,Cleo,x,,100.00,{no},\n"
    "{word}4,Dora,x,,100.00,{yes},\n"
)  # fmt: skip
LANGUAGES = [
    ("Participant ", "Grade", "Maximum Grade", "Grade can be changed", "Yes", "No"),
    ("Teilnehmer/in", "Bewertung", "Bestwertung", "Bewertung kann geändert werden", "Ja", "Nein"),
    ("Participante", "Calificación", "Calificación máxima", "Puede cambiarse", "Sí", "No"),
    ("Участник", "Оценка", "Максимальная оценка", "Оценка может быть изменена", "Да", "Нет"),
]


@pytest.mark.parametrize(("word", "grade", "most", "changeable", "yes", "no"), LANGUAGES)
def test_grades_that_are_there_and_rows_that_moodle_refuses_are_told_apart(
    word: str, grade: str, most: str, changeable: str, yes: str, no: str, tmp_path: Path
) -> None:
    file = tmp_path / "worksheet.csv"
    file.write_text(GRADED.format(word=word, grade=grade, most=most, changeable=changeable, yes=yes, no=no), "utf-8")
    scores = {"Ana": 87, "Ben": 90, "Cleo": 50, "Dora": 60}
    kept = moodle.filled(file, dict(scores), 100, grade, overwrite=False)
    assert (kept.count, kept.replaced) == (2, [])
    assert kept.left_out == [
        "Ben: has a grade there, 12,5, and not 90; --overwrite replaces it",
        "Cleo: Moodle has locked this grade, and would refuse another",
    ]
    filled = moodle.filled(file, dict(scores), 100, grade, overwrite=True)
    assert (filled.count, filled.replaced, len(filled.left_out)) == (3, ["Ben: 12,5 → 90"], 1)
    assert [row[3] for row in csv.reader(io.StringIO(filled.text))] == [grade, "87.00", "90", "", "60"]


@pytest.mark.parametrize(("word", "grade", "most", "changeable", "yes", "no"), LANGUAGES)
def test_the_column_for_grades_is_found_in_any_language_by_what_stands_behind_it(
    word: str, grade: str, most: str, changeable: str, yes: str, no: str, tmp_path: Path
) -> None:
    file = tmp_path / "worksheet.csv"
    whole = GRADED.format(word=word, grade=grade, most=most, changeable=changeable, yes=yes, no=no)
    open_to_change = "\n".join(line for line in whole.splitlines() if "Cleo" not in line) + "\n"
    for text in (whole, open_to_change, open_to_change.replace("87.00", "").replace('"12,5"', "")):
        file.write_text(text, "utf-8")
        filled = moodle.filled(file, {"Ana": 87, "Ben": 90, "Dora": 60}, 100, None)
        assert filled.count == 3
        rows = list(csv.reader(io.StringIO(filled.text)))
        assert float(rows[1][3]) == 87
        assert {row[1]: row[3] for row in rows[1:] if row[1] != "Cleo"} == {
            "Ana": rows[1][3],
            "Ben": "90",
            "Dora": "60",
        }
        with pytest.raises(UsageError, match="the maximum grade is"):
            moodle.filled(file, {"Ana": 7}, 50, None)
    # Where no column is behind it, or two are, nobody guesses.
    lines = whole.splitlines()
    twice = "\n".join([f"{lines[0]},Seven,{changeable}", *(f"{line},7,{yes}" for line in lines[1:])])
    for text in (whole.replace(",100.00", ","), twice):
        file.write_text(text.replace("Grade", "Mark"), "utf-8")
        with pytest.raises(UsageError, match="--column"):
            moodle.filled(file, {"Ana": 87}, 100, None)


def test_a_column_that_canvas_calls_read_only_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "grades.csv"
    file.write_text("Student,ID,Week 5 (12)\n    Points Possible,,(read only)\nAna,1,\n", "utf-8")
    with pytest.raises(UsageError, match=r"takes no grades for Week 5 \(12\), which it calls read only"):
        canvas.filled(file, "week5", {"Ana": 1}, 100, None)


def test_a_file_that_is_there_stays_unless_it_is_the_template_or_may_be_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.record(sample_report("Anna Müller"))
        book.decide([Override("Anna Müller", "week5", "week", 40, "seen", "tom", "2026-10-05T10:00:00Z")])
    template, filled = tmp_path / "grades.csv", tmp_path / "filled.csv"
    template.write_text(gradebook("ID,Section", False, ",").replace(",100,", ",55,"), "utf-8")
    command = ["export", str(tmp_path), "--to", "canvas", "--template", str(template), "--column", "Week 5 (12)"]
    assert main([*command, "--write", str(filled)]) == 0
    assert main([*command, "--write", str(filled)]) == 0  # the same again
    filled.write_text("mine", "utf-8")
    assert main([*command, "--write", str(filled)]) == 2
    assert "is there already, with other content" in capsys.readouterr().err and filled.read_text() == "mine"
    assert main([*command, "--write", str(filled), "--overwrite"]) == 0
    assert main([*command, "--write", str(template)]) == 0
    assert template.read_text("utf-8") == filled.read_text("utf-8") != "mine"


BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Week 5 [Total Pts: 100 Score] |4711"\n'
    '"Müller"\t"Anna"\t"amueller"\t"101"\t""\t""\n"Lee"\t"Kim"\t"klee"\t"102"\t""\t"12,5"\n'
)
BRIGHTSPACE = (
    "OrgDefinedId,Username,Week 5 Points Grade <Numeric MaxPoints:100>,End-of-Line Indicator\n"
    "#101,#amueller,,#\n#102,#klee,12.5,#\n"
)
OWN = "Matrikelnummer;Name;Week 5 state;Week 5;\r\n101;Anna Müller;x;;\r\n102;Kim Lee;x;12,5;\r\n"
TABLES = {
    "Blackboard": (BLACKBOARD.replace("\n", "\r\n").encode("utf-16"), 5, "utf-16"),
    "Blackboard's CSV": (BLACKBOARD.replace("\t", ",").encode("utf-8-sig"), 5, "utf-8-sig"),
    "Brightspace": (BRIGHTSPACE.encode(), 2, "utf-8"),
    "one of their own": (OWN.encode(), 3, "utf-8"),
}


@pytest.fixture
def class_of_two() -> dict[str, Person]:
    marks = {"Anna Müller": ("amueller", "101"), "Kim Lee": ("klee", "102")}
    return {
        name: Person(name, name, key, listed=True, marks=[("login", login), ("id", id), ("name", name)])
        for key, (name, (login, id)) in enumerate(marks.items(), 1)
    }


@pytest.mark.parametrize(("raw", "column", "encoding"), TABLES.values(), ids=TABLES)
def test_any_table_that_names_the_students_is_filled_and_kept_as_it_was(
    raw: bytes, column: int, encoding: str, class_of_two: dict[str, Person], tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(raw)
    found = other.filled(file, "week5", {"Anna Müller": 87.5, "Kim Lee": 50}, 100, None, class_of_two, overwrite=False)
    assert (found.count, [line.partition(":")[0] for line in found.left_out]) == (1, ["Kim Lee"])
    before, after = raw.decode(encoding), found.text.encode(found.encoding).decode(encoding)
    delimiter = next(one for one in "\t;," if one in before)
    rows, kept = (list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) for text in (after, before))
    assert rows[1][column] == ("87,5" if delimiter == ";" else "87.5")
    rows[1][column] = ""
    assert rows == kept and ("\r\n" in before) == ("\r\n" in after)
    found = other.filled(file, "week5", {"Kim Lee": 50}, 100, None, class_of_two)
    assert found.replaced in (["Kim Lee: 12,5 → 50"], ["Kim Lee: 12.5 → 50"])


@pytest.mark.parametrize(
    ("other_cell", "written"), [("", "1,5"), ("102,5", "1,5"), ("102.5", "1.5"), ("3.11.7", "1,5")]
)
def test_where_semicolons_stand_between_cells_numbers_have_a_comma_unless_the_table_writes_points(
    tmp_path: Path, other_cell: str, written: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(f"name;week 5;of\nAna;;{other_cell}\nBen;1,50;\n", "utf-8")
    found = other.filled(file, "week5", {"Ana": 1.5, "Ben": 1.5}, 100, None, overwrite=False)
    assert found.text == f"name;week 5;of\nAna;{written};{other_cell}\nBen;1,50;\n" and found.left_out == []


def test_a_table_of_other_points_or_without_the_column_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(BRIGHTSPACE, "utf-8")
    with pytest.raises(UsageError, match=r"MaxPoints:100> is out of 100 points, the week out of 60"):
        other.filled(file, "week5", {}, 60, None)
    with pytest.raises(UsageError, match=r"no column 'week6'; choose one with --column: Week 5 Points"):
        other.filled(file, "week6", {}, 100, None)
    file.write_text("name,week 5,Week-5 late\nAna,,\n", "utf-8")
    with pytest.raises(UsageError, match="2 columns fit 'week5'"):
        other.filled(file, "week5", {}, 100, None)
    assert other.filled(file, "week5", {"Ana": 3}, 100, "week 5").text == "name,week 5,Week-5 late\nAna,3,\n"


def excel_writes(rows: list[list[str]]) -> str:
    """Write a table as Excel does: cells at the end are left out where they are empty in sixteen rows together."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for start in range(0, len(rows), 16):
        block = rows[start : start + 16]
        used = max(place for row in block for place, cell in enumerate(row, 1) if cell)
        writer.writerows(row[:used] for row in block)
    return out.getvalue()


def test_a_worksheet_that_excel_has_saved_is_filled_though_it_leaves_out_empty_cells(tmp_path: Path) -> None:
    header = ["Identifier", "Full name", "Email address", "Grade", "Maximum Grade", "Feedback comments", "", ""]
    students = [[f"Participant {n}", f"Student {n}", f"s{n}@x.edu", "", "100", "", "", ""] for n in range(1, 40)]
    file = tmp_path / "worksheet.csv"
    file.write_text(excel_writes([header, *students]), "utf-8")
    assert b";100\r\n" in file.read_bytes()
    found = moodle.filled(file, {"Student 3": 80, "Student 39": 90}, 100, None)
    rows = list(csv.reader(io.StringIO(found.text, newline=""), delimiter=";"))
    assert (found.count, rows[3][3], rows[39][3], rows[38][3]) == (2, "80", "90", "")
    file.write_text(excel_writes([header, *students]).replace("Participant 20;", ""), "utf-8")
    with pytest.raises(UsageError, match="row 21 has 4 cells, the header 6"):
        moodle.filled(file, {}, 100, None)


@pytest.mark.parametrize(
    ("title", "is_it"),
    {
        "Week 5": True, "week05 points": True, "Woche 5": True, "5. Woche": True, "Semaine_5 (note)": True,
        "Uke-5": True,
        "Week 15": False, "Week 50": False, "Woche 5 und mehr": True, "Week 5 state": False, "15. Woche": False,
        "Midweek 5": False, "5 weeks": False, "Quiz 5": False,
    }.items(),
)  # fmt: skip
def test_a_column_names_its_week_in_the_courses_language(title: str, is_it: bool, tmp_path: Path) -> None:
    assert is_of_week(title, "week5") is is_it
    for fills, head, end in (
        (other.filled, f"name,{title}\n", "Ana,\n"),
        (canvas.filled, f"Student,ID,{title} (12)\n", "Ana,1,\n"),
    ):
        (tmp_path / "table.csv").write_text(head + end, "utf-8")
        if is_it:
            assert fills(tmp_path / "table.csv", "week5", {"Ana": 7}, 100, None).count == 1
        else:
            with pytest.raises(UsageError, match="choose one with --column"):
                fills(tmp_path / "table.csv", "week5", {"Ana": 7}, 100, None)


@pytest.mark.parametrize(
    ("week", "title", "is_it"),
    [
        ("final", "Week 5", False), ("exam-2", "Week 2", False), ("exam-2", "Exam 2 (points)", True),
        ("lab2", "Lab 02", True),
        ("week5", "Week 5 State machines", True), ("week5", "5. Woche state", False), ("week05", "Woche 5", True),
    ],
)  # fmt: skip
def test_a_week_of_another_name_takes_no_other_weeks_column(week: str, title: str, is_it: bool) -> None:
    assert is_of_week(title, week) is is_it
