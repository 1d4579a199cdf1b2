"""The command line: one function for each command, loaded when it is called."""
