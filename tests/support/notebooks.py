"""Copies a lesson's notebook with cells of a test's own: long training is made short, a large network small."""

from __future__ import annotations

from pathlib import Path

import nbformat

# What takes long by a number of its own, and how it is written with a smaller one.
SHORTER = {
    "week4": {"optimizer, criterion, 40)": "optimizer, criterion, 2)"},
    "week6": {
        "for epoch in range(problem.epochs)": "for epoch in range(1)",
        "TSNE(2, perplexity=20": "TSNE(2, min_grad_norm=1.0, perplexity=20",
    },
    "week7": {"def trained(model, epochs=3)": "def trained(model, epochs=1)"},
}


def with_cells(notebook: Path, folder: Path, *, first: str = "pass", after_imports: str = "pass") -> Path:
    """Copy the notebook into the folder, with one cell before all code, and one after the cell of the imports."""
    content = nbformat.read(notebook, as_version=4)
    imports = next(number for number, cell in enumerate(content.cells) if cell.cell_type == "code")
    content.cells.insert(imports + 1, nbformat.v4.new_code_cell(after_imports))
    content.cells.insert(imports, nbformat.v4.new_code_cell(first))
    nbformat.write(content, folder / notebook.name)
    return folder / notebook.name


def in_short(notebook: Path, folder: Path, *, first: str = "pass") -> Path:
    """Copy the notebook to one that trains for few epochs: each cell runs, however well a network learns."""
    copy = with_cells(notebook, folder, first=first, after_imports="lessons.epochs = lambda batches: 2")
    text = copy.read_text(encoding="utf-8")
    for long, short in SHORTER.get(notebook.stem, {}).items():
        assert text.count(long) == 1, long
        text = text.replace(long, short)
    copy.write_text(text, encoding="utf-8")
    return copy
