"""The small pretrained network and the coloured digits that week 6 transfers it to."""

from __future__ import annotations

import torch

from fixtures import digits, pretrain, transfer


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_weights_are_small_and_fit_the_network() -> None:
    assert transfer.WEIGHTS.stat().st_size < 5_000_000
    model = transfer.Backbone()
    model.load_state_dict(transfer.load_backbone(), strict=True)
    assert [name for name, _ in model.named_children()] == ["features", "avgpool", "classifier"]


def test_the_network_knows_the_digits_it_was_trained_on_in_new_colours() -> None:
    images, labels = transfer.coloured(transfer.of_classes(range(5), generator(1)), generator(1))
    model = transfer.Backbone()
    model.load_state_dict(transfer.load_backbone())
    model.eval()
    with torch.no_grad():
        assert digits.accuracy(model(transfer.normalised(images)), labels) > 0.95


def test_pretraining_is_seeded() -> None:
    first, again, other = (pretrain.pretrain(seed, epochs=1)[0].state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["features.0.weight"], other["features.0.weight"])


def test_each_draw_is_a_problem_of_its_own() -> None:
    first, again, other = (transfer.draw(generator(seed)) for seed in (1, 1, 2))
    assert first.train_images.shape == (128, 3, 16, 16) and first.train_images.dtype == torch.uint8
    assert first.test_images.shape == (360, 3, 16, 16) and len(first.test_labels) == 360
    assert set(first.train_labels.tolist()) == set(first.test_labels.tolist()) == set(range(5))
    assert torch.equal(first.train_images, again.train_images) and torch.equal(first.test_labels, again.test_labels)
    assert not torch.equal(first.test_images, other.test_images)


def test_only_the_digits_5_to_9_are_drawn_each_once() -> None:
    _, labels = digits.originals()
    places = transfer.of_classes(range(5, 10), generator())
    assert set(labels[places].tolist()) == {5, 6, 7, 8, 9}
    assert len(set(places.tolist())) == len(places) >= 600


def test_strokes_stand_out_from_the_paper() -> None:
    images, _ = transfer.coloured(transfer.of_classes(range(10), generator())[:200], generator())
    brightness = images.float().mean(1).flatten(1)
    assert ((brightness.max(1).values - brightness.min(1).values) > 25).all()
    assert images.float().std((2, 3)).mean() > 10  # in each of the three channels
