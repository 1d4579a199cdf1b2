"""Names what options offer: where submissions run, and on what; and tells whether this system can grade."""

from __future__ import annotations

import os

from grader.inside import says

KINDS = ("auto", "bwrap", "process")  # of sandboxes: the best that works, bubblewrap, and none
DEVICES = ("cpu", "cuda")
# Judges and their sandboxes are made of what Linux alone has. Elsewhere students run their own work, unconfined.
HAS_JUDGES = hasattr(os, "fork") and hasattr(os, "memfd_create")
NO_JUDGES = says("there is NO security boundary on this system: run your own code alone")
