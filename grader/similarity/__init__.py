"""Finds submissions that are suspiciously alike, and shows both sides."""
