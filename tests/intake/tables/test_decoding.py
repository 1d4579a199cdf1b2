"""All tables that people hand over are read in the encodings that spreadsheets save, by one rule; a guess is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.desk.acting import tables
from grader.errors import UsageError
from grader.intake import worksheet
from grader.intake.roster import read_roster
from grader.intake.tables.decoding import Text, decoded, text_of
from grader.intake.tables.rows import cells_of, read_rows

MARKED = {"utf-8": b"", "utf-8-sig": b"", "utf-16": b"", "utf-16-le": b"", "utf-16-be": b""}
WESTERN = st.text("abcXYZ -'ÀÉÎÑÖÜßàçéêëïñóøúüýÿ", min_size=1, max_size=12).map(str.strip).filter(bool)
ANY = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)


def table(names: list[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows([("id", "name"), *enumerate(names)])
    return out.getvalue()


def everywhere(file: Path) -> list[tuple[list[str], tuple[str, ...]]]:
    """Return the names in a table, and what is said, by each of those who read one."""
    roster, rows, sheet = read_roster(file), read_rows(file), worksheet.read(file)
    sent = tables.decoded(file.read_bytes())
    requests = tables.read_table(sent.content)
    return [
        ([student.name for student in roster.students], roster.said),
        ([row.cells[1] for row in rows.rows], rows.said),
        ([row[1] for row in sheet.rows[1:]], sheet.said),
        ([cells[1] for _, cells in requests.rows], sent.said(file.name)),
    ]


@settings(deadline=None)
@given(
    names=st.lists(ANY, min_size=1, max_size=4, unique_by=str.casefold), delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(sorted(MARKED)),
)  # fmt: skip
def test_unicode_is_read_as_it_is_and_nothing_is_said(
    names: list[str], delimiter: str, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = [name for name in names if name.casefold() != "muted"] or ["Ana"]
    file = tmp_path_factory.mktemp("tables") / "table.csv"
    file.write_bytes(table(names, delimiter).encode(encoding))
    assert everywhere(file) == [(names, ())] * 4


@settings(deadline=None)
@given(
    names=st.lists(WESTERN, min_size=1, max_size=4, unique_by=str.casefold), delimiter=st.sampled_from(",;\t"),
)  # fmt: skip
def test_what_a_western_spreadsheet_saves_is_read_and_said(
    names: list[str], delimiter: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("tables") / "table.csv"
    file.write_bytes(table(names, delimiter).encode("cp1252"))
    shown = " ".join(next((name for name in names if not name.isascii()), "").split())  # in one line
    said = (f"table.csv: read as Windows-1252: {shown}; save as UTF-8 if that is wrong",) if shown else ()
    assert everywhere(file) == [(names, said)] * 4


def test_a_worksheet_is_written_as_it_came_and_a_western_one_as_utf_8_with_a_mark(tmp_path: Path) -> None:
    file, text = tmp_path / "sheet.csv", table(["Müller", "Şahin"], ";")
    for encoding in (*MARKED, "utf-16 big end first"):
        raw = ("\ufeff" + text).encode("utf-16-be") if encoding.endswith("first") else text.encode(encoding)
        file.write_bytes(raw)
        sheet = worksheet.read(file)
        assert sheet.text().encode(sheet.encoding) == raw
    file.write_bytes(table(["Müller"], ";").encode("cp1252"))
    sheet = worksheet.read(file)
    assert sheet.text().encode(sheet.encoding) == table(["Müller"], ";").encode("utf-8-sig")


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("Vollständiger Name;Ort\r\nAna;Bonn\r\n", "Vollständiger Name"),
        ("Vollständiger Name;Ort\r\nAna “A.”;Köln\r\n", "Köln"),
        ("name;why\r\nAna;it’s right\r\n", "it’s right"),
        ('name\r\n"Müller, Jörg"\r\n', "Müller"),
        (f"name;why\r\nAna;{'x' * 200}é{'x' * 200}\r\n", f"{'x' * 30}é{'x' * 29}"),
    ],
)
def test_the_first_cell_with_such_a_letter_shows_how_a_table_was_read(content: str, shown: str) -> None:
    assert decoded(content.encode("cp1252")) == Text(content, "\ufeff", guess=shown)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_mark_that_each_program_has_added_anew_is_no_part_of_the_first_name(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes("\ufeff\ufeffid,name\r\n1,Ana Silva\r\n".encode(encoding))
    assert [student.id for student in read_roster(file).students] == ["1"]
    assert worksheet.read(file).text().encode(encoding) == file.read_bytes()


NO_TEXT = {
    "a byte of nothing": (b"name\r\nAna\0Silva\r\n", "neither UTF-8, UTF-16 nor Windows-1252"),
    "nothing but that": (b"\0", "neither UTF-8"),
    "half a letter": (b"a\0b", "neither UTF-8"),
    "a byte that Windows-1252 has not": (b"name\r\nZo\x81\r\n", "neither UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x1a", "neither UTF-8"),
    "a workbook": (b"PK\3\4....", "this is a workbook or a zip, no CSV"),
    "UTF-8 with a letter cut in half": (
        "name\r\nMüller\r\nÖzil\r\n".encode() + b"Zo\xc3\r\n",
        "this is UTF-8 with damaged letters",
    ),
}


@pytest.mark.parametrize(("raw", "message"), NO_TEXT.values(), ids=NO_TEXT)
def test_bytes_that_are_no_text_are_one_clear_error_and_nobodys_name(raw: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes(raw)
    with pytest.raises(UsageError, match=f"roster.csv: {message}"):
        read_roster(file)
    with pytest.raises(UsageError, match=f"roster.csv: {message}"):
        worksheet.read(file)
    with pytest.raises(UsageError, match=r"absent\.csv: cannot be read"):
        text_of(tmp_path / "absent.csv")


def test_a_cell_may_hold_a_whole_text_with_pictures_in_it(tmp_path: Path) -> None:
    file, long = tmp_path / "sheet.csv", "<p>" + "x" * 400_000
    file.write_text(f"id,name\n1,Ana\n2,{long}\n", "utf-8")
    assert worksheet.read(file).text() == file.read_text("utf-8")
    assert read_rows(file).rows[1].cells == ("2", long)
    assert cells_of(f"id;{long}\n1;2\n").delimiter == ";"
