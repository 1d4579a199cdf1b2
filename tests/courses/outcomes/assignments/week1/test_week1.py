import torch
from hypothesis import given, strategies as st
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=20, title="Twice a number", hint="Look at the operator.", seconds=1, examples=5)
@given(number=st.integers(1000, 9999))
def test_double(student, number):
    expect.integer(student.run(probes.double, number), 2 * number, "double")

@task("1.2", points=30, title="Training", needs=("1.1",), seconds=1)
def test_train(student):
    expect.equal(student.run(probes.train), "trained", "train")

@task("1.3", points=10, title="Free", hint="There is none.")
def test_free(student, rng):
    drawn = torch.randint(0, 1000, (3,), generator=rng)
    expect.close(student.run(probes.give, drawn), drawn, "gift")

@task("1.3", points=0, title="Crashes", seconds=1)
def test_crashes(student):
    if student.run(probes.double, 1) == "crash the check":
        raise KeyError("a bug of ours")
