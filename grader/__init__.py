"""Judges students' PyTorch work by evidence: their code computes, this package decides."""

__version__ = "0.1.0"
