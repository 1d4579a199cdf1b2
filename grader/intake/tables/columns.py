"""Finds the roster's columns under the names that platforms give them: Canvas, Moodle, Gradescope, GitHub Classroom."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.errors import UsageError

# The first name of a column that is there counts. Canvas's `ID` is what stands in the names of its downloaded files.
# Moodle's worksheet has `Group` where groups hand in together; its `Groups`, which participants' lists have, are any.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "studentid", "sid", "userid", "idnumber", "sisuserid", "sisid", "orgdefinedid", "matriculationnumber",
           "matrikelnummer", "idnummer", "númerodeid", "numérodidentification", "identifier"),
    "name": ("name", "student", "fullname", "studentname", "displayname", "vollständigername", "nombrecompleto",
             "nomcomplet", "nomecompleto", "nomecognome", "volledigenaam"),
    "first": ("firstname", "givenname", "forename", "vorname", "nombre", "prénom", "nome", "voornaam"),
    "last": ("lastname", "surname", "familyname", "nachname", "apellidos", "nomdefamille", "cognome", "sobrenome",
             "achternaam"),
    "email": ("email", "mail", "emailaddress", "emailadresse", "direccióndecorreo", "adressedecourriel",
              "indirizzoemail", "endereçodeemail", "emailadres"),
    "login": ("login", "sisloginid", "loginid", "username", "githubusername", "github", "githublogin",
              "anmeldename"),
    "also": ("identifier", "sisuserid", "idnumber", "integrationid", "githubid"),
    "section": ("section", "sections", "class"),
    "group": ("group", "groupname", "team", "teamname", "gruppe", "grupo", "groupe", "gruppo", "groep"),
    "groups": ("groups", "gruppen", "grupos", "groupes", "gruppi", "groepen"),
    "extensions": ("extensions", "extension"),
    "submitted": ("submitted", "submittedat"),
}  # fmt: skip
NAMES = ("name", "last")
TELLING = ("id", "login", "email", "also", *NAMES)  # each of them says who somebody is
OWN = ("id", "name", "email", "login", "section", "group", "extensions", "submitted")  # as our documents name them


def find_columns(file: Path, line: int, header: Sequence[str], telling: Sequence[str] = NAMES) -> dict[str, int]:
    """Return the place of each column that is there.

    `UsageError` where none of the `telling` ones is there, two columns have one name, or a name looks misspelled.
    """
    folded = [folded_name(name) for name in header]
    for name, other in zip(header, folded, strict=True):
        if other in _ONE_EACH and folded.count(other) > 1:
            raise UsageError(f"{file}:{line}: two columns are called {name!r}; keep one of them")
    found: dict[str, int] = {}
    for column, names in COLUMNS.items():
        places = (folded.index(name) for name in names if name in folded)
        place = next((place for place in places if place not in found.values()), None)
        if place is not None:
            found[column] = place
    if "first" in found and "last" not in found and "name" not in found:
        found["name"] = found.pop("first")
    _refuse_misspelled(file, line, header, found)
    if not found.keys() & set(telling):
        raise UsageError(
            f"{file}:{line}: the first line must name columns out of {', '.join(OWN)}, `{telling[0]}` among them; "
            f"it names {', '.join(filter(None, header))}"
        )
    return found


def folded_name(header: str) -> str:
    """Return `emailaddress` for `E-mail Address`: the letters alone, so that writing does not matter."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return "".join(char for char in text if char.isalnum())


_ONE_EACH = frozenset(name for names in COLUMNS.values() for name in names)


def _refuse_misspelled(file: Path, line: int, header: Sequence[str], found: Mapping[str, int]) -> None:
    """Refuse `extnsions`: as one more column it would be ignored, and a grade would be another one."""
    for place, name in enumerate(header):
        close = difflib.get_close_matches(folded_name(name), OWN, 1, 0.8)
        if place not in found.values() and close and close[0] not in found:
            raise UsageError(f"{file}:{line}: there is no column {name!r}; {close[0]!r} may be meant")
