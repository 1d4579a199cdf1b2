"""Fits a command to the process that it runs in: signals, output, and what the machine refuses."""
