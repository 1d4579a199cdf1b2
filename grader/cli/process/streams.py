"""Sets up text for whatever locale a command is started in: names of files as they are, and output that never fails.

The same class must have the same students everywhere. So names of files are UTF-8 in each locale, and what a terminal
cannot show is written in a way that still tells one name from another.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys

from grader import escape


def use_utf8() -> None:
    """Start this command anew in Python's UTF-8 mode, where names of files would be read in another encoding."""
    if codecs.lookup(sys.getfilesystemencoding()).name == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    environment = {"PYTHONIOENCODING": encoding, **os.environ, "PYTHONUTF8": "1"}
    os.execve(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]], environment)  # noqa: S606 - ourselves


def never_fail() -> None:
    """Have output written as far as its encoding goes."""
    for stream in (sys.stdout, sys.stderr):
        escape.never_fail(stream)


def flush() -> str:
    """Write out what was printed; return why that is not possible, and have Python not try again at its end."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        drop_output()
        return f"what was printed is lost ({error.strerror}); make room where the output goes"
    return ""


def drop_output() -> None:
    """Have nothing more written to standard output."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
