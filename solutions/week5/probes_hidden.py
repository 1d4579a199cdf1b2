"""Probes of week 5's hidden checks."""

import random

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

IMAGE = torch.zeros(1, 1, 28, 28)
LAYERS = ("conv1", "conv2", "fc_1", "fc_2", "fc_3")


def conv_size(size, kernel_size, stride=1, padding=0):
    return len(range(-padding, size + padding - kernel_size + 1, stride))  # where the filter can stand


def pool_size(size, kernel_size, stride=None):
    return 1 + (size - kernel_size) // (stride or kernel_size)


def right_sizes(student):
    """Has both functions of sizes right for a while, so that what builds on them costs its own task alone."""
    right = student.kit.right
    return student.instead("lenet", conv_output_size=right(conv_size), pool_output_size=right(pool_size))


def conv_sizes(student, cases):
    return [student.lenet.conv_output_size(*args, **kwargs) for args, kwargs in cases]


def pool_sizes(student, cases):
    with student.instead("lenet", conv_output_size=student.kit.right(conv_size)):
        return [student.lenet.pool_output_size(*args, **kwargs) for args, kwargs in cases]


def lenet_outputs(student, images, classes, weights):
    with right_sizes(student):
        return student.kit.answer_of(student.lenet.LeNet(classes), images, weights, IMAGE)


def lenet_gradient(student, images, weights):
    """What LeNet gives with these weights, and conv1's gradient of the sum of logits² + hidden."""
    with right_sizes(student):
        model = student.lenet.LeNet(10)
        result, gradient = student.kit.answer_of(model, images, weights, IMAGE), None
        if isinstance(result, (tuple, list)) and len(result) == 2:
            (result[0].square().sum() + result[1].sum()).backward()
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


def trained(student, state, features, labels, log_interval):
    """State after two epochs of the student's `train`, and the losses of each."""
    train = student.training.train
    loop = student.kit.in_order(train, "model device loader optimizer criterion", 1, log_interval=log_interval)
    return student.kit.trained_net(loop, state, features, labels, 4, 2, lr=0.1, momentum=0.9, pair=True)


def validated(student, *problem):
    validate = student.training.validate
    loop = student.kit.in_order(validate, "model device loader criterion", dataset_name="Test")
    return student.kit.evaluated_net(loop, *problem, pair=True)


def predictions(student, *problem):
    loop = student.kit.in_order(student.inspection.get_predictions, "model loader device")
    return student.kit.evaluated_net(loop, *problem, pair=True)


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
    with right_sizes(student):

        def train(device, criterion):
            model = student.lenet.LeNet(10)
            with torch.no_grad():
                model(IMAGE)
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
