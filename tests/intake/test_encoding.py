"""Source files in the encodings that editors really write, and in those that only a hostile file declares."""

import pytest

from grader.errors import SubmissionError
from grader.intake.contents import read_entry
from grader.intake.encoding import as_python

SOURCE = "# Größe\nx = 'é'\n"


@pytest.mark.parametrize("raw", [b"", SOURCE.encode(), SOURCE.encode("utf-8-sig"), b"x = 1\r\n", b"def f(:\n"])
def test_what_python_reads_is_left_alone(raw):
    assert as_python(raw) == (raw, None)


@pytest.mark.parametrize("declared", ["latin-1", "cp1252", "iso-8859-15"])
def test_a_file_that_declares_its_encoding_is_left_alone(declared):
    raw = f"# -*- coding: {declared} -*-\n{SOURCE}".encode(declared)
    assert as_python(raw) == (raw, None)


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1252", "Windows-1252"), ("utf-16", "UTF-16"), ("utf_16_be", "UTF-16")]
)
def test_what_python_refuses_is_converted(encoding, name):
    mark = "\ufeff" if encoding == "utf_16_be" else ""
    assert as_python((mark + SOURCE).encode(encoding)) == (SOURCE.encode(), name)


@pytest.mark.parametrize("raw", [bytes(range(256)), b"\xff\xfe\x00", b"# coding: nonsense\n\x81"])
def test_what_is_no_text_at_all_stays_as_it_is(raw):
    assert as_python(raw) == (raw, None)


def test_an_encoding_that_takes_hours_is_refused_at_once(tmp_path):
    hostile = b"# coding: punycode\n-" + b"a" * 2**19
    (tmp_path / "lenet.py").write_bytes(hostile)
    with pytest.raises(SubmissionError, match="declare the encoding punycode; save it as UTF-8"):
        as_python(hostile)
    assert read_entry(tmp_path).refused == {
        "lenet.py": "its first lines declare the encoding punycode; save it as UTF-8"
    }


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_its_mark(encoding):
    assert as_python(SOURCE.encode(encoding)) == (SOURCE.encode(), "UTF-16")


@pytest.mark.parametrize("raw", [b"x = 'a\0b'\n", b"# coding: nonsense\nx = 1\n", b"# coding: utf8-odd\nx = '\xe9'\n"])
def test_what_python_refuses_everywhere_is_left_for_it_to_say(raw):
    assert as_python(raw) == (raw, None)


def test_a_comment_in_another_script_costs_nothing():
    recoded, _ = as_python("# 训练\nx = 1\n".encode("gbk"))
    compile(recoded, "lenet.py", "exec")
