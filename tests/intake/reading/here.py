"""Reads entries in the test's own process: for tests that watch what is opened, or change whom permissions stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from grader.intake.reading.desk import DESK
from grader.intake.reading.service import Service


class HereProcess:
    """Stands in for a `BudgetedProcess`."""

    def __init__(self) -> None:
        self._service = Service()

    def ask(self, request: Mapping[str, Any], name: str) -> list[Any]:
        return list(self._service.answer(dict(request)))

    def close(self) -> None: ...


def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DESK, "process", HereProcess())
