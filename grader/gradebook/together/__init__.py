"""Keeps what several people need who grade at one gradebook: who has it alone, comments, and who does what."""
