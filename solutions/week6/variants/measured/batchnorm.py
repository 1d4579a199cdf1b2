"""Week 6: moments in one call, and buffers as attributes."""

import torch
from torch import nn


def batch_norm(x, gamma, beta, eps=1e-5):
    var, mean = torch.var_mean(x, dim=(0, 2, 3), unbiased=False, keepdim=True)
    y = torch.addcmul(beta.reshape(1, -1, 1, 1), (x - mean) * torch.rsqrt(var + eps), gamma.reshape(1, -1, 1, 1))
    return y, mean.squeeze((0, 2, 3)), var.squeeze((0, 2, 3))


class BatchNorm2d(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = nn.Parameter(torch.Tensor(num_features))
        self.bias = nn.Parameter(torch.Tensor(num_features))
        self.running_mean = nn.Buffer(torch.zeros(num_features))
        self.running_var = nn.Buffer(torch.ones(num_features))
        self.num_batches_tracked = nn.Buffer(torch.tensor(0, dtype=torch.long))
        self.reset()

    def reset(self):
        with torch.no_grad():
            self.weight.fill_(1.0)
            self.bias.zero_()

    @torch.no_grad()
    def _update(self, x):
        var, mean = torch.var_mean(x, dim=[0, 2, 3])
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)
        self.num_batches_tracked.add_(1)

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            self._update(x.detach())
            mean, var = x.mean([0, 2, 3]), x.var([0, 2, 3], correction=0)
        scale = self.weight * torch.rsqrt(var + self.eps)
        shift = self.bias - mean * scale
        return torch.einsum("nchw,c->nchw", x, scale) + shift.view(-1, 1, 1)
