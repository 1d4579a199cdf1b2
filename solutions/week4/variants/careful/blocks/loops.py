"""The loops as classes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch


@dataclass
class History:
    train_losses: list[float] = field(default_factory=list)
    valid_losses: list[float] = field(default_factory=list)
    valid_accuracies: list[float] = field(default_factory=list)


class Trainer:
    def __init__(self, model, device, optimizer=None, criterion=None) -> None:
        self.model, self.device, self.optimizer, self.criterion = model.to(device), device, optimizer, criterion

    def epoch(self, loader, log_interval: int) -> list[float]:
        if not self.model.training:
            self.model.train(True)
        logged: list[float] = []
        started = time.perf_counter()
        for number, batch in enumerate(loader):
            inputs, targets = (part.to(self.device, non_blocking=True) for part in batch)
            self.optimizer.zero_grad(set_to_none=False)
            loss = self.criterion(self.model(inputs), targets)
            loss.backward()
            self.optimizer.step()
            if not number % log_interval:
                logged.append(loss.detach().cpu().item())
                print(f"[{time.perf_counter() - started:.1f} s] batch {number}: {logged[-1]:.4f}")
        return logged

    def evaluate(self, loader) -> tuple[float, float]:
        was_training = self.model.training
        self.model.train(False)
        losses: list[float] = []
        right = seen = 0
        try:
            with torch.inference_mode():
                for inputs, targets in loader:
                    inputs, targets = inputs.to(self.device), targets.to(self.device)
                    outputs = self.model(inputs)
                    losses.append(float(self.criterion(outputs, targets)))
                    right += int(torch.sum(torch.max(outputs, dim=1).indices == targets))
                    seen += targets.size(0)
        finally:
            self.model.train(was_training)
        return sum(losses) / max(1, len(losses)), right / max(1, seen) * 100.0
