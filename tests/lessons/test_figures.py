"""The lessons' figures: fresh, described, in light and dark, used; what is drawn is what torch computes."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from solutions.figures import __main__ as figures
from solutions.figures import curves, deep, interactive, networks, week4, week5, week7
from tests.support import amount
from tests.support.browsers import Window, opened_browser, violations

ROOT = Path(__file__).parents[2]
SHEETS = sorted((ROOT / "assignments").glob("*/figures/*.svg"))
PAGES = sorted((ROOT / "assignments").glob("*/figures/*.html"))
NAMES = [f"{file.parts[-3]}/{file.stem}" for file in SHEETS]
SVG = "{http://www.w3.org/2000/svg}"


def test_no_figure_is_stale_and_none_is_left_over() -> None:
    assert figures.stale() == {}
    drawn = {f"{week}/{drawing.name}" for week, drawings in figures.WEEKS.items() for drawing in drawings()}
    assert {name for name in NAMES if name.split("/")[0] in figures.WEEKS} == drawn


def test_a_figure_that_is_missing_or_differs_is_stale(tmp_path: Path) -> None:
    everything = figures.stale(tmp_path)
    for file, text in everything.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert figures.stale(tmp_path) == {}
    changed = next(iter(everything))
    changed.write_text("<svg/>")
    assert list(figures.stale(tmp_path)) == [changed]


@pytest.mark.parametrize("file", SHEETS, ids=NAMES)
def test_a_figure_has_a_title_a_description_and_two_sets_of_colours(file: Path) -> None:
    sheet = ET.parse(file).getroot()
    title, description, style = (sheet.find(f"{SVG}{tag}") for tag in ("title", "desc", "style"))
    assert title is not None and title.text and description is not None and len(description.text or "") > 60
    assert sheet.get("role") == "img" and sheet.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert style is not None and "prefers-color-scheme: dark" in (style.text or "")
    classes = {kind for shape in sheet.iter() for kind in (shape.get("class") or "").split()}
    assert {kind for kind in classes if f".{kind} " not in (style.text or "")} <= {"small", "large", "left", "mono"}


@pytest.mark.parametrize("file", SHEETS, ids=NAMES)
def test_nothing_is_drawn_outside_of_the_sheet(file: Path) -> None:
    sheet = ET.parse(file).getroot()
    width, height = (float(value) for value in (sheet.get("viewBox") or "").split()[2:])
    boxes = [[float(box.get(key, 0)) for key in ("x", "y", "width", "height")] for box in sheet.iter() if box.get("x")]
    corners = [(x + dx * w, y + dy * h) for x, y, w, h in boxes for dx, dy in ((0, 0), (1, 1))]
    lines = [line.get("points") or "" for line in sheet.iter(f"{SVG}polyline")]
    points = [tuple(map(float, pair.split(","))) for line in lines for pair in line.split()]
    assert corners and all(0 <= x <= width and 0 <= y <= height for x, y in (*corners, *points))


def test_the_convolution_is_the_one_that_torch_computes() -> None:
    picture, weights = torch.tensor(week5.PICTURE).float(), torch.tensor(week5.FILTER).float()
    assert F.conv2d(picture[None, None], weights[None, None])[0, 0].tolist() == week5.sums()


@pytest.mark.parametrize("size", [5, 6, 9])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_as_many_positions_are_drawn_as_torch_takes(size: int, padding: int, stride: int) -> None:
    row = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, 3), stride=stride, padding=padding)
    assert week5.outputs(size, padding, stride) == row.shape[-1]


def test_the_toy_loss_has_the_gradients_that_autograd_finds() -> None:
    w, b = (torch.tensor(float(value), requires_grad=True) for value in (week4.W, week4.B))
    ((week4.INPUT * w + b - week4.TARGET) ** 2).backward()
    text = week4.toy_loss().description
    assert f"{w.grad:.0f} at w" in text and f"{b.grad:.0f} at b" in text


def test_the_shapes_of_vgg_are_those_of_torchvisions() -> None:
    from torchvision.models import vgg11

    with torch.device("meta"):
        model, x = vgg11(), torch.zeros(1, 3, 224, 224)
        shapes = []
        for layer in model.features:
            x = layer(x)
            shapes += [tuple(x.shape[1:])] if isinstance(layer, torch.nn.MaxPool2d) else []
    told = [shape for _, shape in networks.VGG11]
    assert shapes == told[1:6] and told[7] == (model.classifier[0].in_features,)
    assert [layer.out_features for layer in model.classifier if hasattr(layer, "out_features")] == [
        n for (n,) in told[8:]
    ]


@pytest.mark.parametrize(("shapes", "stride"), [(week7.SAME, 1), (week7.HALVED, 2)])
def test_both_sides_of_a_residual_block_have_the_shape_that_torch_computes(
    shapes: tuple[week7.Shape, week7.Shape], stride: int
) -> None:
    (channels, _, _), (filters, _, _) = shapes
    with torch.device("meta"):
        x = torch.zeros(1, *shapes[0])
        body, shortcut = torch.zeros(filters, channels, 3, 3), torch.zeros(filters, channels, 1, 1)
        assert F.conv2d(x, body, stride=stride, padding=1).shape[1:] == shapes[1]
        assert F.conv2d(x, shortcut, stride=stride).shape[1:] == shapes[1]


def test_the_learning_curves_show_what_the_lesson_says_of_them() -> None:
    found = curves.read()["learning_curves"]
    under, fit, over = (found[name] for name in ("underfitting", "fitting", "overfitting"))
    assert under["train"][-1] > 1 and under["train"][-1] < under["train"][-3]
    assert fit["valid"][-1] < 0.3 and fit["valid"][-1] - fit["train"][-1] < 0.2
    assert over["train"][-1] < 0.05 and over["valid"][-1] > 1.2 * min(over["valid"])


def test_fine_tuning_moves_features_less_than_scratch_and_frozen_ones_not_at_all() -> None:
    found = curves.read()["fine_tuning"]
    layers = ("conv1", "conv2", "conv3", "conv4")
    assert all(0 < found["tuned"]["moved"][layer] < found["scratch"]["moved"][layer] / 2 for layer in layers)
    assert all(found["frozen"]["moved"][layer] == 0 for layer in layers)
    assert found["tuned"]["accuracy"] > found["frozen"]["accuracy"] > found["scratch"]["accuracy"]


def test_depth_harms_a_plain_network_on_its_own_training_images_and_no_residual_one() -> None:
    shallow, plain, residual = (losses[-1] for losses in curves.read()["depths"].values())
    assert plain > 10 * shallow and plain > 10 * residual and residual < 0.1


def test_the_maps_are_of_digits_that_were_read_right_and_are_greatest_where_the_lesson_says() -> None:
    looks = curves.read()["looks"]
    assert all(look["said"] == look["digit"] for look in looks)
    for look in looks:
        ink = F.avg_pool2d(torch.tensor(look["pixels"]).float()[None], 2)[0]
        row, column = divmod(int(torch.tensor(look["map"]).argmax()), 7)
        around = ink[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        assert around.max() > 50, look["digit"]


def test_the_bars_of_the_schedule_are_the_numbers_of_the_lesson() -> None:
    assert "0.5, 1, 1, 0.854, 0.5, 0.146, 0, 0." in week7.schedule().description


@amount.in_full("the committed curves show what is said of them")
def test_the_networks_can_be_trained_again() -> None:
    told = curves.read()
    found: dict[str, Any] = {"learning_curves": curves.learning_curves(), "fine_tuning": curves.fine_tuning()}
    found |= {"depths": deep.depths(), "looks": deep.looks()}
    assert json.loads(json.dumps(found)).keys() == told.keys()
    for name, losses in found["depths"].items():
        assert losses[-1] == pytest.approx(told["depths"][name][-1], rel=0.2, abs=0.05)
    for name, run in found["learning_curves"].items():
        assert run["train"][-1] == pytest.approx(told["learning_curves"][name]["train"][-1], rel=0.2, abs=0.02)


def test_an_interactive_page_needs_nothing_from_elsewhere() -> None:
    assert len(PAGES) >= 3
    for file in PAGES:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org", "")
        assert not re.search(r"https?:|@import|src=", text), file


@pytest.fixture(scope="module")
def figure_window() -> Iterator[Window]:
    with opened_browser() as found:
        yield Window(found)


def slide(page: Any, **values: float) -> str:
    """Set sliders, and return what the page then says."""
    for name, value in values.items():
        page.locator(f"#{name}").fill(str(value))
    return page.locator("#result").inner_text()


def answers_to_the_keyboard(page: Any) -> bool:
    """Go to the first control by Tab, press an arrow: whether another result is said, also to who only listens."""
    page.reload()
    said = slide(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    return slide(page) != said and page.locator("#result").get_attribute("role") == "status"


ANSWERS: dict[str, Callable[[Any], bool]] = {
    "try-convolution": lambda page: slide(page, size=9, kernel=4, stride=3, padding=1).endswith("3 positions."),
    "try-learning-rate": lambda page: "flies off" in slide(page, rate=1.05) and "creeps" in slide(page, rate=0.02),
    "try-filter": lambda page: page.locator("#known").select_option("blur") and "add up to 9" in slide(page),
}


def test_the_pages_answer_to_their_controls(figure_window: Window) -> None:
    for file in PAGES:
        page = figure_window.page(390, 844, "dark")
        noise: list[str] = []
        figure_window.hear(page, "console", lambda message, noise=noise: noise.append(message.text))
        figure_window.hear(page, "pageerror", lambda error, noise=noise: noise.append(str(error)))
        page.goto(file.as_uri())
        assert ANSWERS[file.stem](page), file
        assert answers_to_the_keyboard(page), file
        serious = [one["id"] for one in violations(page) if one["impact"] in ("serious", "critical")]
        assert (serious, noise) == ([], []), file
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), file
        figure_window.clear()


def test_every_page_is_linked_from_its_lesson() -> None:
    assert {name for _, name, _ in interactive.pages()} == {file.stem for file in PAGES}
    for file in (*PAGES, *SHEETS):
        lesson = (file.parents[1] / "README.md").read_text(encoding="utf-8")
        assert f"](figures/{file.name})" in lesson, file
