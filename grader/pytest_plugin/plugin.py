"""Adds to pytest the `student` fixture, `--task`, verdicts in plain words, and the score table.

It runs in two places. At a student's desk it serves probes in the same process (`LocalStudents`); in a judge
(`grader.judging.judge`) another provider puts them into sandboxed workers. Everything else is the same code, so a
check cannot tell where it runs. In projects without `@task` tests it does nothing.
"""

from __future__ import annotations

import copy
import sys
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from grader.escape import never_fail
from grader.pytest_plugin import options
from grader.pytest_plugin.chosen import Chosen
from grader.pytest_plugin.commands import command_on, quoted
from grader.results import CheckResult, Outcome, told_once

if TYPE_CHECKING:
    import torch

    from grader.checks.task_mark import TaskMark
    from grader.pytest_plugin.student import Student

_LETTERS = {
    Outcome.TODO: ("todo", "T", "TODO"),
    Outcome.SKIPPED: ("waiting", "w", "WAITING"),
    Outcome.TIMEOUT: ("failed", "F", "TIMEOUT"),
}
_AGAIN = ("ended by the same", "f", "FAILED AS ABOVE")
# A hint is about the check. Where the student's code raised, or time ran out, it would lead away from the cause.
_HINTED = (Outcome.FAILED, Outcome.INVALID, Outcome.SKIPPED)


class Students(Protocol):
    """Provides what the `student` fixture gives to checks."""

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        """Return the handle for one check."""
        ...

    def close(self, student: Student) -> None:
        """Take the handle back, since its check is over."""
        ...

    def check_seed(self, item: pytest.Item) -> int:
        """Return the seed of everything that this check draws."""
        ...


CHECK = "grader_check"  # the attribute of a pytest report that holds the check's result
FOLDER = "grader_folder"  # the one that names the folder of its week

students_key = pytest.StashKey[Students]()
scores_key = pytest.StashKey["Scores"]()
options_key = pytest.StashKey[options.Options]()
tasks_key = pytest.StashKey[Collection[str]]()  # all, also those that `--task` leaves out
chosen_key = pytest.StashKey[Chosen]()
language_key = pytest.StashKey[str]()
texts_key = pytest.StashKey[dict[Path, dict[str, str]]]()  # translations of a week, by the folder of its checks


class Scores:
    """Holds the results so far, by pytest's node id, for `needs` and for the score table."""

    def __init__(self) -> None:
        self.results: dict[str, CheckResult] = {}
        self.reports: dict[str, pytest.TestReport] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the results of this process, and under pytest-xdist those of its workers."""
        check = getattr(report, CHECK, None)
        if check:
            self.results[report.nodeid] = CheckResult.from_dict(check)
            self.reports[report.nodeid] = report

    def is_told(self, check: CheckResult) -> bool:
        """Tell whether an earlier check has ended by the same cause."""
        others = self.results.values()
        return bool(check.cause) and any(other.cause == check.cause and other.id != check.id for other in others)

    def folders(self) -> list[Path]:
        """Return the folders of the weeks that there are results of; with pytest-xdist its workers alone know more."""
        return sorted({_folder(report) for report in self.reports.values()})

    def tell_once(self, speaking: Callable[[Path], AbstractContextManager[None]]) -> None:
        """Have the first report of each cause say what else it ends, `speaking` as its week does."""
        from grader.language import retold

        for report, before, after in zip(
            self.reports.values(), self.results.values(), told_once(self.results.values()), strict=True
        ):
            if after.message != before.message:
                with speaking(_folder(report)):
                    report.longrepr = str(report.longrepr).replace(retold(before.message), retold(after.message))

    def unmet(self, mark: TaskMark) -> str | None:
        """Return the first task among `mark.needs` with a check that did not pass."""
        lost = {result.task for result in self.results.values() if result.outcome is not Outcome.PASSED}
        return next((task for task in mark.needs if task in lost), None)


def _folder(report: pytest.TestReport) -> Path:
    return Path(getattr(report, FOLDER))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Inside a course, add the checks' options once all others have theirs; other projects keep their names."""
    rest = options.without_values(args)
    if not options.is_in_course(options.places(early_config, rest)):
        yield
        return
    known = early_config.known_args_namespace
    known.file_or_dir = parser.parse_known_args(rest, namespace=copy.copy(early_config.option)).file_or_dir
    yield
    early_config.stash[options_key] = options.add(parser)


def _option(config: pytest.Config, name: str) -> Any:
    return _options(config).value(config, name)


def _options(config: pytest.Config) -> options.Options:
    return config.stash.get(options_key, None) or options.Options()


def pytest_configure(config: pytest.Config) -> None:
    _find_fixtures(config.invocation_params.dir)
    if options_key in config.stash and not any(word.startswith("--import-mode") for word in _words(config)):
        # Else pytest puts a week's folder first on the path, and a student's `random.py` there stands for Python's own,
        # where a `pytest.ini` of theirs has taken the place of the course's settings.
        config.option.importmode = "importlib"
    config.addinivalue_line("markers", "task(number): the task that a check belongs to")
    config.stash[scores_key] = Scores()
    config.stash[chosen_key] = Chosen(left_out=any("::" in word for word in config.args))
    config.pluginmanager.register(config.stash[scores_key], "grader-scores")


def _find_fixtures(here: Path) -> None:
    """Let the checks of the course around a folder import its `fixtures`, whatever its own settings of pytest say."""
    root = next((folder for folder in (here, *here.parents) if (folder / "course.toml").is_file()), None)
    if root is not None and str(root) not in sys.path:
        sys.path.append(str(root))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Skip the long traceback of a check: nobody reads it, and pytest and Hypothesis spend 0.2 s on each."""
    if _number(item) is not None:
        setattr(item, "repr_failure", _short_failure)  # noqa: B010 - a method of this one item


def _short_failure(excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
    return type(excinfo.value).__name__


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort checks by task, and keep those that `--task` names; a task that no check has is a usage error."""
    items.sort(key=_place)
    config.stash[tasks_key] = frozenset(number for number in map(_number, items) if number)
    _keep_tasks(config, items)
    chosen = config.stash[chosen_key]
    checks = [item for item in items if _number(item) is not None]
    chosen.count, chosen.folders = len(checks), frozenset(item.path.parent for item in checks)
    chosen.of = Counter(marked(item).task for item in checks)
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if checks and config.getoption("usepdb", False):
        from grader.pytest_plugin.debugging import stop_in_students_code

        stop_in_students_code(config.pluginmanager)
    if checks and reporter:
        never_fail(reporter._tw._file)  # a console of Windows may have no blocks for bars
    if checks and len(checks) == len(items) and reporter and not any(w.startswith("-r") for w in _words(config)):
        reporter.reportchars = ""  # the score says it all, and better


def _words(config: pytest.Config) -> tuple[str, ...]:
    return tuple(map(str, config.invocation_params.args))


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Note that options of pytest's own leave out some checks."""
    for item in items[:1]:
        chosen = item.config.stash.get(chosen_key, Chosen())
        chosen.left_out = chosen.left_out or not chosen.tasks


def _keep_tasks(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = set(_option(config, "task"))
    if not wanted:
        return
    numbers = {item: _number(item) for item in items}
    unknown = wanted - set(numbers.values())
    if unknown:
        known = ", ".join(sorted({n for n in numbers.values() if n}, key=_order)) or "none"
        raise pytest.UsageError(f"no check belongs to task {', '.join(sorted(unknown))}; there are: {known}")
    config.stash[chosen_key].tasks = True
    config.hook.pytest_deselected(items=[item for item in items if numbers[item] not in wanted])
    items[:] = [item for item in items if numbers[item] in wanted]


def _number(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("task")
    return marker.kwargs.get("number") if marker else None


def _place(item: pytest.Item) -> tuple[bool, tuple[int, ...]]:
    number = _number(item)
    return number is None, _order(number or "0")


def _order(task: str) -> tuple[int, ...]:
    from grader.results import task_order

    return task_order(task)


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Iterator[Student]:
    """The submission under judgement: `student.run(probe, …)` returns evidence."""
    from grader.checks.task_mark import task_mark

    mark = task_mark(request.node)
    if mark is None:
        raise pytest.UsageError("the `student` fixture is for checks marked with @task")
    students = _students(request.config)
    handle = students.open(request.node, mark)
    yield handle
    students.close(handle)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> torch.Generator:
    """A generator that is seeded for this check and this run alone."""
    import torch

    seed = _students(request.config).check_seed(request.node)
    return torch.Generator().manual_seed(seed)


def _students(config: pytest.Config) -> Students:
    if students_key not in config.stash:
        from grader.pytest_plugin.local import LocalStudents

        folder, seed = _option(config, "submission"), _option(config, "seed")
        shows = config.getoption("capture") == "no"
        config.stash[students_key] = LocalStudents(Path(folder) if folder else None, seed, _device(config)[0], shows)
    return config.stash[students_key]


def _device(config: pytest.Config) -> tuple[str, str]:
    """Return the device that checks use on this machine, and a line about it for the student."""
    if _option(config, "device") == "cpu":
        return "cpu", ""
    from grader.pytest_plugin.local import at_desk

    return at_desk()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Have Hypothesis draw from the run's seed."""
    function = getattr(item, "function", None)
    if function is not None and _number(item) is not None and getattr(function, "is_hypothesis_test", False):
        from hypothesis import seed

        seed(_students(item.config).check_seed(item))(function)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the end of a check into a `CheckResult` and the report's text into what a student can use."""
    report = yield
    if _number(item) is not None and (call.when == "call" or (call.when == "setup" and call.excinfo)):
        result = _result(item, call)
        at_desk = getattr(_students(item.config), "at_desk", False)
        if at_desk:
            result = result.said_in(texts_for(item))
        setattr(report, CHECK, result.to_dict())  # a plain dict: pytest-xdist sends reports between processes
        setattr(report, FOLDER, str(item.path.parent))
        # A judge prints nothing, and loads nothing late: it could come from a file that a submission has changed.
        if result.outcome is not Outcome.PASSED and at_desk:
            report.longrepr = _text(item, result)
    return report


def _result(item: pytest.Item, call: pytest.CallInfo[None]) -> CheckResult:
    from grader.checks.describe import excerpt
    from grader.checks.expect import take_measures
    from grader.checks.show import take
    from grader.course import is_hidden
    from grader.inside import says
    from grader.pytest_plugin.verdict import Verdict, verdict_on

    mark = marked(item)
    student = getattr(item, "funcargs", {}).get("student")
    verdict = verdict_on(call.excinfo.value if call.excinfo else None, mark, student, item.config.stash[tasks_key])
    unmet = item.config.stash[scores_key].unmet(mark)
    if unmet and verdict.outcome not in (Outcome.PASSED, Outcome.TODO, Outcome.BROKEN):
        verdict = Verdict(Outcome.SKIPPED, says(f"needs task {unmet}, which does not pass all its checks yet"))
    shown, stand_ins = take()
    lost = verdict.outcome is not Outcome.PASSED
    return CheckResult(
        id=check_id(item),
        task=mark.task,
        title=mark.title,
        hidden=is_hidden(item.path),
        points=mark.points if verdict.outcome is Outcome.PASSED else 0,
        max_points=mark.points,
        outcome=verdict.outcome,
        message=verdict.message,
        hint=mark.hint if verdict.outcome in _HINTED else "",
        seconds=round(call.duration, 3),
        measures=take_measures(),
        exhibits=shown,
        stand_ins=stand_ins,
        wrong_form=verdict.wrong_form,
        place=verdict.place,
        cause=verdict.cause,
        output=excerpt(student.printed) if student and lost else "",
    )


def check_id(item: pytest.Item) -> str:
    """Return a check's id for reports; unlike the node id, it does not tell where the course lies."""
    return f"{item.path.name}::{item.name}"


def marked(item: pytest.Item) -> TaskMark:
    """Return the mark of an item that is known to be a check."""
    from grader.checks.task_mark import task_mark

    mark = task_mark(item)
    assert mark is not None
    return mark


def _text(item: pytest.Item, result: CheckResult) -> str:
    with _speaking(item.config, item.path.parent):
        return "\n".join(_lines(item, result))


def _lines(item: pytest.Item, result: CheckResult) -> list[str]:
    from grader.language import tr
    from grader.reports.terminal import check_lines
    from grader.reports.words import points_of

    task = f"{_options(item.config).name('task')} {result.task}"
    again = f"{command_on([item.path.parent])}{_elsewhere(item.config)} {task}"
    head = f"{tr('Task {task}', task=result.task)}: {result.title}  ({points_of(0, result.max_points)})"
    lines = [head, "", *check_lines(result)]
    if not result.hidden:
        lines += [f"  {tr('run again'):<12} {again}"]
    return lines


def texts_for(item: pytest.Item) -> dict[str, str]:
    """Return how the week of a check says its own texts in the student's language."""
    return _texts_in(item.config, item.path.parent)


def _texts_in(config: pytest.Config, folder: Path) -> dict[str, str]:
    from grader.language.texts import readable_texts

    texts = config.stash.setdefault(texts_key, {})
    if folder not in texts:
        texts[folder] = readable_texts([folder], _language(config))
    return texts[folder]


def _language(config: pytest.Config) -> str:
    """Return the student's language: what is asked for, else the course's."""
    from grader.pytest_plugin.ending import language_of

    if language_key not in config.stash:  # read once, not for each check that fails
        folders = config.stash[chosen_key].folders or config.stash[scores_key].folders()
        config.stash[language_key] = language_of(_option(config, "language"), folders)
    return config.stash[language_key]


def _speaking(config: pytest.Config, *folders: Path) -> AbstractContextManager[None]:
    """Speak the student's language within the block, with the sentences of the weeks in these folders."""
    from grader.language import speaking

    texts = [_texts_in(config, folder) for folder in folders]
    return speaking(_language(config), dict(chain.from_iterable(one.items() for one in texts)))


def _elsewhere(config: pytest.Config) -> str:
    folder = _option(config, "submission")
    return f" {_options(config).name('submission')} {quoted(folder)}" if folder else ""


def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """Tell TODO and waiting checks apart from wrong ones; pytest itself still counts them as not passed."""
    check = getattr(report, CHECK, None)
    if not check:
        return None
    result = CheckResult.from_dict(check)
    return _AGAIN if config.stash[scores_key].is_told(result) else _LETTERS.get(result.outcome)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Before pytest prints the failures, gather what one cause has ended."""
    session.config.stash[scores_key].tell_once(partial(_speaking, session.config))


def pytest_enter_pdb() -> None:
    """Lift the time limit: a person who debugs may take as long as they need."""
    from grader.pytest_plugin.deadline import cancel

    cancel()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """End a student's run with the score by task, and what to do next."""
    results = list(config.stash[scores_key].results.values())
    if not results:
        return
    from grader.language import retold, tr
    from grader.pytest_plugin.ending import note, score_lines

    chosen, elsewhere = config.stash[chosen_key], bool(_option(config, "submission"))
    with _speaking(config, *config.stash[scores_key].folders()):
        terminalreporter.section(tr("score"))
        device = _device(config)[1]
        notes = [f"{tr('note')}: {retold(one)}" for one in getattr(_students(config), "notes", ())]
        writer, command, task = terminalreporter._tw, _command(config), _options(config).name("task")
        for line in (*notes, *([retold(device)] if device else [])):
            writer.line(line)
        for line in score_lines(results, chosen, command, (writer.fullwidth, writer.hasmarkup), elsewhere):
            next_step = line.startswith(f"      {command} --task ")
            writer.line(line.replace(" --task ", f" {task} ") if next_step else line)
    note(results, chosen, elsewhere)


def _command(config: pytest.Config) -> str:
    named = config.args[0] if len(config.args) == 1 else ""
    return command_on(config.stash[chosen_key].folders, named) + _elsewhere(config)
