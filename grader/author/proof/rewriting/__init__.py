"""Rewrites programs: their expressions, names and layout, and nothing that they do."""
