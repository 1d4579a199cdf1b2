"""The loops as static methods."""

from statistics import fmean

import torch


class Loop:
    @staticmethod
    def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
        model.train()
        optimizer.zero_grad()
        log = {}
        for i, batch in enumerate(train_loader):
            x, y = map(lambda tensor: tensor.to(device, non_blocking=True), batch)
            logits = model(x)[0]
            loss = criterion(logits, y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if i in range(0, len(train_loader), log_interval):
                log[i] = loss.item()
        return list(log.values())

    @classmethod
    def run(cls, model, device, loader, criterion):
        for x, y in loader:
            with torch.no_grad():
                z, _ = model(x.to(device))
                yield criterion(z, y.to(device)).item(), (z.argmax(1).cpu() == y).tolist()

    @staticmethod
    def validate(model, device, loader, criterion, dataset_name="Validation"):
        model.eval()
        losses, hits = zip(*Loop.run(model, device, loader, criterion), strict=True)
        return fmean(losses), 100 * fmean(hit for batch in hits for hit in batch)
