"""What week 6's public checks ask of `batchnorm.py` and `vgg.py`: each probe calls them and returns plain data."""

import functools
import math
import sys
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.models import vgg

SWITCHED_OFF = ("batch_norm", "group_norm", "layer_norm", "instance_norm")


def importing():
    """Whether a module is being imported: it may compare with what torch has, whoever imports it."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


class WithoutNorms(TorchDispatchMode):
    """While it is on, torch's own normalisation operators raise."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(name in func.__name__ for name in SWITCHED_OFF) and not importing():
            raise RuntimeError("torch's own normalisation is switched off here: compute it from the formula")
        return func(*args, **(kwargs or {}))


def pool_filter_sizes(student, cases):
    return [student.vgg.adaptive_pool_filter_size(*case) for case in cases]


def batch_norm(student, x, gamma, beta, **options):
    """The student's result, and the gradient of Σ y³ with respect to x, gamma and beta."""
    leaves = [tensor.clone().requires_grad_() for tensor in (x, gamma, beta)]
    function = student.batchnorm.batch_norm
    with WithoutNorms():
        result = function(*leaves, **options)
        y = result[0] if isinstance(result, (tuple, list)) and result else None
        if isinstance(y, torch.Tensor) and y.requires_grad:
            y.pow(3).sum().backward()
    return {"result": result, "gradients": [leaf.grad for leaf in leaves]}


def layer_parts(student, features):
    """Names, shapes and kinds of a new layer's parameters and buffers, and their values."""
    layer = student.batchnorm.BatchNorm2d(features)
    return {
        "parameters": {name: p for name, p in layer.named_parameters()},
        "buffers": {name: b for name, b in layer.named_buffers()},
        "trainable": {name: bool(p.requires_grad) for name, p in layer.named_parameters()},
    }


def attempt(call):
    """What it returns, or None where it raises."""
    try:
        return call()
    except Exception:
        return None


def normalised(x, gamma, beta, eps=1e-5, *_, **__):
    """What `batch_norm` is to give."""
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
    slope = gamma / (var + eps).sqrt()
    return (x.movedim(1, 3) * slope + (beta - mean * slope)).movedim(3, 1), mean, var


def right_norm(own):
    """A `batch_norm` that is right; the student's where that is, or gives no such three tensors."""
    x = torch.arange(24.0).view(2, 3, 2, 2) ** 2
    given = x, torch.tensor([1.0, 2.0, 0.5]), torch.tensor([0.0, 1.0, -1.0])
    found, wanted = attempt(lambda: own(*given, eps=0.1)), normalised(*given, eps=0.1)
    if found is None:
        return normalised
    if not isinstance(found, (tuple, list)) or [getattr(f, "shape", None) for f in found] != [w.shape for w in wanted]:
        return own  # whoever calls it makes do with what it gives
    right = all(bool(torch.isclose(f, w, rtol=1e-3, atol=1e-3).all()) for f, w in zip(found, wanted, strict=True))
    return own if right else normalised


def layer_run(student, batches, weight, bias, running=None, evaluate=None, **options):
    """Outputs for `batches` in training mode, then for `evaluate` in evaluation mode, and the state after each part."""
    with student.instead("batchnorm", batch_norm=right_norm):
        layer = student.batchnorm.BatchNorm2d(len(weight), **options)
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
            if running is not None:
                layer.running_mean.copy_(running[0])
                layer.running_var.copy_(running[1])
        with WithoutNorms():
            layer.train()
            trained = [layer(batch.clone().requires_grad_()) for batch in batches]
            state = state_of(layer)
            layer.eval()
            evaluated = [layer(batch) for batch in evaluate or []]
        return {"trained": trained, "state": state, "evaluated": evaluated, "after": state_of(layer)}


def state_of(layer):
    """Copies of what the layer keeps, and whether the running statistics belong to a graph."""
    names = ("weight", "bias", "running_mean", "running_var")
    found = {name: getattr(layer, name) for name in names}
    attached = [bool(getattr(layer, name).requires_grad) for name in names[2:]]
    return {**{name: tensor.detach().clone() for name, tensor in found.items()}, "attached": attached}


def exchanged(student, state, x):
    """State dicts taken to torch's own layer and back, strictly: what both then give in evaluation mode."""
    with student.instead("batchnorm", batch_norm=right_norm):
        features = len(state["weight"])
        theirs, own, again = nn.BatchNorm2d(features), student.batchnorm.BatchNorm2d(features), nn.BatchNorm2d(features)
        theirs.load_state_dict({**theirs.state_dict(), **state})
        try:
            load(own, theirs.state_dict())
            load(again, own.state_dict())
        except RuntimeError as error:
            return {"refused": str(error)}
        for layer in (own, again):
            layer.eval()
        with WithoutNorms():
            mine = own(x)
        return {"own": mine, "theirs": again(x)}


def load(model, state, **options):
    """Load a state dict strictly, but for the number of batches that a normalisation has seen."""
    differing = model.load_state_dict(state, strict=False, **options)
    for kind, names in (("Missing", differing.missing_keys), ("Unexpected", differing.unexpected_keys)):
        names = [name for name in names if not name.endswith("num_batches_tracked")]
        if names:
            raise RuntimeError(f"{kind} in the state dict: {', '.join(names)}")


# 6.8: VGG. Most of its 133 million parameters are never there: the model is built without memory (on the meta
# device), and the large matrices are views of short vectors, in which entry (i, j) is number STEP·i + j.

STEP = 8  # were it 1, all outputs of a layer would be so much alike that a ReLU more or less could go unnoticed
FEW = 65537  # as a prime it has no rhythm in common with the layers


def vgg_weights(shapes, seed):
    """Weights of these shapes that keep activations in range; those of linear layers are views of short vectors.

    Those of convolutions repeat FEW numbers: nine million take longer to draw than to convolve with.
    """
    gen = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        scale, count = (2 / max(1, math.prod(shape[1:]))) ** 0.5, math.prod(shape)
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.tensor(0)
        elif len(shape) == 2:
            length = STEP * (shape[0] - 1) + shape[1]
            weights[name] = (torch.randn(length, generator=gen) * scale).as_strided(shape, (STEP, 1))
        elif len(shape) > 1:
            few = torch.randn(min(count, FEW), generator=gen) * scale
            weights[name] = few.repeat(-(-count // len(few)))[:count].view(shape)
        elif name.endswith(("running_var", "weight")):
            weights[name] = torch.rand(shape, generator=gen) + 0.5
        else:
            weights[name] = torch.randn(shape, generator=gen) * 0.2
    return weights


class ShortProducts(TorchDispatchMode):
    """While it is on, products do not copy a matrix that is a view of a short vector, as torch's own do.

    A row times such a matrix is a correlation of both vectors. All other operations are torch's own.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.ops.aten.mm.default and is_ours(*args):
            return correlated(*args)
        if func is torch.ops.aten.addmm.default and is_ours(*args[1:]) and not kwargs:
            return correlated(*args[1:]) + args[0]
        return func(*args, **kwargs)


def is_ours(rows, matrix):
    """Whether it is a product with a short matrix; what cannot be multiplied is left to torch, which says why."""
    return rows.shape[1] == matrix.shape[0] and is_short(matrix)


def is_short(matrix):
    """Whether its rows overlap in memory."""
    return min(matrix.stride()) == 1 and length_of(matrix) < matrix.numel()


def length_of(matrix):
    """How many numbers lie between its first entry and its last, both included."""
    return 1 + sum(step * (size - 1) for step, size in zip(matrix.stride(), matrix.shape, strict=True))


def correlated(rows, matrix):
    """`rows @ matrix` for a matrix that is a view of a short vector, by way of Fourier transforms."""
    (down, along), length = matrix.stride(), length_of(matrix)
    size = 1 << length.bit_length()
    spread = rows.new_zeros(len(rows), down * (matrix.shape[0] - 1) + 1)
    spread[:, ::down] = rows
    # Not conj(): below a dispatch mode nobody would resolve what it only notes.
    product = torch.fft.rfft(spread, size).conj_physical() * torch.fft.rfft(matrix.as_strided((length,), (1,)), size)
    return torch.fft.irfft(product, size)[:, : along * (matrix.shape[1] - 1) + 1 : along]


@contextmanager
def vgg_class(student):
    """The student's VGG with torch's BatchNorm2d in place of the student's own, which has checks of its own."""
    try:
        student.batchnorm  # noqa: B018 - its import may fail
    except Exception:
        yield student.vgg.VGG
        return
    # Once before the network is imported, which then takes torch's; and once after it, wherever the layer stands then.
    with student.instead("batchnorm", BatchNorm2d=right_layer):
        make = student.vgg.VGG
    with student.instead("batchnorm", BatchNorm2d=right_layer):
        yield make


def right_layer(own):
    return nn.BatchNorm2d


def switched_off(*args, **kwargs):
    raise RuntimeError("torchvision's models are switched off here: build VGG's layers yourself")


@contextmanager
def without_models():
    """Within the block torchvision's VGG cannot be built, by whatever name somebody has got hold of it."""
    ready, layers = vgg.VGG.__init__, vgg.make_layers.__code__

    def refused(*args, **kwargs):
        ready(*args, **kwargs) if importing() else switched_off()

    vgg.VGG.__init__, vgg.make_layers.__code__ = refused, switched_off.__code__
    try:
        yield
    finally:
        vgg.VGG.__init__, vgg.make_layers.__code__ = ready, layers


@without_models()
def built(make, output_dim):
    """The model without memory for its weights; with it, where a style of writing needs it."""
    try:
        with torch.device("meta"):
            return with_sizes(make(output_dim))
    except NotImplementedError as error:
        if str(error).startswith("TODO"):
            raise
        return with_sizes(make(output_dim))
    except Exception:
        return with_sizes(make(output_dim))


@torch.no_grad()
def with_sizes(model):
    """The model, after a first input where it has layers that wait for one to know their sizes."""
    tensors = [*model.parameters(), *model.buffers()]
    if any(is_lazy(tensor) for tensor in tensors):
        model.eval()(torch.zeros(1, 3, 32, 32, device=tensors[0].device))
    return model.train()


def vgg_shapes(student, output_dim):
    """Shapes in the state dict, the number of parameters, and the names of the parts."""
    with vgg_class(student) as make:
        model = built(make, output_dim)
    return {
        "shapes": {name: list(tensor.shape) for name, tensor in model.state_dict().items()},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "parts": [
            name for name in ("features", "avgpool", "classifier") if isinstance(getattr(model, name, None), nn.Module)
        ],
    }


def vgg_logits(student, shapes, seed, images, training=False):
    """Logits in evaluation mode with weights of `vgg_weights`, loaded strictly; or why they do not load.

    For `training` also the gradient of the first batch's logits with respect to the first layer's bias, and what the
    classifier makes of one input twice, in training mode.
    """
    with vgg_class(student) as make:
        classes = shapes["classifier.6.bias"][0]
        model = built(make, classes)
        weights = vgg_weights(shapes, seed)
        try:
            load(model, weights, assign=True)
            if any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
                with without_models():
                    model = with_sizes(make(classes))
                load(model, weights)
        except RuntimeError as error:
            return {"refused": str(error)[:500]}
        model.eval()
        with ShortProducts():
            if not training:
                return {"logits": without_gradients(model, images)}
            bias = dict(model.named_parameters())["features.0.bias"].requires_grad_()
            first = model(images[0])
            attached = isinstance(first, torch.Tensor) and first.requires_grad
            gradient = torch.autograd.grad(first.sum(), bias, allow_unused=True)[0] if attached else None
            logits = [first, *without_gradients(model, images[1:])]
            classifier = in_turn(model.classifier).train()
            twice = without_gradients(classifier, [torch.ones(1, 512 * 7 * 7)] * 2)
        return {"logits": logits, "gradient": gradient, "twice": twice}


def in_turn(part):
    """A part of the network that can be called: the layers of a list one after the other, as its forward does."""
    return nn.Sequential(*part) if isinstance(part, nn.ModuleList) else part


@torch.no_grad()
def without_gradients(module, inputs):
    return [module(one) for one in inputs]
