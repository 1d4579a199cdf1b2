"""Runs checks under pytest, at a student's desk and in a judge."""
