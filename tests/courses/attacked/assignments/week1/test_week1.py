import torch
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.1", points=60, title="Twice", hint="Multiply.", seconds=4)
def test_twice(student, rng):
    numbers = torch.rand(20, generator=rng)
    expected = 2 * numbers
    got = student.run(probes.twice, numbers)
    assert isinstance(got, torch.Tensor) and torch.equal(got, expected)
