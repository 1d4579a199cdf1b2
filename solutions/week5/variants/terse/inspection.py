import matplotlib.pyplot as plt
import torch as t
from torch.nn.functional import conv2d, unfold


def apply_filter(x, k):
    return conv2d(x, t.tensor([[k]], dtype=t.float32))


def subsample(x, pool_type, s):
    try:
        f = {"max": t.amax, "mean": t.mean, "avg": t.mean}[pool_type.lower()]
    except KeyError as error:
        raise ValueError("max, mean, avg") from error
    n, c, h, w = x.shape
    return f(unfold(x.reshape(n * c, 1, h, w), s, stride=s), 1).view(n, c, h // s, w // s)


@t.no_grad()
def get_predictions(model, loader, device):
    model.eval()
    x, y, p = zip(*((x, y, model(x.to(device))[0].softmax(-1).cpu()) for x, y in loader), strict=True)
    return t.cat(x), t.cat(y), t.cat(p)


def most_incorrect(images, labels, probs, n):
    v, i = probs.max(1)
    w = (i != labels).nonzero()[:, 0]
    top = w[v[w].topk(min(n, len(w))).indices]
    return [(images[j], labels[j], probs[j]) for j in top]


def plot_filter(images, kernel):
    f, a = plt.subplots(2, len(images), squeeze=False)
    [
        x.imshow(i[0])
        for r, s in zip(a, (images, apply_filter(images, kernel)), strict=True)
        for x, i in zip(r, s, strict=True)
    ]
    return f


def plot_confusion_matrix(labels, pred_labels):
    m = t.zeros(10, 10).index_put_((labels, pred_labels), t.tensor(1.0), accumulate=True)
    f, a = plt.subplots()
    a.imshow(m.log1p())
    [a.text(j, i, f"{int(m[i, j])}", ha="center") for i in range(10) for j in range(10)]
    return f


def plot_most_incorrect(incorrect):
    f = plt.figure()
    for i, (x, y, p) in enumerate(incorrect):
        a = f.add_axes((i / len(incorrect), 0.1, 1 / len(incorrect), 0.8))
        a.imshow(x[0]), a.set_title(f"{y}/{p.argmax()}"), a.axis("off")
    return f
