"""What one judge has learnt reaches each of the others once, and nobody who has gone."""

from __future__ import annotations

import pytest

from grader.judging.exchange import Exchange
from grader.judging.judge import Judge
from grader.judging.remote_student import SubmissionStudents
from grader.judging.replay import Asked, ReplayCache
from grader.sandbox import Process
from grader.sandbox.protocol import Request
from grader.sandbox.worker import Worker
from tests.support.replays import OTHER, RESULT, request, walk


def test_everybody_else_hears_it_once() -> None:
    exchange = Exchange()
    exchange.enter("a")
    assert not exchange.has_others("a")
    exchange.enter("b")
    exchange.enter("c")
    assert exchange.has_others("a")
    exchange.give("a", b"one")
    exchange.give("b", b"two")
    assert exchange.take("a") == [b"two"]
    assert exchange.take("b") == [b"one"]
    assert exchange.take("c") == [b"one", b"two"]
    assert exchange.take("c") == []


def test_one_that_left_misses_what_was_said_and_comes_back_with_nothing() -> None:
    exchange = Exchange()
    exchange.enter("a")
    exchange.enter("b")
    exchange.give("a", b"one")
    exchange.leave("b")
    exchange.leave("b")
    assert exchange.take("b") == []
    exchange.give("a", b"two")
    exchange.enter("b")
    assert exchange.take("b") == []


def test_no_more_waits_than_there_is_room_for() -> None:
    exchange = Exchange(room=5)
    exchange.enter("a")
    exchange.enter("b")
    for said in (b"123", b"456", b"78"):
        exchange.give("a", said)
    assert exchange.take("b") == [b"123", b"78"]


def told(teacher: ReplayCache) -> ReplayCache:
    pupil = ReplayCache()
    pupil.hear(teacher.news())
    return pupil


def test_what_was_heard_is_as_good_as_learnt() -> None:
    teacher = ReplayCache()
    teacher.learn("check", 1, [(request(1), b"a"), (request(2), b"b")], RESULT)
    teacher.learn("check", 1, [(request(1), b"a"), (request(2), b"c")], OTHER)
    pupil = told(teacher)
    assert walk(pupil, b"a", b"b") == RESULT
    assert walk(pupil, b"a", b"c") == OTHER
    assert walk(pupil, b"x") is None
    place = walk(pupil, b"a")
    assert isinstance(place, Asked)
    assert place.request == request(2)
    assert teacher.news() == pupil.news() == b"", "what is old or heard is no news"


def test_what_does_not_fit_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.judging.replay.SPOKEN", 10)
    teacher = ReplayCache()
    for number in range(2):
        teacher.learn(f"check {number}", 1, [(request(number), b"a")], RESULT)
    assert teacher.news() == b""


def test_the_code_of_probes_is_there_once() -> None:
    teacher = ReplayCache()
    code = bytes(100_000)
    teacher.learn("check", 1, [(Request("probes", code, b"%d" % n, fresh=False), b"") for n in range(9)], RESULT)
    news = teacher.news()
    assert len(news) < 2 * len(code)
    pupil = ReplayCache()
    pupil.hear(news)
    place, seen = pupil.first("check", 1), set()
    while isinstance(place, Asked):
        seen.add(id(place.request.code))
        place = place.after(b"")  # type: ignore[assignment]
    assert len(seen) == 1


def judge(material: str) -> Judge:
    class Week:
        digest = material

    students = SubmissionStudents(Worker(Process()))
    return Judge(None, None, {"week1": Week}, students, None, None)  # type: ignore[arg-type, dict-item]


def test_nobody_hears_what_was_learnt_by_other_checks() -> None:
    teacher = judge("00ff")
    assert teacher._news() == b""
    teacher._students.transcripts.learn("check", 1, [(request(1), b"a")], RESULT)
    said = teacher._news()
    for material, heard in (("00ff", True), ("00fe", False)):
        pupil = judge(material)
        pupil._hear(said)
        assert (pupil._students.transcripts.first("check", 1) is not None) == heard
