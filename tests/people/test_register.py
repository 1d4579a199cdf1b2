"""Entries and rosters are put to the right people; where nothing tells two apart, that stays open."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.people import resolve
from grader.people.identity import Identity
from grader.people.matching import questions
from grader.people.naming import are_related, folded, spells
from grader.people.person import Person
from grader.people.register import Entry, Register
from grader.people.resolve import find_person

WEEK5 = frozenset({"week5"})


def line(name: str, **more: str) -> Entry:
    return Entry(Identity(name, "roster", **more), name, listed=True)


def entry(who: Identity, label: str = "", weeks: frozenset[str] = WEEK5) -> Entry:
    return Entry(who, label or who.name or who.login, weeks)


def canvas(name: str, number: str) -> Entry:
    return entry(Identity(name, "canvas", number), f"{name} ({number})")


def moodle(name: str, number: str, week: str = "week5") -> Entry:
    return entry(Identity(name, "moodle", number), weeks=frozenset({week}))


def named(lines: list[Entry], *entries: Entry) -> list[str]:
    """The names of the entries' people, with a roster of these lines."""
    register = Register()
    for person in register.place(lines):
        person.listed = True
    people = register.place(list(entries))
    register.name_all()
    return [person.name for person in people]


@pytest.mark.parametrize(
    ("who", "label"),
    [
        (Identity("silvaana", "canvas", "10001"), "silvaana (10001)"),
        (Identity("ana.s", "canvas", "10001"), "ana.s (10001)"),
        (Identity("Ana Silva", "moodle", "2001"), "Ana Silva"),
        (Identity("SILVA Ana", "moodle", "2001"), "SILVA Ana"),
        (Identity("A. Silva", "gradescope", "10001"), "A. Silva"),
        (Identity("A. Silva", "gradescope", email="ANA@x.edu"), "A. Silva"),
        (Identity("", "github", login="Ana-S"), "Ana-S"),
        (Identity("", "github", login="ana"), "ana"),
        (Identity("10001"), "10001"),
        (Identity("hw_10001_final"), "hw_10001_final"),
        (Identity("ana@x.edu"), "ana@x.edu"),
        (Identity("silva_ana"), "silva_ana"),
        (Identity("Aña  Sílva"), "Aña  Sílva"),
        (Identity("anasilva"), "anasilva"),
    ],
)
def test_one_who_is_on_the_roster_is_found_however_a_platform_says_it(who: Identity, label: str) -> None:
    roster = [line("Ana Silva", id="10001", email="ana@x.edu", login="ana-s"), line("Bo Wang", id="10002")]
    assert named(roster, entry(who, label)) == ["Ana Silva"]


@pytest.mark.parametrize(
    "other",
    [
        canvas("silvaana", "10009"),  # another number of the same kind
        entry(Identity("Ana Silva", "gradescope", "10009")),
        entry(Identity("Ana Silva", "gradescope", email="other@x.edu")),
        entry(Identity("Eva Silva")),
        entry(Identity("Anna")),
    ],
)
def test_one_who_is_not_on_the_roster_is_nobody_on_it(other: Entry) -> None:
    register = Register()
    (ana,) = register.place([line("Ana Silva", id="10001", email="ana@x.edu")])
    assert register.place([other]) != [ana]


def test_a_students_number_of_another_system_speaks_not_against_a_name() -> None:
    assert named([line("Ana Silva", id="s1234567")], canvas("silvaana", "10001")) == ["Ana Silva"]


@pytest.mark.parametrize(
    "entries",
    [
        [canvas("leekim", "1"), canvas("leekim", "2")],
        [moodle("Kim Lee", "1"), moodle("Kim Lee", "2")],
        [entry(Identity("Kim Lee")), entry(Identity("Lee, Kim"))],
    ],
)
def test_two_entries_of_one_name_on_the_roster_are_two_people_and_asked_about(entries: list[Entry]) -> None:
    register = Register()
    (listed,) = register.place([line("Kim Lee", email="k@x.edu")])
    listed.listed = True
    people = register.place(entries)
    if entries[0].who.platform == "":  # one is written as the roster does
        assert people[0] is listed and people[1] is not listed
        return
    assert len({id(person) for person in (*people, listed)}) == 3
    register.name_all()
    for key, person in enumerate(register.people, 1):
        person.key, person.handed = key, WEEK5 if person in people else frozenset()
    assert [(one.name, [o.name for o in others]) for one, others in questions(register.people)] == [
        (person.name, [listed.name]) for person in people
    ]


def test_a_moodle_number_is_for_one_assignment_and_a_canvas_number_for_all() -> None:
    register = Register()
    (first,) = register.place([moodle("Kim Lee", "7")])
    assert register.place([moodle("Kim Lee", "31", "week6")]) == [first]
    assert register.place([moodle("Kim Lee", "8")]) != [first]
    assert register.place([moodle("Other Name", "31", "week6")]) == [first]


def test_every_order_of_runs_comes_to_the_same_people() -> None:
    roster = [line("Ana Silva", id="10001", email="a@x.edu"), line("Bo Wang", id="10002", email="b@x.edu")]
    runs = [
        [canvas("silvaana", "10001"), canvas("wangbo", "10002")],
        [moodle("Ana Silva", "3"), moodle("Bo Wang", "4")],
        [entry(Identity("Ana Silva", "gradescope", "10001", email="a@x.edu"))],
        [entry(Identity("wang_bo")), entry(Identity("Silva, Ana"))],
        roster,
    ]
    for order in itertools.permutations(runs):
        register = Register()
        for entries in order:
            register.place(entries)
        assert len(register.people) == 2, [person.marks for person in register.people]


def test_a_roster_that_proves_two_to_be_one_joins_them() -> None:
    register = Register()
    first, second = register.place([canvas("x", "10001"), entry(Identity("ana@x.edu"), weeks=frozenset({"week6"}))])
    (person,) = register.place([line("Ana Silva", id="10001", email="ana@x.edu")])
    assert register.merged == [(second, first)] and person is first and len(register.people) == 1


def test_a_roster_that_mixes_two_people_up_is_refused() -> None:
    register = Register()
    register.place([line("Ana Silva", id="1", email="a@x.edu"), line("Bo Wang", id="2", email="b@x.edu")])
    with pytest.raises(UsageError, match="marks of two people, Ana Silva and Bo Wang"):
        Register(register.people).place([line("Cy", id="1", email="b@x.edu")])


def test_names_are_unique_whatever_comes_together() -> None:
    people = [Person("Kim Lee", key=n + 1, marks=[("id", str(n))] if n % 2 else []) for n in range(6)]
    people += [Person("kim lee", key=9), Person("Kim Lee (1)", key=10)]
    register = Register(people)
    register.name_all()
    names = [person.name.casefold() for person in people]
    assert len(set(names)) == len(names) == len({person.folder.casefold() for person in people})
    before = [person.name for person in people]
    assert Register(people).name_all() == [] and [person.name for person in people] == before


WORDS = st.lists(st.text("abcåéß", min_size=1, max_size=3), min_size=1, max_size=4)


@given(WORDS, st.randoms())
def test_a_name_without_blanks_is_spelled_by_its_words_in_any_order(words: list[str], random: object) -> None:
    shuffled = list(words)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert spells("".join(shuffled), words)
    assert not spells("".join(shuffled) + "x", words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("asilva", "Ana Silva"),
        ("Ana Silva", "Anna Silva"),
        ("ana", "Ana Silva"),
        ("Li, Wei", "Wei Li"),
        ("müller", "Muller"),
    ],
)
def test_names_that_are_one_written_in_two_ways_are_related(one: str, other: str) -> None:
    assert are_related(one, other) and are_related(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [("Ana Silva", "Eva Silva"), ("Bo", "Cy"), ("Ana Silva", "Bo Wang"), ("", "x")]
)
def test_names_of_two_people_are_not(one: str, other: str) -> None:
    assert not are_related(one, other)


# What commands are given

CLASS = [
    Person("José Núñez", key=1, marks=[("id", "S1"), ("email", "Jose@x.edu"), ("login", "jn")]),
    Person("Kim Lee (2)", "Kim Lee", 2, marks=[("id", "2"), ("name", "Kim Lee")]),
    Person("Kim Lee (3)", "Kim Lee", 3, marks=[("id", "3"), ("name", "Kim Lee")]),
    Person("Søren Müller", key=4, marks=[("short", "müllersøren"), ("canvas", "77")]),
]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("s1", "José Núñez"), ("jose@X.edu", "José Núñez"), ("JN", "José Núñez"), ("nunez, jose", "José Núñez"),
        ("kim lee (3)", "Kim Lee (3)"), ("2", "Kim Lee (2)"), ("soren muller", "Søren Müller"), ("77", "Søren Müller"),
    ],
)  # fmt: skip
def test_a_person_is_found_by_whatever_is_known(words: str, name: str) -> None:
    assert find_person(CLASS, words).name == name


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("Kim Lee", r"'Kim Lee' may be 2 people: Kim Lee \(2\), Kim Lee \(3\)"),
        ("Jose Nunes", "no student 'Jose Nunes'; did you mean 'José Núñez'"),
        ("müller", "did you mean 'Søren Müller'"),
        ("", "no student ''"),
    ],
)
def test_where_nobody_or_two_fit_it_asks(words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        find_person(CLASS, words)


def test_a_name_that_is_looked_for_is_folded_once_in_a_class_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell of a form may have 130,000 characters, and a class a thousand people."""
    long, seen = "ana " * 50, []
    for name in ("folded", "folded_name"):
        real = getattr(resolve, name)
        monkeypatch.setattr(resolve, name, lambda text, real=real: seen.append(text) or real(text))
    with pytest.raises(UsageError):
        find_person(CLASS * 20, long)
    assert len([text for text in seen if text.strip() == long.strip()]) <= 4


def test_folding_leaves_no_accent() -> None:
    assert folded("Łukasz Ærø Çelik ẞ") == "lukasz aero celik ss"
