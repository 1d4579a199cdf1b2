"""Makes an e-mail for each student, with the page attached, and a table for whatever sends mail merges."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from grader.escape import csv_cell, terminal
from grader.exports.feedback.parcels import Parcel, Parcels
from grader.exports.target import Files
from grader.language import tr
from grader.reports.words import points_of, speaking_for
from grader.results import Report

TABLE = "mail.csv"
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_HEADER = ("email", "name", "subject", "score", "max_score", "message", "attachment")


def bundle(parcels: Parcels) -> Files:
    """Return the files; left out is of whom no address is known, and who have one together."""
    unknown = "no e-mail address is known; give a roster with the column `email`"
    found = parcels.addressed(_address, unknown, "{address} is the address of {names}; send this page yourself")
    made: dict[str, bytes] = {}
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(_HEADER)
    for address, parcel in found.items():
        name, subject = parcel.person.folder, f"{parcels.title}: your feedback"
        message, page = f"messages/{name}.eml", f"pages/{name}.html"
        made[message] = _message(parcel, address, subject)
        made[page] = parcel.page
        cells = (address, parcel.name, subject, str(parcel.report.score), str(parcel.report.max_score), message, page)
        table.writerow(map(csv_cell, cells))
    made[TABLE] = out.getvalue().encode("utf-8", "replace")
    return made


def _address(parcel: Parcel) -> str:
    address = parcel.person.email.strip()
    return address if _ADDRESS.fullmatch(address) and ".." not in address else ""


def _message(parcel: Parcel, address: str, subject: str) -> bytes:
    """Return the message, which has no date and no sender: the program that sends it sets both."""
    message = EmailMessage(policy=SMTP)
    user, _, domain = address.rpartition("@")
    message["To"] = Address(terminal(parcel.person.called)[:100], user, domain)
    message["Subject"] = subject
    message["X-Unsent"] = "1"  # so that mail programs open it as a draft
    message.set_content(_text(parcel.report, parcel.file))
    message.add_attachment(parcel.page, maintype="text", subtype="html", filename=parcel.file)
    message.set_boundary("=" * 8 + hashlib.sha256(parcel.page).hexdigest()[:32])
    return message.as_bytes()


def _text(report: Report, file: str) -> str:
    with speaking_for(report):
        attached = tr("The whole report is attached, and opens in any browser")
        return f"{points_of(report.score, report.max_score)}.\n\n{attached}: {file}\n"
