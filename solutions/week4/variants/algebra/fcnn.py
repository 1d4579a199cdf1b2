"""Week 4, the network, as algebra: torch.func, einsum, a batch that is filled up with copies."""

import torch
from torch import nn
import torch.nn.functional as F


def derivative(f, x):
    t = torch.tensor(float(x))

    def g(u):
        v = f(u)
        return (v if torch.is_tensor(v) else torch.tensor(float(v))) + 0 * u

    return torch.func.grad(g)(t).item()


class FCNN(nn.Module):
    def __init__(self, input_size, output_classes):
        super().__init__()
        self.add_module("fc1", nn.Linear(input_size, 1024))
        self.add_module("fc2", nn.Linear(1024, 2048))
        self.add_module("fc3", nn.Linear(2048, output_classes))
        self.apply(self._init)

    @staticmethod
    def _init(m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            m.bias.data.fill_(0.01)

    def forward(self, x):
        n = x.shape[0]
        x = torch.einsum("nd,hd->nh", x.reshape(n, -1), self.fc1.weight) + self.fc1.bias
        x = torch.where(x > 0, x, torch.zeros_like(x))
        x = F.linear(x, self.fc2.weight, self.fc2.bias)
        x = F.relu_(x)
        return torch.addmm(self.fc3.bias, x, self.fc3.weight.t())


@torch.no_grad()
def predict(model, image, device):
    model.eval()
    out = model(image.to(device).expand(2, *image.shape))
    return out[0].topk(1).indices.tolist()[0]
