"""Clusters stand for pairs; groups, one's own earlier work and common mistakes say nothing; marks begin at words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.cli.main import main
from grader.course import find_course
from grader.gradebook import Gradebook
from grader.results import CheckResult, Outcome, Report
from grader.similarity.clusters import clusters_of
from grader.similarity.compare import Pair, Work
from grader.similarity.mistakes import Mistakes
from grader.similarity.pages import whole_words
from tests.support.makers import put

COURSE = find_course(Path(__file__).parent)
MODULES = COURSE.assignment("week5").modules
OURS = {module: (COURSE.root / "solutions" / "week5" / f"{module}.py").read_bytes() for module in MODULES}


def pair(left: str, right: str, share: float = 0.9) -> Pair:
    return Pair(Work(left, "week5", ""), Work(right, "week5", ""), share, share, (), ())


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda two: two[0] < two[1]), max_size=20))
def test_clusters_hold_each_pair_once_and_works_are_together_where_a_chain_of_pairs_joins_them(
    two: set[tuple[int, int]],
) -> None:
    pairs = [pair(str(left), str(right)) for left, right in sorted(two)]
    clusters = clusters_of(pairs)
    assert sorted((p.left.label, p.right.label) for one in clusters for p in one.pairs) == sorted(
        (str(left), str(right)) for left, right in two
    )
    names = [{work.label for work in one.works} for one in clusters]
    assert sum(map(len, names)) == len(set().union(*names))  # no work is in two
    reached = {work: {work} for left_right in two for work in left_right}
    for _ in range(10):
        for left, right in two:
            joined = reached[left] | reached[right]
            for work in joined:
                reached[work] = joined
    assert {frozenset(map(str, works)) for works in reached.values()} == {frozenset(one) for one in names}


@given(st.text("ab_1 \n.(é", max_size=40), st.lists(st.tuples(st.integers(-3, 45), st.integers(-3, 45)), max_size=5))
def test_marks_begin_and_end_at_words_and_cover_all_that_is_alike(text: str, spans: list[tuple[int, int]]) -> None:
    marks = whole_words(text, spans)
    for start, end in marks:
        assert 0 <= start < end <= len(text)
        assert text[start:end].strip() == text[start:end]
        assert not re.match(r"\w", text[start:end]) or not re.search(r"\w\Z", text[:start])
        assert not re.search(r"\w\Z", text[start:end]) or not re.match(r"\w", text[end:])
    assert marks == sorted(marks)
    covered = {at for start, end in marks for at in range(start, end)}
    wanted = {at for start, end in spans for at in range(max(0, start), min(end, len(text))) if not text[at].isspace()}
    assert wanted <= covered


def report(student: str, *lost: tuple[str, str], outcome: Outcome = Outcome.FAILED, cause: str = "") -> Report:
    checks = tuple(
        CheckResult(check, "5.1", check, False, 0, 5, outcome, message, cause=cause) for check, message in lost
    )
    return Report(student, "week5", 0, "v", student, "a", checks)


def class_of(*special: Report, size: int = 20) -> Mistakes:
    """A class in which everybody makes one mistake, and some have others."""
    common = [report(f"s{number}", ("test_a", "off by one")) for number in range(size)]
    return Mistakes([*common, *special])


def test_a_mistake_that_few_make_is_shared_and_one_that_many_make_is_none() -> None:
    odd = [report(name, ("test_b", "expected 6, got 5.5\nmore"), ("test_a", "off by one")) for name in ("ana", "ben")]
    assert class_of(*odd).shared(pair("ana", "ben")) == ("5.1: expected 6, got 5.5 (2 of 22 students)",)
    assert class_of(*odd).shared(pair("ana", "s1")) == ()


@pytest.mark.parametrize("outcome", [Outcome.TODO, Outcome.SKIPPED, Outcome.BROKEN, Outcome.PASSED])
def test_what_is_not_begun_not_reached_or_our_fault_is_no_mistake(outcome: Outcome) -> None:
    odd = [report(name, ("test_b", "words"), outcome=outcome) for name in ("ana", "ben")]
    assert class_of(*odd).shared(pair("ana", "ben")) == ()


def test_the_same_check_lost_in_different_ways_is_not_the_same_mistake() -> None:
    odd = [report("ana", ("test_b", "got 5")), report("ben", ("test_b", "got 7"))]
    assert class_of(*odd).shared(pair("ana", "ben")) == ()


def test_what_one_cause_has_ended_is_one_mistake() -> None:
    odd = [report(name, ("test_b", "x"), ("test_c", "y"), cause="NameError at lenet.py:7") for name in ("ana", "ben")]
    assert len(class_of(*odd).shared(pair("ana", "ben"))) == 1


# The command


def hand_in(folder: Path, *names: str) -> Path:
    for name in names:
        for module, content in OURS.items():
            put(folder / name / "week5" / f"{module}.py", content + f"# {name}\n".encode())
    return folder


def similar(tmp_path: Path, *words: str | Path) -> str:
    return str(main(["similar", *map(str, words), "--out", str(tmp_path / "out")]))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_copies_of_one_work_are_one_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(COURSE.root)
    assert similar(tmp_path, hand_in(tmp_path / "class", "ana", "ben", "cy")) == "0"
    found = " ".join(lines(capsys))
    assert "week5 100 % of ana, ben, cy: 3 works, no pair below 100 %" in found
    pages = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert pages == ["index.html", "pair-1.html", "pair-2.html", "pair-3.html"]
    similar(tmp_path, hand_in(tmp_path / "two", "ana", "ben"))
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == pages[:2]  # nothing is left of the first run


def test_members_of_a_group_who_each_handed_in_are_left_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = hand_in(tmp_path / "class", "ana", "ben", "dee")
    put(tmp_path / "roster.csv", b"name,group\nana,T\nben,T\ndee,U\n")
    similar(tmp_path, folder, "--roster", tmp_path / "roster.csv")
    found = " ".join(lines(capsys))
    assert "left aside" in found
    index = (tmp_path / "out" / "index.html").read_text()
    assert "ana and ben" not in index
    assert "dee" in index


def test_earlier_years_are_compared_with_this_one_and_not_with_themselves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = hand_in(tmp_path / "class", "ana", "zoe")
    for module in OURS:
        (now / "zoe" / "week5" / f"{module}.py").write_text(f"{module} = 1\n")
    before = [hand_in(tmp_path / year, "old", "older", "ana") for year in ("2023", "2024")]
    similar(tmp_path, now, "--earlier", *before)
    index = (tmp_path / "out" / "index.html").read_text()
    assert sorted(re.findall(r">([^<>]+ and [^<>]+)</a>", index)) == [
        f"ana and {name} ({year})" for name in ("old", "older") for year in ("2023", "2024")
    ]
    assert "left aside, as of one group or one person: 2" in " ".join(lines(capsys))  # ana's own earlier work


def test_the_gradebook_tells_which_rare_mistakes_are_shared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = hand_in(tmp_path / "class", "ana", "ben")
    (tmp_path / "reports").mkdir()
    with Gradebook(tmp_path / "reports" / "gradebook.sqlite") as book:
        for name in ("ana", "ben"):
            book.record(report(name, ("test_b", "expected 6, got 5.5")))
    similar(tmp_path, folder, "--reports", tmp_path / "reports")
    assert "same rare mistake: 5.1: expected 6, got 5.5 (2 of 2 students)" in " ".join(lines(capsys))
    assert "expected 6, got 5.5" in (tmp_path / "out" / "pair-1.html").read_text()


def test_a_folder_without_a_gradebook_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert similar(tmp_path, hand_in(tmp_path / "class", "ana"), "--reports", tmp_path) == "2"
    assert "there is no gradebook.sqlite" in capsys.readouterr().err
