"""A submission's time: retries get time back, but together never more than the submission itself has."""

from __future__ import annotations

from typing import Any

import pytest

from grader.judging.submission_session import Session


@pytest.fixture
def session() -> Session:
    nothing: Any = None
    return Session(nothing, "week1", {}, [], 1 << 30, seconds=100)


def test_a_retry_costs_its_own_time_and_not_the_first_runs(session: Session) -> None:
    session.left = 60  # after a run that began at 90
    with session.retry(left_before=90):
        assert session.left == 90
        session.left -= 10
    assert (session.left, session.retries_left) == (80, 90)


def test_all_retries_together_have_as_much_time_as_the_submission(session: Session) -> None:
    spent = 0.0
    for _ in range(1000):
        before = session.left
        if before <= 0 or session.retries_left <= 0:
            break
        first = min(30, session.left)
        session.left -= first
        with session.retry(before):
            again = min(30, session.left)
            session.left -= again
        spent += first + again
    assert spent <= 2 * session.seconds
