"""What week 5's public checks ask of your code: each probe calls it and returns plain data.

Probes run beside your code and decide nothing; the checks in `test_week5.py` judge what they return.
"""

import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

IMAGE = torch.zeros(1, 1, 28, 28)
LAYERS = ("conv1", "conv2", "fc_1", "fc_2", "fc_3")


# 5.1 and 5.2: sizes


def conv_output_size(student, size, kernel_size, **options):
    return student.lenet.conv_output_size(size, kernel_size, **options)


def conv_size(size, kernel_size, stride=1, padding=0):
    return len(range(-padding, size + padding - kernel_size + 1, stride))  # where the filter can stand


def pool_size(size, kernel_size, stride=None):
    return 1 + (size - kernel_size) // (stride or kernel_size)


def right_sizes(student):
    """Has both functions of sizes right for a while, so that what builds on them costs its own task alone."""
    right = student.kit.right
    return student.instead("lenet", conv_output_size=right(conv_size), pool_output_size=right(pool_size))


def pool_output_size(student, size, kernel_size, **options):
    with student.instead("lenet", conv_output_size=student.kit.right(conv_size)):
        return student.lenet.pool_output_size(size, kernel_size, **options)


# 5.3: LeNet


def lenet_outputs(student, images, output_dim, weights=None):
    """What LeNet returns; with `weights`, after its parameters have been set to them."""
    with right_sizes(student):
        return student.kit.answer_of(student.lenet.LeNet(output_dim), images, weights, IMAGE)


def lenet_layers(student, output_dim):
    """Shapes of the layers' parameters, by name; None for what is not there."""
    with right_sizes(student):
        return student.kit.shapes_of(student.lenet.LeNet(output_dim), LAYERS, IMAGE)


def lenet_gradients(student, images, part):
    """Gradients of each layer's weight, from the sum of squares of logits (0) or hidden (1)."""
    with right_sizes(student):
        return student.kit.gradients_of(student.lenet.LeNet(10), images, LAYERS, part)


# 5.4: transforms


def transformed(student, pixels, mean, std, which, times):
    """The training (0) or test (1) pipeline applied `times` times to one uint8 28×28 image."""
    pipeline = student.training.make_transforms(mean, std)[which]
    return [pipeline(Image.fromarray(pixels.numpy(), mode=None)) for _ in range(times)]


# 5.5: the split


def split(student, labels, **options):
    """Both parts' items, and one item of the original dataset afterwards."""
    full = student.kit.Numbers(labels, student.kit.Mark("train"))
    parts = student.training.split_with_transforms(full, student.kit.Mark("test"), **options)
    return {**student.kit.split_items(parts), "after": full[0]}


def draws_after_split(student, seed, labels):
    """What the global generators, seeded before the split, give after it, and the items of both parts."""
    full, test = student.kit.Numbers(labels, student.kit.Mark("train")), student.kit.Mark("test")
    split, items = student.training.split_with_transforms, student.kit.split_items
    return student.kit.draws_after(seed, lambda: items(split(full, test, seed=seed + 1)))


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
    return student.kit.in_order(student.training.train, "model device loader optimizer criterion", 1, **options)


def validate_loop(student):
    return student.kit.in_order(student.training.validate, "model device loader criterion")


def trained(student, weight, bias, features, labels, batch_size, lr, again=False, **options):
    """One epoch of the student's `train` on a linear model that returns `(logits, features)`."""
    loop = train_loop(student, **options)
    return student.kit.trained(loop, weight, bias, features, labels, batch_size, lr, again=again, pair=True)


def validated(student, *problem):
    """The student's `validate` on a model with batch normalisation and dropout that is in training mode."""
    return student.kit.evaluated(validate_loop(student), *problem, pair=True)


def loop_elsewhere(student, name, *problem):
    """The parameters of `train` or `validate`; where inputs and labels are when it is given another device."""
    loop = {"train": train_loop, "validate": validate_loop}[name]
    return student.kit.located(getattr(student.training, name), loop(student), *problem, pair=True)


# 5.9 and 5.10: predictions


def predictions_loop(student):
    return student.kit.in_order(student.inspection.get_predictions, "model loader device")


def predictions(student, *problem):
    """The student's `get_predictions` on N×1×2×2 images with a model that flattens them."""
    return student.kit.predicted(predictions_loop(student), *problem, pair=True)


def predictions_elsewhere(student, *problem):
    """The parameters of `get_predictions`; where inputs and results are when it is given another device."""
    function, loop = student.inspection.get_predictions, predictions_loop(student)
    return student.kit.located(function, loop, *problem, pair=True, results=True)


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


def plot_most_incorrect(student, incorrect):
    return student.kit.drawn(lambda: student.inspection.plot_most_incorrect(incorrect), "pictures")


def beside_another(student, plots):
    """What each plot, called with its arguments, does beside another figure, and all pictures in these figures."""
    with student.instead("inspection", apply_filter=lambda own: stand_in):
        return student.kit.beside_another(student.inspection, plots)


# 5.12: the whole


def trained_weights(student, images, labels, lr, epochs):
    """LeNet's parameters after short training with the student's `train`, on its device; uint8 images."""
    with right_sizes(student):

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
    with right_sizes(student):
        model = student.lenet.LeNet(10)
        inputs = images.float() / 127.5 - 1
        model.eval()
        with torch.no_grad():
            untrained = model(inputs[:few])
            student.kit.set_weights(model, weights, inputs[:1])
            results = {"untrained": untrained, "logits": model(inputs)}
        return {when: result[0] if isinstance(result, (tuple, list)) else result for when, result in results.items()}
