"""Words what this machine refuses a command: a full disk, a folder that cannot be written, no memory."""

from __future__ import annotations

import errno
import os
import sys

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}


def worded(error: BaseException) -> str:
    """Return a sentence for a person: what happened, where, what to do. "" where the error is a mistake of ours."""
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _FULL | _CLOSED):
        return _of_a_file(error)
    database = sys.modules.get("sqlite3")  # nothing else raises its errors
    if database is not None and isinstance(error, database.DatabaseError):
        return f"the gradebook cannot be used ({error}); check its disk and permissions, and run the command again"
    if isinstance(error, MemoryError):
        return "this machine has no memory left; end other programs, or take fewer --jobs"
    return ""


def _of_a_file(error: OSError) -> str:
    file = error.filename2 or error.filename
    where = os.fsdecode(file) if isinstance(file, str | bytes | os.PathLike) else "something"
    why = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return f"{where}: cannot be written ({why}); make room, and run the same command again"
    if error.errno in _CLOSED:
        return f"{where}: no access ({why}); check its permissions, or name another place"
    return f"{where}: {why}"
