"""Writes JUnit XML as pytest's `xunit2` family has it, a suite for each week, for the CI systems that read it."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from grader.escape import plain
from grader.reports.words import phrase
from grader.results import CheckResult, Outcome, Report


def document(reports: Iterable[Report]) -> str:
    """Return one `testsuite` for each report, with one `testcase` for each check."""
    root = ElementTree.Element("testsuites", name="grader")
    for report in reports:
        _suite(root, report.for_student())
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, report: Report) -> None:
    kinds = [_kind(check.outcome) for check in report.checks]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=plain(f"{report.student} {report.week}"),
        tests=str(len(kinds)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
        time=f"{sum(check.seconds for check in report.checks):.3f}",
    )
    state = {"state": "excused" if report.excused else "provisional"} if report.final is None else {}
    properties = ElementTree.SubElement(suite, "properties")
    counts = {"score": report.score, "max-score": report.max_score, "seed": report.seed, **state}
    for name, value in counts.items():
        ElementTree.SubElement(properties, "property", name=name, value=str(value))
    for check in report.checks:
        _case(suite, report, check)


def _case(suite: ElementTree.Element, report: Report, check: CheckResult) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"{report.week}.{check.task}",
        name=plain(check.title),
        time=f"{check.seconds:.3f}",
    )
    kind = _kind(check.outcome)
    if kind:
        ElementTree.SubElement(case, kind, message=phrase(check.outcome)).text = plain(check.advice)


def _kind(outcome: Outcome) -> str:
    if outcome is Outcome.PASSED:
        return ""
    if outcome is Outcome.SKIPPED:
        return "skipped"
    return "failure" if outcome in (Outcome.FAILED, Outcome.TODO, Outcome.INVALID) else "error"
