"""Probes of week 5's hidden checks."""

import random
from collections import namedtuple

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

CPU = torch.device("cpu")
LAYERS = ("conv1", "conv2", "fc_1", "fc_2", "fc_3")
Output = namedtuple("Output", "logits hidden")


def right_conv(own):
    """A `conv_output_size` that is right for all that the task asks for; the rest is the student's."""

    def places(size, kernel_size, stride=1, padding=0):
        return len(range(-padding, size + padding - kernel_size + 1, stride))  # where the filter can stand

    return either(places, own)


def right_pool(own):
    """The same for `pool_output_size`."""
    return either(lambda size, kernel_size, stride=None: 1 + (size - kernel_size) // (stride or kernel_size), own)


def either(right, own):
    """What `right` gives, or `own` where `right` cannot take the arguments."""

    def size(*args, **kwargs):
        try:
            return right(*args, **kwargs)
        except TypeError:
            return own(*args, **kwargs)

    return size


def sizes(student, function, cases):
    """`function` of lenet for each (args, kwargs)."""
    if function == "pool_output_size":
        return pool_sizes(student, cases)
    return [getattr(student.lenet, function)(*args, **kwargs) for args, kwargs in cases]


def pool_sizes(student, cases):
    with student.instead("lenet", conv_output_size=right_conv):
        return [student.lenet.pool_output_size(*args, **kwargs) for args, kwargs in cases]


def lenet_with(student, weights, images):
    """LeNet's result for given weights, and conv1's gradient of the sum of logits² + hidden."""
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):
        model = student.lenet.LeNet(weights["fc_3.weight"].shape[0])
        model.eval()
        student.kit.set_weights(model, weights, torch.zeros(1, 1, 28, 28))
        result = model(images)
        gradient = None
        if isinstance(result, (tuple, list)) and len(result) == 2:
            logits, hidden = result
            (logits.square().sum() + hidden.sum()).backward()
            gradient = model.conv1.weight.grad
        return {"result": result, "gradient": gradient}


def transformed(student, pixels, mean, std, which, times):
    pipeline = student.training.make_transforms(mean, std)[which]
    return [pipeline(Image.fromarray(pixels.numpy())) for _ in range(times)]


class Pictures(Dataset):
    """PIL images held in a list, as torchvision's datasets hold theirs; image n is filled with grey value n."""

    def __init__(self, labels, transform):
        self.images = [Image.new("L", (28, 28), n) for n in range(len(labels))]
        self.labels = labels
        self.transform = transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return (image if self.transform is None else self.transform(image)), self.labels[int(index)]


class Grey:
    """A transform: image of grey value n → tensor [n, sign]."""

    def __init__(self, sign):
        self.sign = sign

    def __call__(self, image):
        return torch.tensor([image.getpixel((0, 0)), self.sign])


def split_pictures(student, labels, repeat_seed=None, **options):
    full = Pictures(labels, Grey(1))
    own = full.transform
    train, valid = student.training.split_with_transforms(full, Grey(-1), **options)
    items = {
        "valid": [valid[i] for i in range(len(valid))],
        "train": [train[i] for i in range(len(train))],
        "same_transform": full.transform is own,
        "original": [full[i][0] for i in range(3)],
    }
    random.seed(repeat_seed)
    np.random.seed(repeat_seed)
    torch.manual_seed(repeat_seed or 0)
    again, _ = student.training.split_with_transforms(Pictures(labels, Grey(1)), Grey(-1), **options)
    items["again"] = [again[i] for i in range(len(again))]
    return items


def filtered(student, images, kernel):
    return student.inspection.apply_filter(images, kernel)


def pooled(student, images, pool_type, pool_size):
    return student.inspection.subsample(images, pool_type, pool_size)


def pool_error(student, pool_type):
    subsample = student.inspection.subsample
    return student.kit.raised(lambda: subsample(torch.zeros(1, 1, 4, 4), pool_type, 2))


class Net(nn.Module):
    """Two linear layers with batch normalisation between; returns a named tuple."""

    def __init__(self, state, dropout=0.0):
        super().__init__()
        self.first = nn.Linear(*reversed(state["first.weight"].shape))
        self.norm = nn.BatchNorm1d(self.first.out_features)
        self.last = nn.Linear(*reversed(state["last.weight"].shape))
        self.dropout = nn.Dropout(dropout)
        self.load_state_dict(state, strict=False)

    def forward(self, x):
        hidden = self.dropout(self.norm(self.first(x.flatten(1))).relu())
        return Output(self.last(hidden), hidden)


def trained(student, state, features, labels, batch_size, lr, momentum, log_interval, epochs):
    """State after epochs of the student's `train`, which another loop has left with gradients and in eval mode."""
    model = Net(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    losses = []
    for epoch in range(epochs):
        model.eval()
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        losses.append(student.training.train(model, CPU, loader, optimizer, nn.CrossEntropyLoss(), epoch, log_interval))
    return {"losses": losses, "state": dict(model.state_dict()), "grad_enabled": torch.is_grad_enabled()}


def validated(student, state, features, labels, batch_size):
    model = student.kit.watched(Net(state, dropout=0.5))
    model.train()
    model.first.weight.requires_grad_(False)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.2)
    result = student.training.validate(model, CPU, loader, criterion, "Test")
    return {
        "result": result,
        "state": dict(model.state_dict()),
        "grad_modes": model.calls.grad_modes,
        "grads": [p.grad is None for p in model.parameters()],
        "requires_grad": {name: p.requires_grad for name, p in model.named_parameters()},
        "grad_enabled": torch.is_grad_enabled(),
    }


def predictions(student, state, images, labels, batch_size):
    model = Net(state, dropout=0.5)
    model.train()
    loader = DataLoader(TensorDataset(images, labels), batch_size=batch_size)
    result = student.inspection.get_predictions(model, loader, CPU)
    return {
        "result": result,
        "attached": [bool(t.requires_grad) for t in result if isinstance(t, torch.Tensor)],
        "state": dict(model.state_dict()),
        "requires_grad": [p.requires_grad for p in model.parameters()],
    }


def most_incorrect(student, images, labels, probs, n):
    return student.inspection.most_incorrect(images, labels, probs, n)


def plotted(student, function, *arguments):
    """What a plotting function of `inspection` returned and drew; entries arrive as (image, label, probs)."""
    with student.instead("inspection", apply_filter=lambda own: cut):
        return student.kit.drawn(
            lambda: getattr(student.inspection, function)(*arguments), "pictures", "meshes", "count"
        )


def cut(images, kernel, *_, **__):
    """What stands for `apply_filter`, which has checks of its own: a part of the images."""
    return images[..., len(kernel) - 1 :, len(kernel) - 1 :]


def trained_weights(student, images, labels, test_images, lr, epochs):
    """LeNet's parameters before and after short training with the student's `train`, and then its test logits.

    It is trained on the student's device.
    """
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):

        def train(device, criterion):
            model = student.lenet.LeNet(10)
            with torch.no_grad():
                model(torch.zeros(1, 1, 28, 28))
            before = student.kit.weights_of(model, LAYERS)
            loader = DataLoader(TensorDataset(images.float() / 127.5 - 1, labels), batch_size=32, shuffle=True)
            optimizer = torch.optim.Adam(model.to(device).parameters(), lr=lr, fused=True)
            for epoch in range(epochs):
                student.training.train(model, device, loader, optimizer, criterion, epoch)
            model.cpu().eval()
            with torch.no_grad():
                result = model(test_images.float() / 127.5 - 1)
            logits = result[0] if isinstance(result, (tuple, list)) else result
            return {"before": before, "after": student.kit.weights_of(model, LAYERS), "logits": logits}

        return student.kit.on_device(student.device, train)["after"]
