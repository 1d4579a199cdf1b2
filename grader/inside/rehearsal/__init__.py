"""Runs coursework of our own in the zygote, so that its forks find warm whatever a check does for the first time."""
