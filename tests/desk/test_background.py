"""What nobody waits for: works are graded again by judges, alike ones are found, and open pages hear what is new."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from grader.batch.pages import write_decided
from grader.course import Course
from grader.desk.background.live import Live
from grader.desk.background.mending import Mending
from grader.desk.model.snapshot import Snapshot
from grader.errors import GraderError
from grader.gradebook import Gradebook, open_book
from grader.gradebook.together.claim import Claim
from grader.intake.collect import digest_of
from grader.judging.job import Job, Ungraded
from grader.results import Report
from grader.similarity.compare import Work
from tests.support.desks import Page, Visitor, again, graded, make_book, opened

FILES = {"window.py": b"def moving_average(): ...\n"}


@dataclass
class Judges:
    """A backend that gives everything full points, or fails."""

    says: str = ""
    confined: bool = True
    fails: str = ""
    jobs: list[Job] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def prepare(self, weeks: Sequence[str], count: int) -> None: ...

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        for job in jobs:
            self.jobs.append(job)
            if self.fails == "late":
                self.closed.wait(30)
                return
            if self.fails == "whole":
                raise GraderError("no judge starts")
            if self.fails:
                yield Ungraded(job, self.fails)
                continue
            yield replace(graded(job.student, 3, job.week), submission=job.digest, seed=job.seed)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def regradable(tmp_path: Path, one_check_course: Course) -> Path:
    """A class whose course is there, with a work of which all files are kept."""
    (week,) = one_check_course.assignments()
    folder = tmp_path / "reports"
    make_book(folder)
    digest = digest_of(FILES)
    with Gradebook(folder / "gradebook.sqlite", copies=False) as book:
        assignment = one_check_course.assignment(week).digest
        book.record(replace(graded("Ana Silva", 1, week), submission=digest, assignment=assignment))
        book.record_sources(digest, FILES)
    return folder


def wait(visitor: Visitor, path: str, done: Callable[[Page], bool]) -> Page:
    for _ in range(200):
        page = visitor.get(path)
        if done(page):
            return page
        time.sleep(0.05)
    raise AssertionError(page.words)


@pytest.mark.parametrize("check", ["", "test_week5.py::test_values_of_LeNet"])
def test_a_week_or_a_check_is_graded_again(regradable: Path, one_check_course: Course, check: str) -> None:
    (week,) = one_check_course.assignments()
    judges = Judges()
    with opened(regradable, course=one_check_course, backend=lambda: judges) as (tina, _):
        path = f"/work/1/{week}"
        form = tina.get(path).form("/do/again") | {"check": check}
        assert "waits to be graded again" in tina.post("/do/again", form).words
        page = wait(tina, path, lambda page: "2 attempts" in page.words)
        assert "12 of 12" in page.words
        assert "Ana Silva" in tina.get("/log").words
    (job,) = judges.jobs
    assert (job.files, job.seed, len(job.kept)) == (FILES, 7, 2 if check else 0)
    assert check not in [one.id for one in job.kept]
    with open_book(regradable) as book:
        assert book.stale() == []


@pytest.mark.parametrize("fails", ["the judge was killed", "whole"])
def test_what_cannot_be_graded_again_is_said_and_keeps_its_grade(
    regradable: Path, one_check_course: Course, fails: str
) -> None:
    (week,) = one_check_course.assignments()
    with opened(regradable, course=one_check_course, backend=lambda: Judges(fails=fails)) as (tina, _):
        path = f"/work/1/{week}"
        tina.post("/do/again", tina.get(path).form("/do/again"))
        page = wait(tina, path, lambda page: "could not be graded again" in page.words)
        assert "4 of 12" in page.words
        assert "1 attempt" in page.words


def test_a_desk_that_is_closed_ends_judges_and_says_what_was_not_graded_again(
    regradable: Path, one_check_course: Course
) -> None:
    (week,) = one_check_course.assignments()
    judges, path = Judges(fails="late"), f"/work/1/{week}"
    with opened(regradable, course=one_check_course, backend=lambda: judges) as (tina, _):
        tina.post("/do/again", tina.get(path).form("/do/again"))
        wait(tina, path, lambda page: "is being graded again" in page.words)
    assert judges.closed.is_set()
    with open_book(regradable) as book:
        assert next((one.who, one.what) for one in book.actions()) == (
            "tina", f"Ana Silva, {week}: not graded again, as the desk was closed before",
        )  # fmt: skip


def test_a_work_of_which_not_all_is_kept_is_not_graded_again(regradable: Path, one_check_course: Course) -> None:
    with opened(regradable, course=one_check_course, backend=Judges) as (tina, _):
        page = tina.get("/work/2/week5")
        assert "Not graded again from here" in page.words
        csrf = page.form("done")["csrf"]
        assert tina.post("/do/again", {"csrf": csrf, "person": "2", "week": "week5"}).status == 400
    with opened(regradable) as (tina, _):
        assert "this desk was opened without a course" in tina.get("/work/1/week5").words


def test_damaged_modules_are_named_on_their_own_page_with_what_helps(
    regradable: Path, one_check_course: Course
) -> None:
    (week,) = one_check_course.assignments()
    with sqlite3.connect(regradable / "gradebook.sqlite") as database:
        database.execute("UPDATE sources SET files = x'00'")
    database.close()
    with opened(regradable, course=one_check_course, backend=Judges) as (tina, _):
        page = tina.get(f"/work/1/{week}")
        assert page.status == 200
        assert "`batch --regrade` keeps them anew" in page.words
        assert tina.send(tina.get("/similar/week5"), "compare", "/do/compare").status == 200


def test_alike_works_are_found_and_shown_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.desk.background import likeness
    from grader.similarity.compare import Pair

    def pairs(works: list[Work], skeleton: str) -> list[Pair]:
        works = sorted(works, key=lambda work: work.student)
        return [Pair(works[0], works[1], 0.9, 0.8, ((0, 20),), ((0, 20),))]

    monkeypatch.setattr(likeness, "similar_pairs", lambda works, skeleton, least: pairs(works, skeleton))
    with opened(make_book(tmp_path)) as (tina, _):
        page = tina.send(tina.get("/similar/week5"), "compare", "/do/compare")
        assert page.status == 200
        page = wait(tina, "/similar/week5", lambda page: "90 %" in page.words)
        assert "Ana Silva and Ben O'Brien" in page.words
        sides = tina.get("/similar/week5?pair=0")
        assert sides.text.count("<mark>") == 2
        assert "&lt;b&gt;bold&lt;/b&gt;" in sides.text


def test_open_pages_hear_of_a_run_and_of_what_is_decided(tmp_path: Path) -> None:
    folder = make_book(tmp_path)

    async def heard(book: Gradebook) -> list[dict[str, Any]]:
        live = Live(Snapshot(book))
        watching = asyncio.create_task(live.watch())
        lines = live.lines()
        found = [await anext(lines)]
        with Gradebook(folder / "gradebook.sqlite") as run:
            run.note_progress(3, 1)
            run.record(graded("Emil Neu", 3))
            found.append(await asyncio.wait_for(anext(lines), 30))
        found.append(await asyncio.wait_for(anext(lines), 30))
        live.close()
        watching.cancel()
        return [json.loads(line.removeprefix("data: ")) for line in found]

    with open_book(folder, shared=True) as book:
        before, during, after = asyncio.run(heard(book))
    assert (before["running"], during["running"], after["running"]) == (False, True, False)
    assert (during["done"], during["total"]) == (1, 3)
    assert during["newest"][0]["name"] == "Emil Neu"
    assert before["revision"] < during["revision"]


def test_reports_wait_while_a_run_has_the_gradebook_and_are_written_then(tmp_path: Path) -> None:
    report = tmp_path / "students" / "s0" / "week5" / "report.html"
    make_book(tmp_path)
    with open_book(tmp_path, shared=True) as book:
        mending = Mending(Snapshot(book))
        with book.changing("tina") as change:
            comment = {"person": 1, "week": "week5", "about": "week", "target": "", "line": 0, "quote": ""}
            change.put("comments", comment | {"submission": "", "text": "well done", "who": "tina", "at": change.at})
        run = Claim(tmp_path)
        mending.finish()
        assert not report.exists()
        run.let_go()
        mending.finish()
        assert "well done" in report.read_text()
        assert book.stale() == []


def test_a_report_that_a_decision_overtook_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_book(tmp_path)
    with open_book(tmp_path, shared=True) as desk, open_book(tmp_path) as run:
        run.record_zeros({("Ana Silva", "week9")})
        real = desk.latest

        def overtaken(students: Any) -> list[Report]:
            found = real(students)
            run.record_zeros(set())
            return found

        monkeypatch.setattr(desk, "latest", overtaken)
        write_decided(desk, tmp_path)
        assert desk.stale() == [("Ana Silva", "week9")]


def test_the_class_in_memory_is_as_one_that_is_read_anew(tmp_path: Path) -> None:
    """Whatever happens to the gradebook, in whatever order, what was read bit by bit is the whole."""
    folder = make_book(tmp_path)
    with open_book(folder, shared=True) as book:
        kept = Snapshot(book)
        for step in (_graded_again, _decided, _late, _new_student, _problem, _renamed, _gone, _manual):
            step(folder)
            kept.refresh()
            fresh = Snapshot(book)
            assert kept.reports == fresh.reports, step
            assert kept.rows == fresh.rows, step
            assert kept.problems == fresh.problems, step
            assert kept.attempts == fresh.attempts, step


def _with_book(change: Callable[[Gradebook], object], folder: Path) -> None:
    with Gradebook(folder / "gradebook.sqlite", copies=False) as book:
        change(book)


def _graded_again(folder: Path) -> None:
    again(folder, "Ana Silva", submission="7" * 64)


def _decided(folder: Path) -> None:
    from grader.batch.override import override_task

    override_task(folder, "Ben O'Brien", "week5", "5.3", "3", "because", "uwe")


def _late(folder: Path) -> None:
    from grader.results import Late

    _with_book(lambda book: book.record_late("Ben O'Brien", "week5", Late(2, 20)), folder)


def _new_student(folder: Path) -> None:
    _with_book(lambda book: book.record(graded("Emil Neu", 2, "week6")), folder)


def _problem(folder: Path) -> None:
    _with_book(lambda book: book.record_problem("Cleo Groß", "week5", "no zip"), folder)


def _renamed(folder: Path) -> None:
    def rename(book: Gradebook) -> None:
        people = book.people()
        people[0].name = "Ana Maria Silva"
        book.save_people(people)

    _with_book(rename, folder)


def _gone(folder: Path) -> None:
    _with_book(lambda book: book.mark_gone({4: ["week5"]}), folder)


def _manual(folder: Path) -> None:
    from tests.support.desks import PLOTS

    _with_book(lambda book: book.record_weeks({"week5": [replace(PLOTS, max_points=9)]}), folder)


def test_two_attempts_are_compared_in_bounded_time_and_exactly() -> None:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    from grader.desk.model.diffs import diff

    texts = st.lists(st.sampled_from("abcd"), max_size=12)

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(old=texts, new=texts)
    def holds(old: list[str], new: list[str]) -> None:
        lines = [line for line in diff("x.py", old, new).lines if line.sign != "…"]
        near = [line for line in lines if line.sign in " -"]
        assert [line.text for line in near] == [old[line.old - 1] for line in near]
        assert [line.text for line in lines if line.sign == "-"] == _without(old, lines)
        assert len([line for line in lines if line.sign == "+"]) - (len(new) - len(old)) == len(_without(old, lines))

    holds()
    assert diff("x.py", [str(n % 7) for n in range(4_000)], [str(n % 11) for n in range(4_000)]).whole


def _without(old: list[str], lines: Sequence[Any]) -> list[str]:
    return [old[line.old - 1] for line in lines if line.sign == "-"]


def test_a_desk_that_is_opened_while_a_run_begins_waits_for_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.gradebook import database
    from grader.gradebook.together.claim import Taken

    def begun(folder: Path) -> Claim:
        monkeypatch.undo()
        Gradebook(folder / "gradebook.sqlite", copies=False).close()
        raise Taken

    (tmp_path / "gradebook.sqlite").touch()
    monkeypatch.setattr(database, "Claim", begun)
    with open_book(tmp_path, shared=True) as book:
        assert book.people() == []


def test_the_class_page_follows_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.desk.background import mending

    monkeypatch.setattr(mending, "QUIET", 0.0)
    monkeypatch.setattr(mending, "SECONDS", 0.01)
    make_book(tmp_path)

    async def go_on(snapshot: Snapshot) -> None:
        work = asyncio.create_task(Mending(snapshot).go_on())
        snapshot.touch()
        for _ in range(600):
            await asyncio.sleep(0.05)
            if (tmp_path / "index.html").exists():
                break
        work.cancel()

    with open_book(tmp_path, shared=True) as book:
        asyncio.run(go_on(Snapshot(book)))
    assert "Ana Silva" in (tmp_path / "index.html").read_text()


def test_code_that_a_run_keeps_later_is_shown(tmp_path: Path) -> None:
    with opened(make_book(tmp_path)) as (tina, _):
        again(tmp_path, "Ana Silva", submission="e" * 64)
        assert "does not hold this student's code" in tina.get("/work/1/week5").words
        _with_book(lambda book: book.record_sources("e" * 64, {"late.py": b"x = 1\n"}), tmp_path)
        assert "late.py" in tina.get("/work/1/week5").words
