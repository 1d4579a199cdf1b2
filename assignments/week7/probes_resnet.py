"""What week 7's public checks ask of `resnet.py`: each probe calls it and returns plain data."""

import copy
from contextlib import contextmanager

import torch
from torch import nn

CPU = torch.device("cpu")
LAYERS = ("conv1", "bn1", "conv2", "bn2", "shortcut")


class NotAsAsked(Exception):
    """A layer of yours is not what the task asks for."""


# The tensors of your layers, by the lesson's names


def convolution_of(layer):
    """The first convolution in a layer, which may be one itself."""
    found = layer.modules() if isinstance(layer, nn.Module) else ()
    return next((part for part in found if getattr(getattr(part, "weight", None), "ndim", 0) == 4), None)


def norm_of(layer):
    """The first batch normalisation in a layer, which may be one itself."""
    found = layer.modules() if isinstance(layer, nn.Module) else ()
    return next((part for part in found if isinstance(getattr(part, "running_mean", None), torch.Tensor)), None)


def norm_tensors(name, layer):
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": getattr(layer, part, None) for part in parts}


def block_tensors(block, prefix=""):
    """The tensors of a block by name, with None for one that is missing; a shortcut without parameters has none."""
    found = {}
    for name in ("1", "2"):
        found[f"{prefix}conv{name}.weight"] = getattr(getattr(block, f"conv{name}", None), "weight", None)
        found |= norm_tensors(f"{prefix}bn{name}", getattr(block, f"bn{name}", None))
    shortcut = getattr(block, "shortcut", None)
    projection, norm = convolution_of(shortcut), norm_of(shortcut)
    if projection is not None or norm is not None:
        found[f"{prefix}shortcut.0.weight"] = getattr(projection, "weight", None)
        found |= norm_tensors(f"{prefix}shortcut.1", norm)
    return found


def network_tensors(model):
    """The tensors of a network by name, in the order in which the images meet the layers."""
    found = {"conv1.weight": getattr(getattr(model, "conv1", None), "weight", None)}
    found |= norm_tensors("bn1", getattr(model, "bn1", None))
    for stage in ("stage1", "stage2", "stage3"):
        for number, block in enumerate(blocks_of(model, stage)):
            found |= block_tensors(block, f"{stage}.{number}.")
    fc = getattr(model, "fc", None)
    return {**found, "fc.weight": getattr(fc, "weight", None), "fc.bias": getattr(fc, "bias", None)}


def blocks_of(model, stage):
    found = getattr(model, stage, None)
    return list(found.children()) if isinstance(found, nn.Module) else []


def set_tensors(own, weights):
    """Copy `weights` into tensors of the same names."""
    with torch.no_grad():
        for name, value in weights.items():
            tensor = own.get(name)
            if tensor is None:
                raise NotAsAsked(f"there is no {name}, in the lesson's names")
            if tensor.shape != value.shape:
                raise NotAsAsked(f"{name} has the shape {tuple(tensor.shape)}, and not {tuple(value.shape)}")
            tensor.copy_(value)


# 7.1: the block


def block_layers(student, inside, outside, stride, image):
    """The block's children; the shapes of its tensors; how many parameters it has; the shape of its result."""
    block = student.resnet.ResidualBlock(inside, outside, stride)
    block(image)
    children = [
        name for name, child in block.named_children() if name in LAYERS or any(True for _ in child.parameters())
    ]
    return {
        "layers": children,
        "shapes": {name: None if t is None else list(t.shape) for name, t in block_tensors(block).items()},
        "biases": [
            name for name in ("conv1", "conv2") if getattr(getattr(block, name, None), "bias", None) is not None
        ],
        "parameters": sum(parameter.numel() for parameter in block.parameters()),
        "result": list(block(image).shape),
    }


def block_output(student, inside, outside, stride, weights, x):
    """What a block with these weights gives in evaluation mode."""
    block = student.resnet.ResidualBlock(inside, outside, stride)
    block(x)
    set_tensors(block_tensors(block), weights)
    block.eval()
    return block(x.clone())


def block_gradients(student, inside, outside, stride, weights, x):
    """The gradients of the sum of squares of its result, for its input and its first convolution."""
    block = student.resnet.ResidualBlock(inside, outside, stride)
    block(x)  # a lazy layer has no weights before its first input
    set_tensors(block_tensors(block), weights)
    block.eval()
    x = x.clone().requires_grad_()
    result = block(x)
    if not result.requires_grad:
        return "detached"
    result.square().sum().backward()
    return {"input": x.grad, "conv1": block.conv1.weight.grad}


# 7.2: the network


@contextmanager
def right_blocks(resnet):
    """Have the class `ResidualBlock` be right for a while: it has a task of its own."""
    own = getattr(resnet, "ResidualBlock", None)
    if not isinstance(own, type):
        yield
        return
    kept = {name: vars(own)[name] for name in ("__init__", "forward") if name in vars(own)}
    own.__init__, own.forward = begin_block, run_block
    try:
        yield
    finally:
        for name in ("__init__", "forward"):
            if name in kept:
                setattr(own, name, kept[name])
            else:
                delattr(own, name)


def begin_block(self, in_channels, out_channels, stride=1, *_, **__):
    nn.Module.__init__(self)
    self.step = stride
    self.conv1, self.bn1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels)
    self.conv2, self.bn2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False), nn.BatchNorm2d(out_channels)
    changes = (in_channels, stride) != (out_channels, 1)
    layers = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    self.shortcut = nn.Sequential(*layers[: 2 * changes])


def run_block(self, x, *_, **__):
    inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).clamp(min=0)))
    return (self.shortcut(x) + inner).clamp(min=0)


def network_layers(student, output_dim, options, images):
    """The network's layers with parameters, the shapes of its tensors, and of the logits."""
    with right_blocks(student.resnet):
        model = student.resnet.ResNet(output_dim, **options)
        shape = list(model(images).shape)
        return {
            "layers": [name for name, _ in model.named_children()],
            "blocks": [len(blocks_of(model, stage)) for stage in ("stage1", "stage2", "stage3")],
            "shapes": {name: None if t is None else list(t.shape) for name, t in network_tensors(model).items()},
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "result": shape,
        }


def network_logits(student, output_dim, blocks, width, weights, images):
    """What a network with these weights gives in evaluation mode."""
    with right_blocks(student.resnet):
        model = student.resnet.ResNet(output_dim, blocks, width)
        model(images)
        set_tensors(network_tensors(model), weights)
        model.eval()
        return model(images)


# 7.3: the table


class Nested(nn.Module):
    """Modules within modules, with a parameter of the model's own, shared weights, and layers without any."""

    def __init__(self, width, hidden, classes, shared=False):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Sequential(nn.Conv2d(width, hidden, 1, bias=False)),
        )
        self.head = nn.Linear(hidden, classes)
        self.body[1].weight.requires_grad_(False)
        if shared:
            self.other = nn.Linear(hidden, classes)
            self.other.weight = self.head.weight

    def forward(self, images):
        x = self.body[2](self.body[1](self.body[0](images))) * self.scale[:, None, None]
        return self.head(self.body[3](x).mean((2, 3)))


def table(student, width, hidden, classes, shared):
    """The student's table of such a model, as a list, for its order."""
    return pairs(student.resnet.parameter_table(Nested(width, hidden, classes, shared)))


def pairs(found):
    return (
        [[key, value] for key, value in found.items()]
        if isinstance(found, dict)
        else {"returned": type(found).__name__}
    )


# 7.4 and 7.5: operations


def conv_flops(student, *sizes, **options):
    return student.resnet.conv_flops(*sizes, **options)


def right_flops(own):
    """A `conv_flops` that is right for square filters; of others the student's own is asked."""

    def conv_flops(in_channels, out_channels, kernel_size, out_height, out_width, groups=1, *rest, **more):
        if not isinstance(kernel_size, int):
            return own(in_channels, out_channels, kernel_size, out_height, out_width, groups, *rest, **more)
        places = out_height * out_width * out_channels
        return places * kernel_size * kernel_size * (in_channels // groups) * 2

    return conv_flops


class Small(nn.Module):
    """A convolutional network with batch normalisation and dropout, and some layer that does not run."""

    def __init__(self, channels, width, hidden, classes, stride):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride=stride, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, hidden, 1),
        )
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(hidden, classes))
        self.idle = nn.Linear(hidden, 7)

    def forward(self, images):
        return self.head(self.features(images).mean((2, 3)))


def counted(student, sizes, image):
    """The student's count for a small network."""
    with student.instead("resnet", conv_flops=right_flops):
        return student.resnet.count_flops(Small(*sizes), image)


def counted_twice(student, sizes, image):
    """The student's count for a network in training mode, once more, and what has changed about the network."""
    model = Small(*sizes)
    model.features[0].weight.grad = torch.ones_like(model.features[0].weight)
    before = copy.deepcopy(model.state_dict())
    with student.instead("resnet", conv_flops=right_flops):
        counts = [student.resnet.count_flops(model, image) for _ in range(2)]
    return {
        "counts": counts,
        "hooks": sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()),
        "modes": [bool(module.training) for module in model.modules()],
        "changed": [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])],
        "gradients": [name for name, parameter in model.named_parameters() if parameter.grad is not None],
        "requires_grad": [bool(parameter.requires_grad) for parameter in model.parameters()],
        "recording": torch.is_grad_enabled(),
    }
