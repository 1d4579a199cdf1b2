"""Finds modules by what they define, where the names of files do not settle it."""
