"""The same evidence is not judged twice, and other evidence never takes another's verdict."""

from __future__ import annotations

import contextlib
import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from grader.inside import codec
from grader.judging import remote_student
from grader.judging.remote_student import RemoteStudent
from grader.judging.replay import Asked, ReplayCache, digest
from grader.pytest_plugin.student import ProbeEnded
from grader.sandbox.processes import Usage
from grader.sandbox.protocol import Request
from tests.support.replays import OTHER, RESULT, request, walk


def test_a_branch_leads_to_the_result_of_the_same_replies_alone() -> None:
    tree = ReplayCache()
    tree.learn("check", 1, [(request(1), digest(b"a")), (request(2), digest(b"b"))], RESULT)
    tree.learn("check", 1, [(request(1), digest(b"a")), (request(2), digest(b"c")), (request(3), digest(b"d"))], OTHER)
    assert walk(tree, b"a", b"b") is RESULT
    assert walk(tree, b"a", b"c", b"d") is OTHER
    assert walk(tree, b"x") is None
    assert walk(tree, b"a", b"x") is None
    assert tree.first("check", 2) is None
    assert tree.first("another check", 1) is None


def test_what_was_learnt_first_stays() -> None:
    tree = ReplayCache()
    tree.learn("check", 1, [(request(1), digest(b"a"))], RESULT)
    tree.learn("check", 1, [(request(1), digest(b"a"))], OTHER)
    assert walk(tree, b"a") is RESULT


def test_a_check_that_asks_otherwise_after_the_same_replies_is_not_learnt() -> None:
    tree = ReplayCache()
    tree.learn("check", 1, [(request(1), digest(b"a")), (request(2), digest(b"b"))], RESULT)
    tree.learn("check", 1, [(request(1), digest(b"a")), (request(9), digest(b"c"))], OTHER)
    assert walk(tree, b"a", b"c") is None
    tree.learn("check", 1, [(request(8), digest(b"a"))], OTHER)
    assert walk(tree, b"a", b"b") is RESULT


def test_there_is_a_limit_to_what_is_learnt() -> None:
    tree = ReplayCache(room=10)
    tree.learn("check", 1, [(request(1), digest(b"a"))], RESULT)
    tree.learn("another check", 1, [(request(1), digest(b"a"))], RESULT)
    assert tree.first("check", 1) is not None
    assert tree.first("another check", 1) is None


def probe(student: Any, number: int) -> int:
    return number


class Speaker:
    """Stands in for a check's process: gives one reply after the other, and counts."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.asked = 0

    def run(self, request: Request, seconds: float, more: object) -> bytes:
        self.asked += 1
        if not self.replies:
            raise TimeoutError
        return self.replies.pop(0)

    def end(self) -> None: ...

    def usage(self) -> Usage:
        return Usage(0.0, 0.0)


def student_of(process: Speaker) -> RemoteStudent:
    submission = SimpleNamespace(
        left=300.0,
        queued=300.0,
        looked=None,
        idle=300.0,
        seconds=300.0,
        clock=contextlib.nullcontext,
        process=lambda: process,
        lend=lambda: None,
    )
    return RemoteStudent(submission, 7, 1.0, "public")  # type: ignore[arg-type]


def evidence(value: object) -> bytes:
    return b"E" + codec.encode(value)


def learnt(*numbers: int) -> ReplayCache:
    """Return the replay cache of a check that asks for these numbers, and gets each of them."""
    student = student_of(Speaker(*map(evidence, numbers)))
    assert [student.run(probe, number) for number in numbers] == list(numbers)
    tree = ReplayCache()
    tree.learn("check", 1, student.steps, RESULT)
    return tree


def first(tree: ReplayCache) -> Asked:
    place = tree.first("check", 1)
    assert place is not None
    return place


def test_the_same_answers_have_the_same_result() -> None:
    process = Speaker(evidence(1), evidence(2))
    assert student_of(process).replay(first(learnt(1, 2))) is RESULT
    assert process.asked == 2


def test_another_answer_is_judged_without_asking_twice() -> None:
    process = Speaker(evidence(1), evidence(5))
    student = student_of(process)
    assert student.replay(first(learnt(1, 2))) is None
    assert (student.run(probe, 1), student.run(probe, 2)) == (1, 5)
    assert process.asked == 2
    assert student.shared  # so whatever is no pass is judged again, alone


def test_an_end_while_replaying_is_no_result() -> None:
    student = student_of(Speaker(evidence(1)))
    assert student.replay(first(learnt(1, 2))) is None
    with pytest.raises(ProbeEnded):
        student.run(probe, 1)


def test_a_check_that_asks_another_question_than_was_replayed_ends() -> None:
    student = student_of(Speaker(evidence(1)))
    student.replay(first(learnt(1)))
    student = student_of(Speaker(evidence(3)))
    student.replay(first(learnt(1, 2)))
    with pytest.raises(ProbeEnded, match="another question"):
        student.run(probe, 8)


def test_long_replies_are_not_kept() -> None:
    numbers = list(range(12))
    long = codec.encode(np.zeros(8 << 20, np.uint8), kind=b"E")
    student = student_of(Speaker(*[long] * len(numbers)))
    tracemalloc.start()
    try:
        for number in numbers:
            student.run(probe, number)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < len(long)  # all of them are twelve times as long


def test_a_replay_keeps_no_more_than_one_reply_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = range(100, 110)
    tree = learnt(*numbers)
    monkeypatch.setattr(remote_student, "MOST_ANSWERED", 3 * len(evidence(100)))
    process = Speaker(*map(evidence, numbers))
    student = student_of(process)
    assert student.replay(first(tree)) is None
    assert process.asked == 4
    assert [student.run(probe, number) for number in numbers] == list(numbers)
    assert process.asked == len(numbers)
    assert student.shared
