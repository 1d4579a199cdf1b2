"""Whatever a class goes through, nobody is graded twice, nobody gets another's grade, and no override is lost.

A model makes classes with people of like names, and their histories: other layouts, rosters that come, go and are
corrected, renamed entries, new work, people who leave and come back. The register and the gradebook are the real ones;
grading is a line in a ledger.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from grader.batch.who import Members, find_members, record_members
from grader.gradebook import Gradebook, ResultKey
from grader.intake import Candidate, Survey
from grader.intake.collect import Collected
from grader.intake.layouts import Handed
from grader.intake.places import Place
from grader.intake.roster import Roster, Student
from grader.people.identity import Identity
from grader.people.resolve import find_person
from grader.results import CheckResult, Outcome, Override, Report

CHECK = CheckResult("t::a", "5.1", "a", False, 5, 10, Outcome.FAILED)
WEEKS = ("week4", "week5")
NAMES = ["Ana Silva", "José Núñez", "Anne-Marie O'Goff"]
PEOPLE = st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), min_size=2, max_size=5)
LAYOUTS = ("canvas", "moodle", "gradescope", "github", "plain")


@dataclass
class Human:
    """A person as they are in truth; the kit has to find out."""

    number: int
    name: str
    is_alone: bool  # nobody else has the name
    there: bool = True
    work: dict[str, int] = field(default_factory=dict)  # versions by week
    spelling: int = 0
    corrected: bool = False

    @property
    def email(self) -> str:
        return f"u{self.number}@x.edu"

    @property
    def login(self) -> str:
        return f"hub{self.number:02d}"

    @property
    def written(self) -> str:
        """The name as an entry of no platform has it."""
        first, *rest = self.name.split()
        ways = (self.name, f"{' '.join(rest)}, {first}", self.name.lower(), self.name.replace(" ", "_"))
        return ways[self.spelling % len(ways)]

    def student(self) -> Student:
        return Student(self.name, str(10_000 + self.number), self.email, self.login, section="A")

    def digest(self, week: str) -> str:
        return f"{self.number}/{week}/{self.work[week]}"

    def entry(self, layout: str, week: str) -> tuple[str, Identity]:
        """Return how a layout calls the person, and who it says that is."""
        number = str(10_000 + self.number)
        if layout == "canvas":
            last_first = self.name.split()[1:] + self.name.split()[:1]
            short = "".join(char for char in "".join(last_first).lower() if char.isalnum())
            return f"{short} ({number})", Identity(short, "canvas", number)
        if layout == "moodle":
            mapped = str(2_000 + 100 * WEEKS.index(week) + self.number)
            return self.name if self.is_alone else f"{self.name} ({mapped})", Identity(self.name, "moodle", mapped)
        if layout == "gradescope":
            label = self.name if self.is_alone else f"{self.name} ({number})"
            return label, Identity(self.name, "gradescope", number, email=self.email)
        if layout == "github":
            return self.login, Identity("", "github", login=self.login)
        label = self.written if self.is_alone else number
        return label, Identity(label)


class Histories(RuleBasedStateMachine):
    """Histories of one class, from run to run into the same gradebook."""

    @initialize(people=PEOPLE)
    def begin(self, people: list[tuple[str, bool]]) -> None:
        self.folder = Path(tempfile.mkdtemp())
        names = [name for name, _ in people]
        self.humans = [Human(n, name, names.count(name) == 1, there) for n, (name, there) in enumerate(people)]
        for human in self.humans:
            human.work = dict.fromkeys(WEEKS[: 1 + human.number % 2], 0)
        self.ledger: dict[str, int] = {}
        self.overrides: dict[tuple[int, str], int] = {}
        self.seen: set[str] = set()  # layouts so far
        self.always_listed = True
        self.is_listed_once = False
        self.last: Members | None = None
        self.layout = ""

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(layout=st.sampled_from(LAYOUTS), roster=st.sampled_from(["none", "full", "full"]))
    def run(self, layout: str, roster: str) -> None:
        there = [human for human in self.humans if human.there]
        if not there:
            return
        self.layout = layout
        self.seen.add(layout)
        self.always_listed &= roster == "full"
        self.is_listed_once |= roster == "full"
        candidates = [self.candidate(human, layout, week) for human in there for week in human.work]
        students = tuple(human.student() for human in self.humans) if roster == "full" else ()
        with Gradebook(self.folder / "gradebook.sqlite") as book:
            told = find_members(Survey(tuple(candidates), ()), Roster(students), self.folder, book)
            record_members(told, self.folder, book)
            for candidate in told.candidates:
                self.grade(candidate, book)
        self.last = told

    def candidate(self, human: Human, layout: str, week: str) -> Candidate:
        label, who = human.entry(layout, week)
        collected = Collected({}, (), human.digest(week))
        path = Path(label)
        place = Place(week, "", {})
        return Candidate(label, week, path, place, handed=Handed(label, path, who=who), collected=collected)

    def grade(self, candidate: Candidate, book: Gradebook) -> None:
        assert not candidate.problem, candidate.problem
        assert isinstance(candidate.collected, Collected)
        digest = candidate.collected.digest
        report = Report(candidate.student, str(candidate.week), 0, "1", digest, "a", (CHECK,))
        if book.find(ResultKey.of(report)) is None:
            book.record(report)
            self.ledger[digest] = self.ledger.get(digest, 0) + 1

    @rule(number=st.integers(0, 4), week=st.sampled_from(WEEKS))
    def hand_in(self, number: int, week: str) -> None:
        if number < len(self.humans):
            work = self.humans[number].work
            work[week] = work.get(week, -1) + 1

    @rule(number=st.integers(0, 4))
    def leave_or_return(self, number: int) -> None:
        if number < len(self.humans):
            self.humans[number].there ^= True

    @rule(number=st.integers(0, 4), spelling=st.integers(0, 3))
    def rename_entry(self, number: int, spelling: int) -> None:
        if number < len(self.humans):
            self.humans[number].spelling = spelling

    @rule(number=st.integers(0, 4))
    def correct_name(self, number: int) -> None:
        """A second family name is added: the roster says so, by the same id."""
        if number < len(self.humans) and self.always_listed and not self.humans[number].corrected:
            human = self.humans[number]
            if human.is_alone:
                human.name, human.corrected = f"{human.name} Rossi", True

    @rule(number=st.integers(0, 4), points=st.integers(0, 10))
    def override(self, number: int, points: int) -> None:
        if self.last is None or number >= len(self.humans):
            return
        human = self.humans[number]
        with Gradebook(self.folder / "gradebook.sqlite") as book:
            for report in book.current():
                owner, week, _ = report.submission.split("/")
                if int(owner) == human.number and human.there:
                    book.override(Override(report.student, week, "5.1", points, "why", "who", "2026"))
                    self.overrides[human.number, week] = points

    def is_tellable(self, human: Human) -> bool:
        """Tell whether the layouts and rosters so far say enough to know this person again."""
        if self.seen <= {self.layout} and self.layout not in ("moodle", "plain"):
            return True
        if self.always_listed:
            return human.is_alone or "moodle" not in self.seen
        # A login says no name, a corrected name is in the roster alone.
        return human.is_alone and not human.corrected and "github" not in self.seen

    @invariant()
    def nobody_has_anothers_work(self) -> None:
        if self.last is None:
            return
        with Gradebook(self.folder / "gradebook.sqlite") as book:
            owner = "substr(submission, 1, instr(submission, '/'))"
            counts = book.rows(f"SELECT count(DISTINCT {owner}) FROM attempts GROUP BY person")
            assert set(counts) == {(1,)}
            shown = [person.name.casefold() for person in book.people()]
        assert len(shown) == len(set(shown))

    @invariant()
    def nobody_is_graded_twice(self) -> None:
        if self.last is None:
            return
        for human in self.humans:
            if self.is_tellable(human):
                counts = {digest: n for digest, n in self.ledger.items() if digest.startswith(f"{human.number}/")}
                assert set(counts.values()) <= {1}, (human, counts, self.last.people)

    @invariant()
    def every_override_holds_and_nobody_is_lost(self) -> None:
        if self.last is None:
            return
        with Gradebook(self.folder / "gradebook.sqlite") as book:
            current = book.current()
            people = book.people()
        graded = {candidate.collected.digest for candidate in self.last.candidates}  # type: ignore[union-attr]
        for human in self.humans:
            theirs = {report.week: report for report in current if report.submission.startswith(f"{human.number}/")}
            assert len(theirs) == len([r for r in current if r.submission.startswith(f"{human.number}/")]) or (
                not self.is_tellable(human)
            )
            present = any(digest.startswith(f"{human.number}/") for digest in graded)
            if present and self.is_tellable(human):
                for week, report in theirs.items():
                    assert report.score == self.overrides.get((human.number, week), 5), (human, week)
            if not present and self.is_tellable(human):  # a week of which nobody has anything is another folder's
                assert not {candidate.week for candidate in self.last.candidates} & set(theirs), (human, theirs)
            if present and self.is_tellable(human) and self.is_listed_once:
                assert find_person(people, human.email.upper()).name in {report.student for report in theirs.values()}


Histories.TestCase.settings = settings(
    max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase
