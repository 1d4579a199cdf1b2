"""Makes the JSON Schema of the gradebook's tables and views: a row of each as an object, by the names of its columns.

It is published as `gradebook.schema.json` beside this file: `python -m grader.gradebook.tables` prints it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

from grader.gradebook.schema import FIRST, MIGRATIONS, VERSION

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"TEXT": "string", "INTEGER": "integer", "BLOB": "string", "NUMERIC": "number"}


def tables_schema() -> dict[str, Any]:
    """Return a JSON Schema that has a definition for each table and view of a new gradebook."""
    with closing(sqlite3.connect(":memory:")) as book:
        book.create_function("safe_name", 1, str)
        for script in (FIRST, *MIGRATIONS):
            book.executescript(script)
        names = [
            name
            for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1")
        ]
        rows = {name: _row(book, name) for name in names}
    return {"$schema": _DRAFT, "title": f"tables of gradebook.sqlite, user_version {VERSION}", "$defs": rows}


def _row(book: sqlite3.Connection, table: str) -> dict[str, Any]:
    columns = book.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', [table]).fetchall()
    properties = {name: _value(kind, bool(needed or key)) for name, kind, needed, key in columns}
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _value(kind: str, needed: bool) -> dict[str, Any]:
    """Return a column's type; a view says none of what it works out."""
    named = _TYPES.get(kind.upper())
    return {"type": named if needed else [named, "null"]} if named else {}


if __name__ == "__main__":
    print(json.dumps(tables_schema(), indent=2))
