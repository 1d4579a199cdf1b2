"""Judges: warm processes that grade one submission after the other."""
