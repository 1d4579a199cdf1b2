"""Does what those who grade ask for, as steps that are logged and can be undone."""
