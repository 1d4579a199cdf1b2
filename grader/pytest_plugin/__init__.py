"""How pytest runs a check, at a student's desk and in a judge."""
