"""Reads tables as forms export them, and spreadsheets save them: CSV in any usual encoding, with any delimiter."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass

from grader.errors import UsageError
from grader.intake.tables import decoding
from grader.intake.tables.rows import cells_of

MOST_BYTES = 2_000_000  # of a table, unpacked
MOST_COLUMNS, MOST_ROWS = 100, 5_000


@dataclass(frozen=True)
class Table:
    """A table: its header, and its rows, each with the line on which it ends."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def name(self) -> str:
        """What tells tables of one form from all others: the names of their columns."""
        return f"columns {hashlib.sha256(json.dumps(self.header).encode()).hexdigest()[:16]}"

    def column(self, place: int) -> list[str]:
        """Return what stands in a column, without empty cells."""
        return [row[place] for _, row in self.rows if row[place]]


def decoded(raw: bytes) -> decoding.Text:
    """Return the text of a file that was sent: CSV in any usual encoding, or alone in a zip, as Google does it."""
    return decoding.decoded(_unpacked(raw) if raw.startswith(b"PK\3\4") else raw)


def _unpacked(raw: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [one.filename for one in archive.infolist() if one.filename.lower().endswith(".csv")]
            if len(names) != 1:
                kind = (
                    "a workbook: save it as CSV" if "[Content_Types].xml" in archive.namelist() else "no zip of one CSV"
                )
                raise UsageError(f"this file is {kind}")
            with archive.open(names[0]) as file:
                found = file.read(MOST_BYTES + 1)
    except UsageError:
        raise
    except Exception:  # damaged bytes may fail anywhere in the parser
        raise UsageError("this zip is damaged, or locked by a password") from None
    if len(found) > MOST_BYTES:
        raise UsageError("this zip holds more than any form exports")
    return found


def read_table(text: str) -> Table:
    """Take a table apart. `UsageError` where it is none."""
    lines = [(line, [cell.strip() for cell in cells]) for line, cells in cells_of(text).rows]
    (_, header), *rest = lines or [(1, [])]
    header = [" ".join(name.split()) for name in header]
    while header and not header[-1]:
        header.pop()
    if not header or len(header) > MOST_COLUMNS:
        raise UsageError(f"line 1: the first line has to name the columns, at most {MOST_COLUMNS}")
    fitted = ((line, (*cells, *[""] * len(header))[: len(header)]) for line, cells in rest)
    rows = [(line, cells) for line, cells in fitted if any(cells)]
    if len(rows) > MOST_ROWS:
        raise UsageError(f"this table has {len(rows)} rows, and one of requests at most {MOST_ROWS}")
    return Table(tuple(header), tuple(rows))
