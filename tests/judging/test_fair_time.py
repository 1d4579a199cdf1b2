"""A check's limit counts what its processes compute; what others took of the processor is given back, up to a bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.judging.fair_time import IDLE_FACTOR, LEAST, QUEUED_FACTOR, FairTime, Look
from grader.sandbox.processes import Usage

PART = st.floats(0, 1)
LIMIT = st.floats(1, 60)
MUCH = 10_000.0


class Machine:
    """A made-up purse, clock and process: of each second it computes a part, and waits for a processor another part."""

    def __init__(self, queued: float = MUCH, idle: float = MUCH) -> None:
        self.left, self.queued, self.idle = MUCH, queued, idle
        self.computed = self.waited = self.wall = 0.0
        self.looked: Look | None = None
        self.looks = 0

    def usage(self) -> Usage:
        self.looks += 1
        return Usage(self.computed, self.waited)

    def go_on(self, wall: float, computing: float, queueing: float) -> None:
        self.wall += wall
        self.left -= wall
        self.computed += wall * computing
        self.waited += wall * queueing


def run(machine: Machine, limit: float, computing: float, queueing: float) -> FairTime:
    """Let a check run until nothing more is given."""
    time = FairTime(machine, limit)
    time.enter(machine)
    given = limit
    while given > 0:
        machine.go_on(given, computing, queueing)
        given = time.more()
    return time


@given(LIMIT)
def test_an_endless_loop_on_an_idle_machine_ends_at_its_limit(limit: float) -> None:
    machine = Machine()
    assert not run(machine, limit, 1, 0).waited
    assert machine.wall == limit


@given(LIMIT, st.floats(0.06, 1))
def test_on_a_busy_machine_a_check_computes_for_as_long_as_its_limit(limit: float, part: float) -> None:
    machine = Machine()
    assert not run(machine, limit, part, 1 - part).waited
    assert limit - 2 * LEAST <= machine.computed <= limit + LEAST


@given(LIMIT, st.floats(0, 0.2))
def test_what_sleeps_ends_all_the_same_and_it_shows(limit: float, part: float) -> None:
    machine = Machine()
    assert run(machine, limit, part, 0).waited
    assert machine.wall <= (1 + IDLE_FACTOR) * limit + LEAST


@given(LIMIT, PART, PART)
def test_every_check_ends(limit: float, computing: float, queueing: float) -> None:
    """That holds whatever the counters say, which are sums over several threads."""
    machine = Machine()
    run(machine, limit, computing, queueing)
    assert machine.wall <= (1 + IDLE_FACTOR + QUEUED_FACTOR) * limit + LEAST


@given(LIMIT, PART, PART, st.floats(0, 100), st.floats(0, 100))
def test_a_submission_is_never_given_back_more_than_it_may_have(
    limit: float, computing: float, queueing: float, queued: float, idle: float
) -> None:
    machine = Machine(queued, idle)
    run(machine, limit, computing, queueing)
    assert min(machine.queued, machine.idle) >= 0
    assert machine.wall <= limit + queued + idle + LEAST


def test_time_in_an_earlier_process_of_the_check_is_given_back_too() -> None:
    machine, other = Machine(), Machine()
    time = FairTime(machine, 10)
    time.enter(machine)
    machine.go_on(8, 0.25, 0.75)
    time.leave()
    time.enter(other)
    machine.left -= 2  # by the clock; the other process computes all the time
    other.computed += 2
    assert time.more() == 6


def test_what_is_lost_with_a_process_counts_as_sleep() -> None:
    machine = Machine()
    machine.computed = machine.waited = 5
    time = FairTime(machine, 10)
    time.enter(machine)
    machine.left -= 10
    machine.computed = machine.waited = 0  # all its processes have ended
    assert time.more() == 10
    assert machine.idle == MUCH - 10


def test_a_check_that_is_over_leaves_what_it_did_not_have_to_later_ones() -> None:
    machine = Machine()
    time = FairTime(machine, 10)
    time.enter(machine)
    machine.go_on(8, 0.25, 0.75)
    time.end()
    assert machine.left == MUCH - 2
    time.end()
    assert machine.left == MUCH - 2


@given(st.lists(st.floats(0.001, 0.2), min_size=1, max_size=60))
def test_short_checks_in_one_process_share_a_look_and_lose_nothing_by_it(checks: list[float]) -> None:
    """The process has half of the time. What is not looked at in the end is less than is worth a look."""
    machine = Machine()
    for wall in checks:
        time = FairTime(machine, 10)
        time.enter(machine)
        machine.go_on(wall, 0.5, 0.5)
        time.end()
    assert -1e-6 <= MUCH - machine.left - machine.computed <= LEAST / 2 + 1e-6
    assert machine.looks <= 1 + sum(checks) / LEAST


def test_a_process_is_looked_at_anew_after_another_one() -> None:
    machine, other = Machine(), Machine()
    for process in (machine, other, machine):
        process.computed += 5  # not in a check's time
        time = FairTime(machine, 10)
        time.enter(process)
        machine.left -= 1  # it sleeps
        time.end()
    assert machine.left == MUCH
