"""Says to students in their language what is kept in English.

numbers      writes numbers with a language's decimal sign
po_file      reads and writes `.po` files
texts        reads how a week says its own texts in another language, and which of them messages are made of
catalogue    translates texts and messages by a language's `.po` file
speaking     holds which language is spoken, and translates into it
extraction   finds in the sources all that is to be translated, and brings the `.po` files up to date
"""

from grader.language.speaking import (
    ENGLISH,
    LANGUAGES,
    VARIABLE,
    chosen,
    counting,
    decimal,
    later,
    retold,
    speaking,
    spoken,
    tr,
)

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "VARIABLE",
    "chosen",
    "counting",
    "decimal",
    "later",
    "retold",
    "speaking",
    "spoken",
    "tr",
]
