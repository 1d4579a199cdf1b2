"""What week 5's public checks ask of your code: each probe calls it and returns plain data.

Probes run beside your code and decide nothing; the checks in `test_week5.py` judge what they return.
"""

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

LAYERS = ("conv1", "conv2", "fc_1", "fc_2", "fc_3")


# 5.1 and 5.2: sizes


def conv_output_size(student, size, kernel_size, **options):
    return student.lenet.conv_output_size(size, kernel_size, **options)


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


def pool_output_size(student, size, kernel_size, **options):
    with student.instead("lenet", conv_output_size=right_conv):
        return student.lenet.pool_output_size(size, kernel_size, **options)


# 5.3: LeNet


def lenet_outputs(student, images, output_dim, weights=None):
    """What LeNet returns; with `weights`, after its parameters have been set to them."""
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):
        model = student.lenet.LeNet(output_dim)
        model.eval()
        if weights is not None:
            student.kit.set_weights(model, weights, torch.zeros(1, 1, 28, 28))
        try:
            return model(images)
        except RuntimeError as error:
            if images.dim() == 3:
                error.args = (f"a single image has no batch axis: {error}",)
            raise


def lenet_layers(student, output_dim):
    """Shapes of the layers' parameters, by name; None for what is not there."""
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):
        model = student.lenet.LeNet(output_dim)
        with torch.no_grad():
            model(torch.zeros(1, 1, 28, 28))
        return student.kit.shapes_of(model, LAYERS)


def lenet_gradients(student, images, source):
    """Largest absolute gradient of each layer's weight, from the sum of squares of logits (0) or hidden (1)."""
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):
        model = student.lenet.LeNet(10)
        model.eval()
        result = model(images)
        if not isinstance(result, (tuple, list)) or len(result) != 2 or not isinstance(result[source], torch.Tensor):
            return "forward does not return (logits, hidden)"
        if not result[source].requires_grad:
            return "detached"
        result[source].square().sum().backward()
        grads = {name: getattr(model, name).weight.grad for name in LAYERS}
        return {name: None if grad is None else float(grad.abs().max()) for name, grad in grads.items()}


# 5.4: transforms


def transformed(student, pixels, mean, std, which, times):
    """The training (0) or test (1) pipeline applied `times` times to one uint8 28×28 image."""
    pipeline = student.training.make_transforms(mean, std)[which]
    return [pipeline(Image.fromarray(pixels.numpy(), mode=None)) for _ in range(times)]


# 5.5: the split


class Numbers(Dataset):
    """0 … length−1, each passed through the dataset's `transform`, with its label."""

    def __init__(self, labels, transform):
        self.labels = labels
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        if not 0 <= index < len(self.labels):
            raise IndexError(index)
        return index if self.transform is None else self.transform(index), self.labels[int(index)]


class Tag:
    """A transform that leaves its mark: n → [n, mark]."""

    def __init__(self, mark):
        self.mark = mark

    def __call__(self, number):
        return [int(number), self.mark]


def split(student, labels, **options):
    """Both parts' items, and one item of the original dataset afterwards."""
    full = Numbers(labels, Tag("train"))
    parts = student.training.split_with_transforms(full, Tag("test"), **options)
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        return {"returned": type(parts).__name__}
    train, valid = parts
    valid_items = [valid[i] for i in range(len(valid))]
    return {
        "train": [train[i] for i in range(len(train))],
        "valid": valid_items,
        "after": full[0],
    }


def draws_after_split(student, seed):
    """What the global generators, seeded before the split, give after it, and the items of both parts."""

    def items():
        full = Numbers([7] * 20, Tag("train"))
        parts = student.training.split_with_transforms(full, Tag("test"), seed=seed + 1)
        return [part[i] for part in parts for i in range(len(part))]

    return student.kit.draws_after(seed, items)


# 5.6 and 5.7: filters and pooling


def apply_filter(student, images, kernel):
    return student.inspection.apply_filter(images, kernel)


def subsample(student, images, pool_type, pool_size):
    return student.inspection.subsample(images, pool_type, pool_size)


def subsample_error(student, pool_type):
    """Type and text of what `subsample` raises."""
    subsample = student.inspection.subsample
    return student.kit.raised(lambda: subsample(torch.zeros(1, 1, 4, 4), pool_type, 2))


# 5.8: the loops, on models of the judge's own


def train_loop(student, **options):
    train = student.training.train
    return lambda model, loader, optimizer, criterion, device: train(
        model, device, loader, optimizer, criterion, 1, **options
    )


def validate_loop(student):
    validate = student.training.validate
    return lambda model, loader, _, criterion, device: validate(model, device, loader, criterion)


def trained(student, weight, bias, features, labels, batch_size, lr, again=False, **options):
    """One epoch of the student's `train` on a linear model that returns `(logits, features)`."""
    loop = train_loop(student, **options)
    return student.kit.trained(loop, weight, bias, features, labels, batch_size, lr, again=again, pair=True)


def validated(student, weight, bias, mean, var, features, labels, batch_size):
    """The student's `validate` on a model with batch normalisation and dropout that is in training mode."""
    return student.kit.evaluated(
        validate_loop(student), weight, bias, mean, var, features, labels, batch_size, pair=True
    )


def loops_elsewhere(student, weight, bias, features, labels):
    """Of `train` and `validate`: the parameters; where inputs and labels are when they are given another device."""
    loops = {"train": train_loop(student), "validate": validate_loop(student)}
    return {
        name: student.kit.located(getattr(student.training, name), loop, weight, bias, features, labels, pair=True)
        for name, loop in loops.items()
    }


# 5.9 and 5.10: predictions


def predictions_loop(student):
    get_predictions = student.inspection.get_predictions
    return lambda model, loader, optimizer, criterion, device: get_predictions(
        nn.Sequential(nn.Flatten(), model).train(model.training), loader, device
    )


def predictions(student, weight, bias, mean, var, images, labels, batch_size):
    """The student's `get_predictions` on N×1×2×2 images with a model that flattens them."""
    loop = predictions_loop(student)
    got = student.kit.evaluated(loop, weight, bias, mean, var, images, labels, batch_size, pair=True)
    attached = [bool(t.requires_grad) for t in got["result"] if isinstance(t, torch.Tensor)]
    return {**{name: got[name] for name in ("result", "grad_enabled", "running_mean")}, "attached": attached}


def predictions_elsewhere(student, weight, bias, images, labels):
    """The parameters of `get_predictions`; where inputs and results are when it is given another device."""
    function, loop = student.inspection.get_predictions, predictions_loop(student)
    return student.kit.located(function, loop, weight, bias, images, labels, pair=True, results=True)


def most_incorrect(student, images, labels, probs, n):
    return student.inspection.most_incorrect(images, labels, probs, n)


# 5.11: plots


def stand_in(images, kernel, *_, **__):  # with room for optional parameters that yours may have
    """What `plot_filter` draws for filtered images: parts of them, in another brightness."""
    size = len(kernel) - 1
    return images[..., size:, size:] * 0.5 + 2


def plot_filter(student, images, kernel):
    """The figure of `plot_filter`, with a stand-in for `apply_filter`."""
    with student.instead("inspection", apply_filter=lambda own: stand_in):
        return student.kit.drawn(lambda: student.inspection.plot_filter(images, kernel), "pictures", "box")


def plot_confusion_matrix(student, labels, pred_labels):
    draw = student.inspection.plot_confusion_matrix
    return student.kit.drawn(lambda: draw(labels, pred_labels), "pictures", "meshes", "texts", "names")


def plot_most_incorrect(student, images, labels, probs):
    incorrect = [(image, int(label), p) for image, label, p in zip(images, labels, probs, strict=True)]
    return student.kit.drawn(lambda: student.inspection.plot_most_incorrect(incorrect), "pictures")


def figures(student, images, kernel, labels, predicted, probs):
    """What each plot does beside another figure, and all pictures in these figures."""
    entries = [(image, int(label), p) for image, label, p in zip(images, labels, probs, strict=False)]
    plots = {
        "plot_filter": lambda: student.inspection.plot_filter(images, kernel),
        "plot_confusion_matrix": lambda: student.inspection.plot_confusion_matrix(labels, predicted),
        "plot_most_incorrect": lambda: student.inspection.plot_most_incorrect(entries),
    }
    with student.instead("inspection", apply_filter=lambda own: stand_in):
        return student.kit.beside_another(plots.items())


# 5.12: the whole


def trained_weights(student, images, labels, lr, epochs):
    """LeNet's parameters after short training with the student's `train`, on its device; uint8 images."""
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):

        def train(device, losses):
            model = student.lenet.LeNet(10)
            with torch.no_grad():
                model(torch.zeros(1, 1, 28, 28))
            loader = DataLoader(TensorDataset(images.float() / 127.5 - 1, labels), batch_size=32, shuffle=True)
            optimizer = torch.optim.Adam(model.to(device).parameters(), lr=lr, fused=True)
            for epoch in range(1, epochs + 1):
                student.training.train(model, device, loader, optimizer, losses, epoch)
            return student.kit.weights_of(model, LAYERS)

        return student.kit.on_device(student.device, train)


def logits_with(student, weights, images, few):
    """Logits of a new LeNet for a `few` uint8 images, and with these parameters for all."""
    with student.instead("lenet", conv_output_size=right_conv, pool_output_size=right_pool):
        model = student.lenet.LeNet(10)
        inputs = images.float() / 127.5 - 1
        model.eval()
        with torch.no_grad():
            untrained = model(inputs[:few])
            student.kit.set_weights(model, weights, inputs[:1])
            results = {"untrained": untrained, "logits": model(inputs)}
        return {when: result[0] if isinstance(result, (tuple, list)) else result for when, result in results.items()}
