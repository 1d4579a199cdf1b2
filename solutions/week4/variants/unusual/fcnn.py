import torch
import torch.nn.functional as F
from torch import nn

def derivative(f, x):
    point = nn.Parameter(torch.tensor(x, dtype=torch.float))
    with torch.enable_grad():
        result = f(point) + 0 * point
        result.backward()
    return float(point.grad)

class FCNN(nn.Module):
    WIDTHS = 1024, 2048
    def __init__(self, input_size, output_classes, dropout=0.5):
        super().__init__()
        widths = (input_size, *self.WIDTHS, output_classes)
        for number, (a, b) in enumerate(zip(widths, widths[1:]), start=1):
            layer = nn.Linear(a, b)
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            setattr(self, f"fc{number}", layer)
        self.dropout = nn.Dropout(dropout)
    def forward(self, x):
        if x.dim() > 2:
            x = x.flatten(start_dim=1)
        x = self.dropout(torch.relu(self.fc1(x)))
        x = self.dropout(torch.relu(self.fc2(x)))
        return self.fc3(x)

@torch.inference_mode()
def predict(model, image, device):
    training = model.training
    try:
        return int(model.eval()(image[None].to(device)).cpu().numpy().argmax())
    finally:
        model.train(training)
