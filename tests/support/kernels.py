"""Kernels of notebooks that are forked from a process which has imported torch, as `warm` forks fork servers.

A kernel that starts by itself imports the same as its notebook's first cell, for some seven seconds of a processor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import warm

# Not matplotlib: as it is imported it reads from the environment how a notebook shows figures.
IMPORTS = ("ipykernel.kernelapp", "ipykernel.debugger", "sklearn.decomposition", "sklearn.manifold", "sklearn.metrics")


def launch(command: list[str], **given: Any) -> warm.Program:
    """Fork the kernel that this command would start, by the program that its launcher runs."""
    at = command.index("ipykernel_launcher")
    given = {name: given.get(name) for name in ("env", "cwd", "stderr")}
    return warm.popen(["-m", "ipykernel.kernelapp", *command[at + 1 :]], imports=IMPORTS, **given)


@contextlib.contextmanager
def forked() -> Iterator[None]:
    """Have Jupyter fork the kernels that it starts, as long as the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jupyter_client.provisioning.local_provisioner.launch_kernel", launch)
        yield
