"""Checks that note who calls them, Hypothesis or not, and with what."""

import random
from pathlib import Path

import numpy as np
from hypothesis import currently_in_test_context, given, note, strategies as st
from grader import expect
from grader.checks import load_probes, task

probes = load_probes(__file__)
LOG = Path(__file__).with_name("log")

def double(name, student, n, *more):
    with LOG.open("a") as log:
        print(name, "hypothesis" if currently_in_test_context() else "plain", n, *more, file=log)
    expect.equal(student.run(probes.double, n)[0], 2 * n, "double")

@task("1.1", points=40, title="Numbers", examples=6)
@given(n=st.integers(0, 10**6), pair=st.tuples(st.booleans(), st.sampled_from("ab")))
def test_numbers(student, rng, n, pair):
    double("numbers", student, n, pair, random.random(), np.random.rand(), float(rng.initial_seed()))

@task("1.2", points=30, title="Lists", examples=3)
@given(numbers=st.lists(st.integers(0, 9), min_size=1))
def test_lists(student, numbers):
    double("lists", student, numbers.pop())

@task("1.3", points=20, title="Notes", examples=3)
@given(n=st.integers(0, 10**6))
def test_notes(student, n):
    note("asked")
    double("notes", student, n)

@task("1.4", points=10, title="No draws")
def test_none(student):
    double("none", student, 4)
