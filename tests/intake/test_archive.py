"""Hostile and damaged zip files."""

import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake import archive as archives
from grader.intake.archive import read_zip
from tests.support.makers import zipped


def read(raw, most=10**7):
    return read_zip(raw, "hw.zip", lambda path, size: True, most)


def test_files_come_by_value_and_folders_do_not():
    assert read(zipped(("week5/", b""), ("week5/lenet.py", b"x"))).files == {"week5/lenet.py": b"x"}


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "C:/evil.py", "a/../../evil.py", "..\\evil.py"])
def test_names_that_lead_outside_are_left_out_with_a_note(name):
    unpacked = read(zipped((name, b"x"), ("lenet.py", b"y")))
    assert unpacked.files == {"lenet.py": b"y"}
    assert "leads outside" in unpacked.notes[0]


def test_links_are_left_out_with_a_note():
    link = zipfile.ZipInfo("link.py")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    unpacked = read(zipped((link, b"/etc/passwd")))
    assert unpacked.files == {}
    assert "symbolic link" in unpacked.notes[0]


def test_a_bomb_is_left_out():
    unpacked = read(zipped(("bomb.py", bytes(5 * 2**20))))
    assert unpacked.files == {}
    assert "expands" in unpacked.notes[0]


def test_more_than_the_allowed_bytes_are_refused():
    with pytest.raises(SubmissionError, match="too large"):
        read(zipped(("a.py", b"12345")), most=4)


def test_encrypted_archives_are_refused():
    raw = bytearray(zipped(("a.py", b"x")))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(SubmissionError, match="encrypted"):
        read(bytes(raw))


@pytest.mark.parametrize(
    "raw",
    [b"", b"no zip", b"Rar!\x1a", zipped(("a.py", b"x" * 99))[:60]],
    ids=["empty", "text", "rar", "cut"],  # the bytes hold the time, and pytest-xdist wants the same names everywhere
)
def test_damaged_archives_are_refused_in_one_line(raw):
    with pytest.raises(SubmissionError, match=r"^hw\.zip is [^\n]*zip the folder again$"):
        read(raw)


def test_only_what_is_wanted_is_read():
    asked = []

    def wanted(path, size):
        asked.append((path, size))
        return path.endswith(".py")

    raw = zipped(("a.py", b"123"), ("data.bin", b"4"))
    assert read_zip(raw, "hw.zip", wanted, 3).files == {"a.py": b"123"}
    assert asked == [("a.py", 3), ("data.bin", 1)]


@pytest.mark.parametrize(
    ("stored", "path"),
    [
        ("week5\\lenet.py", "week5/lenet.py"),
        ("./week5//lenet.py", "week5/lenet.py"),
        ("week5/./lenet.py", "week5/lenet.py"),
        ("cafe\u0301/lenet.py", "caf\u00e9/lenet.py"),
        ("大小/lenet.py", "大小/lenet.py"),
        ("...py", "...py"),
    ],
)
def test_names_are_brought_into_one_form(stored, path):
    assert list(read(zipped((stored, b"x"))).files) == [path]


def unmarked(name: bytes) -> bytes:
    """An archive whose one name is not marked as UTF-8."""
    placeholder = "x" * len(name)
    return zipped((placeholder, b"1")).replace(placeholder.encode(), name)


def test_unmarked_names_are_utf8_where_they_can_be_and_else_code_page_437():
    assert list(read(unmarked("Übung.py".encode())).files) == ["Übung.py"]
    assert list(read(unmarked("Übung.py".encode("cp437"))).files) == ["Übung.py"]


@pytest.mark.parametrize("name", [b"a\0.py", b"a\n.py", b"\x1b[2J.py", b"a" * 1001])
def test_names_that_cannot_be_shown_are_left_out(name):
    unpacked = read(unmarked(name))
    assert unpacked.files == {} and "its name cannot be shown" in unpacked.notes[0]
    assert all(note.isprintable() for note in unpacked.notes)


def test_of_two_members_of_the_same_name_the_last_counts():
    with pytest.warns(UserWarning, match="Duplicate name"):
        raw = zipped(("a.py", b"first"), ("a.py", b"last"))
    unpacked = read(raw, most=5)
    assert unpacked.files == {"a.py": b"last"}
    assert unpacked.notes == ("hw.zip: a.py is in it twice; the last one counts",)


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFSOCK])
def test_special_files_are_left_out(kind):
    member = zipfile.ZipInfo("odd.py")
    member.create_system = 3
    member.external_attr = (kind | 0o644) << 16
    unpacked = read(zipped((member, b"")))
    assert unpacked.files == {} and "not a regular file" in unpacked.notes[0]


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_methods_that_cannot_be_bounded_are_refused(method):
    with pytest.raises(SubmissionError, match="another program"):
        read(zipped(("a.py", b"x" * 99), method=method))


def test_an_archive_of_too_many_members_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(SubmissionError, match="more than 3 files"):
        read(b"PK\x01\x02" * 4)


def test_the_limit_is_on_all_members_together():
    raw = zipped(("a.py", b"123"), ("b.py", b"456"))
    assert len(read(raw, most=6).files) == 2
    with pytest.raises(SubmissionError, match="too large when unpacked"):
        read(raw, most=5)


def test_a_small_file_may_compress_well():
    assert len(read(zipped(("zeros.py", bytes(2**20)))).files) == 1


def test_a_member_that_lies_about_its_size_is_damage():
    raw = zipped(("a.py", b"x" * 2000))
    with pytest.raises(SubmissionError, match="damaged"):
        read(raw.replace((2000).to_bytes(4, "little"), (20).to_bytes(4, "little")))


def test_members_that_overlap_stay_under_the_limit():
    raw = bytearray(zipped(("a.py", b"x" * 5000), ("b.py", b"y" * 5000)))
    second = raw.rindex(b"PK\x01\x02")
    raw[second + 42 : second + 46] = bytes(4)  # where b.py is said to begin: at a.py
    with pytest.raises(SubmissionError):
        read(bytes(raw))


WHOLE = zipped(("week5/lenet.py", b"class LeNet: ..."), ("week5/hw.ipynb", b"{}"), ("README.md", b"hello " * 9))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(WHOLE)))
def test_a_damaged_archive_is_read_or_refused(changes, cut):
    raw = bytearray(WHOLE)
    for position, value in changes:
        raw[position] = value
    for content in (bytes(raw), bytes(raw[:cut])):
        try:
            unpacked = read(content)
        except SubmissionError as error:
            assert "\n" not in str(error)
        else:
            assert not any(path.startswith("/") or ".." in path.split("/") for path in unpacked.files)
