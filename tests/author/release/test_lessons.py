"""The lesson notebooks: made from their sources, free of outputs, and running top to bottom with the reference."""

from __future__ import annotations

import gzip
import json
import re
import struct
from pathlib import Path

import nbformat
import pytest
from torchvision.datasets import MNIST, ImageFolder

from fixtures import lessons as shown
from grader.author.release import lessons
from grader.author.site import running
from grader.author.site.markdown import Anchors
from grader.author.site.notebook import to_page
from grader.cli.main import main
from grader.course import Course
from grader.errors import CourseError
from tests.support import amount
from tests.support.courses import copied
from tests.support.notebooks import in_short

ROOT = Path(__file__).parents[3]
WEEKS = list(Course(ROOT).assignments())
SOURCE = (
    "# A\n\ntext\n\n```python\nx = 1\n\nprint(x)\n```\n\n```sh\nls\n```\n\n```python\nraise ValueError('no')\n```\n"
)


def test_text_and_code_become_cells_in_turn() -> None:
    notebook = nbformat.reads(lessons.build(SOURCE, "lesson.md"), as_version=4)
    found = [(cell.cell_type, cell.source) for cell in notebook.cells]
    assert found == [
        ("markdown", "# A\n\ntext"),
        ("code", "x = 1\n\nprint(x)"),
        ("markdown", "```sh\nls\n```"),
        ("code", "raise ValueError('no')"),
    ]
    assert lessons.build(SOURCE, "a") == lessons.build(SOURCE, "b")


def test_a_block_without_an_end_is_one_clear_error() -> None:
    with pytest.raises(CourseError, match=r"lesson\.md: a block of ```python has no ``` at its end"):
        lessons.build("```python\nx = 1\n", "lesson.md")


def test_every_week_has_a_notebook_that_is_what_its_source_makes() -> None:
    assert [week for week in WEEKS if not (ROOT / "assignments" / week / f"{week}.ipynb").is_file()] == []
    assert lessons.stale_notebooks(ROOT) == []


def test_a_notebook_with_outputs_is_stale_and_is_written_anew(tmp_path: Path, monkeypatch, capsys) -> None:
    course = copied("one_check", tmp_path, {"solutions/week1/lesson.md": SOURCE})
    monkeypatch.chdir(course)
    assert main(["lessons", "--check"]) == 1
    assert "stale: assignments/week1/week1.ipynb" in capsys.readouterr().out
    assert main(["lessons", "week1"]) == 0
    assert main(["lessons", "--check"]) == 0
    notebook = course / "assignments" / "week1" / "week1.ipynb"
    content = json.loads(notebook.read_text())
    content["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    notebook.write_text(json.dumps(content))
    assert main(["lessons", "--check"]) == 1
    assert main(["lessons"]) == 0 and lessons.stale_notebooks(course) == []


@pytest.mark.usefixtures("warm_kernels")
@pytest.mark.parametrize("week", WEEKS)
def test_the_reference_runs_the_whole_notebook(week: str, tmp_path: Path, monkeypatch) -> None:
    """With GRADER_ALL=1 in the environment for as many epochs as students train, which takes minutes."""
    monkeypatch.delenv(running.DATA, raising=False)
    notebook = ROOT / "assignments" / week / f"{week}.ipynb"
    before = notebook.read_bytes()
    modules = ROOT / "solutions" / week
    content = running.run(notebook if amount.ALL else in_short(notebook, tmp_path), modules)
    found = to_page(content, modules, Anchors(), str)
    assert (notebook.read_bytes(), found.failed, found.waiting) == (before, [], [])
    pictures = re.findall(r'<img alt="([^"]*)" src="data:image/png', found.body)
    assert len(pictures) >= 6
    assert all(len(alt) > 10 and alt != "A figure" for alt in pictures)
    assert "printed said" not in found.body  # no warnings among the outputs


def small_mnist(folder: Path, *names: str) -> None:
    """MNIST's files with 20 pictures in each; picture n is filled with n and its label is n % 10."""
    folder.mkdir(parents=True, exist_ok=True)
    images = b"".join(bytes([n]) * 784 for n in range(20))
    for name in names:
        kind = "images-idx3" in name
        head = struct.pack(">IIII", 2051, 20, 28, 28) if kind else struct.pack(">II", 2049, 20)
        content = head + (images if kind else bytes(n % 10 for n in range(20)))
        packed = name.endswith(".gz")
        (folder / name).write_bytes(gzip.compress(content) if packed else content)


TRAIN, TEST = (
    [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"] for part in ("train", "t10k")
)  # fmt: skip


def test_without_a_folder_the_digits_are_the_embedded_ones(monkeypatch) -> None:
    monkeypatch.delenv(running.DATA, raising=False)
    found = shown.handwriting()
    assert (found.real, len(found.train), len(found.test)) == (False, 1437, 360)
    picture, label = found.train[0]
    assert picture.size == (28, 28) and label == int(found.train.targets[0])
    found.train.transform = lambda image: image.getpixel((14, 14))
    assert found.train[0][0] == int(found.train.data[0, 14, 14])


@pytest.mark.parametrize("place", ["MNIST/raw", "."])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_mnist_is_read_from_where_it_lies_packed_or_not(place, end, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(running.DATA, str(tmp_path / "data"))
    monkeypatch.setattr(shown, "CACHE", tmp_path / "cache")
    small_mnist(tmp_path / "data" / place, *(name + end for name in (*TRAIN, *TEST)))
    found = shown.handwriting()
    assert isinstance(found.train, MNIST) and (len(found.train), len(found.test)) == (20, 20)
    assert found.train[3][0].getpixel((0, 0)) == 3 and found.train[13][1] == 3


def test_the_test_files_alone_are_divided(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(running.DATA, str(tmp_path))
    monkeypatch.setattr(shown, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(shown, "_FROM_TEST", 16)
    small_mnist(tmp_path, *(name + ".gz" for name in TEST))
    found = shown.handwriting()
    assert found.real and (len(found.train), len(found.test)) == (16, 4)
    values = [int(part.data[i, 0, 0]) for part in (found.train, found.test) for i in range(len(part))]
    assert sorted(values) == list(range(20)) and values != list(range(20))
    assert all(int(found.train.targets[i]) == int(found.train.data[i, 0, 0]) % 10 for i in range(16))


def test_a_folder_without_mnist_is_one_clear_error(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(running.DATA, str(tmp_path))
    monkeypatch.setattr(MNIST, "mirrors", ["file:///nowhere/"])
    with pytest.raises(FileNotFoundError, match="MNIST is not, and it cannot be downloaded"):
        shown.handwriting()


def test_transfer_takes_the_photographs_where_they_are(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(running.DATA, str(tmp_path))
    small = shown.transfer_problem(tmp_path / "made")
    assert small.images.is_relative_to(tmp_path / "made") and small.size == 16
    (tmp_path / "CUB_200_2011" / "images" / "001.Black_footed_Albatross").mkdir(parents=True)
    birds = shown.transfer_problem(tmp_path / "other")
    assert birds.images == tmp_path / "CUB_200_2011" / "images" and birds.size == 224
    assert not (tmp_path / "other").exists()


def test_the_embedded_transfer_problem_is_an_image_folder(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv(running.DATA, raising=False)
    problem = shown.transfer_problem(tmp_path)
    folder = ImageFolder(str(problem.images))
    assert len(folder.classes) == 5 and len(folder) == 500 and folder[0][0].size == (16, 16)
    weights = [model().features[0].weight for model in (problem.pretrained, problem.pretrained, problem.untrained)]
    assert weights[0].equal(weights[1]) and not weights[0].equal(weights[2])


def test_there_are_as_many_steps_as_in_five_epochs_of_mnist() -> None:
    assert [shown.epochs(batches) for batches in (844, 113, 21, 10_000)] == [5, 37, 40, 5]
