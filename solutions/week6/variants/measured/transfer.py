"""Week 6: heads that are taken off and put on."""

import torch
from torch import nn


def count_parameters(model):
    flach = [p.flatten() for p in model.parameters() if p.requires_grad]
    return len(torch.cat(flach)) if flach else 0


def freeze(module):
    module.apply(lambda m: [setattr(p, "requires_grad", False) for p in m.parameters(recurse=False)])
    return module


def swap_head(model, output_dim):
    alt = model.classifier.pop(len(model.classifier) - 1)
    model.classifier.append(nn.Linear(alt.in_features, output_dim, device=alt.weight.device, dtype=alt.weight.dtype))
    return model


def discriminative_param_groups(model, lr, factor=10):
    gruppen = []
    for name, kind in model.named_children():
        p = [q for q in kind.parameters() if q.requires_grad]
        if p:
            gruppen.append(dict(params=p, lr=lr / factor if name == "features" else lr, name=name))
    eigene = [q for q in model.parameters(recurse=False) if q.requires_grad]
    return gruppen + ([dict(params=eigene, lr=lr, name="own")] if eigene else [])
