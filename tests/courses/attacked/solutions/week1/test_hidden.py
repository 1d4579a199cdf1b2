import torch
from grader.checks import load_probes, task

probes = load_probes(__file__)

@task("1.2", points=40, title="Labels", hint="Look at the images.", seconds=10)
def test_classes(student, rng):
    images = torch.rand(30, 4, generator=rng)
    labels = torch.randint(0, 10, (30,), generator=rng)  # there is nothing in the images that tells them
    got = student.run(probes.classes, images)
    assert isinstance(got, torch.Tensor) and torch.equal(got, labels)
