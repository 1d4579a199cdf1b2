"""Runs the commands that students use at their own desk: `watch`, `progress`, `submit-check`."""
