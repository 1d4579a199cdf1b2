"""Filters, pooling and predictions."""

import operator

import torch


def apply_filter(images, kernel):
    k = len(kernel)
    patches = images.unfold(2, k, 1).unfold(3, k, 1)
    return torch.tensordot(patches, torch.tensor(kernel, dtype=patches.dtype), dims=2)


def subsample(images, pool_type, pool_size):
    pools = dict(max=torch.nn.MaxPool2d, mean=torch.nn.AvgPool2d, avg=torch.nn.AvgPool2d)
    kind = pool_type.strip().lower()
    if kind in pools.keys():  # noqa: SIM118
        return pools[kind](pool_size, stride=pool_size)(images)
    raise ValueError(pool_type, list(pools))


def get_predictions(model, loader, device):
    model.eval()
    count, seen = len(loader.dataset), 0
    images = labels = probs = None
    for x, y in loader:
        p = torch.nn.functional.softmax(model(x.to(device))[0].detach(), 1).cpu()
        if images is None:
            images, labels = x.new_empty((count, *x.shape[1:])), y.new_empty(count)
            probs = p.new_empty((count, p.shape[1]))
        here = slice(seen, seen + len(x))
        images[here], labels[here], probs[here] = x, y, p
        seen += len(x)
    return images, labels, probs


def most_incorrect(images, labels, probs, n):
    entries = filter(lambda e: e[2].argmax().item() != e[1], zip(images, labels.tolist(), probs, strict=True))
    by_confidence = sorted(((p.max().item(), x, y, p) for x, y, p in entries), key=operator.itemgetter(0))
    return [list(entry[1:]) for entry in by_confidence[::-1]][:n]
