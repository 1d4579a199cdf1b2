"""Keeps the pages of a class in step with its gradebook: where reports lie, what has to be written anew."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from grader.course import Course
from grader.files import remove_halves, write_atomically
from grader.gradebook import Gradebook, Problem, open_book
from grader.gradebook.adjustments import CONTACT, LANGUAGE, TEXTS
from grader.language.texts import texts_of
from grader.people.person import Person
from grader.reports.class_page import is_outdated, say_outdated, write_class_page
from grader.reports.figures import changed_grades, class_rows, write_grades
from grader.reports.pages import is_current, outdate, remove_report, write_report
from grader.reports.words import first_of
from grader.results import Report

LARGE = 500  # results; a larger class's page is not written anew for each decision
MOST_NAMED = 5
_BEFORE = {LANGUAGE: "en", CONTACT: "", TEXTS: ""}  # what reports are like where nothing is noted


def report_folder(book: Gradebook, out: Path, student: str, week: str) -> Path:
    """Return the folder of one student's report for one week; it stays when the student's name changes."""
    return out / "students" / book.folder_of(student) / week


def outdate_reports(out: Path, renamed: Iterable[tuple[Person, str]]) -> None:
    """Have the reports of those whose name has changed written anew."""
    for person, _ in renamed:
        for folder in _weeks(out, person):
            outdate(folder)


def note_course(book: Gradebook, out: Path, course: Course) -> None:
    """Note in which language reports speak, how weeks' own texts are said there, and whom reports name.

    Where any of it has changed, all are written anew.
    """
    language = course.settings.language
    said = {week: found for week, one in course.assignments().items() if (found := texts_of(one.folders, language))}
    texts = json.dumps(said, ensure_ascii=False, sort_keys=True) if said else ""
    now = {LANGUAGE: language, CONTACT: course.settings.contact, TEXTS: texts}
    changed = {name: value for name, value in now.items() if (book.setting(name) or _BEFORE[name]) != value}
    for student, week in book.graded_weeks() if changed else ():
        outdate(report_folder(book, out, student, week))
    for name, value in changed.items():
        book.set(name, value)


def join_reports(book: Gradebook, out: Path, merged: Iterable[tuple[Person, Person]]) -> None:
    """Write the reports of people who have become one into one folder, and remove those in the other."""
    for person, into in merged:
        for folder in _weeks(out, into):
            outdate(folder)
        write_missing_reports(book, out, [into.name])
        remove_reports(out, person)


def renew_reports(book: Gradebook, out: Path, people: Iterable[Person]) -> None:
    """Write all reports of people anew, and remove those of weeks that they have no longer."""
    people = list(people)
    reports = {(report.student, report.week) for report in book.latest([person.name for person in people])}
    for person in people:
        for folder in _weeks(out, person):
            if (person.name, folder.name) in reports:
                outdate(folder)
            else:
                remove_report(folder)
    write_missing_reports(book, out, [person.name for person in people])


def remove_reports(out: Path, person: Person) -> None:
    """Remove a person's reports."""
    for folder in _weeks(out, person):
        remove_report(folder)


def write_missing_reports(book: Gradebook, out: Path, students: Collection[str]) -> None:
    """Write each report of these students that is missing or out of date."""
    for report in book.latest(students):
        folder = report_folder(book, out, report.student, report.week)
        if not is_current(folder):
            write_report(report, folder)


def mend_reports(book: Gradebook, out: Path) -> None:
    """Write what an interrupted run has left out of date, in whatever week, and what people alone have graded."""
    for report in book.reports_by_hand():  # it has the checks of others, which may have changed
        outdate(report_folder(book, out, report.student, report.week))
    write_decided(book, out)
    weeks = book.graded_weeks()
    weeks += [(report.student, report.week) for report in book.reports_by_hand()]
    stale = {student for student, week in weeks if not is_current(report_folder(book, out, student, week))}
    write_missing_reports(book, out, stale)


def write_decided(book: Gradebook, out: Path) -> None:
    """Write the reports that do not show yet what was decided, and remove those of which nothing is left.

    The gradebook knows them until they are written, so that a run that is killed leaves none behind. So it does where
    somebody has decided something at the desk in the meantime.
    """
    changes, stale = book.changes, book.stale()
    reports = {(report.student, report.week): report for report in book.latest({student for student, _ in stale})}
    for key in stale:
        folder = report_folder(book, out, *key)
        outdate(folder)
        if key in reports:
            write_report(reports[key], folder)
        else:
            remove_report(folder)
        if book.changes == changes:
            book.forget_stale(*key)


def write_class(book: Gradebook, out: Path) -> tuple[list[Report], list[Problem]]:
    """Write grades.csv and the class page from the gradebook; return what they show: brief reports, problems."""
    remove_halves(out)
    reports, problems, people = book.overview(), book.problems(), book.people()
    write_grades(reports, problems, out / "grades.csv", people)
    write_class_page(reports, problems, out, people)
    return reports, problems


def write_grades_of(book: Gradebook, out: Path, students: Collection[str]) -> None:
    """Bring grades.csv in step for these students, and the class page unless that takes long.

    In a large class the page takes seconds, which is too much for each decision. It says then on top what it lacks, and
    `finish_class` writes it.
    """
    if len(book.graded_weeks()) <= LARGE or not _defer(book, out, students):
        write_class(book, out)


def _defer(book: Gradebook, out: Path, students: Collection[str]) -> bool:
    names = sorted(students)
    what = f"Not shown here yet: what was decided since, last about {first_of(names, MOST_NAMED)}"
    try:
        page = say_outdated((out / "index.html").read_text(encoding="utf-8"), what)
        before = (out / "grades.csv").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return False
    people = book.people()
    gone = {(person.name, week) for person in people for week in person.gone}
    reports = [report for report in book.latest(students) if (report.student, report.week) not in gone]
    rows = [row for row in class_rows(reports, book.problems(), people) if row.student in students]
    table = changed_grades(before, rows) if len(rows) == len(names) else None
    if page is None or table is None:
        return False
    write_atomically(out / "index.html", page)
    write_atomically(out / "grades.csv", table)
    return True


def finish_class(out: Path) -> bool:
    """Write the class page where it says that it does not show all that was decided; tell whether it did."""
    if outdated := is_outdated(out):
        write_class_again(out)
    return outdated


def write_class_again(out: Path) -> None:
    """Write grades.csv and the class page as the gradebook in `out` has them, since something beside them is new."""
    with open_book(out) as book:
        write_class(book, out)


def _weeks(out: Path, person: Person) -> list[Path]:
    folder = out / "students" / person.folder
    return sorted(path for path in folder.iterdir() if path.is_dir()) if person.folder and folder.is_dir() else []
