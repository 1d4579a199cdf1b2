from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("5.1", points=30, title="Double", hint="Look at the operator.")
def test_double(student):
    expect.integer(student.run(probes.double, 3), 6, "double")

@task(
    "5.2", points=30, title="Half"
)
def test_half(student):
    expect.near(student.run(probes.half, 3), 1.5, "half")
