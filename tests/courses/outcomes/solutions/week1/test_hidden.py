from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=40, title="Twice a large number", hint="How large can an int be?", seconds=1)
def test_double_large(student):
    expect.integer(student.run(probes.double, 123454321), 246908642, "double")
