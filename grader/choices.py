"""Names what options offer: where submissions run, and on what."""

from __future__ import annotations

KINDS = ("auto", "bwrap", "process")  # of sandboxes: the best that works, bubblewrap, and none
DEVICES = ("cpu", "cuda")
