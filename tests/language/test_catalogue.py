"""The catalogues have each text of the sources, no other, and the same places for values; messages are found again."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import NoReturn

import pytest
import torch

from grader.checks import expect
from grader.checks.task_mark import TaskMark
from grader.language import LANGUAGES, retold, speaking
from grader.language.catalogue import (
    FOLDER,
    MESSAGE,
    MOST_PARTS,
    QUOTING,
    Catalogue,
    Pattern,
    catalogue,
)  # fmt: skip
from grader.language.extraction import extracted, of_python, of_template
from grader.language.po_file import Entry, entries, placeholders
from grader.language.texts import key_of, texts_of
from grader.pytest_plugin.student import ProbeEnded
from grader.pytest_plugin.verdict import Verdict, exception_end, verdict_on

ROOT = Path(__file__).parents[2]
GERMAN_OF_WEEK_5 = texts_of([ROOT / "assignments/week5"], "de")
OTHERS = [language for language in LANGUAGES if language != "en"]


def test_german_is_there() -> None:
    assert "de" in OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_each_text_and_no_other(language: str) -> None:
    found = {(entry.context, entry.text): entry.translation for entry in entries(FOLDER / f"{language}.po")}
    wanted = set(extracted())
    assert (wanted - set(found), set(found) - wanted) == (set(), set()), "python -m grader.language"
    assert [text for (_, text), translation in found.items() if not translation.strip()] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_same_places_for_values(language: str) -> None:
    for entry in entries(FOLDER / f"{language}.po"):
        assert placeholders(entry.translation) == placeholders(entry.text), entry.text


def test_a_pattern_has_words_to_be_found_by() -> None:
    """A pattern of values alone would take any text for its own."""
    for context, text in extracted():
        words = "".join(literal for literal, *_ in Formatter().parse(text))
        assert context != MESSAGE or len(re.findall(r"\w", words)) >= 2, text


def test_texts_are_found_in_modules_and_templates() -> None:
    source = 'tr("Score"); later("done" if x else "to do"); says(f"{what}: wrong {a.kind} {len(b)}"); fail("bad")'
    assert [(entry.context, entry.text) for entry in of_python(source)] == [
        ("", "Score"), ("", "done"), ("", "to do"), (MESSAGE, "{what}: wrong {kind} {b}"), (MESSAGE, "bad"),
    ]  # fmt: skip
    page = '{{ tr("Task {task}", task=1) }}{% if x %}{{ tr("a" if y else "b") }}{% endif %}'
    assert [entry.text for entry in of_template(page)] == ["Task {task}", "a", "b"]
    with pytest.raises(TypeError, match="places for values"):
        list(of_python('tr(f"Task {task}")'))


CATALOGUE = Catalogue(
    [
        Entry("", "expected", "erwartet"),
        Entry(MESSAGE, "{what}: wrong value", "{what}: falscher Wert"),
        Entry(MESSAGE, "it is the expected value times {factor}", "es ist der erwartete Wert mal {factor}"),
        Entry(MESSAGE, "1/{size}, one over {what}", "1/{size}, eins durch {what}"),
        Entry(MESSAGE, "{count} plots", "{count} Diagramme"),
        Entry(MESSAGE, "{count} prints", "{count} Ausgaben"),
        Entry(MESSAGE, "left out: {kinds}", "ausgelassen: {kinds}"),
        Entry(MESSAGE, "{a} is {b}", "{b} ist {a}"),
    ]
)


@pytest.mark.parametrize(
    ("english", "german"),
    {
        "loss: wrong value": "loss: falscher Wert",
        "f: loss: wrong value; expected 1, got 2": "f: loss: falscher Wert; expected 1, got 2",
        "loss: wrong value; it is the expected value times 1/8, one over images":
            "loss: falscher Wert; es ist der erwartete Wert mal 1/8, eins durch images",
        "left out: 2 plots, 3 prints": "ausgelassen: 2 Diagramme, 3 Ausgaben",
        "left out: 2 plots, and what": "ausgelassen: 2 plots, and what",
        "x is y is z": "z ist y ist x",
        "  expected     1 is 2": "  erwartet     2 ist 1",
        "  model.py:3 in f": "  model.py:3 in f",
        "the course's own words": "the course's own words",
        "own words; loss: wrong value": "own words; loss: falscher Wert",
        "": "",
    }.items(),
)  # fmt: skip
def test_a_message_is_found_again_by_its_patterns_with_its_values(english: str, german: str) -> None:
    assert CATALOGUE.message(english) == german


@pytest.mark.parametrize(
    "words",
    [
        "AttributeError: 'float' object has no attribute 'backward'",
        "TypeError: object of type 'int' has no len()",
        "ValueError: not enough values to unpack (expected 2, got 1)",
        "IndentationError: expected an indented block after 'if' statement on line 3",
    ],
)
def test_python_is_quoted_as_it_speaks(words: str) -> None:
    """A beginner looks these words up: a translation of half of them is found nowhere."""
    name, _, said = words.partition(": ")
    with speaking("de"):
        told = retold(
            f"your code raised {words}; a loss is kept from an earlier batch, or backward runs twice (a.py:1)"
        )
        assert told.startswith(f"dein Code hat {name} ausgelöst: {said}; ")
        assert "loss is kept" not in told
        assert retold(f"your code raised {words} (a.py:1), in f(2)").endswith(f"ausgelöst: {said} (a.py:1), in f(2)")
        assert retold(f"  a.py:1 in f\n      raise {words}").endswith(f"\n      raise {words}")


def test_what_quotes_is_still_said() -> None:
    with speaking("de"):
        assert all(retold(text.replace("{known}", "E")) != text.replace("{known}", "E") for text in QUOTING)


def test_a_hostile_message_takes_no_longer_than_others() -> None:
    """Each pattern looks once at each letter, and no line is cut more often than a message has parts."""
    long = "; ".join(["a is b"] * 2000)
    assert CATALOGUE.message(long).count(" is ") == 2000 - MOST_PARTS
    longer = "a is " + "; ".join(["b of c: d"] * 2000)
    jointed = CATALOGUE.joined_by(
        [Entry(MESSAGE, "{x} of {y}: {z}", "{z} {y} {x}"), Entry(MESSAGE, "b: {z}", "B: {z}")]
    )
    begun = time.process_time()
    assert jointed.message(longer).count("b of c: d") > 2000 - 2 * MOST_PARTS
    assert time.process_time() - begun < 1


def filled(text: str, **values: str) -> str:
    """Return a text with values in its places: those given, and a letter of its own in each other one."""
    return text.format(**{name: f"v{number}" for number, name in enumerate(placeholders(text))} | values)


def messages_of_week_5() -> list[Entry]:
    """The grader's messages and the week's."""
    sources = entries(FOLDER / "de.po"), entries(ROOT / "assignments/week5/de.po")
    return [entry for source in sources for entry in source if entry.context == MESSAGE]


def with_joints() -> list[Entry]:
    """The messages in whose own words a joint stands, but for those that begin with a value: it may be anything."""
    joined = [
        entry for entry in messages_of_week_5() if re.search(r"; |: | \(|, in ", re.sub(r"{\w+}", "{}", entry.text))
    ]
    return [entry for entry in joined if not entry.text.startswith("{") and entry.text not in QUOTING]


@pytest.mark.parametrize(
    ("before", "outer"),
    [
        ("", "this is the value {name}"),
        ("v: wrong value; ", "these are the values {name}"),
        ("v: wrong shape; expected shape (2, 3), got (3, 2); ", "this is the shape {name}"),
    ],
)
def test_a_value_that_has_joints_is_a_message_as_a_whole(before: str, outer: str) -> None:
    """`of the first batch alone: add up over the batches` is one message; its beginning is none."""
    known = {entry.text: entry.translation for entry in entries(FOLDER / "de.po")}
    messages = with_joints()
    assert len(messages) > 150
    with speaking("de", GERMAN_OF_WEEK_5):
        begun = retold(before)
        for entry in messages:
            inner = filled(entry.translation)
            template = known[outer].replace(" {name}", "{name}") if inner.startswith(",") else known[outer]
            assert retold(before + outer.format(name=filled(entry.text))) == begun + template.format(name=inner)


@pytest.mark.parametrize("outer", ["{what}: wrong value", "{what}: wrong shape", "{what}: not finite"])
def test_a_message_may_be_about_a_message(outer: str) -> None:
    """`the filtered images: wrong shape`: a name with many letters is not all that there is to say."""
    known = {entry.text: entry.translation for entry in entries(FOLDER / "de.po")}
    jointed = {entry.text for entry in with_joints()}
    plain = [entry for entry in messages_of_week_5() if entry.text not in jointed and entry.text not in QUOTING]
    assert len(plain) > 300
    with speaking("de", GERMAN_OF_WEEK_5):
        for entry in plain:
            told = retold(f"{outer.format(what=filled(entry.text))}; expected 3, got 4")
            assert told == f"{known[outer].format(what=filled(entry.translation))}; erwartet 3, bekommen 4"


@pytest.mark.parametrize("before", ["f: ", "f: x: wrong value; expected (1, 2), got 3; "])
def test_what_stands_before_a_message_is_no_part_of_it(before: str) -> None:
    """Apart from what names files, which may be called anything: `{name}: {path} left out: {why}`."""
    named = [entry for entry in messages_of_week_5() if re.search("left out|^missing: ", entry.text)]
    with speaking("de", GERMAN_OF_WEEK_5):
        begun = retold(before)
        for entry in messages_of_week_5():
            if not entry.text.startswith("{") and entry.text not in QUOTING and entry not in named:
                assert retold(before + filled(entry.text)) == begun + filled(entry.translation)


@pytest.mark.parametrize(
    ("english", "german"),
    {
        "f: a tensor that is returned requires gradients: detach it, or evaluate under torch.no_grad()":
            "f: ein zurückgegebener Tensor verlangt Gradienten: Löse ihn mit detach(), oder werte unter "
            "torch.no_grad() aus",
        "one of the losses that train returns with log_interval=100 (its default), of 6 batches: wrong type; x":
            "einer von: die Losses, die train mit log_interval=100 (die Vorgabe) zurückgibt, von 6 Batches: "
            "falscher Typ; x",
        "this is the value of windows that overlap, as with a stride of 1: the stride is the size (a.py:3)":
            "das ist der Wert von Fenstern, die sich überlappen, wie bei einem Stride von 1: "
            "Der Stride ist die Größe (a.py:3)",
    }.items(),
)  # fmt: skip
def test_joints_within_what_is_said_do_not_cut_it(english: str, german: str) -> None:
    with speaking("de", GERMAN_OF_WEEK_5):
        assert retold(english) == german


def test_a_weeks_messages_are_said_within_its_block_alone_and_before_the_graders() -> None:
    english = "the training pipeline shifts too far horizontally: pad by 2 on each side, once"
    with speaking(
        "de", {key_of("horizontally", MESSAGE): "quer", key_of("{what}: wrong value", MESSAGE): "{what}: nein"}
    ):
        assert retold("horizontally: wrong value") == "quer: nein"
        with speaking("de", GERMAN_OF_WEEK_5):
            told = retold(f"{english}\n  expected     at most 2 pixels")
        assert retold("horizontally") == "quer"
    assert told == (
        "die Trainings-Pipeline verschiebt horizontal zu weit: Fülle auf jeder Seite um 2 auf, einmal\n"
        "  erwartet     höchstens 2 Pixel"
    )
    with speaking("de"):
        assert retold("horizontally: wrong value") == "horizontally: falscher Wert"
    assert retold(english) == english
    with speaking("en", {key_of("zu weit: {how}", MESSAGE): "too far: {how}"}):
        assert retold("zu weit: quer") == "too far: quer"


def test_numbers_in_a_weeks_messages_are_found_as_they_are_written_in_prose() -> None:
    with speaking("de", {key_of("it took more than 2.5 s", MESSAGE): "es hat mehr als 2,5 s gedauert"}):
        assert retold("it took more than 2.5 s") == "es hat mehr als 2,5 s gedauert"


def test_a_message_within_a_value_ends_where_it_has_to() -> None:
    with speaking("de"):
        told = retold("this is the value of the first batch alone: add up over the batches; x: wrong value (a.py:3)")
        assert (
            told == "das ist der Wert des ersten Batches allein: Summiere über die Batches; x: falscher Wert (a.py:3)"
        )
        assert retold("this is the value of the last batch: so") == "das ist der Wert of the last batch: so"


@pytest.mark.parametrize("joint", [", ", "; ", ": ", " (", ", in "])
def test_few_patterns_are_tried_on_a_hostile_line(joint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report has some thousand lines, in several formats, and students choose the words of many of them."""
    tried, match = [], Pattern.match

    def counted(pattern: Pattern, text: str) -> dict[str, str] | None:
        tried.append(text)
        return match(pattern, text)

    monkeypatch.setattr(Pattern, "match", counted)
    with speaking("de"):
        for begins in ("", "expected ", "task ", "got ", "x has no ", "this is the value of a "):
            retold(begins + joint.join("a" * 150))
    assert len(tried) < 1000


def failed(judge: Callable[[], object]) -> Verdict:
    try:
        judge()
    except (AssertionError, ProbeEnded) as error:
        return verdict_on(error, TaskMark("5.1", 3, "a title"), None)
    raise AssertionError("it did not fail")


def ended(kind: str, says: str, outcome: str = "error") -> NoReturn:
    frame = {"file": "lenet.py", "line": 3, "function": "forward", "code": "return x @ y"}
    raise exception_end({"outcome": outcome, "type": kind, "message": says, "frames": [frame]})


ONES = torch.ones(2, 3)
MESSAGES: dict[str, Callable[[], object]] = {
    "falscher Wert": lambda: expect.near(16.66667, 1 / 3, "mean", sizes={"images": 50}),
    "falscher Typ": lambda: expect.integer(6.0, 6, "double"),
    "falsche Form": lambda: expect.tensor(ONES.T, "logits", shape=(None, 3)),
    "falsche Werte": lambda: expect.close(ONES.double() * 2, ONES.double(), "doubled"),
    "falscher dtype": lambda: expect.close(ONES.double(), ONES, "logits", dtype=True),
    "enthält NaN": lambda: expect.finite(ONES / 0, "weights"),
    "zu niedrig": lambda: expect.at_least(0.5, 0.9, "accuracy", unit="%"),
    "meintest du": lambda: expect.there(None, "LeNet", "fc_1", ["conv1", "fc1"]),
    "ein Teil der Antwort fehlt": lambda: expect.field({}, "loss"),
    "keine Ausnahme": lambda: expect.raises({}, ["ValueError"], "pool"),
    "es fehlt: c": lambda: expect.equal({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}, "counts"),
    "dein Code hat RuntimeError ausgelöst": lambda: ended(
        "RuntimeError", "mat1 and mat2 shapes cannot be multiplied (8x25 and 400x10)"
    ),
    "der Speicher reichte nicht": lambda: ended("MemoryError", "", "memory"),
}
ENGLISH = re.compile(r"\b(the|is|are|was|of|and|not|expected|got|wrong|your|which|with)\b")


@pytest.mark.parametrize("german", MESSAGES)
def test_what_checks_say_is_german_throughout(german: str) -> None:
    english = failed(MESSAGES[german]).message
    with speaking("de"):
        said = retold(english)
    assert german in said
    # What Python and torch say stays in their words.
    own = said.replace("mat1 and mat2 shapes cannot be multiplied (8x25 and 400x10)", "")
    assert ENGLISH.findall(own) == [], said
    assert len(english.splitlines()) == len(said.splitlines())
    assert sorted(re.findall(r"\d+", said)) == sorted(re.findall(r"\d+", english))


def test_a_name_that_is_no_language_leads_to_no_file(tmp_path: Path) -> None:
    (tmp_path / "odd.po").write_text('msgid "Score"\nmsgstr "x"\n', encoding="utf-8")
    assert catalogue(os.path.relpath(tmp_path / "odd", FOLDER)) is None
    assert catalogue("en") is None and catalogue("de") is not None


def test_a_relative_clause_has_its_comma_and_a_value_that_begins_with_one_stays() -> None:
    with speaking("de"):
        told = retold("these are the values that come out where gradients are never cleared")
        assert told == "das sind die Werte, die herauskommen, wenn Gradienten nie gelöscht werden"
        assert retold("these are the values , as they are") == "das sind die Werte , as they are"
        assert retold("this is the value of a padded image") == "das ist der Wert of a padded image"
