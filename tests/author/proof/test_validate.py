"""`validate` passes a new week at once, and names whatever is wrong with its checks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.proof import findings, matrix, record, trials
from grader.author.proof.mutants import Mutant
from grader.author.proof.repeated import Kept
from grader.author.proof.validate import Part, mutate, validate
from grader.author.release.scaffold import new_week
from grader.cli.main import main
from grader.course import Course
from grader.errors import CourseError, UsageError
from grader.results import CheckResult, Measure, Outcome, Report

WEEK = "week7"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, text
    file.write_text(text.replace(old, new))


MORE = """
[[mutant]]
id = "error-doubled"
file = "exercise.py"
find = ".square().mean()"
replace = ".square().mean() * 2"
tasks = ["7.1"]
why = "Doubles."
"""


def test_a_new_week_validates_at_once_and_each_weakening_shows(new_course: Course) -> None:
    public, hidden = new_course.root / "assignments" / WEEK, new_course.root / "solutions" / WEEK
    watched: list[tuple[str, int, int]] = []

    def watch(week: str, count: int, running: Iterator[trials.Trial]) -> Iterable[trials.Trial]:
        done = list(running)
        watched.append((week, count, len(done)))
        return done

    first = validate(WEEK, seeds=2, jobs=1, agree=True, watch=watch)
    assert (len(first.rows), first.faults, first.points) == (2, (), (60, 40))
    assert watched == [(WEEK, 5, 5)]  # the reference twice, the skeleton, two mutants
    assert "error-summed" in matrix.page([first])
    caught = json.loads((hidden / "caught.json").read_text())
    assert caught["error-detached"] == ["test_hidden.py::test_gradient"]

    # After an edit only what it touches is graded: here one mutant that is new, and that by its own task.
    kept, part = Kept(), Part(task="7.1")
    rounds = []
    for text in ("", "", MORE, "# a comment\n"):
        with (hidden / "mutants.toml").open("a") as file:
            file.write(text)
        rounds.append(validate(WEEK, seeds=1, jobs=1, watch=watch, part=part, kept=kept))
    assert [count for _, count, _ in watched[1:]] == [4, 1]
    assert [len(one.rows) for one in rounds] == [2, 2, 3, 3]
    assert [str(fault) for one in rounds for fault in one.faults] == []
    (hidden / "mutants.toml").write_text((hidden / "mutants.toml").read_text().replace(MORE, ""))

    # A check that always passes.
    good = (hidden / "test_hidden.py").read_text()
    (hidden / "test_hidden.py").write_text(good[: good.index("    predictions, targets")] + "    assert True\n")
    said = "\n".join(map(str, validate(WEEK, seeds=1, jobs=1).faults))
    assert "survivor: error-detached: keeps all points of task 7.1" in said
    assert "weaker: test_hidden.py::test_gradient: no longer catches mutant error-detached" in said
    assert "no mutant fails any of its hidden checks" in said
    (hidden / "test_hidden.py").write_text(good)

    # A weaker assertion, which another check makes up for: no survivor, and still it is said.
    change(public / f"test_{WEEK}.py", "torch.tensor(want), ", "torch.tensor(want), rtol=1e9, what=")
    said = "\n".join(map(str, validate(WEEK, seeds=1, jobs=1).faults))
    assert f"weaker: test_{WEEK}.py::test_mean_squared_error: no longer catches mutant error-summed" in said
    assert "survivor" not in said


def test_general_operators_are_tried_and_survivors_need_a_reason(
    new_course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = new_course.root / "solutions" / WEEK
    change(hidden / "exercise.py", ".square().mean()", ".abs().pow(2).mean() + 0 * 3")
    change(hidden / "mutants.toml", '".square().mean()"', '".pow(2).mean()"')
    change(hidden / "mutants.toml", '".square().sum()"', '".pow(2).sum()"')
    found = mutate(WEEK, jobs=1)
    names = [mutant.id for mutant in found.unexplained]
    assert names and all("shift-number" in name or "swap" in name for name in names)
    assert (found.alive, found.faults) == (found.unexplained, len(names))
    reasons = [f'[[survivor]]\nid = "{name}"\nkind = "equivalent"\nwhy = "0 times anything"\n' for name in names]
    (hidden / "survivors.toml").write_text("\n".join([*reasons, reasons[0].replace(names[0], "gone")]))
    # The same by the command, which says it in words.
    words = ["validate", WEEK, "--seeds", "1", "--jobs", "1", "--record", "--mutate", "--html", "page.html"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert f"wrote solutions/{WEEK}/caught.json\n" in said and "wrote page.html\n" in said
    assert f"{WEEK}: grading 4 submissions\n" in said and "2 mutants, 0 faults" in said
    assert f"{len(names)} survive for a reason, 0 survive" in said.replace("\n", " ")
    assert "nothing survives any more for: gone" in said
    assert "error-summed" in (new_course.root / "page.html").read_text()


def test_a_week_is_not_written_over_and_needs_a_number(new_course: Course) -> None:
    with pytest.raises(UsageError, match="exists already"):
        new_week(new_course, WEEK)
    with pytest.raises(UsageError, match="as in week7"):
        new_week(new_course, "../week8")


# What is graded of a part, and what only repeats.


def test_a_part_is_tried_on_its_own_tasks_and_a_mutant_that_is_named_on_all() -> None:
    mutants = {one.id: one for one in (replace(MUTANT, tasks=("7.1", "7.3")), replace(MUTANT, id="n", tasks=("7.2",)))}
    subject = trials.Subject(trials.MUTANT, "m", {})
    for part, tasks, of_mutant in (
        (Part(), (), ()), (Part(task="7.1"), ("7.1",), ("7.1", "7.3")), (Part(mutants=("m",)), ("7.1", "7.3"), ()),
    ):  # fmt: skip
        assert part.tasks(part.of([*mutants.values()])) == tasks
        assert part.limit(subject, mutants).tasks == of_mutant
        reference = trials.Subject(trials.REFERENCE, WEEK, {}, 0, tasks)
        assert part.limit(reference, mutants) == reference


def test_a_mutant_whose_tasks_have_changed_is_graded_anew(new_course: Course) -> None:
    kept, assignment = Kept(), new_course.assignment(WEEK)
    before = trials.Subject(trials.MUTANT, "m", {"exercise.py": b"x = 1"}, 0, ("7.1",))
    kept.round(assignment).learn(trials.Trial(before, Report("m", WEEK, 0, "g", "s", "a", (PASS,))))
    now = kept.round(assignment)
    assert [trial.subject for trial in now.known([before, replace(before, tasks=("7.1", "7.2"))])] == [before]


# What the findings say of made-up runs.

PASS = CheckResult("test_week7.py::a", "7.1", "a", False, 60, 60, Outcome.PASSED)
HIDDEN = CheckResult("test_hidden.py::b", "7.1", "b", True, 40, 40, Outcome.PASSED)
MUTANT = Mutant("m", "exercise.py", "a", "b", ("7.1",), "a reason")


def failing(check: CheckResult, outcome: Outcome = Outcome.FAILED) -> CheckResult:
    return replace(check, points=0, outcome=outcome, message="\nwrong")


def trial(kind: str, *checks: CheckResult, name: str = "m", seed: int = 0) -> trials.Trial:
    return trials.Trial(trials.Subject(kind, name, {}, seed), Report("x", WEEK, seed, "g", "s", "a", checks))


def found(*runs: trials.Trial, recorded: record.Caught | None = None) -> list[str]:
    return [str(finding) for finding in findings.examine(runs, [MUTANT], recorded or {}) if finding.fault]


GOOD = (
    trial(trials.REFERENCE, PASS, HIDDEN),
    trial(trials.SKELETON, failing(PASS, Outcome.TODO), failing(HIDDEN, Outcome.TODO)),
    trial(trials.VARIANT, PASS, HIDDEN, name="terse"),
    trial(trials.MUTANT, failing(PASS), failing(HIDDEN)),
)


def test_nothing_is_found_where_all_is_well() -> None:
    assert found(*GOOD, recorded={"m": [PASS.id, HIDDEN.id]}) == []


def test_a_check_is_weaker_only_where_no_seed_catches_what_the_record_has() -> None:
    recorded = {"m": [PASS.id, HIDDEN.id]}
    runs = [*GOOD[:3], trial(trials.MUTANT, PASS, failing(HIDDEN))]
    assert findings.missed(runs, [MUTANT], recorded) == {"m"}
    assert findings.missed(GOOD, [MUTANT], recorded) == set()
    others = [trial(trials.MUTANT, PASS, HIDDEN, seed=1), trial(trials.MUTANT, failing(PASS), HIDDEN, seed=2)]
    kinds = [
        [finding.kind for finding in findings.examine(runs, [MUTANT], recorded, again) if finding.kind == "weaker"]
        for again in ((), others[:1], others)
    ]
    assert kinds == [["weaker"], ["weaker"], []]


@pytest.mark.parametrize(
    ("place", "run", "says"),
    [
        (0, trial(trials.REFERENCE, failing(PASS), HIDDEN), "too strict: test_week7.py::a: the reference loses 60"),
        (0, trial(trials.REFERENCE, replace(PASS, points=50, max_points=50), HIDDEN), "worth 50 points, not 60"),
        (0, trial(trials.REFERENCE, PASS, replace(HIDDEN, task="7.2")), "points: task 7.1: it has no points on hidden"),
        (1, trial(trials.SKELETON, PASS, failing(HIDDEN)), "for nothing: test_week7.py::a: the skeleton gets 60"),
        (2, trial(trials.VARIANT, PASS, failing(HIDDEN), name="terse"), "variant terse loses 40"),
        (3, trial(trials.MUTANT, PASS, HIDDEN), "survivor: m: keeps all points of task 7.1: a reason"),
        (3, trial(trials.MUTANT, failing(PASS), HIDDEN), "no mutant fails any of its hidden checks"),
        (3, trial(trials.MUTANT, failing(PASS), failing(HIDDEN), replace(failing(PASS), id="c", task="7.2")),
         "collateral: m: loses points of task 7.2, too (c)"),
        (3, trial(trials.MUTANT, failing(PASS), failing(HIDDEN, Outcome.BROKEN)), "broken check: test_hidden.py::b"),
        (3, trials.Trial(trials.Subject(trials.MUTANT, "m", {}), None, "no judge"), "not graded: mutant m: no judge"),
    ],
)  # fmt: skip
def test_each_fault_is_named(place: int, run: trials.Trial, says: str) -> None:
    runs = [*GOOD[:place], run, *GOOD[place + 1 :]]
    assert any(says in line for line in found(*runs)), found(*runs)


@pytest.mark.parametrize(
    ("place", "kind", "name", "folder"),
    [(0, trials.REFERENCE, "week7", "solutions/week7"), (2, trials.VARIANT, "a b", "'solutions/week7/variants/a b'")],
)
def test_what_is_too_strict_shows_expected_and_got_and_the_command_that_shows_it_again(
    place, kind, name, folder
) -> None:
    message = "f is wrong\n\n  expected: 1.0\n  got:      2.0\n"
    run = trial(kind, replace(failing(PASS), message=message), HIDDEN, seed=3, name=name)
    (line,) = [line for line in found(*GOOD[:place], run, *GOOD[place + 1 :]) if line.startswith("too strict")]
    assert "f is wrong\n    expected: 1.0\n    got:      2.0\n" in line
    assert line.endswith(f"\n  again: python -m grader run week7 --submission {folder} --seed 3")


@pytest.mark.parametrize(
    ("kind", "name", "says"), [(trials.REFERENCE, "week7", "the reference"), (trials.VARIANT, "terse", "variant terse")]
)
def test_a_check_that_passes_with_some_seeds_alone_is_flaky_and_told_once(kind: str, name: str, says: str) -> None:
    runs = [trial(kind, PASS if seed < 88 else failing(PASS), HIDDEN, name=name, seed=seed) for seed in range(100)]
    flaky, strict = sorted(line for line in found(*GOOD, *runs) if PASS.id in line)
    assert strict.startswith(f"too strict: test_week7.py::a: {says} loses 60 (seed 88)")
    seeds = ", ".join(map(str, range(88, 98)))
    assert flaky.startswith(f"flaky: test_week7.py::a: {says} fails with 12 of 10")
    assert flaky.endswith(f" seeds ({seeds}, …)")


def test_correct_programs_are_tried_with_each_seed(new_course: Course) -> None:
    folder = new_course.root / "solutions" / WEEK
    shutil.copytree(folder, folder / "variants" / "terse", ignore=lambda *_: ["variants"])
    tried = trials.subjects_of(new_course.assignment(WEEK), [], range(5, 8))
    assert [(one.kind, one.seed) for one in tried] == [
        *((kind, seed) for seed in (5, 6, 7) for kind in (trials.REFERENCE, trials.VARIANT)),
        (trials.SKELETON, 5),
    ]


def test_margins_are_measured_over_the_seeds() -> None:
    runs = [
        trial(trials.REFERENCE, replace(PASS, measures=(Measure("accuracy", value, 0.7, True),)), HIDDEN, seed=seed)
        for seed, value in enumerate((0.9, 0.95, 0.85))
    ]
    (margin,) = matrix.matrix_of(WEEK, runs, [], []).margins
    assert (margin.bound, round(margin.worst, 3), round(margin.mean, 3)) == (0.7, 0.15, 0.9)
    assert margin.deviations == pytest.approx(4.0)


def test_a_check_that_the_reference_fails_is_no_collateral_of_every_mutant() -> None:
    other = replace(HIDDEN, id="test_hidden.py::c", task="7.2")
    runs = [trial(trials.REFERENCE, PASS, failing(other)), trial(trials.MUTANT, failing(PASS), failing(other))]
    assert [line for line in found(*runs) if line.startswith("collateral")] == []
    runs[0] = trial(trials.REFERENCE, PASS, other)
    assert [line for line in found(*runs) if line.startswith("collateral")] != []


def test_only_what_takes_a_second_is_slow() -> None:
    slow = [replace(PASS, id=f"a::{seconds}", seconds=seconds) for seconds in (0.04, 0.9, 1.2, 7.0)]
    shown = matrix.matrix_of(WEEK, [trial(trials.REFERENCE, *slow)], [], [])
    assert [check.seconds for check in shown.slowest] == [7.0, 1.2]
    quick = matrix.matrix_of(WEEK, [trial(trials.REFERENCE, slow[0])], [], [])
    assert "Slow" not in matrix.page([quick]) and "Slow" in matrix.page([shown])


def test_a_record_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    file = record.file_of(tmp_path, WEEK)
    file.parent.mkdir(parents=True)
    for text in ("[]", "{", '{"a": 1}'):
        file.write_text(text)
        with pytest.raises(CourseError, match=r"caught\.json: this is no record"):
            record.load(tmp_path, WEEK)
