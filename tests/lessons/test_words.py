"""The lessons' words: spelt right, and none that tells a reader who is stuck that they should not be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from codespell_lib import main as codespell

ROOT = Path(__file__).parents[2]
PATTERNS = ("assignments/*/README.md", "solutions/*/guide.md", "solutions/*/lesson.md", "assignments/README.md")
TEXTS = {file.relative_to(ROOT).as_posix(): file for pattern in PATTERNS for file in sorted(ROOT.glob(pattern))}
LINES = (ROOT / "solutions" / "words.txt").read_text(encoding="utf-8").splitlines()
AVOID = dict(line.split(": ", 1) for line in LINES if not line.startswith("#"))
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`|\*[^*\n]+\*(?= \()", re.MULTILINE | re.DOTALL)  # and titles: *Title* (year)

CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LONG = 40  # words in a sentence


def words_to_avoid(text: str) -> list[str]:
    """The words of the list that stand in the prose, each with what to do."""
    prose = CODE.sub("", text).lower()
    return [f"{word}: {advice}" for word, advice in AVOID.items() if re.search(rf"\b{re.escape(word)}\b", prose)]


@pytest.mark.parametrize("name", TEXTS)
def test_prose_does_without_words_that_say_nothing(name: str) -> None:
    assert words_to_avoid(TEXTS[name].read_text(encoding="utf-8")) == []


def test_a_word_to_avoid_is_found_in_prose_and_not_in_code() -> None:
    assert words_to_avoid("This is\nSimply so.") == ["simply: leave it out"]
    assert words_to_avoid("```python\njust = 1\n```\n`just` and adjust") == []


def sentences(text: str) -> list[str]:
    """The sentences of the prose, without code, tables, formulas and headings; a colon ends one as a point does."""
    prose = re.sub(r"\$\$.*?\$\$|^(?:[|#]|`pytest ).*?$", "", CODE_BLOCK.sub("", text), flags=re.MULTILINE | re.DOTALL)
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n|\n(?=- |\d+\. |\*)", words))
    return [one for part in parts for one in re.split(r"(?<=[.!?:;])\s+(?=[A-Z*`(\"'0-9\[])", part) if one]


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith("assignments/")])
def test_sentences_are_short(name: str) -> None:
    lengths = {sentence: len(sentence.split()) for sentence in sentences(TEXTS[name].read_text(encoding="utf-8"))}
    assert [sentence for sentence, length in lengths.items() if length > LONG] == []
    assert sum(lengths.values()) / len(lengths) < 15


def test_a_long_sentence_is_found_and_code_is_none() -> None:
    text = "A b.\n\n```python\n" + "x " * 50 + "\n```\n\n- " + "word " * 50 + "[end](x.md). New one: it\n"
    assert [len(sentence.split()) for sentence in sentences(text)] == [2, 52, 3]


def test_lessons_figures_and_stretch_tasks_are_spelt_right(capsys: pytest.CaptureFixture[str]) -> None:
    code = [*ROOT.glob("assignments/*/*.py"), *ROOT.glob("assignments/*/stretch/*.py")]
    figures = [*ROOT.glob("solutions/figures/*.py"), *ROOT.glob("solutions/figures/pages/*.html")]
    files = [str(file) for file in (*TEXTS.values(), *code, *figures, *ROOT.glob("fixtures/*.py"))]
    found = codespell("--quiet-level=35", *files)
    assert (found, capsys.readouterr().out) == (0, "")


def test_a_misspelt_word_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text("We recieve it.")
    assert codespell(str(tmp_path / "a.md")) != 0 and "receive" in capsys.readouterr().out
