"""Tries a device out in the sandbox: trains a small network on it, as a check would."""

from typing import Any

import torch
from torch import nn


def train_a_step(student: Any) -> dict[str, Any]:
    """Train a convolution for one step; return the device's name, torch's version and the loss."""
    torch.zeros(1, device=student.device)  # the plainest message where CUDA does not start at all
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 2)).to(student.device)
    optimizer = torch.optim.Adam(model.parameters())
    loss = nn.functional.cross_entropy(
        model(torch.rand(2, 1, 8, 8, device=student.device)), torch.tensor([0, 1], device=student.device)
    )
    loss.backward()
    optimizer.step()
    name = torch.cuda.get_device_name(student.device) if student.device.type == "cuda" else "CPU"
    return {"name": name, "torch": torch.__version__, "loss": loss}
