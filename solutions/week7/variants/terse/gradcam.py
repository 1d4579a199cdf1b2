import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F


def grad_cam(model, layer, image, label=None):
    was, kept = {m: m.training for m in model.modules()}, {}
    hook = layer.register_forward_hook(lambda m, i, o: kept.update(a=o))
    with torch.enable_grad():
        y = model.eval()(image.detach()[None].clone().requires_grad_())[0]
    hook.remove()
    for m, t in was.items():
        m.training = t
    (g,) = torch.autograd.grad(y.max() if label is None else y[label], kept["a"])
    cam = torch.einsum("khw,k->hw", kept["a"][0], g[0].mean((1, 2))).clamp(min=0).detach()
    return cam / cam.max().clamp(min=1e-12)


def plot_grad_cam(image, heatmap):
    fig, (a, b) = plt.subplots(1, 2)
    picture = image[0] if len(image) == 1 else image.permute(1, 2, 0)
    a.imshow(picture, "gray")
    b.imshow(picture, "gray")
    b.imshow(F.interpolate(heatmap[None, None], tuple(image.shape[1:]))[0, 0], "magma", alpha=0.4)
    return fig
