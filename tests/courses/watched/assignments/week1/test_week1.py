from hypothesis import given
from hypothesis import strategies as st

from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)


@task("1.1", points=20, title="Twice a number", hint="Look at the operator.", seconds=1)
@given(n=st.integers(1, 9))
def test_double(student, n):
    expect.integer(student.run(probes.double, n), 2 * n, "double")


@task("1.2", points=20, title="Three times a number", needs=("1.1",), seconds=1)
def test_triple(student):
    expect.integer(student.run(probes.triple, 3), 9, "triple")


@task("1.3", points=20, title="Three times nothing", seconds=1)
def test_triple_nothing(student):
    expect.integer(student.run(probes.triple, 0), 0, "triple")
