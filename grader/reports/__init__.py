"""Writes what people read: a student's report, the class page, grades.csv, the terminal."""
