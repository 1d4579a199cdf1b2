"""Hostile and damaged zip files."""

import io
import stat
import zipfile

import pytest

from grader.archive import read_zip
from grader.errors import SubmissionError


def made(*members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def read(raw, most=10**7):
    return read_zip(raw, "hw.zip", lambda path, size: True, most)


def test_files_come_by_value_and_folders_do_not():
    assert read(made(("week5/", b""), ("week5/lenet.py", b"x"))).files == {"week5/lenet.py": b"x"}


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "C:/evil.py", "a/../../evil.py", "..\\evil.py"])
def test_names_that_lead_outside_are_left_out_with_a_note(name):
    unpacked = read(made((name, b"x"), ("lenet.py", b"y")))
    assert unpacked.files == {"lenet.py": b"y"}
    assert "leads outside" in unpacked.notes[0]


def test_links_are_left_out_with_a_note():
    link = zipfile.ZipInfo("link.py")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    unpacked = read(made((link, b"/etc/passwd")))
    assert unpacked.files == {}
    assert "symbolic link" in unpacked.notes[0]


def test_a_bomb_is_left_out():
    unpacked = read(made(("bomb.py", bytes(5 * 2**20))))
    assert unpacked.files == {}
    assert "expands" in unpacked.notes[0]


def test_more_than_the_allowed_bytes_are_refused():
    with pytest.raises(SubmissionError, match="too large"):
        read(made(("a.py", b"12345")), most=4)


def test_encrypted_archives_are_refused():
    raw = bytearray(made(("a.py", b"x")))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SubmissionError, match="encrypted"):
        read(bytes(raw))


@pytest.mark.parametrize("raw", [b"", b"no zip", b"Rar!\x1a", made(("a.py", b"x" * 99))[:60]])
def test_damaged_archives_are_refused_in_one_line(raw):
    with pytest.raises(SubmissionError, match=r"^hw\.zip is [^\n]*zip the folder again$"):
        read(raw)
