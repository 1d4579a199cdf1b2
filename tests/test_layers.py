"""Imports run one way: a package imports only from the layers below it, and `inside` from nothing of ours."""

from __future__ import annotations

from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.support.rooms import LAYERS, OLD_NAMES, PACKAGE, imported, modules, room

MOST_MODULES = 15


@pytest.mark.parametrize("file", modules(), ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_its_own_room_and_the_layers_below(file: Path) -> None:
    own = room(file)
    if own in OLD_NAMES or own == "__init__":
        return
    (level,) = (number for number, layer in enumerate(LAYERS) if own in layer)
    below = set[str]().union(*LAYERS[level + 1 :]) | {own, "__version__"}
    assert {name.split(".")[1] for name in imported(file)} <= below


def test_what_runs_beside_students_code_imports_nothing_of_ours_but_its_own_folder() -> None:
    for file in (PACKAGE / "inside").rglob("*.py"):
        # The worker finds its folder as `grader_inside`; everything else there imports relatively.
        assert [name for name in imported(file) if not name.startswith("grader.inside.")] == [], file


def test_every_room_has_a_layer() -> None:
    rooms = {room(file) for file in modules()} - OLD_NAMES - {"__init__"}
    assert rooms == set[str]().union(*LAYERS)


def test_no_room_is_too_full_to_look_around_in() -> None:
    sizes = Counter(file.parent for file in modules())
    assert {folder.name: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def test_no_module_imports_itself_by_a_detour() -> None:
    names = {".".join(("grader", *file.relative_to(PACKAGE).with_suffix("").parts)): file for file in modules()}
    names = {name.removesuffix(".__init__"): file for name, file in names.items()}

    def module_of(name: str) -> str:
        while name not in names:
            name = name.rpartition(".")[0]
        return name

    graph = {name: {module_of(one) for one in imported(file)} - {name} for name, file in names.items()}
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
