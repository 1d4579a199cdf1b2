"""What others read, report.json and the gradebook, is as its published JSON Schema says."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from grader.gradebook.store import Gradebook
from grader.gradebook.tables import tables_schema
from grader.results import Adjustment, Delivery, ManualPart, Remark, Report, RubricItem
from grader.results.schema import report_schema
from tests.support.reports import full_report, sample_report, shown_report


def published(package: str, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(resources.files(package).joinpath(name).read_text(encoding="utf-8"))
    return found


def test_the_published_schemas_are_those_of_this_version() -> None:
    assert published("grader.results", "report.schema.json") == report_schema()
    assert published("grader.gradebook", "gradebook.schema.json") == tables_schema()


def changed_report() -> Report:
    """A report in which everything that may be left out is there."""
    parts = (ManualPart("style", "Style", 10, (RubricItem("names", "Names", 4, "short"),), 4),)
    return replace(
        full_report(),
        adjustments=(Adjustment("Late", -5), Adjustment("5.1", 3, "right", "5.1")),
        delivery=Delivery(("a.py",), 2, "Monday", "Tuesday", "+1d", "g", ("ana",)),
        manual=parts, remarks=(Remark("good", "ta"),), environment="x", excused="ill", by_hand="no file",
    )  # fmt: skip


@pytest.mark.parametrize("report", [sample_report(), full_report(), shown_report(), changed_report()])
def test_every_report_is_as_the_schema_says(report: Report) -> None:
    schema = published("grader.results", "report.schema.json")
    for one in (report, report.for_student()):
        jsonschema.validate(json.loads(one.to_json()), schema)


@pytest.mark.parametrize(("key", "value"), [("score", "87"), ("checks", {}), ("schema", 2), ("week", None)])
def test_what_is_no_report_is_refused_by_the_schema(key: str, value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(full_report().to_json()), key: value}, report_schema())


def test_a_gradebook_has_the_tables_of_the_schema(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite"):
        pass
    import sqlite3

    book = sqlite3.connect(tmp_path / "gradebook.sqlite")
    names = {name for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    assert names == set(tables_schema()["$defs"])
