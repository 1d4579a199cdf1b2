"""Plays through coursework of our own, before the zygote forks its first keeper.

Without it, each check would do for the first time what a process does once: torch looks up operators and compiles
kernels, matplotlib measures its font, Python specialises byte code and fills its caches. Played before the forks, this
happens once, and memory that forks do not write to need not be copied for them. Each act takes the path of a real
check, from the request to the reply, and leaves no module, file or seed behind.
"""

from __future__ import annotations

import marshal
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

from .. import codec, modules
from ..generators import generators_kept

ROUNDS = 3  # one leaves some byte code unadapted; nine make no check cheaper, and the start 0.7 s longer
LOOPS = ("figures", "confusion")  # acts that take long, and call what they use many times in one round
PACKAGE = "rehearsal"
STAGE = Path(__file__).parent


class Check(Protocol):
    """Answers requests, as `grader.inside.worker` does in a check's process."""

    student: Any
    code: dict[str, bytes]

    def answer(self, request: dict[str, Any]) -> bytes: ...


def play(open_check: Callable[[Path, str], Check], backward: bool, rounds: int = ROUNDS) -> dict[str, bytes]:
    """Play the acts `rounds` times, those in `LOOPS` once; return the replies by act.

    `open_check` opens a check on a folder and a package. Where forks will find a GPU, no act may go `backward`: where
    torch sees one, a backward pass starts threads for it, and a fork would not have them.
    """
    # Not where `tempfile` would look next: a killed run's folder is gone, and nobody would remove another one.
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name, generators_kept():
        folder = Path(name)
        (folder / "coursework.py").write_bytes((STAGE / "coursework.py").read_bytes())
        source = (STAGE / "probes.py").read_text(encoding="utf-8")
        code = marshal.dumps(compile(source, "coursework_probes.py", "exec"))
        replies: dict[str, bytes] = {}
        for turn in range(rounds):
            check = open_check(folder, PACKAGE)
            check.code["coursework_probes"] = code
            check.answer({"ended": {}})
            try:
                acts = [(act, request) for act, request in _acts(backward) if turn == 0 or act not in LOOPS]
                replies |= {act: check.answer(codec.decode(codec.encode(request))) for act, request in acts}
            finally:
                modules.close_modules(check.student)
        return replies


def _acts(backward: bool) -> list[tuple[str, dict[str, Any]]]:
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(12, 1, 6, 6, generator=generator), torch.arange(12) % 3
    acts: dict[str, tuple[Any, ...]] = {
        "forward": (images,),
        "statistics": (images,),
        "figures": (images,),
        "confusion": (labels,),
        "transforms": (images,),
        "raising": (),
    }
    if backward:
        acts |= {"training": (images, labels), "gradients": (images, labels)}
    probe = {"module": "coursework_probes", "seed": 1, "kwargs": {}}
    return [(act, {**probe, "probe": act, "args": arguments}) for act, arguments in acts.items()]
