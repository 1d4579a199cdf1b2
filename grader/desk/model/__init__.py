"""Holds the class in memory, in step with the gradebook, and finds in it what pages show."""
