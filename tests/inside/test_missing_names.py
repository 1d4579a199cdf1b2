"""An exception is described with what a beginner needs: a name that is missing comes with those that are there."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from torch import nn

from grader.inside.probing import describe


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.fc1 = nn.Linear(256, 120)
        self.register_buffer("seen", None)


class Hostile:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise AttributeError(name, name=name, obj=self)


def module_of(folder: Path) -> ModuleType:
    module = ModuleType("week5.lenet")
    module.__file__ = str(folder / "lenet.py")
    exec(
        "import math\nfrom math import floor\ndef conv_out_size(size): ...\nclass LeNet: ...\nLIMIT = 3",
        module.__dict__,
    )
    return module


def described(thing: Any, name: str, folder: Path) -> dict[str, Any]:
    with pytest.raises(AttributeError) as error:
        getattr(thing, name)
    return describe(error.value, folder)


def test_a_layer_that_is_missing_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    found = described(LeNet(), "fc_1", tmp_path)
    assert (found["type"], found["outcome"]) == ("MissingName", "error")
    assert found["message"] == "LeNet has no fc_1; it has conv1, fc1, seen; did you mean fc1?"
    assert described(LeNet(), "other", tmp_path)["message"] == "LeNet has no other; it has conv1, fc1, seen"


def test_a_function_that_is_missing_is_told_with_what_the_module_defines(tmp_path: Path) -> None:
    found = described(module_of(tmp_path), "conv_output_size", tmp_path)
    assert (
        found["message"] == "lenet.py has no conv_output_size; it has conv_out_size, LeNet; did you mean conv_out_size?"
    )


def test_other_objects_keep_pythons_own_words(tmp_path: Path) -> None:
    for thing in (3, Hostile(), module_of(tmp_path / "elsewhere"), LeNet):
        found = described(thing, "x", tmp_path / "here")
        assert found["type"] == "AttributeError"


def test_long_lists_of_names_are_cut(tmp_path: Path) -> None:
    model = nn.Sequential(*(nn.ReLU() for _ in range(40)))
    assert described(model, "fc1", tmp_path)["message"].endswith("9, 10, 11, …")
