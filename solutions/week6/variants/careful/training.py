"""Week 6, training."""

import math
import statistics
from pathlib import Path

import torch


def calculate_accuracy(logits, labels):
    return (torch.argmax(logits, dim=-1) == labels).to(torch.float32).mean()


def train(model, iterator, optimizer, criterion, device):
    model.train()
    losses, accuracies = [], []
    for batch in iterator:
        images, labels = (part.to(device) for part in batch)
        optimizer.zero_grad(set_to_none=True)
        logits = model(images)
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
        accuracies.append(float(calculate_accuracy(logits, labels)))
    return statistics.fmean(losses), statistics.fmean(accuracies)


@torch.inference_mode()
def evaluate(model, iterator, criterion, device):
    model.eval()
    rows = []
    for images, labels in iterator:
        logits = model(images.to(device))
        rows.append((criterion(logits, labels.to(device)).item(), calculate_accuracy(logits, labels.to(device)).item()))
    losses, accuracies = zip(*rows)
    return sum(losses) / len(rows), sum(accuracies) / len(rows)


def epoch_time(start, end):
    elapsed = end - start
    minutes = math.floor(elapsed / 60)
    return minutes, math.floor(elapsed - 60 * minutes)


def fit(model, train_iterator, valid_iterator, optimizer, criterion, device, epochs, checkpoint):
    checkpoint = Path(checkpoint)
    history = {"train": [], "valid": []}
    for epoch in range(epochs):
        history["train"].append(train(model, train_iterator, optimizer, criterion, device))
        loss, accuracy = evaluate(model, valid_iterator, criterion, device)
        if all(loss < earlier for earlier, _ in history["valid"]):
            with checkpoint.open("wb") as file:
                torch.save({name: value.cpu() for name, value in model.state_dict().items()}, file)
        history["valid"].append((loss, accuracy))
        print(f"epoch {epoch + 1}/{epochs}: {loss:.3f}")
    model.load_state_dict(torch.load(str(checkpoint), weights_only=True))
    return history
