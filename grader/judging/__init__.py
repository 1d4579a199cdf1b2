"""Judges submissions: warm processes that grade one after the other."""
