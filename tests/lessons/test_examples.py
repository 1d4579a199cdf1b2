"""The lessons' code: every block runs, and what a page says that it prints is what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.checks.task_mark import load_beside

ROOT = Path(__file__).parents[2]
examples = load_beside(str(ROOT / "solutions" / "examples.py"), "examples")
LESSONS = {file.parent.name: file for file in examples.lessons() if "```python\n" in file.read_text(encoding="utf-8")}
PROGRAM = """# A

```python
x = 2
print(x, 0.5)
```

words

```python
print(x + {more})
y = 3
```

```text
{printed}
```

```python
y += 1
```
"""


@pytest.mark.parametrize("week", LESSONS)
def test_a_lesson_prints_what_it_says_and_runs_again_where_it_left_files(week: str, tmp_path: Path) -> None:
    text = LESSONS[week].read_text(encoding="utf-8")
    assert examples.differences(text, examples.executed(text, week, tmp_path)) == []
    if {path.name for path in tmp_path.iterdir()} != {"data"}:
        assert examples.differences(text, examples.executed(text, week, tmp_path)) == []


@pytest.mark.parametrize("week", LESSONS)
def test_a_lesson_shows_its_results(week: str) -> None:
    blocks = list(examples.BLOCK.finditer(LESSONS[week].read_text(encoding="utf-8")))
    assert len(blocks) >= 10
    assert [b["code"] for b in blocks if re.search(r"^print\(", b["code"], re.MULTILINE) and not b["printed"]] == []


def test_outputs_are_written_under_their_blocks_and_blocks_share_names() -> None:
    found = examples.executed(PROGRAM.format(more="1", printed="wrong"), "a.md")
    assert "print(x, 0.5)\n```\n\n```text\n2 0.5\n```\n\nwords" in found
    assert "```text\n3\n```" in found and "wrong" not in found
    assert examples.executed(found, "a.md") == found


def test_a_block_that_fails_is_named_by_its_line() -> None:
    with pytest.raises(examples.LessonError, match=r"a\.md:11: NameError: name 'nothing' is not defined"):
        examples.executed(PROGRAM.format(more="nothing", printed=""), "a.md")


@pytest.mark.parametrize(
    ("told", "found", "same"),
    [
        ("loss 0.9361", "loss 0.9402", True),
        ("loss 0.936", "loss 1.336", False),
        ("loss -0.01", "loss 0.01", True),
        ("7 wines", "8 wines", False),
        ("[1, 2]", "[1,  2]", True),
        ("a 1.0", "b 1.0", False),
        ("1.0 2.0", "1.0", False),
    ],
)
def test_words_and_whole_numbers_are_exact_and_others_nearly(told: str, found: str, same: bool) -> None:
    assert examples.agree(told, found) == same


def test_the_caller_finds_folder_and_generators_as_before() -> None:
    import random

    import torch

    here, state, python = Path.cwd(), torch.get_rng_state(), random.getstate()
    examples.executed("```python\nimport torch, random\ntorch.manual_seed(1)\nrandom.seed(1)\n```\n", "a.md")
    assert (Path.cwd(), random.getstate()) == (here, python) and torch.equal(torch.get_rng_state(), state)


def test_mnist_is_there_without_a_network() -> None:
    code = "from torchvision import datasets\nprint(len(datasets.MNIST('data', download=True)))\n"
    assert re.search("^500$", examples.executed(f"```python\n{code}```\n", "a.md"), re.MULTILINE)
