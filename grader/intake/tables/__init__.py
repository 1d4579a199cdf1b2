"""Reads the tables that teachers keep or download: the roster, with its extensions and times of submission."""
