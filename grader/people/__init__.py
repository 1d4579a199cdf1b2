"""Tells who is who: what a platform or a roster says of a person, and which of them are the same."""
