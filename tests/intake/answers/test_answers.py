"""Whoever grades by hand finds the cells of a task, bounded and without anything that a browser might run."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from grader.course import Assignment
from grader.course.assignment import Limits
from grader.intake.answers import answers as answering
from grader.intake.answers.answers import Answers, Cell, Damaged, Form, Kind, Piece, packed, unpacked
from grader.intake.answers.finding import MOST_OTHERS, answers_in
from grader.intake.answers.pictures import NoPicture, cleaned
from tests.support.makers import put
from tests.support.pictures import chunk, jpeg, png

HEADINGS = (("plots", ("Plots", "5.4")), ("style", ("Code style", "style")), ("code", ()))


def week(folder: Path, headings: tuple[tuple[str, tuple[str, ...]], ...] = HEADINGS) -> Assignment:
    return Assignment("week5", "Week 5", ("lenet",), folder, None, Limits(), headings=headings)


def made(*cells: dict[str, Any]) -> bytes:
    whole = [{"metadata": {}, **cell} for cell in cells]
    return json.dumps({"cells": whole, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


def words(text: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": text, **more}


def code(text: str, *outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": text, "outputs": list(outputs), "execution_count": None, **more}


def shown(data: dict[str, str]) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": data}


def plot(raw: bytes, mime: str = "image/png") -> dict[str, Any]:
    return shown({mime: base64.b64encode(raw).decode(), "text/plain": "<Figure>"})


def found(folder: Path, *cells: dict[str, Any], files: dict[str, bytes] | None = None, **more: Any) -> Answers:
    return answers_in(week(folder, **more), {"w5.ipynb": made(*cells)} if cells else {}, files or {})


def texts(answers: Answers, part: str) -> list[str]:
    return [cell.text for cell in answers.of(part)[0]]


def test_a_heading_holds_all_cells_below_up_to_the_next_that_is_no_deeper(tmp_path: Path) -> None:
    answers = found(
        tmp_path, words("# Week 5"), words("no part"), words("## 5.4 Plots\n\nThe loss falls."), code("draw()"),
        words("### Discussion"), words("It is noise."), words("## Something else"), words("not of it"),
        words("Code style\n==========\nGood names."), code("x = 1"),
    )  # fmt: skip
    assert texts(answers, "plots") == [
        "## 5.4 Plots\n\nThe loss falls.", "draw()", "### Discussion", "It is noise."
    ]  # fmt: skip
    assert texts(answers, "style") == ["Code style\n==========\nGood names.", "x = 1"]
    assert answers.of("plots")[1] is False
    assert answers.of("code") == ((), False)  # has no answer, says the course
    assert "no part" not in [cell.text for cell in answers.cells]


@pytest.mark.parametrize(
    ("cell", "belongs"),
    [
        (words("**Plots:** it falls"), True),
        (words("Answer 5.4: it falls"), True),
        (words("Aufgabe 5.4\nsie sinkt"), True),
        (code("# 5.4 the loss\ndraw()"), True),
        (code("draw()  # Plots"), False),
        (words("the Plots are below"), False),
        (words("15.4 is a number"), False),
        (words("5.41 is a number"), False),
        (words("it falls", metadata={"tags": ["manual:plots"]}), True),
        (words("it falls", metadata={"tags": ["manual:other", 7]}), False),
        (words("```\n# Plots\n```"), False),
        (words("text\n\n# On 5.4a\nmore"), True),
        (words("# No plotsters"), False),
    ],
)
def test_tags_first_lines_and_headings_anywhere_in_a_cell_name_a_part(
    tmp_path: Path, cell: dict[str, Any], belongs: bool
) -> None:
    answers = found(tmp_path, cell)
    assert bool(answers.cells[0].parts) is belongs
    assert answers.of("plots") == (answers.cells, not belongs)  # what nobody can tell apart is shown as a whole


def test_a_part_that_nothing_names_has_all_that_is_the_students_own(tmp_path: Path) -> None:
    put(tmp_path / "week5_work.ipynb", made(words("# Read this"), words("## Plots"), code("run()")))
    answers = found(tmp_path, words("# Read this"), words("## Plots"), code("run()"), words("mine"))
    assert [(cell.text, cell.is_given) for cell in answers.of("plots")[0]] == [
        ("## Plots", True), ("run()", True), ("mine", False),
    ]  # fmt: skip
    cells, is_all = answers.of("style")
    assert is_all and "mine" in [cell.text for cell in cells] and "# Read this" not in [cell.text for cell in cells]
    untouched = found(tmp_path, words("# Read this"), words("## Plots"), code("run()"))
    assert untouched == Answers()
    ran = found(tmp_path, words("## Plots"), code("run()", plot(png())))
    assert [piece.form for cell in ran.of("plots")[0] for piece in cell.pieces] == [Form.PNG]


def test_texts_and_pictures_beside_the_modules_are_answers_and_what_was_handed_out_is_none(tmp_path: Path) -> None:
    put(tmp_path / "figures" / "given.png", png(2))
    files = {
        "answers.md": b"# Plots\nIt falls.\n\n# Code style\nGood.\n",
        "my_plots.png": png(),
        "figures/given.png": png(2),
        "weights.bin": b"\0",
    }
    answers = found(tmp_path, files=files)
    assert texts(answers, "plots") == ["# Plots\nIt falls.\n", ""]
    assert texts(answers, "style") == ["# Code style\nGood.\n"]
    assert [cell.file for cell in answers.cells] == ["answers.md", "answers.md", "my_plots.png"]


def test_pages_and_drawings_that_may_hold_code_are_never_kept(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    answers = found(
        tmp_path,
        words("# Plots ![x](attachment:a.png) ![y](attachment:b.png)",
              attachments={"a.png": {"image/png": base64.b64encode(png()).decode()}, "b.png": {"image/svg+xml": evil}}),
        code("draw()", shown({"text/html": evil, "text/plain": "a table"}), shown({"application/javascript": evil}),
             shown({"image/svg+xml": evil, "text/plain": "Figure"}),
             {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mred\x1b[0m\n", "more\n"]},
             {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mE\x1b[0m", "v"]}),
    )  # fmt: skip
    first, second = answers.of("plots")[0]
    assert [piece.form for piece in first.pieces] == [Form.PNG, Form.LACKING]
    assert second.pieces[0] == Piece(Form.TEXT, "a table")
    assert second.pieces[1].form is Form.LACKING and "image/svg+xml" in second.pieces[1].content
    assert second.pieces[2:] == (Piece(Form.TEXT, "red\nmore"), Piece(Form.ERROR, "E\nv"))
    assert evil not in packed_text(answers)


def packed_text(answers: Answers) -> str:
    return zlib.decompress(packed(answers)[0]).decode()


def test_a_picture_is_made_anew_without_words_and_bytes_behind_its_end() -> None:
    form, clean = cleaned(png(more=chunk(b"tEXt", b"secret")) + b"behind")
    assert (form, clean) == (Form.PNG, png())
    form, clean = cleaned(jpeg(more=b"\xff\xe1\x00\x08secret" + b"\xff\xfe\x00\x08secret") + b"behind")
    assert (form, clean) == (Form.JPEG, jpeg())
    # telephones put a second picture behind the first, with its own place and time
    assert cleaned(jpeg() + jpeg(more=b"\xff\xe1\x00\x08secret")) == (Form.JPEG, jpeg())
    more = b"\xff\xfe\x00\x08secret\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"  # as a picture that comes in several scans
    assert cleaned(jpeg()[:-2] + more + b"\xff\x00\xff\xd0\x56\xff\xd9") == (
        Form.JPEG, jpeg()[:-2] + more[10:] + b"\xff\x00\xff\xd0\x56\xff\xd9"
    )  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"GIF89a", b"<svg/>", png()[:-4], png()[:40], png(width=5000, height=5000), png(width=0),
        png(more=png()[8:33]), png().replace(b"IDAT", b"IDAX"), b"\x89PNG\r\n\x1a\n", jpeg()[:-2], jpeg()[:9],
        jpeg(width=60_000, height=60_000), b"\xff\xd8" + b"\xff" * 10, b"\xff\xd8\xff\xd9", b"\xff\xd8\x00\x00\x00\x00",
    ],
)  # fmt: skip
def test_what_is_no_picture_or_a_very_large_one_is_refused(raw: bytes) -> None:
    with pytest.raises(NoPicture):
        cleaned(raw)


def test_much_is_cut_and_what_is_asked_for_goes_before_the_rest(tmp_path: Path) -> None:
    large = png(idat=b"\0" * (MOST_OTHERS // 2 + 1))
    cells = [code(f"x{number}", plot(large)) for number in range(3)]
    long = "z" * 50_000
    answers = found(tmp_path, *cells, words(f"# Plots\n{long}"), code("a", *[plot(large)] * 3), words("# End"))
    plots = answers.of("plots")[0]
    assert [piece.form for piece in plots[1].pieces] == [Form.PNG] * 3
    assert len(plots[0].text) < 20_100 and "cut here; 50,008 characters in all" in plots[0].text
    others = [piece.form for cell in answers.cells if not cell.parts for piece in cell.pieces]
    assert others == [Form.PNG, Form.LACKING, Form.LACKING]
    stream = {"output_type": "stream", "name": "stdout", "text": long}
    many = found(tmp_path, words("# Plots"), *[code("y" * 30_000, *[stream] * 20)] * 60)
    assert unpacked(packed(many)[0]) == many
    assert len(packed_text(many)) < 2 * answering.MOST_TEXT


def test_a_notebook_or_text_that_makes_no_sense_has_no_answers(tmp_path: Path) -> None:
    for raw in (b"", b"{", b"[]", b'{"cells": 5, "nbformat": 4, "metadata": {}}', made({"cell_type": 5, "source": []})):
        assert answers_in(week(tmp_path), {"w5.ipynb": raw}, {}) == Answers()
    odd = made(code("a", {"output_type": "display_data", "data": {"image/png": "???"}, "metadata": {}}))
    (cell,) = answers_in(week(tmp_path), {"w5.ipynb": odd}, {}).cells
    assert cell.pieces[0].form is Form.LACKING


@pytest.mark.parametrize(
    "output",
    [
        shown({"image/png": "é"}), {"output_type": "display_data", "metadata": {}}, {"output_type": "stream"}, {},
        shown({"text/plain": 5}), {"output_type": "error", "traceback": 5},  # type: ignore[dict-item]
    ],
)  # fmt: skip
def test_an_output_that_makes_no_sense_loses_itself_alone(tmp_path: Path, output: Any) -> None:
    answers = found(tmp_path, words("# Plots"), words("It falls."), code("draw()", output, plot(png())))
    assert texts(answers, "plots") == ["# Plots", "It falls.", "draw()"]
    assert [piece.form for piece in answers.of("plots")[0][2].pieces] == [Form.LACKING, Form.PNG]


@pytest.mark.parametrize("cell", [{"cell_type": "markdown"}, {"cell_type": "markdown", "source": None}])
def test_a_cell_that_makes_no_sense_loses_itself_alone(tmp_path: Path, cell: dict[str, Any]) -> None:
    cells, _ = found(tmp_path, words("# Plots"), cell, words("It falls.")).of("plots")
    assert [cell.text for cell in cells] == ["# Plots", "", "It falls."]
    assert cells[1].pieces == (Piece(Form.LACKING, "a cell that is damaged"),)


def test_pictures_are_found_however_an_editor_puts_them_into_a_text(tmp_path: Path) -> None:
    data = base64.b64encode(png()).decode()
    beside = f"# Plots\n![a](data:image/png;base64,{data})".encode()
    answers = found(
        tmp_path, words("# Plots\n![](attachment:my%20plot.png)", attachments={"my plot.png": {"image/png": data}}),
        words(f"![a](data:image/png;base64,{data}) and <img src='data:image/JPG;base64,{data}'> <- it falls"),
        words("![a](data:image/svg+xml;base64,PHN2Zz4=)"), files={"more.md": beside},
    )  # fmt: skip
    attached, written, drawn, other = answers.of("plots")[0]
    assert attached.pieces == (Piece(Form.PNG, data),)
    assert written.text == "![a]((picture 1)) and <img src='(picture 2)'> <- it falls"
    assert [piece.form for piece in written.pieces] == [Form.PNG, Form.PNG]
    assert [piece.form for piece in drawn.pieces] == [Form.LACKING]
    assert other.pieces == (Piece(Form.PNG, data),)


def test_a_progress_bar_is_what_a_screen_shows_in_the_end(tmp_path: Path) -> None:
    bar = {"output_type": "stream", "name": "stderr", "text": "  1%|\r 50%|#\r100%|##\r\nloss 0.1\r\n"}
    answers = found(tmp_path, words("# Plots"), code("train()", bar))
    assert answers.of("plots")[0][1].pieces == (Piece(Form.TEXT, "100%|##\nloss 0.1"),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_text_is_read_in_whatever_encoding_an_editor_saved_it(tmp_path: Path, encoding: str) -> None:
    answers = found(tmp_path, files={"answers.txt": "# Plots\rSie fällt.".encode(encoding)})
    assert texts(answers, "plots") == ["# Plots\nSie fällt."]
    assert texts(found(tmp_path, files={"answers.txt": b"# Plots\n\x81\xff"}), "plots") == ["# Plots\n\ufffd\ufffd"]


@pytest.mark.parametrize("name", ["plots.pdf", "Answers.DOCX", "loss.gif"])
def test_a_document_that_is_not_shown_is_named(tmp_path: Path, name: str) -> None:
    cells, _ = found(tmp_path, files={name: b"<script>%PDF", "weights.bin": b"0"}).of("plots")
    assert [(cell.file, cell.text, [piece.form for piece in cell.pieces]) for cell in cells] == [
        (name, "", [Form.LACKING])
    ]  # fmt: skip
    assert "script" not in packed_text(found(tmp_path, files={name: b"<script>%PDF"}))


def test_a_week_that_nobody_grades_by_hand_has_none(tmp_path: Path) -> None:
    assert found(tmp_path, words("# Plots"), headings=()) == Answers()
    assert packed(Answers()) == (b"", "")


def test_what_the_course_says_otherwise_is_the_same_work_and_a_new_word_is_not(tmp_path: Path) -> None:
    def digest(text: str, **more: Any) -> str:
        return packed(found(tmp_path, words("# Plots"), words(text), **more))[1]

    first, other = digest("It falls."), digest("It falls.", headings=(("plots", ("Plots",)), ("new", ("It",))))
    assert first[:32] == other[:32] and first != other and len(first) == len(other) == 64
    put(tmp_path / "work.ipynb", made(words("# Plots")))
    assert digest("It falls.")[:32] == first[:32]
    assert digest("It rises.")[:32] != first[:32]


def test_answers_come_back_as_they_were() -> None:
    cells = (Cell("a.ipynb", 1, Kind.CODE, "x", (Piece(Form.TEXT, "\udc80 ä"),), ("plots",), True),)
    answers = Answers(("plots",), cells, "ab" * 32)
    assert unpacked(packed(answers)[0]) == answers


@pytest.mark.parametrize(
    "data",
    [
        5, [], {}, {"parts": [], "cells": [], "work": "x"},
        {"parts": [], "cells": [5]}, {"parts": [5], "cells": []}, {"parts": [], "cells": [{}] * 1_001},
        {"parts": [], "cells": [{"file": "a", "number": True, "kind": "code", "text": "", "pieces": [], "parts": [],
                                 "is_given": False}]},
        *({"parts": [], "cells": [{"file": "a", "number": 1, "kind": "code", "text": "", "parts": [], "is_given": False,
                                   "pieces": pieces}]}
          for pieces in ([{"form": "svg", "content": ""}], [{"form": "png", "content": '"><script>'}], [5])),
    ],
)  # fmt: skip
def test_what_does_not_come_from_us_is_refused(data: Any) -> None:
    with pytest.raises(Damaged):
        unpacked(zlib.compress(json.dumps(data).encode()))


@pytest.mark.parametrize("raw", [b"no zlib", zlib.compress(b"{"), zlib.compress(b" " * 20_000_000), b"\0" * 5_000_000])
def test_damaged_answers_are_one_clear_error(raw: bytes) -> None:
    with pytest.raises(Damaged, match="damaged"):
        unpacked(raw)
