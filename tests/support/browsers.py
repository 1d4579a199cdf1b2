"""Finds the browser in which tests look at pages."""

from __future__ import annotations

import os
import shutil

import pytest


def chromium() -> str:
    """Find Chromium. Skip where it is missing, but fail under GRADER_NEEDS_BROWSER=1, as in CI."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing = "no Chromium here: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("GRADER_NEEDS_BROWSER") == "1" else pytest.skip(missing)
    return found
