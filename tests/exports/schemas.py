"""JSON Schemas of what other systems read, written down anew from their documentation and sources."""

from __future__ import annotations

from typing import Any

import jsonschema

COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
NAME = {"type": "string", "minLength": 1}
STAMP = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


CLASSROOM50 = _object(
    {
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "assignment", "owner", "submission", "commit", "release", "review"), NAME),
        "assignment_type": {"enum": ["individual", "group", "team"]},
        "datetime": STAMP,
        "graded_at": STAMP,
        "score": COUNT,
        "max-score": COUNT,
        "tests": {
            "type": "array",
            "items": _object({"test-name": NAME, "passed": {"type": "boolean"}, "score": COUNT, "max-score": COUNT}),
        },
    },
    {"submitted_by": _object({"username": NAME}, {"id": {"type": ["integer", "null"]}})},
)

_SCORE = {
    "type": "object",
    "required": [
        "schema", "classroom", "assignment_type", "owner", "submission", "commit", "release", "review", "datetime",
        "score", "max-score", "tests",
    ],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "owner", "commit", "release", "review"), NAME),
        "assignment_type": {"enum": ["individual", "group", "team"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        "datetime": STAMP,
        "score": COUNT,
        "max-score": COUNT,
        "tests": {"type": "array"},
    },
}  # fmt: skip
_ENTRY = {
    "type": "object",
    "required": ["owner", "submissions"],
    "properties": {
        "owner": NAME,
        "member_usernames": {"type": "array", "minItems": 1, "items": NAME},
        "submissions": {"type": "array", "minItems": 1, "items": _SCORE},
        "override": {"type": "boolean"},
    },
}
_BUCKET = _object(
    {"type": {"enum": ["individual", "group", "team"]}, "entries": {"type": "array", "items": _ENTRY}},
    {"collected_at": STAMP},
)
SCORES50 = _object(
    {
        "schema": {"const": "classroom50/scores/v1"},
        "assignments": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z0-9][a-z0-9-]{1,99}$"},
            "additionalProperties": _BUCKET,
        },
    }
)

STATUS = {"enum": ["pass", "fail", "error"]}
REPORTER = _object(
    {
        "version": {"const": 1},
        "status": STATUS,
        "max_score": COUNT,
        "tests": {
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "name": NAME,
                    "status": STATUS,
                    "score": COUNT,
                    "message": TEXT,
                    "test_code": TEXT,
                    "filename": TEXT,
                    "line_no": COUNT,
                    "duration": {"type": "number", "minimum": 0},
                }
            ),
        },
    }
)

FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
GRADESCOPE = _object(
    {
        "score": COUNT,
        "tests": {
            "type": "array",
            "items": _object(
                {"name": NAME, "score": {"type": "integer"}},
                {
                    "max_score": COUNT,
                    "status": {"enum": ["passed", "failed"]},
                    "number": TEXT,
                    "output": TEXT,
                    "name_format": FORMAT,
                    "output_format": FORMAT,
                    "visibility": VISIBILITY,
                    "tags": {"type": "array", "items": TEXT},
                    "extra_data": {"type": "object"},
                },
            ),
        },
    },
    {
        "execution_time": {"type": "number", "minimum": 0},
        "output": TEXT,
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "leaderboard": {
            "type": "array",
            "items": _object(
                {"name": NAME, "value": {"type": ["number", "string"]}}, {"order": {"enum": ["asc", "desc"]}}
            ),
        },
    },
)


def validate(made: Any, schema: dict[str, Any]) -> None:
    """Raise where `made` does not fit; a number that happens to be a boolean does not fit either."""
    jsonschema.validate(made, schema, cls=jsonschema.Draft202012Validator)
