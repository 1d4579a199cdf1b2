"""Getting the birds, with a small archive from a server of our own: checked, resumed, unpacked whole, split."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fixtures import cub

ROOT = Path(__file__).parents[2]


def archive_of(names: list[str]) -> bytes:
    """An archive with these files, the same for the same names."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in names:
            content = name.encode() * 50
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


CLASSES = {"001.Black_footed_Albatross": 5, "002.Laysan_Albatross": 3}
NAMES = [f"CUB_200_2011/images/{name}/{n}.jpg" for name, count in CLASSES.items() for n in range(count)]
PACKED = archive_of([*NAMES, "CUB_200_2011/README", "CUB_200_2011/images/.DS_Store", "attributes.txt"])


@dataclass
class Served:
    """What a server sends, and what it was asked for."""

    release: cub.Release
    content: bytes = PACKED
    continues: bool = True
    cut: int | None = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def bird_server() -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            found.asked.append(wanted)
            start = int(wanted[6:-1]) if wanted and found.continues else 0
            if start >= len(found.content):
                self.send_error(416)
                return
            body = found.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if found.cut is None else body[: found.cut])

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    digest = hashlib.md5(PACKED, usedforsecurity=False).hexdigest()
    url = f"http://127.0.0.1:{server.server_port}/birds.tgz"
    found = Served(cub.Release(url, digest, "CUB_200_2011", classes=2, images=8))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


def test_everything_is_fetched_checked_and_unpacked_once(bird_server: Served, tmp_path: Path) -> None:
    images = cub.get(tmp_path / "new", bird_server.release)
    assert images == tmp_path / "new" / "CUB_200_2011" / "images"
    assert sorted(path.name for path in images.iterdir() if path.is_dir()) == sorted(CLASSES)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["CUB_200_2011", "CUB_200_2011.tgz"]
    assert cub.get(tmp_path / "new", bird_server.release) == images and bird_server.asked == [""]


@pytest.mark.parametrize("have", [1, 100, len(PACKED) - 1, len(PACKED)])
def test_half_a_download_is_continued(have: int, bird_server: Served, tmp_path: Path) -> None:
    (tmp_path / "CUB_200_2011.part").write_bytes(PACKED[:have])
    assert cub.fetch(tmp_path, bird_server.release).read_bytes() == PACKED
    assert bird_server.asked == ([] if have == len(PACKED) else [f"bytes={have}-"])


def test_a_connection_that_breaks_keeps_what_has_come(bird_server: Served, tmp_path: Path) -> None:
    bird_server.cut = 100
    with pytest.raises(cub.NotGot, match=r"the connection broke .*; 100 bytes are there, run it again to go on"):
        cub.fetch(tmp_path, bird_server.release)
    bird_server.cut = None
    assert cub.fetch(tmp_path, bird_server.release).read_bytes() == PACKED and bird_server.asked == ["", "bytes=100-"]


def test_a_server_that_does_not_continue_sends_all_of_it_again(bird_server: Served, tmp_path: Path) -> None:
    bird_server.continues = False
    (tmp_path / "CUB_200_2011.part").write_bytes(PACKED[:100])
    assert cub.fetch(tmp_path, bird_server.release).read_bytes() == PACKED


def test_a_wrong_archive_is_refused_and_removed(bird_server: Served, tmp_path: Path) -> None:
    bird_server.content = archive_of(["CUB_200_2011/images/a/1.jpg"])
    with pytest.raises(cub.NotGot, match=r"the checksum is \w{32}, not \w{32}"):
        cub.get(tmp_path, bird_server.release)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_lies_there_is_used_without_a_network(bird_server: Served, tmp_path: Path) -> None:
    (tmp_path / "CUB_200_2011.tgz").write_bytes(PACKED)
    assert cub.get(tmp_path, replace(bird_server.release, url="http://127.0.0.1:1/")).is_dir()


def test_without_a_network_there_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = replace(cub.CUB, url="http://127.0.0.1:1/birds.tgz")
    assert cub.main([str(tmp_path)], nowhere) == 1
    assert capsys.readouterr().err.startswith("error: http://127.0.0.1:1/birds.tgz: ")


def test_an_interrupted_unpacking_begins_anew(bird_server: Served, tmp_path: Path) -> None:
    half = tmp_path / ".CUB_200_2011.part" / "CUB_200_2011" / "images" / "003.Left_over"
    half.mkdir(parents=True)
    images = cub.get(tmp_path, bird_server.release)
    assert not (images / half.name).exists() and not half.parents[2].exists()


def test_an_archive_that_reaches_out_of_its_folder_is_refused(bird_server: Served, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tgz"
    evil.write_bytes(archive_of(["CUB_200_2011/../../outside.txt"]))
    with pytest.raises(cub.NotGot, match="cannot be unpacked"):
        cub.unpack(evil, tmp_path / "deep" / "folder", bird_server.release)
    assert not list(tmp_path.rglob("outside.txt"))


def test_a_folder_of_that_name_with_something_else_in_it_is_left_alone(bird_server: Served, tmp_path: Path) -> None:
    (tmp_path / "CUB_200_2011").mkdir()
    (tmp_path / "CUB_200_2011" / "mine.txt").write_text("mine")
    with pytest.raises(cub.NotGot, match="is there without images in it"):
        cub.get(tmp_path, bird_server.release)
    assert (tmp_path / "CUB_200_2011" / "mine.txt").read_text() == "mine"


def test_images_that_are_missing_are_counted(bird_server: Served, tmp_path: Path) -> None:
    images = cub.get(tmp_path, bird_server.release)
    next(images.rglob("*.jpg")).unlink()
    with pytest.raises(
        cub.NotGot, match=r"2 classes and 7 images, not 2 and 8; remove .*CUB_200_2011 and run it again"
    ):
        cub.get(tmp_path, bird_server.release)


def test_the_images_are_split_by_the_function_of_task_6_1(bird_server: Served, tmp_path: Path, capsys) -> None:
    solution = ["--modules", str(ROOT / "solutions" / "week6")]
    assert cub.main([str(tmp_path), *solution], bird_server.release) == 0
    assert "6 for training, 2 for the test" in capsys.readouterr().out
    assert len(list((tmp_path / "birds" / "train").rglob("*.jpg"))) == 6


def test_a_split_that_is_still_to_do_is_said(bird_server: Served, tmp_path: Path, capsys) -> None:
    skeleton = ["--modules", str(ROOT / "assignments" / "week6")]
    assert cub.main([str(tmp_path), *skeleton], bird_server.release) == 1
    assert "TODO 6.1" in capsys.readouterr().err


def test_the_birds_are_those_of_the_lesson() -> None:
    lesson = (ROOT / "assignments" / "week6" / "README.md").read_text(encoding="utf-8")
    assert f"{cub.CUB.images:,} photographs of {cub.CUB.classes} species" in lesson
    assert "python -m fixtures.cub" in lesson
