"""Makes the JSON Schema of report.json from the classes that it is written from.

It is published as `report.schema.json` beside this file: `python -m grader.results.schema` prints it.
"""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from grader.results.report import SCHEMA, Report

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
_ALWAYS = ("notes", "checks", "schema")  # written even where they are as by default
_COMPUTED = ("score", "max_score")
_UNWRITTEN = ("overtaken", "texts")  # what the gradebook finds out each time, and translations


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `Report.to_dict` writes."""
    whole = _object(Report)
    for name in _UNWRITTEN:
        del whole["properties"][name]
    counts = {name: {"type": "number", "minimum": 0} for name in _COMPUTED}
    whole["properties"] |= {**counts, "raw_score": {"type": "integer"}, "schema": {"const": SCHEMA}}
    whole["required"] = sorted({*whole["required"], *_ALWAYS, *_COMPUTED})
    return {"$schema": _DRAFT, "title": "report.json of torch-autograder", **whole}


def _object(kind: type) -> dict[str, Any]:
    """Return the schema of a dataclass; what has a default may be left out."""
    hints = {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is not ClassVar}
    properties = {one.name: _value(hints[one.name]) for one in fields(kind)}
    if isinstance(getattr(kind, "kind", None), str) and "kind" not in properties:
        properties["kind"] = {"const": getattr(kind, "kind")}  # noqa: B009 - exhibits tell by it what they are
    needed = [one.name for one in fields(kind) if _has_no_default(one)]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": kind is Report}


def _has_no_default(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _value(hint: Any) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return {"anyOf": [_value(one) for one in get_args(hint)]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _value(get_args(hint)[0])}
    return {"type": "null"} if hint is type(None) else {}


if __name__ == "__main__":
    print(json.dumps(report_schema(), indent=2))
