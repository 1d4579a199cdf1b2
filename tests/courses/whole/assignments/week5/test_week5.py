"""Checks."""
import torch
from fixtures import digits
from grader.checks import load_probes, task

probes = load_probes(__file__)
LIMIT, OTHER = 3, 4

def helper(n):
    return n + LIMIT

@task("5.1", points=1, title="one")
def test_one(student):
    assert student.run(probes.one, helper(1)) == 4

@task("5.2", points=1, title="two")
def test_two(student):
    assert student.run(probes.of, "two") == OTHER

@task("5.4", points=1, title="any")
def test_any(student):
    assert student.run(probes.any)
