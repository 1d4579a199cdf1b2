"""Filter."""

import torch
import torch.nn.functional as F


def apply_filter(images, kernel):
    k = len(kernel)
    flat = torch.as_tensor(kernel, dtype=torch.float32).reshape(1, k * k)
    columns = F.unfold(images, kernel_size=k)
    return F.fold(flat @ columns, (images.shape[2] - k + 1, images.shape[3] - k + 1), 1)


def subsample(images, pool_type, pool_size):
    match pool_type.lower():
        case "max":
            return torch.max_pool2d(images, (pool_size, pool_size))
        case "mean" | "avg":
            windows = images.unfold(2, pool_size, pool_size).unfold(3, pool_size, pool_size)
            return windows.mean(dim=(-1, -2))
        case other:
            raise ValueError(f"{other}? Erlaubt sind nur Max, Mean und Avg.")
