import numpy as np
import torch
from torch import nn


def derivative(f, x):
    x = torch.tensor(x, dtype=torch.float, requires_grad=True)
    y = f(x)
    try:
        y.backward()
    except (AttributeError, RuntimeError):
        pass
    return x.grad.item() if x.grad is not None else 0.0


class FCNN(nn.Module):
    def __init__(self, input_size, output_classes, *, bias=True):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(input_size, 1024, bias), nn.Linear(1024, 2048, bias)
        self.fc3 = nn.Linear(2048, output_classes, bias)

    def forward(self, x):
        x = x.view(len(x), -1)
        return self.fc3(self.fc2(self.fc1(x).clamp(min=0)).clamp(min=0))


@torch.inference_mode()
def predict(model, image, device):
    return np.argmax(model.eval()(image[None].to(device)).cpu().numpy())
