"""Copies are found under other names; independent solutions and the skeleton are no copies."""

from __future__ import annotations

import ast
import builtins
import sys
from pathlib import Path

import pytest

from grader.cli.main import main
from grader.course import find_course
from grader.errors import GraderError
from grader.similarity.clusters import clusters_of
from grader.similarity.compare import Pair, Work, similar_pairs, text_of
from grader.similarity.pages import marked, write_pages
from grader.similarity.works import Likeness
from tests.support.makers import put
from tests.support.reports import Page

COURSE = find_course(Path(__file__).parent)
WEEKS = list(COURSE.assignments())


def source(folder: Path, week: str) -> str:
    modules = COURSE.assignment(week).modules
    return text_of({f"{name}.py": (folder / f"{name}.py").read_bytes() for name in modules})


def reference(week: str) -> str:
    return source(COURSE.root / "solutions" / week, week)


def skeleton(week: str) -> str:
    return text_of({f"{name}.py": content for name, content in COURSE.assignment(week).skeletons.items()})


class Renamer(ast.NodeTransformer):
    """Other names for arguments and variables, and no docstrings: the usual disguise."""

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if not hasattr(builtins, node.id) and node.id not in ("torch", "nn", "F", "np", "plt"):
            node.id = f"renamed_{node.id}"
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = f"renamed_{node.arg}"
        return node


def disguised(text: str) -> str:
    return ast.unparse(Renamer().visit(ast.parse(text)))


@pytest.mark.parametrize("week", WEEKS)
def test_renamed_variables_and_dropped_comments_do_not_hide_a_copy(week: str) -> None:
    original = reference(week)
    works = [Work("ana", week, original), Work("ben", week, disguised(original))]
    (pair,) = similar_pairs(works, skeleton(week), 0.5)
    assert (pair.left.student, pair.right.student) == ("ana", "ben")
    assert pair.share >= 0.55  # the default asks for 0.5


@pytest.mark.parametrize("week", WEEKS)
def test_solutions_in_other_styles_are_no_copies(week: str) -> None:
    styles = sorted((COURSE.root / "solutions" / week / "variants").iterdir())
    works = [Work("reference", week, reference(week)), *(Work(one.name, week, source(one, week)) for one in styles)]
    assert len(works) >= 3
    assert similar_pairs(works, skeleton(week), 0.5) == []


def test_two_who_have_hardly_begun_have_copied_nothing() -> None:
    works = [Work(name, "week5", skeleton("week5")) for name in ("ana", "ben")]
    assert similar_pairs(works, skeleton("week5"), 0.01) == []


def test_a_copy_among_much_code_of_ones_own_is_found() -> None:
    part = reference("week5")
    whole = part + "\n" + reference("week4") + "\n" + reference("week6")
    (pair,) = similar_pairs([Work("ana", "week5", part), Work("ben", "week5", whole)], skeleton("week5"), 0.5)
    assert pair.share_left > 0.95 > 0.5 > pair.share_right


def test_what_most_of_a_class_has_is_nothing_special() -> None:
    works = [Work(f"s{number:02}", "week5", reference("week5")) for number in range(12)]
    assert similar_pairs(works, "", 0.5) == []
    assert len(similar_pairs(works[:10], "", 0.5)) == 45


def test_text_that_is_too_long_or_no_python_is_left_out() -> None:
    long = "x = 1\n" * 40_000
    works = [Work(name, "week5", text) for name in ("a", "b") for text in (long, "\ufffd\x1b§$%", "")]
    assert similar_pairs(works, "", 0.5) == []


def test_both_sides_are_marked_and_nothing_in_them_is_markup(tmp_path: Path) -> None:
    text = "<script>alert(1)</script>\nsame = 1\nother"
    assert marked(text, [(26, 34), (30, 999)]) == (
        "&lt;script&gt;alert(1)&lt;/script&gt;\n<mark>same = 1\nother</mark>"
    )
    left, right = Work("a<b>", "week5", text), Work("ben", "week5", "\x1b[31m" + text)
    pairs = [Pair(left, right, 0.81, 0.5, ((26, 34),), ())]
    write_pages(Likeness(clusters_of(pairs)), tmp_path)
    index, pair = (Page((tmp_path / name).read_text()) for name in ("index.html", "pair-1.html"))
    assert "Week 5: a<b>, ben 81 %".replace(" ", "") in index.text.replace(" ", "")
    assert "a<b> and ben 81 % 50 %".replace(" ", "") in index.text.replace(" ", "")
    assert {"script", "b"}.isdisjoint(tag for page in (index, pair) for tag, _ in page.tags)
    assert [tag for tag, _ in pair.tags].count("mark") == 1
    assert "\x1b" not in (tmp_path / "pair-1.html").read_text()


def classroom(tmp_path: Path) -> Path:
    for name in ("ana", "ben"):
        for module in COURSE.assignment("week5").modules:
            content = (COURSE.root / "solutions" / "week5" / f"{module}.py").read_bytes()
            put(tmp_path / "class" / name / "week5" / f"{module}.py", content)
    put(tmp_path / "class" / "broken.zip", b"PK no zip")
    return tmp_path / "class"


def test_the_command_lists_pairs_and_leaves_a_page_for_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "similar"
    assert main(["similar", str(classroom(tmp_path)), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "week5",
        "100",
        "%",
        "of",
        "ana",
        "100",
        "%",
        "of",
        "ben",
    ]
    assert sorted(file.name for file in out.iterdir()) == ["index.html", "pair-1.html"]


def test_a_groups_work_is_no_copy_of_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = classroom(tmp_path)
    put(tmp_path / "roster.csv", b"name,group\nana,T\ncy,T\n")
    words = ["similar", str(folder), "--out", str(tmp_path / "o"), "--roster", str(tmp_path / "roster.csv")]
    assert main(words) == 0
    assert "of ana, cy" in capsys.readouterr().out.splitlines()[0]


def test_without_copydetect_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "copydetect", None)
    with pytest.raises(GraderError, match="needs copydetect: pip install"):
        similar_pairs([Work("ana", "week5", "x = 1")], "", 0.5)
