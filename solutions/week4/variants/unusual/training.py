import random
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, random_split

def set_seed(seed):
    random.setstate(random.Random(seed).getstate())
    np.random.set_state(np.random.RandomState(seed).get_state())
    torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())

def pixel_stats(images):
    counts = np.bincount(np.asarray(images).ravel(), minlength=256)
    values = np.arange(256) / 255
    mean = float((counts * values).sum() / counts.sum())
    return mean, float(np.sqrt((counts * (values - mean) ** 2).sum() / counts.sum()))

def split_train_valid(dataset, train_ratio=0.9, seed=42):
    n = len(dataset)
    chosen = set(random.Random(seed).sample(range(n), int(n * train_ratio)))
    rest = set(range(n)) - chosen
    return Subset(dataset, list(chosen)), Subset(dataset, list(rest))

from torch.utils.data import RandomSampler, SequentialSampler
def make_loaders(train, valid, test, batch_size=64):
    return (DataLoader(train, batch_size=batch_size, sampler=RandomSampler(train)),
            DataLoader(valid, batch_size=1000, sampler=SequentialSampler(valid)),
            DataLoader(test, batch_size=1000))

def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
    model.to(device).train()
    all_losses = []
    for images, labels in train_loader:
        images, labels = images.to(device), labels.to(device)
        def closure():
            optimizer.zero_grad(set_to_none=False)
            loss = criterion(model(images), labels)
            loss.backward()
            return loss
        all_losses.append(float(optimizer.step(closure)))
    return all_losses[::log_interval]

def validate(model, device, loader, criterion, dataset_name="Validation"):
    model.eval()
    flags = [p.requires_grad for p in model.parameters()]
    model.requires_grad_(False)
    total = torch.zeros(3)
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        out = model(x)
        total += torch.tensor([criterion(out, y).item() * len(y), out.topk(1).indices.squeeze(1).eq(y).sum(), len(y)])
    for p, flag in zip(model.parameters(), flags):
        p.requires_grad_(flag)
    return (total[0] / total[2]).item(), (100 * total[1] / total[2]).item()

from itertools import chain
def fit(model, device, train_loader, valid_loader, optimizer, criterion, n_epochs, *, train_fn=train, valid_fn=validate):
    epochs = [(train_fn(model, device, train_loader, optimizer, criterion, e), valid_fn(model, device, valid_loader, criterion))
              for e in range(n_epochs)]
    losses, results = zip(*epochs)
    return dict(train_losses=list(chain(*losses)), valid_losses=[l for l, _ in results], valid_accuracies=[a for _, a in results])
