"""The notebooks read MNIST and CUB-200 as they are published: run on files in those formats, made here."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import struct
import tarfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from fixtures import cub, digits
from grader.author.site import running
from grader.author.site.markdown import Anchors
from grader.author.site.notebook import to_page
from tests.support import amount
from tests.support.notebooks import in_short

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("warm_kernels")


def page_of(week: str, notebook: Path, data: Path) -> str:
    """The page that the notebook makes with the reference and these data; nothing in it has failed or waits."""
    modules = ROOT / "solutions" / week
    found = to_page(running.run(notebook, modules, data), modules, Anchors(), str)
    assert (found.failed, found.waiting) == ([], [])
    return found.body


def write_mnist(folder: Path, count: int = 700) -> None:
    """MNIST's four files, packed as they are downloaded, with embedded digits in them."""
    images, labels = digits.originals()
    pixels, numbers = digits.to_bytes(images[:count]).numpy().tobytes(), bytes(labels[:count].tolist())
    for part in ("train", "t10k"):
        for kind, content in (
            ("images-idx3", struct.pack(">IIII", 2051, count, 28, 28) + pixels),
            ("labels-idx1", struct.pack(">II", 2049, count) + numbers),
        ):
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content, 1))


@pytest.mark.parametrize(
    "week",
    [
        pytest.param("week4", marks=amount.in_full("week 5 reads the same files in the same way")),
        "week5",
        pytest.param("week7", marks=amount.in_full("week 5 reads the same files in the same way")),
    ],
)
def test_a_notebook_runs_on_mnists_own_files(week: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    write_mnist(data)
    body = page_of(week, in_short(ROOT / "assignments" / week / f"{week}.ipynb", tmp_path), data)
    assert "MNIST, 60,000 and 10,000 digits" in body


CLASSES, OF_EACH = 5, 25
# In the place of VGG11, whose weights are half a gigabyte: the same three parts, and a thousand classes.
SMALL = """
import torch, torchvision
class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.features = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 8, stride=8), torch.nn.BatchNorm2d(8), torch.nn.ReLU()
        )
        self.avgpool = torch.nn.AdaptiveAvgPool2d(7)
        self.classifier = torch.nn.Sequential(torch.nn.Linear(392, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1000))
    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))
torchvision.models.vgg11_bn = lambda weights=None: Small()
"""


def write_birds(folder: Path) -> cub.Release:
    """The archive as it is published: photographs (noise) of several sizes, some of them grey, and other files."""
    generator = torch.Generator().manual_seed(0)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:

        def add(name: str, content: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

        for number in range(1, CLASSES + 1):
            for index in range(OF_EACH):
                wide, high = (80, 60) if index % 2 else (50, 70)
                pixels = torch.randint(0, 256, (high, wide, 3), generator=generator, dtype=torch.uint8)
                jpeg = io.BytesIO()
                Image.fromarray(pixels.numpy()).convert("RGB" if index % 10 else "L").save(jpeg, "JPEG")
                add(f"CUB_200_2011/images/{number:03}.Grey_bird_{number}/{index:04}.jpg", jpeg.getvalue())
        add("CUB_200_2011/images.txt", b"1 001.Grey_bird_1/0000.jpg\n")
        add("attributes.txt", b"1 has_bill_shape::curved\n")
    (folder / "CUB_200_2011.tgz").write_bytes(packed.getvalue())
    digest = hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest()
    return cub.Release("http://127.0.0.1:9/", digest, "CUB_200_2011", CLASSES, CLASSES * OF_EACH)


def test_the_whole_recipe_runs_on_photographs_in_cubs_own_layout(tmp_path: Path) -> None:
    release = write_birds(tmp_path)
    images = cub.get(tmp_path, release)
    assert cub.split(images, tmp_path / "birds", ROOT / "solutions" / "week6") == (100, 25)
    notebook = in_short(ROOT / "assignments" / "week6" / "week6.ipynb", tmp_path, first=SMALL)
    body = page_of("week6", notebook, tmp_path)
    assert "CUB-200-2011, 200 species of birds" in body and "100 images for training, 25 for the test" in body
    assert "GreyBird1, GreyBird2" in body
    assert re.search(r"5 epochs in \d+ min", body)
