"""Right parts take the place of a student's wherever that one is defined: in the week's module, or one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from grader.checks import load_beside
from grader.inside.modules import StudentModules, close_modules, open_modules

ROOT = Path(__file__).parents[2]
Opened = Callable[[str, Mapping[str, str]], StudentModules]


def source(week: str, module: str) -> str:
    return (ROOT / "solutions" / week / f"{module}.py").read_text()


@pytest.fixture
def opened_week(tmp_path: Path) -> Iterator[Opened]:
    """`opened_week(week, files)` opens a submission of these files."""
    current: list[StudentModules] = []

    def write(week: str, files: Mapping[str, str]) -> StudentModules:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        current.append(open_modules(tmp_path, week))
        return current[-1]

    yield write
    for modules in current:
        close_modules(modules)


LAYOUTS: Mapping[str, Callable[[str], dict[str, str]]] = {
    "in the week's module": lambda text: {"training": text},
    "in another": lambda text: {"training": "from loops import *\n", "loops": text},
    "fit alone in another": lambda text: {
        "training": f"{text}\nfrom running import fit\n",
        "running": f"{text}\nfrom training import train, validate\n",
    },
}
PAIRS = [(torch.randn(8, 5), torch.arange(8) % 3) for _ in range(2)]
STAND_INS = {"train": [[1.0, 2.0], [3.0, 4.0]], "validate": [[5.0, 6.0], [7.0, 8.0]]}
PARTS = {"first": nn.Linear(5, 4), "norm": nn.BatchNorm1d(4), "last": nn.Linear(4, 3)}
GIVEN: Mapping[str, tuple[object, ...]] = {
    "assignments/week4/probes.py": (torch.randn(3, 5), torch.randn(3), *PAIRS, 4, 0.1, 2, STAND_INS),
    "solutions/week4/probes_hidden.py": (nn.ModuleDict(PARTS).state_dict(), *PAIRS, 2, STAND_INS),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("file", GIVEN)
def test_the_loops_that_week_4s_fit_calls_are_replaced(layout: str, file: str, opened_week: Opened) -> None:
    probes = load_beside(str(ROOT / file), Path(file).stem)
    student = opened_week("week4", LAYOUTS[layout](source("week4", "training")))
    got = probes.fitted(student, *GIVEN[file])
    assert [call[0] for call in got["calls"]] == ["train", "validate"] * 2
    assert got["history"]["valid_losses"] == [5.0, 7.0]


@pytest.mark.parametrize("layout", ["in the week's module", "in another"])
def test_the_loops_that_week_6s_fit_calls_are_replaced(layout: str, opened_week: Opened) -> None:
    probes = load_beside(str(ROOT / "assignments/week6/probes_training.py"), "probes_training")
    student = opened_week("week6", LAYOUTS[layout](source("week6", "training")))
    got = probes.fitted(student, [0.5, 0.4], True, True, torch.zeros(2, 3))
    assert [call[0] for call in got["calls"]] == ["train", "evaluate"] * 2


LAYER = "from torch import nn\nclass BatchNorm2d(nn.Module):\n    def __init__(self, n):\n        raise ValueError(n)\n"
NETWORK = "class VGG(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
NETWORK += "        self.norm = BatchNorm2d(n)\n"
WHOLES: Mapping[str, Mapping[str, str]] = {
    "modules": {"batchnorm": LAYER, "vgg": "from torch import nn\nfrom batchnorm import BatchNorm2d\n" + NETWORK},
    "one file": {"all": LAYER + NETWORK, "batchnorm": "from all import *\n", "vgg": "from all import *\n"},
    "parts": {
        "batchnorm": "from layers import BatchNorm2d\n",
        "layers": LAYER,
        "vgg": "from parts import VGG\n",
        "parts": "from torch import nn\nfrom layers import BatchNorm2d\n" + NETWORK,
    },
}


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("files", WHOLES.values(), ids=WHOLES)
def test_week_6s_network_has_torchs_layer(files: Mapping[str, str], is_known: bool, opened_week: Opened) -> None:
    probes = load_beside(str(ROOT / "assignments/week6/probes_vgg.py"), "probes_vgg")
    student = opened_week("week6", files)
    own = student.vgg.VGG if is_known else None
    with probes.vgg_class(student) as make:
        assert type(make(3).norm) is nn.BatchNorm2d
        assert own in (None, make)
    with pytest.raises(ValueError, match="3"):
        student.batchnorm.BatchNorm2d(3)
