import torch as t
import torch.nn as nn
from torch.nn.functional import conv2d, linear, max_pool2d

conv_output_size = lambda size, kernel_size, stride=1, padding=0: 1 + (size - kernel_size + 2 * padding) // stride  # noqa: E731
pool_output_size = lambda size, kernel_size, stride=None: 1 + (size - kernel_size) // (stride or kernel_size)  # noqa: E731


class Layer(nn.Module):
    def __init__(s, *shape):
        super().__init__()
        bound = t.tensor(shape[1:]).prod().item() ** -0.5
        s.weight = nn.Parameter(t.empty(*shape).uniform_(-bound, bound))
        s.bias = nn.Parameter(t.zeros(shape[0]))


class LeNet(nn.Module):
    def __init__(s, output_dim):
        super().__init__()
        s.conv1, s.conv2 = Layer(6, 1, 5, 5), Layer(16, 6, 5, 5)
        s.drop = nn.Dropout(0.1)
        s.fc_1, s.fc_2, s.fc_3 = Layer(120, 256), Layer(84, 120), Layer(output_dim, 84)

    def forward(s, x):
        x = x if x.ndim > 3 else x[None]
        for c in (s.conv1, s.conv2):
            x = max_pool2d(conv2d(x, c.weight, c.bias), 2).relu()
        h = y = x.flatten(1)
        for f in (s.fc_1, s.fc_2):
            y = linear(s.drop(y), f.weight, f.bias).relu()
        return y @ s.fc_3.weight.T + s.fc_3.bias, h
