"""The real work."""
