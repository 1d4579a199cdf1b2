from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=100, title="Twice a number", hint="Look at the operator.", seconds=5)
def test_double(student):
    expect.integer(student.run(probes.double, 21), 42, "double")
