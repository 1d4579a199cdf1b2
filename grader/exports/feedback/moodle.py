"""Makes what Moodle takes in bulk: a zip for "Upload multiple feedback files in a zip", or the worksheet's comments.

Moodle reads `NAME_123_assignfeedback_file/` and looks at the participant's number alone. Neither the name nor a folder
around it may have an underscore, and files that begin with a dot or a tilde are passed over.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup, escape

from grader.errors import UsageError
from grader.escape import plain
from grader.exports.feedback.archive import packed
from grader.exports.feedback.parcels import Parcel, Parcels, file_name
from grader.exports.target import Files
from grader.exports.worksheets import moodle
from grader.exports.worksheets.fill import Filled, Rules, fill, namesakes
from grader.intake.tables.participants import number_of
from grader.language import retold, tr
from grader.people.identity import MOODLE, of_week
from grader.reports.words import change, next_step, points_of, problem, remark_title, speaking_for, week_command, word
from grader.results import Remark, Report


def bundle(parcels: Parcels, template: Path | None = None) -> Files:
    """Return the zip, a folder for each participant; a worksheet tells numbers that the download does not."""
    numbers = _numbers(parcels, template) if template else {}
    unknown = "the download has no participant's number; give the grading worksheet with --template"
    if template:
        unknown = f"neither the download nor {template.name} has a participant's number"
    found = parcels.addressed(
        lambda parcel: numbers.get(parcel.name) or _number(parcel),
        unknown,
        "{names} are one participant, {address}; hand this page over yourself",
    )
    return {
        "": packed(
            {
                f"{file_name(parcel.person.called)}_{number}_assignfeedback_file/{parcel.file}": parcel.page
                for number, parcel in found.items()
            }
        )
    }


def comments(parcels: Parcels, template: Path, column: str | None, overwrite: bool) -> Filled:
    """Fill the worksheet's column for comments: the score, what to do next and each task, as HTML."""
    sheet, matching = moodle.read(template)
    where = moodle.comments_column(sheet)
    if column is not None or where is None:
        wanted = column or moodle.COMMENTS
        if wanted not in sheet.header:
            names = ", ".join(sheet.header)
            raise UsageError(
                f"{template}: there is no column {wanted!r}; name the one for comments with --column: {names}"
            )
        where = sheet.header.index(wanted)
    texts = {parcel.name: comment(parcel.report) for parcel in parcels.ready}
    people = {parcel.name: parcel.person for parcel in parcels.ready}
    filled = fill(sheet, where, texts, matching, people, Rules(overwrite, "comment"))
    filled.left_out[:0] = parcels.left_out
    return filled


def comment(report: Report) -> str:
    """Return a report in short, as HTML on one line; nothing in it can start a formula."""
    with speaking_for(report):
        return _comment(report)


def _comment(report: Report) -> str:
    shown = report.for_student()
    step = None if shown.by_hand else next_step(shown.tasks(), week_command(report.week), shown.full)
    lines = [Markup("<strong>{}</strong>").format(points_of(shown.score, shown.max_score))]
    if step:
        lines.append(Markup("{}: {}, {}").format(tr("Next"), _task(step.check.task), _safe(problem(step.check))))
    lines += [
        Markup("{}: {}, {}").format(_task(one.task), points_of(one.points, one.max_points), word(one.outcome))
        for one in (() if shown.by_hand else shown.tasks())
    ]
    for part in shown.manual:
        comments = [part.why, *(item.comment or item.title for item in part.given)]
        said = "; ".join(comment for comment in comments if comment)
        points = Markup("{}: {}").format(_safe(part.title), points_of(part.points or 0, part.max_points))
        lines.append(points + (_safe(f" ({said})") if said else Markup("")))
    lines += [
        Markup("{}: {}{}").format(
            _safe(retold(line.what)), change(line.points), _safe(f" ({retold(line.why)})" if line.why else "")
        )
        for line in shown.adjustments
    ]
    lines += [_safe(f"{_about(remark)}{remark.text}") for remark in shown.remarks]
    return str(Markup("").join(Markup("<p>{}</p>").format(line) for line in lines))


def _task(task: str) -> str:
    return tr("Task {task}", task=task)


def _about(remark: Remark) -> str:
    return f"{remark_title(remark)}: " if remark.task or remark.check or remark.file else ""


def _safe(text: str) -> Markup:
    return escape(" ".join(plain(text).split(" ")).replace("\n", " "))


def _numbers(parcels: Parcels, template: Path) -> dict[str, str]:
    """Return the participants' numbers that a worksheet has, by student."""
    sheet, matching = moodle.read(template)
    parcels.said = sheet.said
    shared = namesakes(parcel.person for parcel in parcels.ready)
    found = {}
    for parcel in parcels.ready:
        rows = matching.rows_of(parcel.name, parcel.person, parcel.name not in shared)
        if len(rows) == 1:
            found[parcel.name] = number_of(sheet.rows[next(iter(rows))][0]) or ""
    return found


def _number(parcel: Parcel) -> str:
    """Return the participant's number for the week, as the download had it."""
    numbers = [value for kind, value in parcel.person.marks if kind == of_week(MOODLE, parcel.report.week)]
    return numbers[-1] if numbers and numbers[-1].isascii() and numbers[-1].isdigit() else ""
