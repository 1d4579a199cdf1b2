"""Schleifen."""

import torch
from torch import nn

__all__ = ["train", "validate"]


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100, verbose=True):
    model = model.to(device)
    for module in model.modules():
        module.train(True)
    verlust = []
    batches = iter(train_loader)
    i = -1
    while (batch := next(batches, None)) is not None:
        i += 1
        x, y = batch[0].to(device), batch[1].to(device)
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = None
        with torch.enable_grad():
            logits, *_ = model(x)
            loss = criterion(logits, y)
        loss.backward()
        optimizer.step()
        if i % log_interval == 0:
            verlust += [loss.tolist()]
            if verbose:
                print(f"\rEpoche {epoch}: {verlust[-1]:.4f}", end="")
    return verlust


@torch.inference_mode()
def validate(model: nn.Module, device, loader, criterion, dataset_name="Validation", verbose=True):
    model.eval()
    results = [(model(x.to(device))[0], y.to(device)) for x, y in loader]
    losses = torch.stack([criterion(logits, y) for logits, y in results])
    right = torch.cat([logits.argmax(-1).eq(y) for logits, y in results])
    if verbose:
        print("\n" + dataset_name, f"{losses.mean():.4f}")
    return losses.mean().item(), right.double().mean().item() * 100
