"""Week 7: a layer whose forward is another one for a moment."""

import torch
from matplotlib.figure import Figure
from torch import nn


def grad_cam(model, layer, image, label=None):
    """Ohne Haken: die Schicht wird für einen Aufruf ersetzt."""
    gemerkt = {}
    altes = layer.forward

    def neu(*a, **k):
        gemerkt["A"] = altes(*a, **k)
        return gemerkt["A"]

    arten = {m: m.training for m in model.modules()}
    layer.forward = neu
    try:
        model.eval()
        with torch.set_grad_enabled(True):
            logits = model(image[None].detach().requires_grad_(True))[0]
            ziel = logits.argmax().item() if label is None else int(label)
            (g,) = torch.autograd.grad(logits[ziel], [gemerkt["A"]])
    finally:
        del layer.forward
        for m, t in arten.items():
            m.training = t
    A, g = gemerkt["A"].detach()[0], g[0]
    karte = torch.zeros(A.shape[1:])
    for c in range(A.shape[0]):
        karte += g[c].mean() * A[c]
    karte = karte.clamp(min=0)
    return karte / karte.max() if karte.any() else karte


def plot_grad_cam(image, heatmap):
    fig = Figure(figsize=(6, 3), layout="tight")
    links, rechts = fig.subplots(1, 2)
    up = nn.Upsample(size=image.shape[1:], mode="nearest")(heatmap.view(1, 1, *heatmap.shape)).squeeze()
    shown = image.movedim(0, -1).squeeze(-1).numpy()
    links.imshow(shown, cmap="bone")
    rechts.imshow(shown, cmap="bone")
    rechts.imshow(up.numpy(), cmap="jet", alpha=(0.6 * up).numpy())
    return fig
