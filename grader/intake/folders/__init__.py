"""Tells what a class folder is, on disk or as a zip: which entries are students', and which are whole downloads."""
