"""Runs coursework of our own in the zygote, so that what a check does for the first time is already warm in forks."""
