"""Reads files of checks: marks, points, hints, what they need, and names that nothing defines."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.author.proof.static.source import Source
from grader.course.toml_file import meant

_NUMBER = r"\d+(?:\.\d+)+"
_KEYS = ("points", "title", "hint", "needs", "seconds", "examples")
_JUDGING = {"figures", "layers", "loops", "oracles", "predictions", "seeds", "splits", "twins"}
_TESTED = ("student",)  # the fixture that every check takes


@dataclass(frozen=True)
class Mark:
    """What `@task` says about a check, as far as it is written out: None stands for what only a run can tell."""

    source: Source
    line: int
    check: str
    task: str
    points: int | None
    needs: tuple[str, ...]
    texts: tuple[str, ...] = ()  # its title and hint


def read_checks(source: Source) -> list[Mark]:
    """Note what is wrong in a file of checks, and return its marks."""
    source.refuse_twice()
    imported = {name for names in source.imported("grader.checks") for name in names}
    for name in ("expect", "show", *sorted(imported & _JUDGING)):  # they import torch: the command's help does without
        source.refuse_unknown_attributes(name, _public(importlib.import_module(f"grader.checks.{name}")))
    _refuse_unknown_imports(source)
    return [mark for function in source.functions() for mark in _marks(source, function)]


def _public(module: object) -> frozenset[str]:
    return frozenset(name for name in vars(module) if not name.startswith("_"))


def _marks(source: Source, function: ast.FunctionDef) -> Iterator[Mark]:
    calls = [one for one in function.decorator_list if isinstance(one, ast.Call) and _called(one) == "task"]
    if not function.name.startswith("test_"):
        if calls:
            source.fault(function.lineno, f"{function.name} is no check: its name must begin with test_")
        return
    if not calls:
        source.fault(function.lineno, f"{function.name} has no @task, so it gives no points; add it above the function")
        return
    _unread_evidence(source, function)
    given = {keyword.arg: keyword.value for keyword in calls[0].keywords if keyword.arg}
    line = calls[0].lineno
    _check_keys(source, calls[0], given, function.name)
    task = _text(calls[0].args[0]) if calls[0].args else None
    if task is not None:
        texts = tuple(filter(None, (_text(given[key]) for key in ("title", "hint") if key in given)))
        yield Mark(source, line, function.name, task, _points(source, given, function.name, line), _needs(given), texts)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _check_keys(source: Source, call: ast.Call, given: dict[str, ast.expr], check: str) -> None:
    for key in given:
        if key not in _KEYS:
            source.fault(call.lineno, f"@task of {check} has no `{key}`; {meant(key, _KEYS)}")
    for key, why in (("title", "it says what is checked"), ("hint", "it says where to look")):
        value = given.get(key)
        if value is None or (isinstance(value, ast.Constant) and not str(value.value or "").strip()):
            source.fault(call.lineno, f"@task of {check} has no {key}: {why}, for whoever fails the check; add it")
    if not call.args or _text(call.args[0]) == "":
        source.fault(call.lineno, f'@task of {check} names no task; write it as in @task("7.1", …)')


def _text(node: ast.expr) -> str | None:
    """Return a text that is written out, "" for any other constant; None for what only a run can tell."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return None


def _points(source: Source, given: dict[str, ast.expr], check: str, line: int) -> int | None:
    value = given.get("points")
    if value is None:
        source.fault(line, f"@task of {check} has no points; add a whole number")
        return None
    try:
        points = ast.literal_eval(value)
    except ValueError:
        return None
    if type(points) is not int or points < 0:
        source.fault(line, f"@task of {check}: points must be a whole number, not {points!r}")
        return None
    return points


def _needs(given: dict[str, ast.expr]) -> tuple[str, ...]:
    try:
        needs = ast.literal_eval(given["needs"]) if "needs" in given else ()
    except ValueError:
        return ()
    return (needs,) if isinstance(needs, str) else tuple(map(str, needs))


def _unread_evidence(source: Source, function: ast.FunctionDef) -> None:
    """Note evidence that nothing judges: it is asked for, given a name, and never looked at."""
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _asks(node.value):
            names = [one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)]
            if names and not set(names) & read and not all(name.startswith("_") for name in names):
                text = f"{function.name} never looks at {', '.join(names)}, so no answer can fail it; judge it"
                source.fault(node.lineno, text)


def _asks(node: ast.expr) -> bool:
    func = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(func, ast.Attribute)
        and func.attr in ("run", "run_fresh")
        and isinstance(func.value, ast.Name)
        and func.value.id in _TESTED
    )


def _refuse_unknown_imports(source: Source) -> None:
    for line, module, names in source.imports():
        top = module.split(".")[0]
        if top == "grader":
            _refuse_unknown_names(source, line, module, names)
        elif top == "fixtures":
            _refuse_missing_fixtures(source, line, module, names)


def _refuse_unknown_names(source: Source, line: int, module: str, names: Sequence[str]) -> None:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:
        source.fault(line, f"there is no module {module}; checks import from grader.checks")
        return
    known = sorted({*_public(found), *getattr(found, "__all__", ())} | _submodules(found))
    for name in names:
        if name != "*" and name not in known:
            source.fault(line, f"{module} has no {name}; {meant(name, known)}")


def _submodules(package: object) -> set[str]:
    folders = getattr(package, "__path__", ())
    return {file.stem for folder in folders for file in Path(folder).iterdir() if not file.name.startswith("_")}


def _refuse_missing_fixtures(source: Source, line: int, module: str, names: Sequence[str]) -> None:
    folder = source.root.joinpath(*module.split("."))
    if folder.is_dir():  # `from fixtures import digits`, or what `__init__.py` defines
        start = folder / "__init__.py"
        defined = start.read_text(encoding="utf-8") if start.is_file() else ""
        missing = [n for n in names if not any(folder.glob(f"{n}*")) and n not in defined]
    else:
        missing = [] if folder.with_suffix(".py").is_file() else [module.rpartition(".")[2]]
    for name in missing:
        source.fault(
            line, f"there is no {name} in {folder.relative_to(source.root).as_posix()}; make it, or mend the name"
        )
