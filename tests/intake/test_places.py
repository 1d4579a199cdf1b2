"""A student's files are given to the week that they are for, whatever they are called."""

import pytest

from grader.intake.contents import Contents
from grader.intake.places import find_places
from grader.intake.weeks import OTHER_WEEK, Weeks
from tests.support.makers import notebook


def solved(names: str) -> bytes:
    return "".join(f"def {name}():\n    return 1\n\n\n" for name in names.split()).encode()


def places(course, files, name="ana", expected=()):
    """The weeks found with their modules' paths, and the unclear files; `files` as paths or a dict with contents."""
    contents = Contents(files if isinstance(files, dict) else dict.fromkeys(files, b"x = 1\n"))
    found, unclear = find_places(contents, name, Weeks(course.assignments(), expected))
    return {place.week: [*place.modules.values(), *place.notebooks] for place in found}, unclear


@pytest.mark.parametrize(
    "folder",
    ["week5", "Week 5", "week_05", "WEEK-5", "wk5", "w5", "hw5", "Homework 5", "assignments/week5", "cnn week5"],
)
def test_a_folder_named_after_the_week_decides(three_weeks_course, folder):
    path = f"{folder}/training.py"
    assert places(three_weeks_course, [path]) == ({"week5": [path]}, [])


@pytest.mark.parametrize(
    "folder", ["Lab 5/src", "week5.zip", "Week\u00a05", "week5 (final)", "a/week5/b", "2026/week5"]
)
def test_a_folder_whose_name_or_path_contains_the_week_decides(three_weeks_course, folder):
    path = f"{folder}/training.py"
    assert places(three_weeks_course, [path]) == ({"week5": [path]}, [])


@pytest.mark.parametrize("name", ["ana_week5", "week5.zip", "HW5 Ana García.zip"])
def test_the_entrys_own_name_decides_at_last(three_weeks_course, name):
    assert places(three_weeks_course, ["training.py"], name=name)[0] == {"week5": ["training.py"]}
    assert places(three_weeks_course, ["week4/training.py"], name=name)[0] == {"week4": ["week4/training.py"]}


@pytest.mark.parametrize("name", ["week55", "view5", "ana5", "week 4 and week 5", "v5", "5"])
def test_names_that_only_look_like_a_weeks_do_not_decide(three_weeks_course, name):
    assert Weeks(three_weeks_course.assignments(), ()).named(name) in (None, OTHER_WEEK)


def test_a_week_that_the_course_does_not_have_is_not_taken_for_another(three_weeks_course):
    assert places(three_weeks_course, ["week7/training.py", "week7/lenet.py"]) == ({}, [])


def test_a_module_that_only_one_week_has_decides_for_its_folder(three_weeks_course):
    assert places(three_weeks_course, ["src/lenet.py", "src/training.py"])[0] == {
        "week5": ["src/lenet.py", "src/training.py"]
    }


def test_a_flat_folder_may_hold_two_weeks(three_weeks_course):
    found, _ = places(three_weeks_course, ["fcnn.py", "lenet.py", "training.py"])
    assert found == {"week4": ["fcnn.py", "training.py"], "week5": ["lenet.py", "training.py"]}


@pytest.mark.parametrize(
    ("week", "name"), [("week4", "set_seed"), ("week5", "make_transforms"), ("week6", "epoch_time")]
)
def test_what_a_file_defines_decides_where_names_do_not(three_weeks_course, week, name):
    source = solved(f"train {name}")
    assert places(three_weeks_course, {"training.py": source})[0] == {week: ["training.py"]}
    assert places(three_weeks_course, {"training.py": source + b"def broken(:\n"})[0] == {week: ["training.py"]}


def test_what_cannot_be_told_is_said_unless_one_week_is_asked_for(three_weeks_course):
    files = {"training.py": solved("train")}
    assert places(three_weeks_course, files) == ({}, ["training.py"])
    assert places(three_weeks_course, files, expected=["week5"]) == ({"week5": ["training.py"]}, [])


def test_definitions_of_another_week_are_not_taken_for_the_week_asked_for(three_weeks_course):
    assert places(three_weeks_course, {"training.py": solved("set_seed")}, expected=["week5"])[0] == {
        "week4": ["training.py"]
    }


def test_each_week_of_a_checkout_is_found_in_its_own_folder(three_weeks_course):
    weeks = three_weeks_course.assignments()
    files = [f"repo/assignments/{week}/{module}.py" for week in weeks for module in weeks[week].modules]
    found, _ = places(three_weeks_course, files)
    assert {week: len(paths) for week, paths in found.items()} == {"week4": 2, "week5": 2, "week6": 2}


def test_of_several_folders_the_one_with_more_work_counts(three_weeks_course):
    skeletons = three_weeks_course.assignment("week5").skeletons
    files = {
        "assignments/week5/lenet.py": skeletons["lenet"],
        "assignments/week5/training.py": skeletons["training"],
        "my week5/lenet.py": solved("LeNet"),
        "old/week5/lenet.py": solved("LeNet"),
    }
    found, _ = find_places(Contents(files), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert found[0].folder == "my week5/"
    assert found[0].modules == {"lenet": "my week5/lenet.py", "training": "assignments/week5/training.py"}
    assert "old/week5/lenet.py not used: my week5/lenet.py counts" in found[0].notes


def test_modules_in_folders_of_their_own_are_brought_together(three_weeks_course):
    found, _ = places(
        three_weeks_course, {"part 1/lenet.py": solved("LeNet"), "part 2/training.py": solved("make_transforms")}
    )
    assert found == {"week5": ["part 1/lenet.py", "part 2/training.py"]}


def test_a_folder_that_nothing_says_the_week_of_goes_where_its_modules_lack(three_weeks_course):
    files = {"part1/lenet.py": solved("LeNet"), "part2/training.py": solved("train validate")}
    found, unclear = find_places(Contents(files), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert [(place.week, dict(place.modules)) for place in found] == [
        ("week5", {"lenet": "part1/lenet.py", "training": "part2/training.py"})
    ]
    assert (found[0].notes, unclear) == (("part2/training.py taken as training.py",), [])


def test_where_two_weeks_lack_it_neither_gets_it_and_both_are_told(three_weeks_course):
    files = {"a/lenet.py": b"", "b/fcnn.py": b"", "c/training.py": solved("train")}
    found, unclear = find_places(Contents(files), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert [(place.week, list(place.modules)) for place in found] == [("week4", ["fcnn"]), ("week5", ["lenet"])]
    assert [place.notes for place in found] == [("c/training.py not used: cannot tell which week it is for",)] * 2
    assert unclear == ["c/training.py"]


def test_a_doubtful_copy_of_what_is_there_is_not_taken(three_weeks_course):
    files = {"src/lenet.py": b"", "src/training.py": solved("train"), "old/training.py": solved("train")}
    found, _ = find_places(Contents(files), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert [(place.modules["training"], place.notes) for place in found] == [("src/training.py", ())]


@pytest.mark.parametrize(
    "stem",
    ["training_week5", "week5_training", "Week 5 - training", "training-w5 (1)", "hw5.training", "Training_WK05"],
)
def test_a_week_in_a_modules_own_name_decides(three_weeks_course, stem):
    path = f"{stem}.py"
    found, _ = find_places(Contents({path: solved("train")}), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert [(place.week, place.modules, place.notes) for place in found] == [
        ("week5", {"training": path}, (f"{path} taken as training.py",))
    ]


def test_a_week_in_a_packages_name_decides(three_weeks_course):
    path = "training_week5/__init__.py"
    assert places(three_weeks_course, {path: solved("train"), "training_week5/loops.py": b""})[0] == {"week5": [path]}


def test_modules_of_two_weeks_side_by_side_are_told_apart_by_their_names(three_weeks_course):
    files = ["fcnn.py", "lenet.py", "training_week4.py", "training_week5.py"]
    assert places(three_weeks_course, files)[0] == {
        "week4": ["fcnn.py", "training_week4.py"],
        "week5": ["lenet.py", "training_week5.py"],
    }


def test_a_package_is_a_module_as_well(three_weeks_course):
    assert places(three_weeks_course, ["week5/lenet/__init__.py", "week5/lenet/blocks.py"])[0] == {
        "week5": ["week5/lenet/__init__.py"]
    }


@pytest.mark.parametrize("name", ["LeNet.py", "lenet (1).py", "lenet-2.py", "lenet copy.py", "LENET.PY"])
def test_a_module_under_a_copys_name_is_recognised(three_weeks_course, name):
    found, _ = find_places(Contents({name: b""}), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert (found[0].modules, found[0].notes) == ({"lenet": name}, (f"{name} taken as lenet.py",))


def test_the_exact_name_comes_before_copies(three_weeks_course):
    assert places(three_weeks_course, ["lenet.py", "lenet (1).py", "LeNet.py"])[0] == {"week5": ["lenet.py"]}


def test_files_of_other_names_are_taken_for_what_they_define(three_weeks_course):
    files = {"my_net.py": solved("LeNet conv_output_size"), "loops.py": solved("train make_transforms"), "x.py": b""}
    found, _ = find_places(Contents(files), "ana", Weeks(three_weeks_course.assignments(), ()))
    assert [(place.week, dict(place.modules)) for place in found] == [
        ("week5", {"lenet": "my_net.py", "training": "loops.py"})
    ]
    assert found[0].notes == (
        "my_net.py taken as lenet.py, going by what it defines",
        "loops.py taken as training.py, going by what it defines",
    )


@pytest.mark.parametrize("name", ["test_week5.py", "conftest.py", "probes.py", "setup.py", "lenet_test.py"])
def test_the_courses_own_files_are_nobodys_work(three_weeks_course, name):
    assert places(three_weeks_course, {name: solved("LeNet")}) == ({}, [])


@pytest.mark.parametrize(
    ("path", "cells"),
    [
        ("week5/answers.ipynb", ["x = 1"]),
        ("answers.ipynb", ["class LeNet: ..."]),
        ("answers.ipynb", ["%%writefile lenet.py\n..."]),
        ("answers.ipynb", ["# lenet.py\ndef f(): ..."]),
        ("hw4.ipynb", ["def make_transforms(): ..."]),
        ("hw5.ipynb", ["def train(): ..."]),
        ("Week 5 - Ana.ipynb", []),
    ],
)
def test_a_notebook_is_given_to_its_week(three_weeks_course, path, cells):
    assert places(three_weeks_course, {path: notebook(*cells)})[0] == {"week5": [path]}


def test_a_notebook_beside_modules_is_of_their_week(three_weeks_course):
    files = {"lenet.py": solved("LeNet"), "plots.ipynb": notebook("def show(): ...")}
    assert places(three_weeks_course, files)[0] == {"week5": ["lenet.py", "plots.ipynb"]}


def test_a_notebook_whose_name_says_another_week_is_not_of_the_modules_beside_it(three_weeks_course):
    files = {"fcnn.py": solved("FCNN"), "week5.ipynb": notebook("def train(): ...")}
    assert places(three_weeks_course, files)[0] == {"week4": ["fcnn.py"], "week5": ["week5.ipynb"]}


def test_a_damaged_notebook_has_a_week_by_its_name(three_weeks_course):
    assert places(three_weeks_course, {"week5.ipynb": b"{"})[0] == {"week5": ["week5.ipynb"]}
    assert places(three_weeks_course, {"thing.ipynb": b"{"}) == ({}, ["thing.ipynb"])


def test_of_very_many_notebooks_the_outermost_count(three_weeks_course):
    files = {f"week5/{'deep/' * (n > 2)}{n:03d}.ipynb": notebook() for n in range(50)}
    found, _ = places(three_weeks_course, files)
    assert len(found["week5"]) == 20 and found["week5"][:3] == [f"week5/{n:03d}.ipynb" for n in range(3)]


def found_in(course, files, expected=("week5",)):
    """The one place of week 5."""
    places, _ = find_places(Contents(files), "ana", Weeks(course.assignments(), expected))
    (place,) = [place for place in places if place.week == "week5"]
    return place


LENET, TRAINING = solved("LeNet conv_output_size"), solved("train validate make_transforms")


@pytest.mark.parametrize(
    "name", ["training_final.py", "my loops v2.py", "week5.py", "solution.py", "training_week4.py"]
)
def test_one_renamed_file_among_right_names_is_found_by_what_it_defines(three_weeks_course, name):
    place = found_in(three_weeks_course, {"lenet.py": LENET, name: TRAINING})
    assert dict(place.modules) == {"lenet": "lenet.py", "training": name}
    assert any(note.startswith(f"{name} taken as training.py") for note in place.notes)


def test_a_renamed_file_comes_before_an_untouched_skeleton(three_weeks_course):
    files = {
        "lenet.py": LENET,
        "training.py": (three_weeks_course.root / "assignments" / "week5" / "training.py").read_bytes(),
        "mine.py": TRAINING,
    }
    assert found_in(three_weeks_course, files).modules["training"] == "mine.py"
    files["training.py"] = solved("train validate make_transforms")
    assert found_in(three_weeks_course, files).modules["training"] == "training.py"


def test_everything_in_one_modules_file_is_lent_to_the_others(three_weeks_course):
    place = found_in(three_weeks_course, {"lenet.py": LENET + TRAINING})
    assert dict(place.modules) == {"lenet": "lenet.py"}
    assert place.borrowed == {"training": dict.fromkeys(["train", "validate", "make_transforms"], "lenet.py")}
    assert place.notes == ("make_transforms, train, validate of training.py found in lenet.py",)


def test_parts_of_a_module_in_several_files_are_brought_together(three_weeks_course):
    place = found_in(
        three_weeks_course, {"lenet.py": LENET, "loops.py": solved("train validate"), "a.py": solved("make_transforms")}
    )
    assert place.modules["training"] == "loops.py"
    assert place.borrowed == {"training": {"make_transforms": "a.py"}}


@pytest.mark.parametrize("line", [b"from helpers import train, make_transforms\n", b"from helpers import *\n"])
def test_what_a_module_imports_it_does_not_lack(three_weeks_course, line):
    files = {"lenet.py": LENET, "training.py": line + solved("validate"), "helpers.py": TRAINING}
    place = found_in(three_weeks_course, files)
    assert (place.borrowed, place.notes) == ({}, ())


@pytest.mark.parametrize(
    "others", [("a.py", "b.py"), ("training (1).py", "training (2).py"), ("training_v2.py", "b.py")]
)
def test_two_files_for_one_name_are_a_question(three_weeks_course, others):
    first, second = others
    place = found_in(three_weeks_course, {"lenet.py": LENET, first: TRAINING, second: TRAINING + b"x = 1\n"})
    assert place.question.startswith("cannot tell which file is training.py: ")
    assert first in place.question and second in place.question
    same = found_in(three_weeks_course, {"lenet.py": LENET, first: TRAINING, second: TRAINING})
    assert same.question == ""


def test_a_folder_that_names_another_week_is_taken_for_what_it_defines(three_weeks_course):
    files = {"week4/lenet.py": LENET, "week4/training.py": TRAINING}
    place = found_in(three_weeks_course, files)
    assert dict(place.modules) == {"lenet": "week4/lenet.py", "training": "week4/training.py"}
    assert "ana/week4/lenet.py taken for week5, going by what it defines" in place.notes


def test_a_folders_name_counts_where_the_contents_fit(three_weeks_course):
    files = {"week4/fcnn.py": solved("FCNN"), "week4/training.py": solved("train make_transforms LeNet")}
    assert places(three_weeks_course, files)[0] == {"week4": ["week4/fcnn.py", "week4/training.py"]}


def test_a_lessons_notebook_does_not_hide_a_renamed_file(three_weeks_course):
    lesson = notebook("from lenet import LeNet", "def show(): ...")
    place = found_in(three_weeks_course, {"lenet.py": LENET, "training_final.py": TRAINING, "week5.ipynb": lesson})
    assert place.modules["training"] == "training_final.py"
    own = notebook("def train(): ...\ndef validate(): ...\ndef make_transforms(): ...")
    place = found_in(three_weeks_course, {"lenet.py": LENET, "old.py": TRAINING, "week5.ipynb": own})
    assert dict(place.modules) == {"lenet": "lenet.py"}
