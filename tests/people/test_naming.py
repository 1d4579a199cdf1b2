"""Folders named after students: safe, recognisable, and never shared."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.people.naming import LONGEST, safe_name, told_apart

# Characters that matter on some file system or screen, and ordinary ones.
NAMES = st.text(
    st.one_of(st.sampled_from("aAéE\u0301ß /\\.:-_~\u202e\u200b\x00\n\ud800"), st.characters()), max_size=60
)


@pytest.mark.parametrize("name", ["Ana García", "王小明", "Nguyễn Thị Lan", "ada-l", "x_y", "Amélie O'Brien", "7"])
def test_an_ordinary_name_stays_as_it_is(name):
    assert safe_name(name) == name


@given(NAMES)
def test_a_folder_name_is_one_visible_component(name):
    safe = safe_name(name)
    assert safe and len(safe.encode()) <= LONGEST + 13
    assert not set(safe) & set('/\\:*?"<>|')
    assert not safe.startswith((".", "-", " ")) and not safe.endswith((".", " "))
    assert all(unicodedata.category(char)[0] != "C" and (char == " " or not char.isspace()) for char in safe)


@given(NAMES, NAMES)
def test_two_students_never_share_a_folder(one, other):
    if one != other:
        assert safe_name(one).casefold() != safe_name(other).casefold()


@given(NAMES)
def test_a_name_made_to_look_like_a_marked_one_is_marked_itself(name):
    marked = safe_name(name)
    assert marked == name or safe_name(marked) != marked


@pytest.mark.parametrize("name", ["CON", "nul.txt", "aux", "com1", "a" * 300, "..", "", "/etc", "Jose\u0301"])
def test_names_that_systems_reserve_or_refuse_are_marked(name):
    assert safe_name(name) != name


def test_entries_named_alike_stay_apart():
    entries = [("ana", "ana"), ("ana", "ana.ipynb"), ("ana", "ana.zip"), ("ben", "ben.zip")]
    assert told_apart(entries) == ["ana", "ana.ipynb", "ana.zip", "ben"]


def test_names_that_look_the_same_are_numbered():
    composed, decomposed = "Jos\u00e9", "Jose\u0301"
    assert told_apart([(decomposed, decomposed), (composed, composed)]) == [composed, f"{composed} (2)"]
    assert told_apart([("Ana", "Ana"), ("ana", "ana"), ("ana (2)", "ana (2)")]) == ["Ana", "ana (3)", "ana (2)"]


@given(st.lists(NAMES, max_size=8))
def test_names_told_apart_differ_even_without_case(names):
    apart = told_apart([(name, name) for name in names])
    assert len({name.casefold() for name in apart}) == len(names)


ODD = ["dan\udcff", "bob ", " bob", "bob  ray", "bob\u00a0ray", "   ", "zoe\u0301"]


@pytest.mark.parametrize("name", ODD)
def test_a_name_can_be_stored_and_is_what_one_sees(name):
    (told,) = told_apart([(name, name)])
    assert told.encode("utf-8").decode() == told == told.strip() != ""
    assert told == unicodedata.normalize("NFC", " ".join(told.split()))


@pytest.mark.parametrize(("one", "other"), [("bob", "bob "), ("bob ray", "bob  ray"), ("zoé", "zoe\u0301")])
def test_names_that_look_alike_are_numbered(one, other):
    assert len({told.casefold() for told in told_apart([(one, one), (other, other)])}) == 2
