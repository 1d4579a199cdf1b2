"""Copies a lesson's notebook with cells of a test's own: long training is made short, a large network small."""

from __future__ import annotations

from pathlib import Path

import nbformat


def with_cells(notebook: Path, folder: Path, *, first: str = "pass", after_imports: str = "pass") -> Path:
    """Copy the notebook into the folder, with one cell before all code, and one after the cell of the imports."""
    content = nbformat.read(notebook, as_version=4)
    imports = next(number for number, cell in enumerate(content.cells) if cell.cell_type == "code")
    content.cells.insert(imports + 1, nbformat.v4.new_code_cell(after_imports))
    content.cells.insert(imports, nbformat.v4.new_code_cell(first))
    nbformat.write(content, folder / notebook.name)
    return folder / notebook.name


def in_short(notebook: Path, folder: Path) -> Path:
    """Copy the notebook to one that trains for few epochs: each cell runs, however well a network learns."""
    return with_cells(notebook, folder, after_imports="lessons.epochs = lambda batches: 2")
