import torch
from torch import nn


def cbn(i, o, k, s=1):
    return nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o)


class ResidualBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1, self.bn1 = cbn(in_channels, out_channels, 3, stride)
        self.conv2, self.bn2 = cbn(out_channels, out_channels, 3)
        same = stride == 1 and in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Sequential(*cbn(in_channels, out_channels, 1, stride))

    def forward(self, x):
        return (self.shortcut(x) + self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))).relu()


class ResNet(nn.Module):
    def __init__(self, output_dim, blocks=2, width=8):
        super().__init__()
        self.conv1, self.bn1 = cbn(1, width, 3)
        i = width
        for s in (1, 2, 3):
            o = width << s - 1
            row = [ResidualBlock(o if n else i, o, 1 if n or s == 1 else 2) for n in range(blocks)]
            setattr(self, f"stage{s}", nn.Sequential(*row))
            i = o
        self.fc = nn.Linear(i, output_dim)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        for s in (self.stage1, self.stage2, self.stage3):
            x = s(x)
        return self.fc(x.flatten(2).mean(2))


def parameter_table(model):
    table = {}
    for name, p in model.named_parameters():
        owner = name.rpartition(".")[0]
        table[owner] = table.get(owner, 0) + p.numel()
    return {name: table[name] for name, _ in model.named_modules() if name in table}


conv_flops = lambda in_channels, out_channels, kernel_size, out_height, out_width, groups=1: (  # noqa: E731
    2 * in_channels * out_channels * kernel_size**2 * out_height * out_width // groups
)


@torch.no_grad()
def count_flops(model, image):
    total, was, hooks = 0, [(m, m.training) for m in model.modules()], []

    def hook(m, _, y):
        nonlocal total
        total += 2 * y.numel() * m.weight.numel() // m.weight.shape[0]

    for m, _ in was:
        if type(m) in (nn.Conv2d, nn.Linear):
            hooks += [m.register_forward_hook(hook)]
    model.eval()(image[None])
    for m, t in was:
        m.training = t
    for h in hooks:
        h.remove()
    return total
