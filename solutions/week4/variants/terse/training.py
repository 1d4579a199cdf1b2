import random
import numpy as np, torch
from torch.utils.data import DataLoader, Subset


def set_seed(seed):
    [f(seed) for f in (random.seed, np.random.seed, torch.manual_seed)]


def pixel_stats(images):
    x = np.asarray(images) / 255.0
    return float(x.mean()), float(x.std())


def split_train_valid(dataset, train_ratio=0.9, seed=42):
    order = np.random.default_rng(seed).permutation(len(dataset)).tolist()
    n = int(len(order) * train_ratio)
    return Subset(dataset, order[:n]), Subset(dataset, order[n:])


def make_loaders(train, valid, test, batch_size=64):
    return [DataLoader(d, batch_size * (1 if d is train else 2), shuffle=d is train) for d in (train, valid, test)]


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
    model.train()
    out = []
    for i, (x, y) in enumerate(train_loader):
        model.zero_grad(); l = criterion(model(x.to(device)), y.to(device)); l.backward(); optimizer.step()
        out += [float(l.detach())] * (i % log_interval == 0)
    return out


@torch.no_grad()
def validate(model, device, loader, criterion, dataset_name="Validation"):
    model.eval()
    pairs = [(model(x.to(device)), y.to(device)) for x, y in loader]
    hits = sum((z.argmax(-1) == y).sum().item() for z, y in pairs)
    return sum(criterion(z, y).item() * len(y) for z, y in pairs) / len(loader.dataset), 100 * hits / sum(len(y) for _, y in pairs)


def fit(model, device, train_loader, valid_loader, optimizer, criterion, n_epochs):
    r = dict(train_losses=[], valid_losses=[], valid_accuracies=[], note="done")
    for e in range(n_epochs):
        r["train_losses"].extend(train(model, device, train_loader, optimizer, criterion, e))
        for k, v in zip(("valid_losses", "valid_accuracies"), validate(model, device, valid_loader, criterion)):
            r[k].append(v)
    return r
