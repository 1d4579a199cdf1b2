"""Judges students' PyTorch work by evidence: their code computes, this package decides."""

__version__ = "1.0.0"


def load_ipython_extension(shell: object) -> None:
    """Let notebooks check what they define: `%load_ext grader` gives `%check`, `%score` and `%submit`."""
    from grader.kernel import magics  # noqa: PLC0415 - only a notebook needs it

    magics.load(shell)
