"""Turns what people decide about grades into decisions for the gradebook, from words or from a table."""
