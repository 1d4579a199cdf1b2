"""A new course has all that its guide leads to."""

from __future__ import annotations

import re
from pathlib import Path

from grader.author.release import scaffold
from grader.course.settings import load_settings


def test_the_guides_links_lead_to_files_of_the_new_course(tmp_path: Path) -> None:
    scaffold.new_course(tmp_path / "course", 'A "quoted" title')
    solutions = tmp_path / "course" / "solutions"
    assert {page.name for page in solutions.iterdir()} == {"README.md", "API.md"}
    for page in solutions.iterdir():
        text = page.read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
        assert [link for link in links if not (solutions / link).is_file()] == [], page
        for anchor in re.findall(r"\]\(#([\w-]+)\)", text):
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert "[API.md](API.md)" in (solutions / "README.md").read_text(encoding="utf-8")


def test_a_new_courses_settings_can_be_read(tmp_path: Path) -> None:
    scaffold.new_course(tmp_path / "course", 'A "quoted" title')
    settings = load_settings(tmp_path / "course")
    assert (settings.title, settings.language, settings.public, settings.hidden) == ("A 'quoted' title", "en", 60, 40)
