"""Finds out in which CI job this runs and where the submission lies, and writes what the job's host reads.

For every host it writes `report.json`, `.md`, `.html` and `junit.xml` as well. Nothing is written before the
submission is graded, and the host's own file comes last.
"""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import UsageError
from grader.escape import github_log
from grader.exports import classroom50, github, gradescope, gradescope_metadata, junit
from grader.exports.gradescope_metadata import Metadata
from grader.files import without_links, write_atomically
from grader.intake.layouts import PLAIN
from grader.language import decimal, tr
from grader.reports.pages import every_check, report_markdown, write_report
from grader.reports.words import speaking_for
from grader.results import Report
from grader.sandbox.commit import commit_time

LARGEST_SUMMARY = 1_000_000  # bytes; GitHub refuses a step summary above 1 MiB
_AUTOGRADER = Path("/autograder")


@dataclass(frozen=True)
class CiJob:
    """The job that this runs in; `folder` holds the submission, `home` is Gradescope's `/autograder`."""

    host: str
    folder: Path
    environment: Mapping[str, str]
    home: Path = _AUTOGRADER


def find_job(environment: Mapping[str, str], host: str | None = None, submission: Path | None = None) -> CiJob:
    """Tell the host by its environment, unless `host` names it. `UsageError` where no submission can be found."""
    home = Path(environment.get("AUTOGRADER_HOME") or _AUTOGRADER)
    known = host or _host(environment, home)
    folder = submission or _folder(known, environment, home)
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder; say with --submission where the submission is")
    return CiJob(known, folder.resolve(), environment, home)


def _host(environment: Mapping[str, str], home: Path) -> str:
    if environment.get("CLASSROOM") and environment.get("SUBMISSION_TAG"):
        return "classroom50"
    if environment.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gradescope" if (home / "submission").is_dir() else "plain"


def _folder(host: str, environment: Mapping[str, str], home: Path) -> Path:
    if host == "gradescope":
        return home / "submission"
    if host == "github" and environment.get("GITHUB_WORKSPACE"):
        return Path(environment["GITHUB_WORKSPACE"])
    return Path.cwd()


def student_of(job: CiJob) -> str:
    """Name the student whose submission it is, as far as the host tells."""
    if job.host == "gradescope":
        return ", ".join(told_by_gradescope(job).names)
    names = {"classroom50": ("OWNER", "USERNAME"), "github": ("GITHUB_ACTOR",)}.get(job.host, ())
    return next((job.environment[name] for name in names if job.environment.get(name)), "")


def told_by_gradescope(job: CiJob) -> Metadata:
    """Return what Gradescope tells of the submission; nothing on another host."""
    return gradescope_metadata.read(job.home / gradescope_metadata.FILE) if job.host == "gradescope" else Metadata()


def refuse_links(job: CiJob, out: Path) -> Path:
    """Return the folder for the report as an absolute path; `GraderError` where a link in the checkout leads there."""
    folders = (job.folder, *job.folder.parents)
    repository = [folder for folder in folders if (folder / ".git").exists()][:1]
    workspace = job.environment.get("GITHUB_WORKSPACE")
    strange = {job.folder, Path.cwd(), *repository, *([Path(workspace)] if workspace else [])}
    return without_links(out, strange - {Path("/")})


def write(job: CiJob, report: Report, out: Path) -> list[Path]:
    """Write the report into `out`, and the host's own files where it reads them; return the files to look at.

    The host's own files have the modes that it expects, and the others are private.
    """
    out = refuse_links(job, out)
    write_report(report, out)
    write_atomically(out / "junit.xml", junit.document([report]))
    writers = {"classroom50": _write_classroom50, "gradescope": _write_gradescope, "github": _write_github}
    with speaking_for(report):
        more = writers[job.host](job, report, out) if job.host in writers else []
    return [out / "report.html", out / "report.md", *more]


def write_failure(job: CiJob, says: str, contact: str = "") -> None:
    """Tell a host that shows no log why there is no grade; the others show how the command ended."""
    if job.host == "gradescope":
        write_atomically(
            job.home / "results" / "results.json", _json(gradescope.failed(says, contact)), for_others=True
        )


def _write_classroom50(job: CiJob, report: Report, out: Path) -> list[Path]:
    result = classroom50.result(report, job.environment, _committed(job), datetime.now(UTC))
    # Its runner shows this on the job's summary page as well.
    write_atomically(job.folder / "release-body.md", report_markdown(report), for_others=True)
    page = (out / "report.html").read_text(encoding="utf-8")
    write_atomically(job.folder / classroom50.ASSET, page, for_others=True)
    write_atomically(job.folder / "result.json", _json(result), for_others=True)
    _append(job.environment.get("GITHUB_OUTPUT"), _lines(classroom50.outputs(report)))
    return [job.folder / "result.json"]


def _write_gradescope(job: CiJob, report: Report, out: Path) -> list[Path]:
    file = job.home / "results" / "results.json"
    write_atomically(file, _json(gradescope.results(report, told_by_gradescope(job))), for_others=True)
    return [file]


def _write_github(job: CiJob, report: Report, out: Path) -> list[Path]:
    _append(job.environment.get("GITHUB_ENV"), _lines(github.variables(report)))
    scores = {
        "runners": ",".join(github.runners(report)),
        "score": str(report.score),
        "max-score": str(report.max_score),
    }
    _append(job.environment.get("GITHUB_OUTPUT"), _lines(scores))
    _summarise(job, report)
    return []


def _summarise(job: CiJob, report: Report) -> None:
    text = report_markdown(report)
    if len(text.encode("utf-8", "replace")) > LARGEST_SUMMARY:
        more = tr("The whole report is too long for this page; open report.html.")
        text = f"{text.partition(every_check())[0]}\n\n{more}\n"
    _append(job.environment.get("GITHUB_STEP_SUMMARY"), text + "\n")


def _append(file: str | None, text: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(text)


def _lines(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _committed(job: CiJob) -> datetime:
    """Return the time of the commit that is graded: by the host, else by the checkout; now where neither tells."""
    return _pushed(job.environment) or commit_time(job.folder) or datetime.now(UTC)


def _pushed(environment: Mapping[str, str]) -> datetime | None:
    """Return the commit's time that GitHub gives with the event of a push, if the event is about the graded commit."""
    try:
        commit = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))["head_commit"]
        told = datetime.fromisoformat(commit["timestamp"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return told if commit.get("id") == environment.get("GITHUB_SHA") and told.tzinfo else None


def missing_points(job: CiJob, report: Report) -> str:
    """Say that points are missing; on GitHub as an annotation, which is shown at the top of the run."""
    says = f"{report.week}: {decimal(report.score)} of {decimal(report.max_score)} points"
    return f"::error title=Points are missing::{says}" if _on_github(job) else f"points are missing: {says}"


@contextmanager
def quoted(job: CiJob) -> Iterator[None]:
    """Keep GitHub from taking what is printed in the block for a command, whether to its runner or to its log.

    After an exception commands stay off for the rest of the step, as what is said of it may hold a student's words.
    """
    if not _on_github(job):
        yield
        return
    token, printed = secrets.token_hex(16), io.StringIO()
    print("::remove-matcher owner=python::")  # setup-python's: it makes annotations of tracebacks, a student's, too
    print(f"::stop-commands::{token}", flush=True)
    try:
        with redirect_stdout(printed):
            yield
    finally:
        print(github_log(printed.getvalue()), end="", flush=True)
    print(f"::{token}::", flush=True)


def _on_github(job: CiJob) -> bool:
    return job.environment.get("GITHUB_ACTIONS") == "true"


HOSTS = ("classroom50", "gradescope", "github", PLAIN)  # of CI jobs
