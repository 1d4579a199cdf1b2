"""Keeps strangers out: whoever is not let in, other pages, other names of this machine."""
