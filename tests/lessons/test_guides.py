"""The instructor's guides agree with the lessons: every task, its time and points, every question, every mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.author.proof.mutants import load_mutants

ROOT = Path(__file__).parents[2]
GUIDES = {file.parent.name: file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("solutions/*/guide.md"))}
LESSONS = {week: (ROOT / "assignments" / week / "README.md").read_text(encoding="utf-8") for week in GUIDES}
weeks = pytest.mark.parametrize("week", GUIDES)


def section(text: str, start: str) -> str:
    """The part under the heading that begins with these words."""
    return re.split(r"^## ", text.split(f"\n## {start}", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def tasks(lesson: str) -> Iterator[tuple[str, str, str]]:
    """Each task's number, its points and its text."""
    for part in re.split(r"^### ", section(lesson, "The tasks"), flags=re.MULTILINE)[1:]:
        head = re.match(r"(\d+\.\d+) .* · (\d+) points?$", part, re.MULTILINE)
        assert head is not None, part[:60]
        yield head[1], head[2], part


def number_of_items(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]


@weeks
def test_every_task_stands_in_the_table_with_its_minutes_and_points(week: str) -> None:
    told = {row[0]: (row[2], row[3]) for row in rows(section(GUIDES[week], "Tasks, goals, time"))}
    found = {}
    for task, points, text in tasks(LESSONS[week]):
        minutes = re.search(r"\*Time:\* (\d+) minutes", text)
        found[task] = (minutes[1] if minutes else "0", points)
    assert told == found


@weeks
def test_every_goal_has_tasks_and_every_task_has_goals(week: str) -> None:
    goals = set(re.findall(r"^- \*\*([A-Z])\*\*", section(GUIDES[week], "Goals"), re.MULTILINE))
    used = [set(row[1].split(", ")) for row in rows(section(GUIDES[week], "Tasks, goals, time"))]
    assert all(used) and set.union(*used) == goals


@weeks
def test_every_question_has_an_answer_that_students_do_not_get(week: str) -> None:
    questions = number_of_items(section(LESSONS[week], "Questions for paper"))
    assert number_of_items(section(GUIDES[week], "Answers")) == questions and 6 <= len(questions) <= 10
    for answer in re.findall(r"^\d+\. (.{20,})$", section(GUIDES[week], "Answers"), re.MULTILINE):
        assert answer not in LESSONS[week]


@weeks
def test_mistakes_are_those_of_mutants_and_every_task_has_one(week: str) -> None:
    mutants = {mutant.id: mutant.tasks for mutant in load_mutants(ROOT, week)}
    told = rows(section(GUIDES[week], "Common mistakes"))
    for task, mutant, words in told:
        assert task in mutants[mutant.strip("`")], mutant
        assert words.startswith('"') and words.endswith('"')
    whole = {task for task, _, text in tasks(LESSONS[week]) if "nothing to write" in text.splitlines()[0]}
    assert {row[0] for row in told} == {task for task, _, _ in tasks(LESSONS[week])} - whole


@weeks
def test_every_figure_is_shown_in_a_session(week: str) -> None:
    for file in (ROOT / "assignments" / week / "figures").iterdir():
        assert f"figures/{file.name})" in GUIDES[week], file


NEEDED = ("*Takes and gives:*", "*Time:*", "*See*", "*By hand:*", "*Watch for:*", "*Read on:*")


@weeks
def test_each_task_says_what_a_reader_needs(week: str) -> None:
    for task, _, text in tasks(LESSONS[week]):
        if "nothing to write" not in text.splitlines()[0]:
            missing = [word for word in (*NEEDED, f"--task {task}`") if text.count(word) != 1]
            assert missing == [], task
            (by_hand,) = re.findall(r"\*By hand:\*(.*(?:\n  .*)*)", text)
            assert re.search(r"\d", by_hand), f"{task} is worked out with numbers"
            assert re.search(r"\*See\*[^\n]*\]\((../week\d/README.md)?#", text), f"{task} names a part of a lesson"
