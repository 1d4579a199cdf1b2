"""Runs a student's checks again on each save, in processes that have imported everything before."""
