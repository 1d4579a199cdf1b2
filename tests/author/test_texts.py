"""What a week's translations lack is named before anything is graded, and a command writes where it belongs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.author import lines
from grader.author.proof.static.sentences import sentences_of
from grader.author.proof.static.source import Source
from grader.author.proof.static.week import faults_of
from grader.author.texts import main, texts_in
from grader.course import Course
from grader.language.catalogue import MESSAGE
from grader.language.po_file import all_entries, entries, obsolete_entries
from grader.language.texts import is_known, key_of, texts_of
from tests.support.makers import put


def test_what_has_no_translation_is_named_and_written_where_it_belongs(
    new_course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assignment = new_course.assignment("week7")
    assert faults_of(new_course, "week7") == []
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    assert main() == 0
    texts = {folder: texts_in(assignment, folder, new_course.root, "de") for folder in assignment.folders}
    faults = faults_of(new_course, "week7")
    assert len(faults) >= len({text for found in texts.values() for text in found})
    assert all(place.rpartition(":")[2].isdigit() and "de.po has no translation of" in text for place, text in faults)
    for folder, found in texts.items():
        file = folder / "de.po"
        file.write_text(file.read_text(encoding="utf-8").replace('msgstr ""', 'msgstr "auf Deutsch"'), encoding="utf-8")
        assert set(texts_of([folder], "de").values()) == {"auf Deutsch"} and len(texts_of([folder], "de")) == len(found)
    assert main() == 0 and faults_of(new_course, "week7") == []


def test_parts_that_people_grade_are_translated_too_and_a_language_that_nobody_reads_is_named(
    new_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_course.assignment("week7").folder
    toml = folder / "assignment.toml"
    part = '[[manual]]\ntitle = "Style"\npoints = 2\n[[manual.items]]\ntitle = "Names"\npoints = 2\n'
    toml.write_text(f"{toml.read_text(encoding='utf-8')}\n{part}", encoding="utf-8")
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    assert main() == 0
    for file in new_course.root.rglob("de.po"):
        filled = file.read_text(encoding="utf-8").replace('msgstr ""', 'msgstr "auf Deutsch"')
        file.write_text(filled.replace('"Names"\nmsgstr "auf Deutsch"', '"Names"\nmsgstr " "'), encoding="utf-8")
    (folder / "german.po").touch()
    said = [f"{place}: {text}" for place, text in faults_of(new_course, "week7")]
    assert len(said) == 2
    assert any("assignment.toml: style: de.po has no translation of 'Names'" in one for one in said)
    assert "assignments/week7/german.po: nobody reads 'german'; there is en, de" in said


CHECKS = '''"""What is checked."""

import re

from fixtures import slips
from grader.checks import expect, says, task

NAMES = re.compile(r"(\\w+) (\\w+)")


@task("7.1", points=1, title="a title of words", hint="a hint of words")
def test_a(student, rng):
    """Check it."""
    got = student.run(probes.a, "what code is given")
    for name, own in (("the first loop", "train_loader optimizer"), (says("second"), "loader criterion")):
        expect.items(got, own.split(), f"{name} of {len(own)} at {got!r}")
    missing = 2
    expect.true(got != "no such word", f"{missing} {'is' if missing == 1 else 'are'} missing\\nin {{braces}} here")
    expect.true("a b".split() and name, "plain {braces} stay " + name + " in a sum", got=f"{name}, {own}: {missing}")
    expect.equal(got, 1, "test_a(1, 2)", context={"of a key": 1, **slips.SLIPS})
    expect.true(got, f"{'the inner' if got else 1} text")
    expect.true(got, "x" if got else "either of two", expected=f"{got:.1f} of ten")
'''
SLIPS = '''"""Slips of the course."""

SLIPS = {"of a slip": 1}
'''


def test_sentences_are_what_checks_say_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path / "fixtures/slips.py", SLIPS.encode())
    file = put(tmp_path / "assignments/week7/test_week7.py", CHECKS.encode())
    found = sentences_of([Source.read(file, tmp_path)], tmp_path)
    assert [one.text for one in found] == [
        "the first loop",
        "second",
        "{name} of {own} at {got}",
        "{missing} is missing",
        "in {{braces}} here",
        "{missing} are missing",
        "plain {{braces}} stay {name} in a sum",
        "of a key",
        "{got} text",
        "the inner",
        "either of two",
        "{got} of ten",
        "of a slip",
    ]
    assert {one.place.rpartition(":")[0] for one in found} == {"assignments/week7/test_week7.py", "fixtures/slips.py"}


def test_what_the_graders_own_checks_say_is_marked_for_translation() -> None:
    """A text that is given to a function without `says` would stay English in a German report."""
    root = Path(__file__).parents[2]
    folders = [root / "grader" / name for name in ("checks", "inside/kit")]
    sources = [Source.read(file, root) for folder in folders for file in sorted(folder.rglob("*.py"))]
    unmarked = {one.text for one in sentences_of(sources, root) if not is_known(one.text, "de")}
    assert unmarked <= {
        "{what} of {name}",  # any text has such words
        "the arguments", "task {number}: points must be a whole number, not {points}",  # for who writes checks
        "{file}: there is no {name} beside it; the checks need it there",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        (main, ["week99", "de"], "there is no week 'week99'"),
        (main, ["week7", "german"], "invalid choice: 'german'"),
        (main, ["week7"], "required: language"),
        (lines.main, ["week99"], "there is no week 'week99'"),
    ],
)
def test_a_command_says_in_a_line_what_it_cannot_do(
    new_course: Course,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: Callable[[], object],
    given: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["command", *given])
    with pytest.raises(SystemExit) as ended:
        command()
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_a_translation_that_cannot_be_read_is_not_written_over(
    new_course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = new_course.assignment("week7").folders[-1] / "de.po"
    file.write_bytes(broken := 'msgid "a"\nmsgstr "Ä"\n'.encode("latin-1"))
    monkeypatch.chdir(new_course.root)
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    with pytest.raises(SystemExit):
        main()
    assert "save it as UTF-8" in capsys.readouterr().err and file.read_bytes() == broken
    assert [one.name for one in new_course.root.rglob("*.po")] == ["de.po"]


def test_sentences_of_messages_are_asked_for_and_their_places_for_values(
    new_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = new_course.assignment("week7").folder
    (checks,) = (file for file in new_course.assignment("week7").check_files if file.parent == folder)
    source = checks.read_text(encoding="utf-8")
    checks.write_text(f'{source}\n\ndef told(what):\n    return f"the numbers of {{what}} differ"\n', encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])
    assert main() == 0
    key, file = key_of("the numbers of {what} differ", MESSAGE), folder / "de.po"
    assert key in texts_in(new_course.assignment("week7"), folder, new_course.root, "de")
    place = f"assignments/week7/{checks.name}:{len(source.splitlines()) + 4}"
    lacking = "a message: de.po has no translation of 'the numbers of {what} differ'"
    assert next(text for where, text in faults_of(new_course, "week7") if where == place).startswith(lacking)
    _translate(new_course, file, {"the numbers of {what} differ": "die Zahlen von {wem} weichen ab"})
    assert faults_of(new_course, "week7") == [
        (place, "de.po: the translation of 'the numbers of {what} differ' must have the same places for values: {what}")
    ]
    _translate(new_course, file, {"the numbers of {what} differ": "die Zahlen von {what} weichen ab"})
    assert faults_of(new_course, "week7") == []


def _translate(course: Course, file: Path, said: dict[str, str]) -> None:
    """Translate all that waits in the course, and in one file these texts, as they say."""
    for one in course.root.rglob("*.po"):
        one.write_text(
            one.read_text(encoding="utf-8").replace('msgstr ""\n', 'msgstr "auf Deutsch"\n'), encoding="utf-8"
        )
    content = file.read_text(encoding="utf-8")
    for text, translation in said.items():
        content = re.sub(rf'(msgid "{re.escape(text)}"\nmsgstr ").*"', rf'\1{translation}"', content)
    file.write_text(content, encoding="utf-8")


def test_what_a_person_has_written_outlives_a_change_of_the_text(
    new_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text that has changed a little keeps its translation, which waits; one that is gone stands at the end."""
    assignment = new_course.assignment("week7")
    (checks,) = (file for file in assignment.check_files if file.parent == assignment.folder)
    source, file = checks.read_text(encoding="utf-8"), assignment.folder / "de.po"
    sentence, hint = (
        "the first of all numbers is lost",
        next(iter(texts_in(assignment, assignment.folder, new_course.root, "de"))),
    )
    monkeypatch.setattr("sys.argv", ["texts", "week7", "de"])

    def written(own: str) -> None:
        checks.write_text(f"{source}\n\nSAID = {own!r}\n", encoding="utf-8")
        assert main() == 0

    written(sentence)
    _translate(new_course, file, {sentence: "die erste Zahl fehlt", hint: "ein Titel"})
    before = file.read_text(encoding="utf-8")
    written(sentence)
    assert file.read_text(encoding="utf-8") == before
    written(sentence.replace("lost", "gone"))
    changed = [one for one in all_entries(file) if one.fuzzy]
    assert [(one.context, one.text, one.translation) for one in changed] == [
        (MESSAGE, "the first of all numbers is gone", "die erste Zahl fehlt")
    ]
    assert any(
        "de.po has no translation of 'the first of all numbers is gone'" in why
        for _, why in faults_of(new_course, "week7")
    )
    written(sentence.replace("lost", "gone"))
    assert [one for one in all_entries(file) if one.fuzzy] == changed
    written("another thing that nobody has said before")
    assert [one.translation for one in obsolete_entries(file)] == ["die erste Zahl fehlt"]
    assert len(list(entries(file))) == len(texts_of([assignment.folder], "de")) + 1
    written(sentence.replace("lost", "gone"))
    assert [one for one in all_entries(file) if one.fuzzy] == changed
    file.write_text(file.read_text(encoding="utf-8").replace("#, fuzzy\n", ""), encoding="utf-8")
    assert faults_of(new_course, "week7") == []
    written("another thing that nobody has said before")
    written(sentence.replace("lost", "gone"))
    assert file.read_text(encoding="utf-8").count("fuzzy") == 0 and "die erste Zahl fehlt" in file.read_text(
        encoding="utf-8"
    )
