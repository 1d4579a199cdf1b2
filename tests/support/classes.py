"""Makes whole classes, drawn from a seed: sections, all scripts, equal names, and all that can become of a week."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from grader.gradebook import Problem
from grader.people.person import Person
from grader.results import Adjustment, CheckResult, Delivery, ManualPart, Outcome, Report
from tests.support.reports import check

# Accents, letters that Unicode does not take apart, scripts of both directions, apostrophes and long names.
FIRST = (
    "Ana", "Émile", "Søren", "Łukasz", "Zoë", "İbrahim", "Işıl", "Jürgen", "Strauß", "Þóra", "Nguyễn", "D’Arcy",
    "王小明", "김민서", "さくら", "محمد", "שָׂרָה", "Дмитрий", "Ἀλέξης", "प्रिया", "Jean-Luc", "Maximiliana Theodora",
)  # fmt: skip
LAST = (
    "Silva", "Müller", "O'Brien", "Ørsted", "Yılmaz", "Groß", "García", "Đặng", "Sæþórsson", "Kowalski", "Æbelø",
    "van der Berg", "الزهراء", "כהן", "Волков", "Smith", "Ħaż-Żebbuġ", "Wolfeschlegelsteinhausenbergerdorff",
)  # fmt: skip
SECTIONS = ("A", "B", "Section B", "Übung 2", "Übung 10", "groupe é")
TITLES = ("output size", "values of the forward pass", "shapes are kept", "a training step", "the plot has labels")


@dataclass
class Class:
    """What the gradebook knows of a class."""

    reports: list[Report] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)


def make_class(
    students: int, weeks: int = 3, sections: tuple[str, ...] = SECTIONS[:3], seed: int = 0, tasks: int = 11
) -> Class:
    """Draw a class; some of its students have no section, where there are any."""
    drawn = random.Random(seed)
    made = Class()
    names: dict[str, int] = {}
    for number in range(students):
        called = f"{drawn.choice(FIRST)} {drawn.choice(LAST)}"
        names[called] = names.get(called, 0) + 1
        person = _person(called, number, names[called], sections, drawn)
        made.people.append(person)
        ability = min(1.0, max(0.0, drawn.gauss(0.75, 0.2)))
        for week in [f"week{4 + place}" for place in range(weeks)]:
            _hand_in(made, person, week, ability, tasks, drawn)
    made.people.append(Person("gone for good", key=10**6, folder="gone", gone=frozenset({"week4"})))
    return made


def _person(called: str, number: int, times: int, sections: tuple[str, ...], drawn: random.Random) -> Person:
    name = called if times == 1 else f"{called} ({2000 + number})"
    return Person(
        name, called, number + 1, folder=f"student {number}", section=drawn.choice((*sections, "")) if sections else "",
        group=f"Team {number // 3}" if drawn.random() < 0.3 else "", listed=drawn.random() < 0.97,
        marks=[("login", f"u{number}"), ("id", str(2000 + number)), ("email", f"s{number}@uni.example")],
    )  # fmt: skip


def _hand_in(made: Class, person: Person, week: str, ability: float, tasks: int, drawn: random.Random) -> None:
    fate = drawn.random()
    if fate < 0.06:
        return
    if fate < 0.08:
        made.problems.append(Problem(person.name, week, drawn.choice(("not a zip file", "larger than 50 MB"))))
        return
    report = Report(
        person.name, week, 7, "0.1.0", f"{person.key:064x}", "9a" * 32, _checks(week, ability, tasks, fate, drawn)
    )
    if fate < 0.12:
        report = replace(report, adjustments=(Adjustment("Late", -5, "one day", kind="late"),))
    elif fate < 0.13:
        report = replace(report, excused="ill")
    elif fate < 0.15:
        report = replace(report, manual=(ManualPart("style", "Code style", 5),))
    if person.group:
        report = replace(report, delivery=Delivery(group=person.group, members=(person.name, "another")))
    made.reports.append(report)


def _checks(week: str, ability: float, tasks: int, fate: float, drawn: random.Random) -> tuple[CheckResult, ...]:
    """Some fifty checks: the abler pass more, whoever lacks a module fails its checks, and tasks wait for others."""
    found = []
    stopped = tasks + 1 if drawn.random() < ability + 0.2 else drawn.randint(1, tasks)
    for task in range(1, tasks + 1):
        for place, title in enumerate(TITLES):
            hidden = place >= 3
            outcome, message = _end(task, place, ability, drawn)
            if task > stopped:
                outcome, message = Outcome.SKIPPED, f"needs task {week[-1]}.{stopped}, which does not pass"
            elif 0.15 < fate < 0.17 and task > tasks - 3:
                outcome = Outcome.ERROR
                message = (
                    "a module of the week is missing: inspection.py is missing from the "
                    "submission, which has lenet.py, training.py"
                )
            name = f"{title} of task {task}"
            found.append(check(f"{week[4:]}.{task}", name, outcome, 2, message, hidden=hidden, seconds=0.01 * task))
    return tuple(found)


def _end(task: int, place: int, ability: float, drawn: random.Random) -> tuple[Outcome, str]:
    if drawn.random() < ability * (1.1 - 0.04 * place):
        return Outcome.PASSED, ""
    kind = drawn.random()
    if kind < 0.7:
        wrong = drawn.choice(("a flipped kernel", "a stride of 2", "the mean over the wrong axis"))
        return (
            Outcome.FAILED,
            f"layer{task}: wrong values; {wrong}\n  expected     tensor 4×1×28×28\n  got          {kind}",
        )
    if kind < 0.9:
        return Outcome.ERROR, f"your code raised ValueError: {kind} <b> (lenet.py:{task}), in forward(x)"
    if kind < 0.99:
        return drawn.choice((Outcome.TIMEOUT, Outcome.MEMORY, Outcome.TODO)), "timeout after 20 s"
    return Outcome.BROKEN, "the check itself crashed: KeyError: 'axes'"
