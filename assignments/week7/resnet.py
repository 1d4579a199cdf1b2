"""Week 7, part 1: residual blocks, a deep network of them, and what it costs."""

import torch
import torch.nn.functional as F
from torch import nn


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut around them: N×`in_channels`×H×W → N×`out_channels`×H'×W'.

    Layers: `conv1` (3×3, padding 1, with the block's stride), `bn1`, `conv2` (3×3, padding 1), `bn2`, and `shortcut`.
    No convolution has a bias. Where the shape changes, `shortcut` is a `Sequential` of a 1×1 convolution with the
    block's stride and a batch normalisation; elsewhere it has no parameters, and changes nothing.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        raise NotImplementedError("TODO 7.1: create the layers conv1, bn1, conv2, bn2 and shortcut")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The convolutions' result plus the shortcut's, and a ReLU after the sum."""
        raise NotImplementedError("TODO 7.1: add the shortcut to what the two convolutions give")


class ResNet(nn.Module):
    """A residual network for greyscale images N×1×H×W of any size; it has 6·`blocks` + 2 layers with weights.

    Layers: `conv1` (1 → `width`, 3×3, padding 1, no bias), `bn1`; `stage1`, `stage2` and `stage3`, each a
    `Sequential` of as many `ResidualBlock`s as `blocks` says, with `width`, 2·`width` and 4·`width` channels; `fc`.
    The first block of stages 2 and 3 has stride 2.
    """

    def __init__(self, output_dim: int, blocks: int = 2, width: int = 8) -> None:
        super().__init__()
        raise NotImplementedError("TODO 7.2: create the layers conv1, bn1, stage1, stage2, stage3 and fc")

    def make_stage(self, in_channels: int, out_channels: int, blocks: int, stride: int) -> nn.Sequential:
        """`blocks` residual blocks; the first one has the stride and changes the number of channels."""
        raise NotImplementedError("TODO 7.2: put the blocks of one stage into a row")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×1×H×W → logits N×output_dim, by way of the mean of each channel over all positions."""
        raise NotImplementedError("TODO 7.2: send the images through the stem, the stages, the average and fc")


def parameter_table(model: nn.Module) -> dict[str, int]:
    """How many parameters each module has of its own, by the module's name, in the order of `named_modules()`.

    Those of modules inside it do not count for it; a module without any is left out. A parameter that several modules
    share counts for the first of them alone, so that the table's sum is the model's number of parameters.
    """
    raise NotImplementedError("TODO 7.3: count the parameters that stand in each module itself")


def conv_flops(
    in_channels: int, out_channels: int, kernel_size: int, out_height: int, out_width: int, groups: int = 1
) -> int:
    """Floating-point operations of a convolution with square filters for one image.

    A multiplication with the addition after it counts as two; the bias is not counted.
    """
    raise NotImplementedError("TODO 7.4: two for each weight of a filter, at each position of each output channel")


def count_flops(model: nn.Module, image: torch.Tensor) -> int:
    """Floating-point operations of all `Conv2d` and `Linear` layers that run for one image C×H×W.

    A layer counts as often as it runs. Afterwards the model is as it was: no hook is left, and modes, buffers and
    gradients are untouched.
    """
    raise NotImplementedError("TODO 7.5: watch the layers by forward hooks while one image goes through")
