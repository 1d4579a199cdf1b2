"""Canvas's and Moodle's tables are filled in every form that the platforms write, and kept as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from grader.exports import canvas, moodle

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
