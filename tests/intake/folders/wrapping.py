"""Downloads as platforms make them, of two students who handed in week 5 of the course `two_weeks`."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.support.makers import put, zipped

LENET = b"class LeNet:\n    pass\n"
MLP = b"class MLP:\n    pass\n"
ZIP = zipped(("week5/lenet.py", LENET))


def canvas(root: Path) -> None:
    put(root / "silvaana_1001_5001_lenet.py", LENET)
    put(root / "obriensean_LATE_1002_5011_week5.zip", ZIP)


def canvas_typed(root: Path) -> None:
    canvas(root)
    put(root / "kimlee_1003_text.html", b"<html>see GitHub</html>")
    put(root / "perezjuan_LATE_1004_link.html", b"<html>there</html>")


def anonymous(root: Path) -> None:
    put(root / "anon_aX9bC_5061_lenet.py", LENET)
    put(root / "LATE_anon_bY8dD_5062_week5.zip", ZIP)
    put(root / "anon_cZ7eE_text.html", b"<html></html>")


def moodle(root: Path) -> None:
    put(root / "Ana Silva_2001_assignsubmission_file_" / "lenet.py", LENET)
    put(root / "Bo Li_2002_assignsubmission_file_" / "week5.zip", ZIP)
    put(root / "Bo Li_2002_assignsubmission_onlinetext_" / "onlinetext.html", b"<p>hi</p>")


def moodle_flat(root: Path) -> None:
    put(root / "Ana Silva_2001_assignsubmission_file_lenet.py", LENET)
    put(root / "Bo Li_2002_assignsubmission_file_week5.zip", ZIP)


def moodle_teams(root: Path) -> None:
    put(root / "Team 1_17_assignsubmission_file" / "lenet.py", LENET)
    put(root / "Default group_assignsubmission_file" / "lenet.py", LENET)


def blackboard(root: Path) -> None:
    for login, file, content in (("asilva", "lenet.py", LENET), ("bli", "week5.zip", ZIP)):
        put(root / f"Week 5_{login}_attempt_2026-10-05-20-15-30_{file}", content)
        put(root / f"Week 5_{login}_attempt_2026-10-05-20-15-30.txt", b"Name: somebody")


def brightspace(root: Path) -> None:
    put(root / "2001-555 - Ana Silva - Oct 5, 2026 815 PM" / "lenet.py", LENET)
    put(root / "2002-555 - Bo Li - Oct 5, 2026 1115 AM" / "week5.zip", ZIP)
    put(root / "index.html", b"<html></html>")


def github(root: Path) -> None:
    for user in ("anasilva", "bo-li"):
        put(root / f"week5-{user}" / "assignments" / "week5" / "lenet.py", LENET)


def classroom50(root: Path) -> None:
    for user in ("anasilva", "bo-li"):
        put(root / f"dl-week5-{user}" / "assignments" / "week5" / "lenet.py", LENET)
        put(root / f"dl-week5-{user}" / ".classroom50.yaml", b"classroom: dl\n")


def gradescope(root: Path) -> None:
    people = (("submission_1", "Ana Silva", "s1"), ("submission_2", "Bo Li", "s2"))
    for folder, _, _ in people:
        put(root / folder / "lenet.py", LENET)
    lines = (
        f"{folder}:\n  :submitters:\n  - :name: {name}\n    :sid: {sid}\n  :created_at: 2026-10-06 10:00:00 Z\n"
        for folder, name, sid in people
    )
    put(root / "submission_metadata.yml", "".join(lines).encode())


Download = tuple[str, str, Callable[[Path], None], set[str]]  # layout, the folder's name, its maker, the students

DOWNLOADS: dict[str, Download] = {
    "canvas": ("canvas", "download", canvas, {"silvaana (1001)", "obriensean (1002)"}),
    "canvas typed": ("canvas", "download", canvas_typed, {"silvaana (1001)", "obriensean (1002)"}),
    "canvas anonymous": ("canvas", "download", anonymous, {"anon (aX9bC)", "anon (bY8dD)"}),
    "moodle": ("moodle", "download", moodle, {"Ana Silva", "Bo Li"}),
    "moodle flat": ("moodle", "download", moodle_flat, {"Ana Silva", "Bo Li"}),
    "moodle teams": ("moodle", "download", moodle_teams, {"Team 1", "Default group"}),
    "blackboard": ("blackboard", "download", blackboard, {"asilva", "bli"}),
    "brightspace": ("brightspace", "download", brightspace, {"Ana Silva", "Bo Li"}),
    "github": ("github", "week5-submissions", github, {"anasilva", "bo-li"}),
    "classroom50": ("classroom50", "download", classroom50, {"anasilva", "bo-li"}),
    "gradescope": ("gradescope", "download", gradescope, {"Ana Silva", "Bo Li"}),
}


def packed(folder: Path, zip_file: Path, inside: str = "") -> Path:
    """Zip a folder's content, as the platform does, or below `inside/`, as one who zips a folder does."""
    zip_file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(zip_file, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{inside}{file.relative_to(folder).as_posix()}")
    return zip_file
