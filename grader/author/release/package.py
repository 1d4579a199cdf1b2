"""Bundles a week for hosts that run an autograder: Gradescope's zip, and the folder that Classroom 50 publishes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from grader.author.release.project import engine_files
from grader.author.release.tree import is_for_students, is_of_another_week, listing, student_tree, tracked_files
from grader.course import Assignment, Course
from grader.errors import CourseError

_HOSTS = Path(__file__).parents[1] / "templates" / "hosts"
_DATE = (1980, 1, 1, 0, 0, 0)  # so that equal contents give equal bytes
# In the classroom's assignments.json: what its runner installs before, and the page that each release gets.
CLASSROOM50_SETTINGS = '"runtime": {"python": "3.12", "apt": ["bubblewrap"]}, "release_assets": ["grader-report.html"]'
LARGEST = 10 * 1024 * 1024  # bytes; Classroom 50 fetches no larger bundle


def gradescope(course: Course, assignment: Assignment, sandbox: str = "bwrap") -> bytes:
    """Make the zip to upload as an autograder: one week with its hidden checks, since only instructors see the zip.

    Gradescope unpacks it into /autograder/source, and runs `setup.sh` and `run_autograder` from its top.
    """
    if assignment.hidden_folder is None:
        raise CourseError(f"{assignment.week}: its hidden checks are absent; package it where solutions/ is")
    hidden = f"solutions/{assignment.week}/"
    parts = (assignment.week, *course.chapters())
    paths = [
        path
        for path in tracked_files(course.root)
        if (is_for_students(path) and not is_of_another_week(path, parts))
        or (path.startswith(hidden) and path.count("/") == 2 and path.endswith(".py"))
    ]
    files = _with_engine({path: (course.root / path).read_bytes() for path in paths}, assignment.week)
    files["README.md"] = b"# " + assignment.title.encode() + b"\n"
    files["setup.sh"] = _script("gradescope_setup.sh", assignment.week, sandbox)
    files["run_autograder"] = _script("gradescope_run.sh", assignment.week, sandbox)
    return _zip(files)


def classroom50(course: Course, assignment: Assignment, sandbox: str = "bwrap") -> dict[str, bytes]:
    """Return the files of `autograders/SLUG/`: the entry point, and the student tree, which holds nothing secret."""
    tree = _with_engine(student_tree(course, [assignment.week]), assignment.week)
    tree = {f"course/{path}": content for path, content in tree.items()}
    files = {"autograder.py": _script("classroom50.py", assignment.week, sandbox), **tree}
    size = sum(map(len, files.values()))
    if size > LARGEST:
        raise CourseError(f"the bundle has {size:,} bytes; Classroom 50 fetches {LARGEST:,} at most")
    return files


def _with_engine(files: Mapping[str, bytes], week: str) -> dict[str, bytes]:
    """Return the files of a week with the engine among them, as it is here."""
    engine = {} if "grader/__init__.py" in files else engine_files(files.get("pyproject.toml", b""))
    return listing({**files, **engine}, [week])


def _script(name: str, week: str, sandbox: str) -> bytes:
    text = (_HOSTS / name).read_text(encoding="utf-8")
    return text.replace("@WEEK@", week).replace("@SANDBOX@", sandbox).encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            runs = name in ("setup.sh", "run_autograder")
            info.external_attr = (0o100755 if runs else 0o100644) << 16
            archive.writestr(info, content)
    return out.getvalue()
