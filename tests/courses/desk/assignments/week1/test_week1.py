import torch
from hypothesis import given, strategies as st
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=20, title="Twice a number", hint="Look at the operator.", examples=5)
@given(number=st.integers(1, 9))
def test_double(student, number):
    expect.integer(student.run(probes.double, number), 2 * number, "double")

@task("1.2", points=20, title="Trains")
def test_train(student):
    expect.equal(student.run(probes.train), "trained", "train")

@task("1.3", points=10, title="Crashes", hint="Which index?")
def test_index(student):
    expect.integer(student.run(probes.index), 1, "index")

@task("1.4", points=10, title="Builds on training", needs=("1.2",))
def test_builds(student):
    expect.equal(student.run(probes.give, "no"), "yes", "gift")

@task("1.10", points=40, title="Free")
def test_free(student, rng):
    drawn = torch.rand(3, generator=rng)
    expect.close(student.run_fresh(probes.give, drawn), drawn, "gift")

def test_ordinary():
    pass
