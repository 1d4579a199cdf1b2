"""Reads Moodle's `Participant 123` in any language: its word is translated, and in most languages no blank follows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.intake.tables.rows import Row

_NUMBERED = re.compile(r"(\D*[^\W\d]\D*)(\d+)\s*", re.DOTALL)

# The word of each language, so that an id like `s2001` in a roster of one's own is not taken for a participant.
_WORDS = """
Participant, Participant/e, Participante, Participante/a, Partecipante, Partaidea, Parte-hartzailea, Teilnehmer/in,
Teilnehmer, Teilnehmerin, Teilnehmende/r, Deelnemer, Deelneemer, Deltager, Deltagare, Deltaker, Deltakar, Osallistuja,
Osaleja, Dalyvis, Dalībnieks, Uczestnik, Účastník, Udeleženec, Sudionik, Polaznik, Učesnik, Учесник, Учасник, Участник,
Удзельнік, Pjesëmarrës, Pjesëmarrësi, Résztvevő, Συμμετέχων, Συμμετέχοντας, Katılımcı, İştirakçı, Қатысушы, Катышуучу,
Ishtirokchi, Оролцогч, Մասնակից, მონაწილე, مشارك, المشارك, משתתף, משתתפ/ת, شرکت‌کننده, شرکت کننده, شریک, प्रतिभागी,
सहभागी, অংশগ্রহণকারী, பங்கேற்பாளர், ผู้เข้าร่วม, Người tham gia, Thành viên, Peserta, Kalahok, Mshiriki, 参加者,
参与者, 參與者, 参与人, 成员, 참가자, 참여자, Þátttakandi, Luttakari, Rannpháirtí, Cyfranogwr, Partoprenanto
"""


def number_of(cell: str) -> str | None:
    """Return the number in `Participant 123` and `Teilnehmer/in123`, whatever the word; None where that is not all."""
    found = _NUMBERED.fullmatch(cell)
    return found[2] if found else None


def is_participant(cell: str) -> bool:
    """Tell whether a cell is Moodle's word for a participant, in any of its languages, and a number."""
    found = _NUMBERED.fullmatch(cell)
    return found is not None and _letters(found[1]) in _KNOWN


def are_participants(rows: Sequence[Row]) -> bool:
    """Tell whether each row begins with the same word and a number, as each row of a grading worksheet does."""
    found = [_NUMBERED.fullmatch(row.cells[0]) for row in rows]
    words = {match[1] for match in found if match}
    return len(words) == 1 and None not in found and all(len(row.cells) > 1 for row in rows)


def _letters(word: str) -> str:
    return "".join(char for char in word.casefold() if char.isalnum())


_KNOWN = {_letters(word) for word in _WORDS.split(",")}
