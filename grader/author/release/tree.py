"""Makes the student tree: the part of a course that students get, as a folder or a branch without a common history.

It holds lessons, skeletons, public checks, probes, the grader and the fixtures; no solutions, hidden checks or mutants.
It is made of the files that git tracks, and searched for leaks (`leaks`) before anything is written.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.author.release import leaks, links
from grader.author.release.project import project_text
from grader.course import Course, git
from grader.course.protected import MANIFEST, manifest_text
from grader.course.settings import FILE
from grader.errors import CourseError, UsageError
from grader.files import new_folders, write_atomically
from grader.scratch import held

WHOLE = ("assignments", "fixtures", "grader")
SINGLE = ("LICENSE", "action.yml", "course.toml", "pyproject.toml", ".gitignore")
NEVER = (
    "fixtures/pretrain.py",  # a training loop as students are to write it
    "grader/author/templates/week/",  # solutions
    "grader/author/templates/course/",
)
# Settings of editors, by their places in the tree: its test explorer finds the checks, and a container has all of it.
EDITORS = {
    ".vscode/settings.json": "settings.json",
    ".vscode/extensions.json": "extensions.json",
    ".devcontainer/devcontainer.json": "devcontainer.json",
}
_TEMPLATES = Path(__file__).parents[1] / "templates" / "students"
README = "assignments/README.md"  # becomes the README of the tree
WORKFLOW, WORKFLOW_IN_TREE = "assignments/workflow.yml", ".github/workflows/checks.yml"


def student_tree(course: Course, weeks: Sequence[str] = ()) -> dict[str, bytes]:
    """Return every file of the student tree by its path; of these weeks alone, by default of the course's.

    `CourseError` for uncommitted changes, for a week of which git knows nothing, and for leaks.
    """
    root = course.root
    weeks = weeks or tuple(course.assignments())
    parts = (*weeks, *course.chapters())
    chosen = [path for path in tracked_files(root) if is_for_students(path) and not is_of_another_week(path, parts)]
    changed = _git(root, "status", "--porcelain", "-z", "--untracked-files=no", "--", *WHOLE, *SINGLE)
    if changed.strip("\0"):
        raise CourseError("there are uncommitted changes in what students get; commit them first, then release")
    for part in parts:
        if not any(path.startswith(f"assignments/{part}/") for path in chosen):
            raise CourseError(f"git does not know assignments/{part} yet; `git add` and commit it first, then release")
    files = links.moved({path: (root / path).read_bytes() for path in chosen}, place_of)
    files["pyproject.toml"] = _for_students(files.get("pyproject.toml", b"")) or project_text(course.title).encode()
    files |= {place: (_TEMPLATES / name).read_bytes() for place, name in EDITORS.items() if place not in files}
    files = listing(files, weeks)
    files[MANIFEST] = manifest_text(files).encode()
    leaks.check(files, course, "the student tree")
    return dict(sorted(files.items()))


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the tree into a folder that is new or empty, or that an earlier release has made."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise UsageError(f"{folder} holds something else than an earlier release; name a new folder")
    for path in _left_over(files, folder):
        path.unlink()
    with new_folders(folder):
        for name, content in files.items():
            write_atomically(folder / name, content, for_others=True)


def commit_branch(course: Course, files: Mapping[str, bytes], branch: str, message: str) -> str:
    """Commit the tree onto a branch of its own; return the new commit's id, or "" where nothing has changed.

    `CourseError` where the branch shares history with other commits, or an earlier commit of it leaks.
    """
    root = course.root
    before = _git(root, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", allowed=(0, 1)).strip()
    if before:
        _check_history(course, branch)
    with held() as folder:
        index = {"GIT_INDEX_FILE": str(folder / "index")}
        for name, content in files.items():
            blob = _git(root, "hash-object", "-w", "--stdin", given=content).strip()
            _git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", environment=index)
        tree = _git(root, "write-tree", environment=index).strip()
    if before and _git(root, "rev-parse", f"{before}^{{tree}}").strip() == tree:
        return ""
    parents = ["-p", before] if before else []
    commit = _git(root, "commit-tree", tree, *parents, "-m", message).strip()
    _git(root, "update-ref", f"refs/heads/{branch}", commit, before or "0" * 40)
    return commit


def _check_history(course: Course, branch: str) -> None:
    """Raise `CourseError` if anything that was ever on the branch leaks: whoever clones it gets its history as well."""
    root = course.root
    for other in _git(root, "for-each-ref", "--format=%(refname)", "refs/heads").split():
        if other != f"refs/heads/{branch}" and _git(root, "merge-base", branch, other, allowed=(0, 1)).strip():
            name = other.removeprefix("refs/heads/")
            raise CourseError(f"the branch {branch} shares history with {name}; release to a branch of its own")
    secrets = leaks.secrets_of(course)
    found: list[str] = []
    for line in _git(root, "rev-list", "--objects", branch).splitlines():
        blob, _, path = line.partition(" ")
        if path and _git(root, "cat-file", "-t", blob).strip() == "blob":
            content = _git_bytes(root, "cat-file", "blob", blob)
            found += [f"{path} in its history"] if leaks.paths_refused([path]) else []
            found += leaks.leaks_in({path: content}, secrets)
    if found:
        raise CourseError("\n  ".join([f"the history of {branch} leaks; release to a new branch:", *found[:20]]))


def tracked_files(root: Path) -> list[str]:
    """List the files that git tracks in the course: nothing else is ever handed out."""
    if _git(root, "rev-parse", "--is-inside-work-tree", allowed=(0, 128)).strip() != "true":
        raise CourseError(
            f"{root} is in no git repository, and only what git tracks is handed out: git init, git add and git commit"
        )
    return _git(root, "ls-files", "-z").split("\0")[:-1]


def is_for_students(path: str) -> bool:
    """Tell whether a file of the course belongs in the student tree."""
    chosen = path in SINGLE or path.split("/", 1)[0] in WHOLE
    return chosen and not path.startswith(NEVER) and not leaks.paths_refused([path])


def place_of(path: str) -> str:
    """Return where a file of the course lies in the tree."""
    return {README: "README.md", WORKFLOW: WORKFLOW_IN_TREE}.get(path, path)


def is_of_another_week(path: str, weeks: Collection[str]) -> bool:
    """Tell whether a file belongs to a week that is not among these."""
    parts = path.split("/")
    return parts[0] == "assignments" and len(parts) > 2 and parts[1] not in weeks


def listing(files: Mapping[str, bytes], weeks: Sequence[str]) -> dict[str, bytes]:
    """Have the course's file and the workflow name the weeks that are there."""
    quoted = ", ".join(f'"{week}"' for week in weeks).encode()
    lists = {
        FILE: (rb"(?m)^weeks\s*=\s*\[[^\]]*\]", b"weeks = [" + quoted + b"]"),
        WORKFLOW_IN_TREE: (rb"(?m)^(\s*week: )\[.*\]$", rb"\g<1>[" + quoted.replace(b'"', b"") + b"]"),
    }
    named = {name: re.sub(*lists[name], content) for name, content in files.items() if name in lists}
    return {**files, **named}


def _for_students(project: bytes) -> bytes:
    """Adapt pyproject.toml to a tree without tests of the grader: a plain `pytest` there runs the public checks."""
    return project.replace(b'testpaths = ["tests"]', b'testpaths = ["assignments"]')


def _left_over(files: Iterable[str], folder: Path) -> list[Path]:
    """Return the files that an earlier release wrote and this one does not."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return []
    kept = set(files)
    earlier = [line.split("  ", 1)[1] for line in manifest.read_text(encoding="utf-8").splitlines() if "  " in line]
    return [path for name in earlier if name not in kept and (path := folder / name).is_file()]


def _git(root: Path, *words: str, **options: Any) -> str:
    return _git_bytes(root, *words, **options).decode("utf-8")


def _git_bytes(
    root: Path, *words: str, allowed: tuple[int, ...] = (0,), environment: Mapping[str, str] | None = None,
    given: bytes | None = None,
) -> bytes:  # fmt: skip
    try:
        done = subprocess.run(
            git.command(root, *words),
            input=given,
            capture_output=True,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except FileNotFoundError:
        raise CourseError("releasing needs git, which is not on this machine; install it") from None
    if done.returncode not in allowed:
        raise CourseError(f"git {words[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
