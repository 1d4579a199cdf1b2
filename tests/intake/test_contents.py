"""Code and wanted data of an entry are read; links, pipes and too large files are never touched."""

import errno
import os
from pathlib import Path

import pytest

from grader.errors import SubmissionError
from grader.intake import contents
from grader.intake.contents import read_entry
from tests.support.makers import put, zipped


def test_code_is_read_and_data_only_where_it_is_asked_for(tmp_path):
    for name in ("week5/lenet.py", "week5/hw.ipynb", "week5/means.csv", "data/mnist.bin"):
        put(tmp_path / name)
    assert set(read_entry(tmp_path).files) == {"week5/lenet.py", "week5/hw.ipynb"}
    assert set(read_entry(tmp_path, "week5/").files) == {"week5/lenet.py", "week5/hw.ipynb", "week5/means.csv"}


@pytest.mark.parametrize(
    "name",
    [
        ".git/hook.py",
        "__pycache__/a.py",
        "__MACOSX/._a.py",
        "venv/lib/a.py",
        "node_modules/a.py",
        ".hidden.py",
        "a.py~",
    ],
)
def test_what_tools_made_is_left_out_without_a_word(tmp_path, name):
    put(tmp_path / name)
    found = read_entry(tmp_path, "")
    assert (found.files, found.notes) == ({}, [])


def test_a_virtual_environment_of_any_name_is_left_out(tmp_path):
    put(tmp_path / "my env" / "pyvenv.cfg")
    put(tmp_path / "my env" / "lib" / "torch.py")
    assert read_entry(tmp_path, "").files == {}


def test_links_to_files_and_folders_are_not_followed(tmp_path):
    put(tmp_path / "secret" / "answer.py")
    entry = tmp_path / "ana"
    put(entry / "lenet.py")
    (entry / "answer.py").symlink_to(tmp_path / "secret" / "answer.py")
    (entry / "all").symlink_to(tmp_path / "secret")
    (entry / "loop").symlink_to(entry)
    found = read_entry(entry)
    assert set(found.files) == {"lenet.py"}
    assert found.notes == [f"symbolic link {name} left out" for name in ("all", "answer.py", "loop")]


def test_an_entry_that_is_a_link_is_refused(tmp_path):
    put(tmp_path / "real" / "lenet.py")
    (tmp_path / "ana").symlink_to(tmp_path / "real")
    with pytest.raises(SubmissionError, match="ana is a symbolic link"):
        read_entry(tmp_path / "ana")


def test_a_link_that_appears_after_the_listing_is_not_opened(tmp_path, monkeypatch):
    put(tmp_path / "secret.py")
    file, real_open = put(tmp_path / "week5" / "lenet.py"), os.open

    def swapped(path, *rest):
        if Path(path) == file:
            file.unlink()
            file.symlink_to(tmp_path / "secret.py")
        return real_open(path, *rest)

    monkeypatch.setattr(os, "open", swapped)
    found = read_entry(tmp_path / "week5")
    assert file.is_symlink()
    assert (found.files, found.refused) == ({}, {"lenet.py": os.strerror(errno.ELOOP)})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_does_not_make_the_reader_wait(tmp_path):
    os.mkfifo(tmp_path / "lenet.py")
    assert read_entry(tmp_path).refused == {"lenet.py": "not a regular file"}


def test_files_and_folders_without_permission_are_refused_by_name(tmp_path, monkeypatch):
    put(tmp_path / "week5" / "lenet.py")
    put(tmp_path / "private" / "a.py")
    real_open, real_scandir = os.open, os.scandir

    def no_open(path, *rest):
        if Path(path).name == "lenet.py":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_open(path, *rest)

    def no_scandir(path):
        if Path(path).name == "private":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_scandir(path)

    monkeypatch.setattr(os, "open", no_open)
    monkeypatch.setattr(os, "scandir", no_scandir)
    assert read_entry(tmp_path).refused == {"week5/lenet.py": "no permission", "private/": "no permission"}


def test_an_unreadable_entry_is_one_clear_line(tmp_path):
    with pytest.raises(SubmissionError, match=r"^gone\.zip cannot be read: No such file or directory$"):
        read_entry(tmp_path / "gone.zip")


def test_code_that_is_too_large_is_refused_and_data_is_noted(tmp_path):
    put(tmp_path / "lenet.py", b"#" * (2**20 + 1))
    put(tmp_path / "weights.pt", bytes(5 * 2**20 + 1))
    found = read_entry(tmp_path, "")
    assert found.refused == {"lenet.py": "1.0 MB are too large, at most 1 MB"}
    assert found.notes == ["weights.pt left out: 5.0 MB are too large, at most 5 MB"]


def test_an_entry_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "MOST_ENTRIES", 5)
    for number in range(7):
        put(tmp_path / f"{number}.txt")
    with pytest.raises(SubmissionError, match="more than 5 files"):
        read_entry(tmp_path)


def test_an_entry_of_too_many_bytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "MOST_READ", 10)
    for number in range(3):
        put(tmp_path / f"{number}.py")
    with pytest.raises(SubmissionError, match="hand in the week's folder alone"):
        read_entry(tmp_path)


def test_folders_nested_too_deeply_are_noted(tmp_path):
    put(tmp_path.joinpath(*"abcdefghijklmnopqrstuvwxyz") / "lenet.py")
    found = read_entry(tmp_path)
    assert found.files == {} and "nested too deeply" in found.notes[0]


def test_zips_in_zips_are_opened_three_deep(tmp_path):
    raw = zipped(("lenet.py", b"x"))
    for _ in range(4):
        raw = zipped(("in.zip", raw), ("also.py", b"y"))
    put(tmp_path / "hw.zip", raw)
    found = read_entry(tmp_path / "hw.zip")
    assert set(found.files) == {"also.py", "in.zip/also.py", "in.zip/in.zip/also.py"}
    assert found.notes == ["in.zip/in.zip/in.zip left out: zip files nested too deeply"]


def test_a_damaged_zip_inside_is_refused_and_the_rest_is_read(tmp_path):
    put(tmp_path / "lenet.py")
    put(tmp_path / "old.zip", b"PK no zip")
    found = read_entry(tmp_path)
    assert set(found.files) == {"lenet.py"}
    assert list(found.refused) == ["old.zip"] and "damaged" in found.refused["old.zip"]


def test_names_are_composed_and_those_that_are_no_text_are_left_out(tmp_path):
    put(tmp_path / "cafe\u0301" / "lenet.py")
    bad = os.fsencode(tmp_path) + b"/\xff.py"
    os.close(os.open(bad, os.O_CREAT | os.O_WRONLY))
    found = read_entry(tmp_path)
    assert list(found.files) == ["caf\u00e9/lenet.py"]
    assert found.notes == ["\\udcff.py left out: its name cannot be shown"]


NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}'


@pytest.mark.parametrize(
    ("name", "content", "real"),
    [
        ("lenet.py.txt", b"x = 1\n", "lenet.py"),
        ("Lenet.PY.TXT", b"x = 1\n", "Lenet.PY"),
        ("lenet.py.download", b"x = 1\n", "lenet.py"),
        ("hw.ipynb.txt", NOTEBOOK, "hw.ipynb"),
        ("hw.ipynb.json", NOTEBOOK, "hw.ipynb"),
        ("hw.json", NOTEBOOK, "hw.ipynb"),
    ],
)
def test_an_ending_that_a_program_has_added_does_not_count(tmp_path, name, content, real):
    (tmp_path / name).write_bytes(content)
    found = read_entry(tmp_path)
    assert (found.files, found.notes) == ({real: content}, [f"{name} read as {real}"])
    assert read_entry(tmp_path / name).files == {real: content}


def test_the_file_of_the_right_name_comes_first_and_other_data_stays_data(tmp_path):
    put(tmp_path / "lenet.py", b"x = 1\n")
    put(tmp_path / "lenet.py.txt", b"x = 2\n")
    put(tmp_path / "settings.json", b'{"cells": 3}')
    put(tmp_path / "notes.txt", b"text")
    assert read_entry(tmp_path).files["lenet.py"] == b"x = 1\n"
    assert "settings.json" not in read_entry(tmp_path).files
    assert read_entry(tmp_path, "").files["settings.json"] == b'{"cells": 3}'
