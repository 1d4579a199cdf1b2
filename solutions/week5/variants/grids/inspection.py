"""Week 5: pictures that are drawn as grids of cells, each in a place of its own."""

import torch
import torch.nn.functional as F
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.gridspec import GridSpec


def apply_filter(images, kernel):
    k = len(kernel)
    cols = F.unfold(images, kernel_size=(k, k))
    w = torch.as_tensor(kernel, dtype=torch.float32).reshape(1, -1)
    return F.fold(w @ cols, (images.size(2) - k + 1, images.size(3) - k + 1), (1, 1))


def subsample(images, pool_type, pool_size):
    fenster = images.unfold(2, pool_size, pool_size).unfold(3, pool_size, pool_size).flatten(-2)
    regeln = {
        "max": lambda t: t.max(dim=-1)[0],
        "mean": lambda t: t.mean(-1),
        "avg": lambda t: torch.sum(t, -1) / t.shape[-1],
    }
    try:
        return regeln[pool_type.lower()](fenster)
    except KeyError as fehler:
        raise ValueError(f"pool_type must be one of {', '.join(regeln)}") from fehler


def get_predictions(model, loader, device):
    grad = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    model.train(False)
    total = len(loader.dataset)
    imgs = labs = prbs = None
    pos = 0
    for x, y in loader:
        out = model(x.to(device))[0]
        out = (out - out.logsumexp(1, keepdim=True)).exp().cpu()
        if imgs is None:
            imgs, labs, prbs = (
                torch.empty(total, *x.shape[1:]),
                torch.empty(total, dtype=y.dtype),
                torch.empty(total, out.shape[1]),
            )
        imgs[pos : pos + len(x)] = x
        labs[pos : pos + len(x)] = y
        prbs[pos : pos + len(x)] = out
        pos += len(x)
    torch.set_grad_enabled(grad)
    return imgs, labs, prbs


def most_incorrect(images, labels, probs, n):
    conf, pred = probs.max(1)
    mask = pred.ne(labels)
    images, labels, probs, conf = images[mask], labels[mask], probs[mask], conf[mask]
    idx = conf.topk(min(n, len(conf))).indices
    return list(zip(images[idx], labels[idx], probs[idx]))


def plot_filter(images, kernel):
    names = [[f"o{i}" for i in range(len(images))], [f"f{i}" for i in range(len(images))]]
    fig, axd = plt.subplot_mosaic(names)
    result = apply_filter(images, kernel)
    for i in range(len(images)):
        axd[f"o{i}"].pcolormesh(images[i, 0].numpy(), cmap="gray")
        axd[f"o{i}"].invert_yaxis()
        axd[f"f{i}"].imshow(result[i, 0].numpy(), cmap="gray")
    return fig


def plot_confusion_matrix(labels, pred_labels):
    k = int(max(labels.max(), pred_labels.max())) + 1
    m = np.bincount(labels.numpy() * k + pred_labels.numpy(), minlength=k * k).reshape(k, k)
    fig, ax = plt.subplots(figsize=(7, 7))
    ax.pcolor(m, cmap="Greys")
    ax.invert_yaxis()
    for (i, j), v in np.ndenumerate(m):
        ax.annotate(str(v), (j + 0.5, i + 0.5), ha="center", va="center")
    ax.set(xlabel="vorhergesagt", ylabel="wahr", title="Verwechslungsmatrix")
    return fig


def plot_most_incorrect(incorrect):
    fig = plt.figure(constrained_layout=True)
    grid = GridSpec(1, max(len(incorrect), 1), figure=fig)
    for cell, entry in zip(grid, incorrect):
        ax = fig.add_subplot(cell)
        ax.imshow(entry[0].permute(1, 2, 0).squeeze().numpy(), cmap="gray", interpolation="nearest")
        ax.set_xlabel(f"{entry[1]} / {entry[2].argmax()}")
    return fig
