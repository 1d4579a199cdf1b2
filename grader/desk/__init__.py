"""Grades in the browser: a web application on the teacher's own machine, at a gradebook."""
