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
        # BEGIN SOLUTION 7.1: create the layers conv1, bn1, conv2, bn2 and shortcut
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            projection = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(out_channels))
        # END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The convolutions' result plus the shortcut's, and a ReLU after the sum."""
        # BEGIN SOLUTION 7.1: add the shortcut to what the two convolutions give
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x))
        # END SOLUTION


class ResNet(nn.Module):
    """A residual network for greyscale images N×1×H×W of any size; it has 6·`blocks` + 2 layers with weights.

    Layers: `conv1` (1 → `width`, 3×3, padding 1, no bias), `bn1`; `stage1`, `stage2` and `stage3`, each a
    `Sequential` of as many `ResidualBlock`s as `blocks` says, with `width`, 2·`width` and 4·`width` channels; `fc`.
    The first block of stages 2 and 3 has stride 2.
    """

    def __init__(self, output_dim: int, blocks: int = 2, width: int = 8) -> None:
        super().__init__()
        # BEGIN SOLUTION 7.2: create the layers conv1, bn1, stage1, stage2, stage3 and fc
        self.conv1 = nn.Conv2d(1, width, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.stage1 = self.make_stage(width, width, blocks, 1)
        self.stage2 = self.make_stage(width, 2 * width, blocks, 2)
        self.stage3 = self.make_stage(2 * width, 4 * width, blocks, 2)
        self.fc = nn.Linear(4 * width, output_dim)
        # END SOLUTION

    def make_stage(self, in_channels: int, out_channels: int, blocks: int, stride: int) -> nn.Sequential:
        """`blocks` residual blocks; the first one has the stride and changes the number of channels."""
        # BEGIN SOLUTION 7.2: put the blocks of one stage into a row
        stage = [ResidualBlock(in_channels, out_channels, stride)]
        for _ in range(blocks - 1):
            stage.append(ResidualBlock(out_channels, out_channels))
        return nn.Sequential(*stage)
        # END SOLUTION

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×1×H×W → logits N×output_dim, by way of the mean of each channel over all positions."""
        # BEGIN SOLUTION 7.2: send the images through the stem, the stages, the average and fc
        x = F.relu(self.bn1(self.conv1(images)))
        x = self.stage3(self.stage2(self.stage1(x)))
        return self.fc(x.mean(dim=(2, 3)))
        # END SOLUTION


def parameter_table(model: nn.Module) -> dict[str, int]:
    """How many parameters each module has of its own, by the module's name, in the order of `named_modules()`.

    Those of modules inside it do not count for it; a module without any is left out. A parameter that several modules
    share counts for the first of them alone, so that the table's sum is the model's number of parameters.
    """
    # BEGIN SOLUTION 7.3: count the parameters that stand in each module itself
    table: dict[str, int] = {}
    seen = set()
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            if parameter not in seen:
                seen.add(parameter)
                table[name] = table.get(name, 0) + parameter.numel()
    return table
    # END SOLUTION


def conv_flops(
    in_channels: int, out_channels: int, kernel_size: int, out_height: int, out_width: int, groups: int = 1
) -> int:
    """Floating-point operations of a convolution with square filters for one image.

    A multiplication with the addition after it counts as two; the bias is not counted.
    """
    # BEGIN SOLUTION 7.4: two for each weight of a filter, at each position of each output channel
    multiplications = in_channels // groups * kernel_size**2 * out_channels * out_height * out_width
    return 2 * multiplications
    # END SOLUTION


def count_flops(model: nn.Module, image: torch.Tensor) -> int:
    """Floating-point operations of all `Conv2d` and `Linear` layers that run for one image C×H×W.

    A layer counts as often as it runs. Afterwards the model is as it was: no hook is left, and modes, buffers and
    gradients are untouched.
    """
    # BEGIN SOLUTION 7.5: watch the layers by forward hooks while one image goes through
    found = []

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        found.append(2 * output.numel() * layer.weight[0].numel())

    counted = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [module.register_forward_hook(count) for module in counted]
    modes = {module: module.training for module in model.modules()}
    model.eval()
    with torch.no_grad():
        model(image.unsqueeze(0))
    for module, training in modes.items():
        module.training = training
    for hook in hooks:
        hook.remove()
    return sum(found)
    # END SOLUTION
