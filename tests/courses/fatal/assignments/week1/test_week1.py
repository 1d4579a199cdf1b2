import os, signal
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=60, title="Twice a number", hint="Look at the operator.", seconds=5)
def test_double(student):
    found = student.run(probes.double, 21)
    if found == "end the judge":
        os.kill(os.getpid(), signal.SIGKILL)
    expect.integer(found, 42, "double")

@task("1.2", points=40, title="Twice another", hint="Look again.", seconds=5)
def test_another(student):
    expect.integer(student.run(probes.double, 1), 2, "double")
