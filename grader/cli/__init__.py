"""Holds the command line: one typed function for each command, loaded when it is called."""
