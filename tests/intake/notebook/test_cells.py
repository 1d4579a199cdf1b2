"""A notebook's cells as plain Python, without what only IPython understands."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.intake.notebook.cells import LARGEST_CELL, MOST_CODE, read_notebook, without_magics
from tests.support.makers import notebook as notebook_of

MODULES = ("lenet", "training")


def read(*cells: str, tags: tuple[str, ...] = ()):
    return read_notebook(notebook_of(*cells, tags=tags), "hw.ipynb", MODULES)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("!pip install torch", "shell line"),
        ("files = !ls 'data'", "shell line"),
        ("!echo it's (unbalanced", "shell line"),
        ("!wget http://x \\\n  -O y", "shell line"),
        ("%matplotlib inline", "magic line"),
        ("t = %timeit -o f()", "magic line"),
        ("%%time", "magic line"),
        ("torch.nn.Conv2d?", "help line"),
        ("?torch.nn.Conv2d", "help line"),
        ("f?? # what is it", "help line"),
    ],
)
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_line_for_ipython_becomes_pass(line, kind, indent):
    before, after = ("if True:\n", "\n    x = 1\n") if indent else ("", "\nx = 1\n")
    text, removed = without_magics(f"{before}{indent}{line}{after}")
    assert text == f"{before}{indent}pass{after}"
    assert removed == {kind: 1}


@pytest.mark.parametrize(
    "source",
    [
        "x = (7\n% 2)",
        "x = 7 \\\n% 2",
        "'''\n%matplotlib inline\n!ls\nwhat?\n'''",
        '"""\n!a "quoted" text\n"""',
        "# %time\n# !ls\n# why?",
        "x != y",
        "print('really?')",
        "f(a,\n  '!')",
        "x = '\\'\\\n!'",
    ],
)
def test_what_looks_alike_inside_python_stays(source):
    assert without_magics(source) == (source, {})


@given(st.text(st.sampled_from("%!?'\"()[]#\\\n x1=."), max_size=60))
def test_text_outside_such_lines_is_never_changed(source):
    text, removed = without_magics(source)
    assert text == source or removed
    assert text.count("pass") == sum(removed.values())


@pytest.mark.parametrize("end", ["x", "?", "!", "="])
@pytest.mark.parametrize("part", [" ", "a", "'", "x, ", "(", '"""', "\\", "%", "?"])
def test_hostile_lines_do_not_make_a_pattern_backtrack(part, end):
    source = part * 10**5 + end  # a pattern that backtracks would need hours
    text, removed = without_magics(source)
    assert text == source or removed


def test_a_cell_is_parsed_and_numbered_among_the_code_cells():
    notebook = read("import torch", "!ls", "def f(): ...")
    assert [cell.number for cell in notebook.cells] == [1, 2, 3]
    assert isinstance(notebook.cells[2].tree.body[0], ast.FunctionDef)
    assert notebook.left_out == {"shell line": 1}


@pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 3", "%%capture out"])
def test_magics_around_python_leave_the_python(magic):
    notebook = read(f"{magic}\ndef f(): ...")
    assert len(notebook.cells[0].tree.body) == 1


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript", "%%writefile data.csv", "%%writefile ../x.py"])
def test_cells_of_other_languages_and_files_are_left_out(magic):
    notebook = read(f"{magic}\ndef f(): ...")
    assert notebook.cells == [] and notebook.written == {}
    assert sum(notebook.left_out.values()) == 1


@pytest.mark.parametrize(
    "first",
    ["# lenet.py", "#lenet.py", "# file: lenet.py", "## File lenet.py:", "# src/week5/lenet.py", "\n# lenet.py\n"],
)
def test_a_first_line_names_the_module(first):
    assert read(f"{first}\nx = 1").cells[0].home == "lenet"


@pytest.mark.parametrize("first", ["# other.py", "# see lenet.py", "x = 1 # lenet.py", "# lenet.py has the network"])
def test_other_first_comments_name_no_module(first):
    assert read(f"{first}\nx = 1").cells[0].home is None


def test_a_tag_names_the_module():
    assert read("x = 1", tags=("slides", "module:training")).cells[0].home == "training"
    assert read("x = 1", tags=("module:other",)).cells[0].home is None


@pytest.mark.parametrize(
    ("magic", "path"),
    [
        ("%%writefile lenet.py", "lenet.py"),
        ("%%file lenet.py", "lenet.py"),
        ("%%writefile 'lenet.py'", "lenet.py"),
        ("%%writefile /content/week5/lenet.py", "lenet.py"),
        ("%%writefile ../lenet.py", "lenet.py"),
        ("%%writefile utils/blocks.py", "utils/blocks.py"),
    ],
)
def test_a_written_file_is_taken_as_it_stands(magic, path):
    assert read(f"{magic}\nnot python !").written == {path: "not python !"}


def test_a_written_file_can_be_replaced_and_continued():
    notebook = read("%%writefile lenet.py\nold\n", "%%writefile lenet.py\na\n", "%%writefile -a lenet.py\nb\n")
    assert notebook.written == {"lenet.py": "a\nb\n"}


def test_a_cell_that_is_no_python_is_named_and_the_others_count():
    notebook = read("def f(:", "x = 1", "\ud800", "print 'hi'")
    assert len(notebook.cells) == 1
    assert notebook.notes == [
        f"code cell {number} of hw.ipynb left out: it is not valid Python" for number in (1, 3, 4)
    ]


def test_code_is_bounded():
    line = "x = 1\n"
    assert "cell 1 of hw.ipynb left out: it is too large" in read(line * (LARGEST_CELL // 6 + 1)).notes[0]
    many = read(*["#" * LARGEST_CELL] * (MOST_CODE // LARGEST_CELL + 1))
    assert len(many.cells) == MOST_CODE // LARGEST_CELL and len(many.notes) == 1


def test_windows_line_ends_are_line_ends():
    assert read("%%time\r\nx = 1\r\ny = 2").cells[0].lines == (b"x = 1", b"y = 2")


def test_old_notebooks_are_read():
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "language": "python",
                        "input": ["x = 1\n"],
                        "outputs": [],
                        "collapsed": False,
                        "metadata": {},
                    }
                ],
            }
        ],
    }
    assert len(read_notebook(json.dumps(old).encode(), "old.ipynb", MODULES).cells) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"cells": 3, "nbformat": 4}',
        b"\xff\xfe",
        b"[" * 10**5,
        b"1" * 5000,
        b'{"cells": [{"cell_type": "code", "source": 7}], "nbformat": 4, "nbformat_minor": 4, "metadata": {}}',
    ],
)
def test_what_is_no_notebook_is_one_clear_line(content):
    with pytest.raises(SubmissionError, match=r"^notebook hw\.ipynb is damaged, or not a notebook \(\w+\): [^\n]+$"):
        read_notebook(content, "hw.ipynb", MODULES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "nbformat", "metadata", "source", "tags", "cell_type"]), inner)
    ),
    max_leaves=15,
)


@given(JSON, st.sampled_from([3, 4, "4", None]))
def test_any_json_is_a_notebook_or_a_submission_error(content, version):
    document = {"nbformat": version, "nbformat_minor": 4, "metadata": {}, "cells": content}
    try:
        read_notebook(json.dumps(document).encode(), "hw.ipynb", MODULES)
    except SubmissionError as error:
        assert "\n" not in str(error)


def test_reading_says_nothing_on_the_terminal(capfd):
    read_notebook(notebook_of("x = 1").replace(b'"outputs": [], ', b""), "hw.ipynb", MODULES)
    assert capfd.readouterr() == ("", "")
