from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=25, title="Twice 1", hint="Look at the operator.", seconds=20)
def test_1(student):
    expect.integer(student.run(probes.double, 1), 2 * 1, "double")

@task("1.2", points=25, title="Twice 2", hint="Look at the operator.", seconds=20)
def test_2(student):
    expect.integer(student.run(probes.double, 2), 2 * 2, "double")

@task("1.3", points=25, title="Twice 3", hint="Look at the operator.", seconds=20)
def test_3(student):
    expect.integer(student.run(probes.double, 3), 2 * 3, "double")

@task("1.4", points=25, title="Twice 4", hint="Look at the operator.", seconds=20)
def test_4(student):
    expect.integer(student.run(probes.double, 4), 2 * 4, "double")
