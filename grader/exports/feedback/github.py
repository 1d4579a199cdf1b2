"""Makes an issue's text for each repository, the page beside it, and a script that puts the issues there with `gh`."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files as resources

from grader.exports.feedback.parcels import Parcel, Parcels, file_name
from grader.exports.target import Files
from grader.language import tr
from grader.reports.pages import every_check, report_markdown
from grader.reports.words import points_of, speaking_for
from grader.results import Report

LONGEST = 60_000  # characters; GitHub takes 65,536
_REPOSITORY = re.compile(r"(?![.-])[A-Za-z0-9._-]{1,100}(?<!\.git)")


def bundle(parcels: Parcels) -> Files:
    """Return the files; left out is of whom no repository is known."""
    made: dict[str, bytes] = {}
    calls = []
    for repository, theirs in _by_repository(parcels).items():
        for parcel in theirs:
            # Members of a group have one repository, and an issue each: people may have changed points of one of them.
            alone = len(theirs) == 1
            name = repository if alone else f"{repository}--{file_name(parcel.name)}-{parcel.person.key}"
            title = f"Feedback: {parcels.title}" + ("" if alone else f", {file_name(parcel.name)}")
            made[f"issues/{name}.md"] = issue(parcel.report).encode("utf-8", "replace")
            made[f"pages/{name}.html"] = parcel.page
            calls.append(shlex.join(["send", repository, title, f"issues/{name}.md"]))
    script = (resources("grader.exports.feedback") / "send.sh").read_text(encoding="utf-8")
    made["send.sh"] = script.replace("# CALLS", "\n".join(calls)).encode()
    return made


def issue(report: Report) -> str:
    """Return a report as Markdown, short enough for an issue."""
    text = report_markdown(report)
    with speaking_for(report):
        if len(text) > LONGEST:
            more = tr("The whole report is too long for an issue; ask for the page.")
            text = f"{text.partition(every_check())[0]}{more}\n"
        return text if len(text) <= LONGEST else f"# {points_of(report.score, report.max_score)}\n"


def _by_repository(parcels: Parcels) -> dict[str, list[Parcel]]:
    found: dict[str, list[Parcel]] = {}
    names: dict[str, str] = {}
    for parcel in parcels.ready:
        name = _repository(parcel)
        if name:
            found.setdefault(names.setdefault(name.casefold(), name), []).append(parcel)
            parcels.sent += 1
        else:
            parcels.left_out.append(
                f"{parcel.name}: no repository is known; the work came in no checkout named after it"
            )
    return found


def _repository(parcel: Parcel) -> str:
    if parcel.route is None or parcel.route.layout not in ("github", "classroom50") or not parcel.route.entries:
        return ""
    name = parcel.route.entries[0]
    return name if _REPOSITORY.fullmatch(name) else ""
