"""Fills one column of tables that instructors download, and leaves all else in them as it was."""
