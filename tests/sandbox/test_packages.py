"""Packages outside Python's own prefix are importable in the sandbox, wherever an installer or a site puts them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox import doctor, packages, views
from tests.support import sandboxes

ROOT = Path(__file__).parents[2]
# Imports a library in the sandbox as the worker does, and looks for what must stay out of view.
PROGRAM = """
import subprocess, sys
from grader.sandbox import views
from grader.sandbox.bubblewrap import bubblewrap
inner = f"import sys, os; sys.path += {views.search_path()[1]!r}; import pytz; print(pytz.MARK, pytz.__file__); " \\
    f"print(os.path.exists({sys.argv[1]!r}), [p for p in sys.path if os.path.exists(p + '/secret.py')])"
command = [*bubblewrap().arguments(), views.python(), "-P", "-c", inner]
done = subprocess.run(command, env={}, capture_output=True, text=True)
print(done.stdout + done.stderr)
"""


def installed(folder: Path) -> Path:
    """Put a library into a folder as an installer does."""
    (folder / "pytz").mkdir(parents=True)
    (folder / "pytz" / "__init__.py").write_text("MARK = 'found'\n")
    (folder / "pytz-1.dist-info").mkdir()
    return folder


def checked_out(folder: Path) -> Path:
    """Have a library's sources lie in a folder of a person's own."""
    (folder / "pytz").mkdir(parents=True)
    (folder / "pytz" / "__init__.py").write_text("MARK = 'found'\n")
    (folder / "secret.py").write_text("")
    return folder


def linked(folder: Path) -> Path:
    """Fill a folder with links to packages that lie elsewhere, as a module system does."""
    real = installed(folder.with_name("real"))
    folder.mkdir()
    for child in real.iterdir():
        (folder / child.name).symlink_to(child)
    return folder


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own, which finds nothing but its standard library."""
    folder = tmp_path_factory.mktemp("python") / "own"
    venv.create(folder, system_site_packages=True, with_pip=False)
    return folder


def seen(python: Path, private: Path, **variables: str) -> str:
    base = sysconfig.get_path("purelib")  # what the grader itself needs
    search = os.pathsep.join(filter(None, [variables.pop("PYTHONPATH", ""), base, str(ROOT)]))
    done = subprocess.run(
        [python / "bin" / "python", "-c", PROGRAM, private],
        env={**os.environ, **variables, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("fill", "way"),
    [
        *((fill, way) for fill in (installed, linked) for way in ("PYTHONPATH", ".pth", "user site")),
        *((checked_out, way) for way in ("PYTHONPATH", ".pth")),
    ],
)
def test_a_library_outside_the_prefix_is_found_in_the_sandbox(
    python: Path, tmp_path: Path, fill: Callable[[Path], Path], way: str
) -> None:
    sandboxes.real()
    pth = python / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "more.pth"
    variables = {}
    if way == "user site":
        own = tmp_path / "lib" / f"python3.{sys.version_info.minor}"
        own.mkdir(parents=True)
        folder = fill(own / "site-packages")
        variables["PYTHONUSERBASE"] = str(tmp_path)
    else:
        folder = fill(tmp_path / "more")
        variables |= {"PYTHONPATH": str(folder)} if way == "PYTHONPATH" else {}
        pth.write_text(f"{folder}\n" if way == ".pth" else "")
    first, second = seen(python, tmp_path, **variables).strip().splitlines()
    assert first.startswith("found /packages/")
    assert second == "False []"  # neither the folder itself nor a file of a person's own beside the library


def test_a_folder_that_holds_the_course_or_a_home_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = installed(tmp_path / "home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(sys, "path", [str(ROOT), str(ROOT.parent), str(ROOT / "tests"), str(home), str(tmp_path), ""])
    assert packages.elsewhere([]) == []


def test_libraries_of_environment_modules_are_shown_where_they_are_folders_of_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("apps/lib64", "apps/notes"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{tmp_path}/apps/lib64::{tmp_path}/apps/notes:lib:{tmp_path}/none/lib")
    assert packages.libraries() == {tmp_path / "apps" / "lib64": Path("/libraries/0")}
    assert views.environment()["LD_LIBRARY_PATH"] == "/libraries/0"


def test_the_doctor_names_a_library_that_the_sandbox_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "shown_paths", dict)
    finding = next(finding for finding in doctor.examine() if finding.what == "tqdm")
    assert not finding.good
    assert "which the sandbox does not show" in finding.says
    assert "pip install tqdm" in finding.advice
